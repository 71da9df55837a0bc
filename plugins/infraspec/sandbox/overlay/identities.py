"""Who asks: the identity behind an access key, with its policies, boundary and session policy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from msgspec import Struct, field

from infraspec.iam.document import PolicyDocument
from infraspec.iam.policy import IdentityPolicy
from infraspec.sandbox.server_process import Settings

RUNNER_ROLE = "infraspec-runner"
"""The role whose session the runner of a suite has; IAM does not list it."""


class Identity(Struct, frozen=True):
    """One who asks. `arn` is what messages name, `role` the role behind a session; `everything` needs no policy."""

    arn: str
    role: str = ""
    policies: tuple[IdentityPolicy, ...] = ()
    boundary: tuple[IdentityPolicy, ...] | None = None
    session: tuple[IdentityPolicy, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    user_id: str = ""
    everything: bool = False


def of_key(settings: Settings, partition: str, key: str) -> Identity | None:
    """Return the identity behind an access key, None if there is none."""
    account = settings.account
    if key == settings.operator_key:
        arn = f"arn:{partition}:iam::{account}:root"
        return Identity(arn, user_id=account, everything=True)
    if key == settings.runner_key:
        return _runner(settings, partition)
    for session in sts_backends[account][partition].assumed_roles:
        if session.access_key_id == key:
            found = of_role(account, partition, session.role_arn, session.session_name, session.policy)
            if found is not None:
                return found
    for user in iam_backends[account][partition].list_users("/", None, None):
        if any(own.access_key_id == key for own in user.access_keys):
            backend = iam_backends[account][partition]
            return Identity(user.arn, "", _policies(user), _boundary(backend, user), None, _tags(user), user_id=user.id)
    return None


def _runner(settings: Settings, partition: str) -> Identity:
    arn = f"arn:{partition}:sts::{settings.account}:assumed-role/{RUNNER_ROLE}/sandbox"
    role = f"arn:{partition}:iam::{settings.account}:role/{RUNNER_ROLE}"
    user_id = f"AROAINFRASPECRUNNER00:{'sandbox'}"
    if not settings.runner_policy:
        return Identity(arn, role, user_id=user_id, everything=True)
    return Identity(arn, role, (compiled("runner policy", settings.runner_policy),), user_id=user_id)


def of_role(
    account: str, partition: str, role_arn: str, session: str, session_policy: str | None = None
) -> Identity | None:
    """Return the identity of a session of a role, None if there is no such role."""
    backend = iam_backends[account][partition]
    name = role_arn.rpartition("/")[2]
    role = next((one for one in backend.roles.values() if one.name == name), None)
    if role is None:
        return None
    limit = (compiled("session policy", session_policy),) if session_policy else None
    return Identity(
        f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}",
        role.arn,
        _policies(role),
        _boundary(backend, role),
        limit,
        _tags(role),
        user_id=f"{role.id}:{session}",
    )


def of_entity(account: str, partition: str, arn: str) -> Identity | None:
    """Return the identity of a role or user by its ARN, as the simulator asks for it."""
    if ":role/" in arn:
        return of_role(account, partition, arn, "simulated")
    backend = iam_backends[account][partition]
    user = next((one for one in backend.users.values() if one.arn == arn), None)
    if user is None:
        return None
    return Identity(user.arn, "", _policies(user), _boundary(backend, user), None, _tags(user))


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
