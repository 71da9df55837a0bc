"""Lambda: nothing runs in the sandbox. A function that is called answers at once, with nothing.

Sources: AWS Lambda API Reference, AddPermission (FunctionUrlAuthType); AWS Secrets Manager API Reference, RotateSecret:
a secret is rotated from then on, whatever comes of the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partialmethod
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.awslambda.policy import Policy
from moto.secretsmanager.exceptions import ResourceNotFoundException
from moto.secretsmanager.models import SecretsManagerBackend


def install() -> None:
    """Put what functions answer, and what lets callers in, over moto's."""
    LambdaFunction._invoke_lambda = lambda *_, **__: ("{}", False, "")
    Policy.decode_policy = partialmethod(_decoded, Policy.decode_policy)
    SecretsManagerBackend.rotate_secret = partialmethod(_rotate, SecretsManagerBackend.rotate_secret)


def _decoded(policy: Any, original: Callable[..., Any], given: dict[str, Any]) -> Any:
    """Return the policy of a permission, with the condition on how a URL is called."""
    auth = given.pop("FunctionUrlAuthType", None)
    made = original(policy, given)
    if auth is not None:
        condition = made.statements[0].setdefault("Condition", {})
        condition.setdefault("StringEquals", {})["lambda:FunctionUrlAuthType"] = auth
    return made


def _rotate(  # noqa: PLR0917 - as moto has it
    backend: Any,
    original: Callable[..., str],
    secret_id: str,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: Mapping[str, Any] | None = None,
    rotate_immediately: bool = True,  # noqa: FBT001, FBT002 - likewise
) -> str:
    """Have a secret rotated by a function of the account, without calling that; what is not said stays as it was."""
    rotation_lambda_arn = rotation_lambda_arn or getattr(backend.secrets.get(secret_id), "rotation_lambda_arn", None)
    if not rotation_lambda_arn:
        return original(
            backend, secret_id, client_request_token, rotation_lambda_arn, rotation_rules, rotate_immediately
        )
    name = rotation_lambda_arn.partition(":function:")[2]
    functions = lambda_backends[backend.account_id][backend.region_name]
    if functions._lambdas.get_function_by_name_with_qualifier(name.partition(":")[0], None) is None:
        raise ResourceNotFoundException(f"Resource not found for ARN '{rotation_lambda_arn}'.")
    secret = backend.secrets[secret_id]
    secret.rotation_lambda_arn = rotation_lambda_arn
    days = getattr(secret, "auto_rotate_after_days", None) or 0
    secret.auto_rotate_after_days = rotation_rules.get("AutomaticallyAfterDays", 0) if rotation_rules else days
    secret.rotation_requested = secret.rotation_enabled = True
    return str(secret.to_short_dict())
