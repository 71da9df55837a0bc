"""Ask our IAM evaluator as AWS would, and say no in AWS's words.

The context of a request is complete: what is not told is absent. Connections count as TLS, which the loopback address
has not. Source: IAM User Guide, "AWS global condition context keys" and "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from msgspec import Struct, field

from infraspec.core.truth import Truth
from infraspec.iam.evaluation.decision import Decision, Outcome, decide
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.sandbox.server_process import ServerSettings

RUNNER_ROLE = "infraspec-runner"
"""The role whose session the runner of a suite has; IAM does not list it."""


class SandboxIdentity(Struct, frozen=True):
    """One who asks. `arn` is what messages name, `role` the role behind a session; `everything` needs no policy."""

    arn: str
    role: str = ""
    policies: tuple[IdentityPolicy, ...] = ()
    boundary: tuple[IdentityPolicy, ...] | None = None
    session: tuple[IdentityPolicy, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    user_id: str = ""
    everything: bool = False


def of_key(settings: ServerSettings, partition: str, key: str) -> SandboxIdentity | None:
    """Return the identity behind an access key, None if there is none."""
    account = settings.account
    if key == settings.operator_key:
        arn = f"arn:{partition}:iam::{account}:root"
        return SandboxIdentity(arn, user_id=account, everything=True)
    if key == settings.runner_key:
        return _runner(settings, partition)
    for session in sts_backends[account][partition].assumed_roles:
        if session.access_key_id == key:
            found = of_role(account, partition, session.role_arn, session.session_name, session.policy)
            if found is not None:
                return found
    for user in iam_backends[account][partition].list_users("/", None, None):
        if any(own.access_key_id == key for own in user.access_keys):
            return _of_user(iam_backends[account][partition], user)
    return None


def _runner(settings: ServerSettings, partition: str) -> SandboxIdentity:
    arn = f"arn:{partition}:sts::{settings.account}:assumed-role/{RUNNER_ROLE}/sandbox"
    role = f"arn:{partition}:iam::{settings.account}:role/{RUNNER_ROLE}"
    user_id = f"AROAINFRASPECRUNNER00:{'sandbox'}"
    if not settings.runner_policy:
        return SandboxIdentity(arn, role, user_id=user_id, everything=True)
    return SandboxIdentity(arn, role, (compiled("runner policy", settings.runner_policy),), user_id=user_id)


def of_role(
    account: str, partition: str, role_arn: str, session: str, session_policy: str | None = None
) -> SandboxIdentity | None:
    """Return the identity of a session of a role, None if there is no such role."""
    backend = iam_backends[account][partition]
    name = role_arn.rpartition("/")[2]
    role = next((one for one in backend.roles.values() if one.name == name), None)
    if role is None or role_arn not in (name, role.arn):
        return None
    limit = (compiled("session policy", session_policy),) if session_policy else None
    return SandboxIdentity(
        f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}",
        role.arn,
        _policies(role),
        _boundary(backend, role),
        limit,
        _tags(role),
        user_id=f"{role.id}:{session}",
    )


def of_entity(account: str, partition: str, arn: str) -> SandboxIdentity | None:
    """Return the identity of a role or user by its ARN, as the simulator asks for it."""
    if ":role/" in arn:
        return of_role(account, partition, arn, "simulated")
    backend = iam_backends[account][partition]
    user = next((one for one in backend.users.values() if one.arn == arn), None)
    return None if user is None else _of_user(backend, user)


def _of_user(backend: Any, user: Any) -> SandboxIdentity:
    boundary = _boundary(backend, user)
    return SandboxIdentity(user.arn, "", _policies(user), boundary, None, _tags(user), user_id=user.id)


def _policies(entity: Any) -> tuple[IdentityPolicy, ...]:
    inline = [compiled(str(name), text) for name, text in entity.policies.items()]
    attached = [compiled(policy.arn, _default(policy)) for policy in entity.managed_policies.values()]
    return (*inline, *attached)


def _default(policy: Any) -> str:
    versions = {version.version_id: version.document for version in policy.versions}
    return str(versions[policy.default_version_id])


def _boundary(backend: Any, entity: Any) -> tuple[IdentityPolicy, ...] | None:
    arn = getattr(entity, "permissions_boundary_arn", None)
    if not arn:
        return None
    return (compiled(arn, _default(backend.get_policy(arn))),)


def _tags(entity: Any) -> dict[str, str]:
    tags = entity.tags
    pairs = tags.values() if isinstance(tags, dict) else tags or ()
    return {tag["Key"]: tag["Value"] for tag in pairs}


@lru_cache(maxsize=512)
def compiled(name: str, text: str, *, with_principals: bool = False) -> IdentityPolicy:
    """Return a policy ready to be asked; the same text is compiled once."""
    document = PolicyDocument.from_value(text, place=name, with_principals=with_principals)
    return IdentityPolicy.of(name, document)


def ask(
    identity: SandboxIdentity,
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


def _context(
    identity: SandboxIdentity, action: str, account: str, region: str, tags: Mapping[str, str]
) -> dict[str, Any]:
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


def allowed(identity: SandboxIdentity, decision: Decision) -> bool:
    """Tell whether a request goes through; what depends on something that is not known does not."""
    return identity.everything or decision.allowed is Truth.YES


def refusal(identity: SandboxIdentity, action: str, resource: str, decision: Decision) -> str:
    """Say no as AWS does."""
    return (
        f"User: {identity.arn} is not authorized to perform: {action} on resource: {resource} {_why(action, decision)}"
    )


def _why(action: str, decision: Decision) -> str:
    if decision.outcome is Outcome.EXPLICITLY_DENIED and decision.layers is not None:
        layer = next(one for one in decision.layers.all() if one.denied is Truth.YES)
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
