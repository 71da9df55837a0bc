"""The key of a secret: whoever reads or writes the secret uses the key, and nobody does if it is not enabled.

Source: AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager", "Permissions for the
KMS key"; AWS Secrets Manager API Reference, DecryptionFailure and EncryptionFailure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

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
    """Tell whether somebody can use the key of a secret; AWS's own key lets in who may use the secret."""
    if not key or key.endswith("alias/aws/secretsmanager"):
        return KeyUse.USABLE
    found = key_of(place, key)
    if found is None or found.key_state != "Enabled":
        return KeyUse.UNUSABLE
    keys = {
        "kms:ViaService": f"secretsmanager.{place.region}.amazonaws.com",
        "kms:CallerAccount": place.account,
        "kms:EncryptionContext:SecretARN": secret,
    }
    policies = RegisteredTarget.of(found.arn, found.policy).policies
    decisions = (
        ask(who, needed, found.arn, account=place.account, region=place.region, resource_policies=policies, keys=keys)
        for needed in _NEEDED[action]
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
