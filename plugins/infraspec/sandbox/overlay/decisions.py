"""Ask our IAM evaluator as AWS would, and say no in AWS's words.

The context of a request is complete: what is not told is absent. Connections count as TLS, which the loopback address
has not. Source: IAM User Guide, "AWS global condition context keys" and "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from infraspec.iam.answer import Answer
from infraspec.iam.context import Context
from infraspec.iam.decision import Decision, Outcome, decide
from infraspec.iam.policy import IdentityPolicy
from infraspec.iam.principal import Principal
from infraspec.sandbox.overlay.identities import Identity


def ask(
    identity: Identity,
    action: str,
    resource: str,
    *,
    account: str,
    region: str,
    resource_policies: Sequence[IdentityPolicy] = (),
    tags: Mapping[str, str] | None = None,
    keys: Mapping[str, Any] | None = None,
) -> Decision:
    """Decide a request; `tags` are those of the resource, `keys` further condition keys."""
    return decide(
        identity.policies,
        action,
        resource,
        boundary=identity.boundary,
        session=identity.session,
        resource_policies=resource_policies,
        principal=Principal.of(identity.arn),
        resource_account=account,
        context=Context.of(_context(identity, action, account, region, tags or {}) | dict(keys or {}), complete=True),
    )


def _context(identity: Identity, action: str, account: str, region: str, tags: Mapping[str, str]) -> dict[str, Any]:
    now, service = datetime.now(UTC), action.partition(":")[0]
    return {
        "aws:SecureTransport": True,
        "aws:RequestedRegion": region,
        "aws:PrincipalArn": identity.role or identity.arn,
        "aws:PrincipalAccount": account,
        "aws:PrincipalType": "AssumedRole" if identity.role else "User",
        "aws:PrincipalIsAWSService": False,
        "aws:ViaAWSService": False,
        "aws:ResourceAccount": account,
        "aws:userid": identity.user_id,
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        **{f"aws:PrincipalTag/{name}": value for name, value in identity.tags.items()},
        **{f"aws:ResourceTag/{name}": value for name, value in tags.items()},
        **{f"{service}:ResourceTag/{name}": value for name, value in tags.items()},
    }


def allowed(identity: Identity, decision: Decision) -> bool:
    """Tell whether a request goes through; what depends on something that is not known does not."""
    return identity.everything or decision.allowed is Answer.YES


def refusal(identity: Identity, action: str, resource: str, decision: Decision) -> str:
    """Say no as AWS does."""
    return (
        f"User: {identity.arn} is not authorized to perform: {action} on resource: {resource} {_why(action, decision)}"
    )


def _why(action: str, decision: Decision) -> str:
    if decision.outcome is Outcome.EXPLICITLY_DENIED and decision.layers is not None:
        layer = next(one for one in decision.layers.all() if one.denied is Answer.YES)
        kinds = {
            "identity policies": "an identity-based policy",
            "resource policy": "a resource-based policy",
            "permissions boundary": "a permissions boundary",
            "session policy": "a session policy",
        }
        return f"with an explicit deny in {kinds.get(layer.name, 'a service control policy')}"
    blocked = decision.blocked_by
    kind = {"permissions boundary": "permissions boundary", "session policy": "session policy"}.get(
        blocked[0] if blocked else "", "resource-based policy" if blocked else "identity-based policy"
    )
    return f"because no {kind} allows the {action} action"
