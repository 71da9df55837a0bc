"""The condition keys of the requests that ECS makes with a task's execution role, so far as they are certain.

Sources: IAM User Guide, "AWS global condition context keys"; AWS KMS Developer Guide, "Condition keys for AWS KMS";
AWS Secrets Manager User Guide, "Secret encryption and decryption" (the encryption context); AWS Systems Manager User
Guide, "AWS KMS encryption for Parameter Store SecureString parameters".
"""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.iam.context import Context
from infraspec.iam.fields import arn_fields
from infraspec.unknown import Value, concatenate, render

_ABSENT_FOR_ROLES = ("aws:username",)
_SUFFIXES = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
_ENCRYPTION = {"secretsmanager": "SecretARN", "ssm": "PARAMETER_ARN"}


def request_context(role: Value, resource: Value, via: Value = None) -> Context:
    """Return what is known of a request of a role on a resource, both narrowed ARNs; the rest is unknown.

    `via` is the ARN of the secret or parameter on whose behalf a KMS key is used.
    """
    principal, target = arn_fields(role), arn_fields(resource)
    values: dict[str, Value] = {
        "aws:SecureTransport": True,
        "aws:PrincipalIsAWSService": False,
        "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalArn": role,
        "aws:PrincipalAccount": principal.get("account"),
        "aws:RequestedRegion": target.get("region"),
        "aws:ResourceAccount": target.get("account"),
    }
    if via is not None:
        values |= _through(arn_fields(via), via, principal.get("account"))
    known = {key: value for key, value in values.items() if value is not None and value != ""}
    return Context.of(known, absent=_ABSENT_FOR_ROLES)


def _through(fields: Mapping[str, Value], via: Value, caller: Value) -> dict[str, Value]:
    """Return the keys of a request to KMS that another service makes on behalf of the role."""
    service = fields.get("service")
    suffix = _SUFFIXES.get(render(fields.get("partition")))
    if service not in _ENCRYPTION or suffix is None:
        return {}
    region = fields["region"]
    return {
        "kms:ViaService": concatenate([service, ".", region, f".{suffix}"]),
        "kms:CallerAccount": caller,
        f"kms:EncryptionContext:{_ENCRYPTION[service]}": via,
    }
