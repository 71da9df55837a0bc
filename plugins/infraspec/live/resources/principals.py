"""The users, groups and roles of the whole account, and to whom grants give the keys of its secrets.

Policies of AWS are known without asking. Sources: IAM API Reference, GetAccountAuthorizationDetails; AWS KMS API
Reference, ListGrants.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from infraspec.checks.policies.readers import GRANT
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import Value
from infraspec.live.resources.scope import LiveScope, refused
from infraspec.live.resources.secrets import ALIAS, DETAILS, KEY, SECRET
from infraspec.terraform.plan import IamSnapshot, Resource
from infraspec.terraform.planfile.iam_snapshot import answered

_DECRYPT = "Decrypt"
_GONE = ("NotFoundException",)


def principals(scope: LiveScope) -> IamSnapshot:
    """Return what IAM has in the account, with the grants. Raises RunnerPermissionError, SnapshotError."""
    calls = scope.calls
    lists = {
        name: calls.pages("iam", "get_account_authorization_details", name, Filter=[kind])
        for name, kind in DETAILS.items()
    }
    found = answered(lists, f"the account {calls.account}", account=calls.account, partition=calls.partition)
    return dataclasses.replace(found, resources=(*found.resources, *_grants(scope)))


def _grants(scope: LiveScope) -> Iterator[Resource]:
    """Yield the grants to decrypt with the keys of secrets; of a key that hides them, one of which nothing is known."""
    used = {secret.stated("kms_key_id") for secret in scope.managed(SECRET)}
    aliases = scope.managed(ALIAS)
    for key in scope.managed(KEY):
        arn, identifier = key.stated("arn"), key.stated("key_id")
        own = (alias for alias in aliases if alias.stated("target_key_id") == identifier)
        names = [arn, identifier, *(alias.stated(name) for alias in own for name in ("name", "arn"))]
        if not used.intersection(name for name in names if isinstance(name, str)) or not isinstance(identifier, str):
            continue
        try:
            found = scope.calls.pages("kms", "list_grants", "Grants", KeyId=arn, absent=_GONE)
        except RunnerPermissionError as error:
            hidden: Mapping[str, Value] = {"grantee_principal": refused(f"a grantee of {arn}", error)}
            yield _grant(f"{arn} grants", names, hidden)
            continue
        given = _by_source(scope)
        for one in found:
            if _DECRYPT in one.get("Operations", ()) and one.get("GranteePrincipal") not in given:
                limits = one.get("Constraints") or {}
                context = {name: value for part in limits.values() for name, value in part.items()}
                given_to = {"grantee_principal": one.get("GranteePrincipal", ""), "context": context}
                yield _grant(str(one["GrantId"]), names, given_to)


def _grant(name: str, key_names: list[Value], values: Mapping[str, Value]) -> Resource:
    return Resource(name, "managed", GRANT, name, None, "", {**values, "key_names": key_names}, "aws")


def _by_source(scope: LiveScope) -> set[Any]:
    """Return to whom the source gives grants."""
    return {one.stated("grantee_principal") for one in scope.sources.plan.managed(GRANT)}
