"""The key of a secret or a parameter: whoever reads or writes it uses the key, and nobody does if it is not enabled.

Sources: AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager", "Permissions for the
KMS key"; AWS Secrets Manager API Reference, DecryptionFailure and EncryptionFailure; AWS Systems Manager User Guide,
"AWS KMS encryption for AWS Systems Manager Parameter Store SecureString parameters"; AWS Systems Manager API
Reference, GetParameter and PutParameter (InvalidKeyId).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from moto.ssm.models import ssm_backends

from infraspec.sandbox.overlay.decisions import SandboxIdentity, allowed, ask
from infraspec.sandbox.overlay.targets import Place, RegisteredTarget, key_of, secret_of

_WRITES = ("kms:GenerateDataKey", "kms:Decrypt")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "GetSecretValue": ("kms:Decrypt",),
    "BatchGetSecretValue": ("kms:Decrypt",),
    "PutSecretValue": _WRITES,
    "CreateSecret": _WRITES,
    "UpdateSecret": _WRITES,
}
"""By operation of Secrets Manager, what it does with the key for whoever asks."""
_OWN_KEYS = ("alias/aws/secretsmanager", "alias/aws/ssm")
_SEALED, _ADVANCED = "SecureString", "Advanced"
_PARAMETER_READS = ("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory")
_MOST_NAMES = 10
"""How many parameters are read at once: more are refused without a look at their keys."""
_CONTEXT = {"secretsmanager": "SecretARN", "ssm": "PARAMETER_ARN"}
"""By service, what it calls the ARN of what is encrypted when it asks the key."""
PARAMETER_REFUSED = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not "
    "allowed to access."
)
REFUSED = "Access to KMS is not allowed"
_UNUSABLE = (
    "Secrets Manager can't {verb} the protected secret text using the provided KMS key. "
    "Check that the KMS key is available, enabled, and not in an invalid state."
)


class KeyUse(Enum):
    """Whether the key of a secret can be used."""

    USABLE = "usable"
    REFUSED = "refused"
    UNUSABLE = "unusable"


def use_of(place: Place, who: SandboxIdentity, secret: str, key: str | None, action: str = "GetSecretValue") -> KeyUse:
    """Tell whether somebody can use the key of a secret."""
    return _use(place, who, "secretsmanager", secret, key, _NEEDED[action])


def reading_of(place: Place, who: SandboxIdentity, parameter: Any) -> KeyUse:
    """Tell whether somebody can use the key of a parameter to read it; one that is plain text has none."""
    sealed = parameter.parameter_type == _SEALED
    arn = place.arn("ssm", f"parameter/{parameter.name.lstrip('/')}")
    return _use(place, who, "ssm", arn, parameter.keyid if sealed else None, ("kms:Decrypt",))


def _use(  # noqa: PLR0917 - whose key it is, and for what
    place: Place, who: SandboxIdentity, service: str, arn: str, key: str | None, needed: tuple[str, ...]
) -> KeyUse:
    """Tell whether somebody can use a key through a service; AWS's own keys let in who may use what they encrypt."""
    if not key or key.endswith(_OWN_KEYS):
        return KeyUse.USABLE
    found = key_of(place, key)
    if found is None or found.key_state != "Enabled":
        return KeyUse.UNUSABLE
    keys = {
        "kms:ViaService": f"{service}.{place.region}.amazonaws.com",
        "kms:CallerAccount": place.account,
        f"kms:EncryptionContext:{_CONTEXT[service]}": arn,
    }
    policies = RegisteredTarget.of(found.arn, found.policy).policies
    decisions = (
        ask(who, action, found.arn, account=place.account, region=place.region, resource_policies=policies, keys=keys)
        for action in needed
    )
    return KeyUse.USABLE if all(allowed(who, one) for one in decisions) else KeyUse.REFUSED


def key_error(
    place: Place, who: SandboxIdentity, action: str, parameters: Mapping[str, Any], target: str
) -> tuple[str, str] | None:
    """Return code and message of what Secrets Manager says if the key keeps somebody from a secret."""
    if action not in _NEEDED:
        return None
    secret = secret_of(place, target)
    has_value = parameters.get("SecretString") is not None or parameters.get("SecretBinary") is not None
    if action in {"CreateSecret", "UpdateSecret"} and not has_value and not parameters.get("KmsKeyId"):
        return None
    key = parameters.get("KmsKeyId") or getattr(secret, "kms_key_id", None)
    match use_of(place, who, target, key, action):
        case KeyUse.REFUSED:
            return "AccessDeniedException", REFUSED
        case KeyUse.UNUSABLE if action.endswith("GetSecretValue"):
            return "DecryptionFailure", _UNUSABLE.format(verb="decrypt")
        case KeyUse.UNUSABLE:
            return "EncryptionFailure", _UNUSABLE.format(verb="encrypt")
        case _:
            return None


def parameter_key_error(
    place: Place, who: SandboxIdentity, action: str, parameters: Mapping[str, Any]
) -> tuple[str, str] | None:
    """Return code and message of what Systems Manager says if a key keeps somebody from a SecureString."""
    if action == "PutParameter":
        uses = [_writing(place, who, parameters)]
    elif action in _PARAMETER_READS and parameters.get("WithDecryption"):
        uses = [reading_of(place, who, one) for one in _parameters(place, parameters)]
    else:
        return None
    if KeyUse.REFUSED in uses:
        return "AccessDeniedException", PARAMETER_REFUSED
    return ("InvalidKeyId", "The key is not there, or is not enabled.") if KeyUse.UNUSABLE in uses else None


def _writing(place: Place, who: SandboxIdentity, parameters: Mapping[str, Any]) -> KeyUse:
    """Tell whether somebody can use the key of a parameter to write it; only an advanced one has a data key."""
    name = str(parameters.get("Name"))
    before = next(_named(place, [name]), None)
    if (parameters.get("Type") or getattr(before, "parameter_type", "")) != _SEALED:
        return KeyUse.USABLE
    needed = _WRITES if parameters.get("Tier") == _ADVANCED else ("kms:Encrypt",)
    key = parameters.get("KeyId") or getattr(before, "keyid", None)
    return _use(place, who, "ssm", place.arn("ssm", f"parameter/{name.lstrip('/')}"), key, needed)


def _parameters(place: Place, parameters: Mapping[str, Any]) -> Iterator[Any]:
    names = [*(parameters.get("Names") or ()), *filter(None, [parameters.get("Name")])]
    yield from _named(place, names[:_MOST_NAMES])
    if path := parameters.get("Path"):
        backend = ssm_backends[place.account][place.region]
        found, _ = backend.get_parameters_by_path(path, recursive=bool(parameters.get("Recursive")))
        yield from found


def _named(place: Place, names: list[str]) -> Iterator[Any]:
    yield from ssm_backends[place.account][place.region].get_parameters(names).values()
