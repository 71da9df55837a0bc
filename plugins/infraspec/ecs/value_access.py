"""The permissions to read one value from Secrets Manager or Parameter Store, with those for the key it is under.

IAM sees the bare ARN of a secret: the agent strips JSON key, version stage and version id before it calls
GetSecretValue. Secrets Manager and Systems Manager ask for decryption in the name of the role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from infraspec.ecs import access_table as table
from infraspec.ecs.access_table import Access
from infraspec.ecs.requirement import AccessContext, Doubt, Need, Requirement
from infraspec.ecs.value_from import Store, ValueFrom
from infraspec.terraform.aws_attributes import parameter_path
from infraspec.unknown import Unknown, Value, computed_from

_REFERENCE = re.compile(r"^(?:arn:.*:parameter)?/aws/reference/secretsmanager/(?P<name>.+)$")


def value_access(need: Need, context: AccessContext, secret: Access, parameter: Access) -> Iterator[Requirement]:
    """List what reading a `valueFrom` takes; `secret` and `parameter` are the rows of the feature it belongs to."""
    parsed = ValueFrom.parse(context.narrow(need.named))
    match parsed.store:
        case Store.SECRETS_MANAGER:
            yield from secret_access(need, parsed.target, secret, context)
        case Store.PARAMETER_STORE:
            yield from _parameter_access(need, parsed, parameter, context)
        case Store.UNKNOWN:
            doubt = Doubt.of(parsed.unknown or Unknown(f"what {need.path} names", computed_from(need.named)))
            (action,) = secret.actions
            yield Requirement(need, secret, action, parsed.target, doubt, undecidable=True)


def secret_access(need: Need, target: Value, row: Access, context: AccessContext) -> Iterator[Requirement]:
    """List what reading the secret of an ARN takes."""
    (action,) = row.actions
    yield Requirement(need, row, action, target)
    yield from _decrypt(need, target, "secretsmanager", context)


def _parameter_access(need: Need, parsed: ValueFrom, row: Access, context: AccessContext) -> Iterator[Requirement]:
    name = parsed.target
    target = name if parsed.is_arn else context.arn("ssm", parameter_path(name))
    (action,) = row.actions
    yield Requirement(need, row, action, target)
    reference = _REFERENCE.match(name) if isinstance(name, str) else None
    misnamed = not parsed.is_arn and isinstance(name, str) and context.secret_named(name) is not None
    if misnamed and not context.exists(target):
        return
    if reference:
        yield from secret_access(need, context.secret(reference["name"]), table.SECRET_BY_PARAMETER, context)
    else:
        yield from _decrypt(need, target, "ssm", context)


def _decrypt(need: Need, target: Value, service: str, context: AccessContext) -> Iterator[Requirement]:
    key = context.key_of(service, target, need.named)
    if key is None:
        return
    row = table.SECRET_KEY if service == "secretsmanager" else table.PARAMETER_KEY
    own = Need(need.owner, f"KMS key of {need.purpose}", need.path, key.arn)
    yield Requirement(own, row, "kms:Decrypt", context.narrow(key.arn), key.doubt, via=target)
