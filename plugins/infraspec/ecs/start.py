"""What the next task of a service needs to be there: image, values, roles, log groups, network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from infraspec.ecs.stored_value import Refusal


class StoredImage(Struct, frozen=True):
    """An image that a container names. `named` is the digest that its reference stands for now, empty if it is gone.

    `running` are the digests that tasks of the service run, `kept` those of them that the repository still has.
    `in_ecr` is false for another registry, which is not asked; `is_seen` for a repository that does not let the runner
    look: one of another account, or with `refused` one whose own policy keeps the runner out. `is_pinned` is false
    where the container asks ECS not to keep the digest, so that each task pulls what the reference stands for then.
    `is_index` tells that the reference stands for images of several platforms, of which a task may run one under a
    digest of its own.
    """

    container: str
    reference: str
    in_ecr: bool = True
    has_repository: bool = True
    named: str = ""
    running: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    is_seen: bool = True
    is_index: bool = False
    is_pinned: bool = True
    refused: Refusal | None = None


class StoredValue(Struct, frozen=True):
    """A secret or parameter that a container names. `target` is its bare ARN or its name; `readers` are who names it.

    `exists` is None where it could not be looked for: in another account, or with `refused` because its own policy
    keeps the runner out. `deleted` is when it was scheduled for deletion, `changed` when it was last changed in any
    way, its description and tags included.
    """

    kind: str
    target: str
    readers: tuple[str, ...]
    exists: bool | None = True
    deleted: datetime | None = None
    changed: datetime | None = None
    refused: Refusal | None = None


class StoredRole(Struct, frozen=True):
    """A role of a task definition. `kind` is execution or task; `trust` is its trust policy, None if it is gone."""

    kind: str
    arn: str
    trust: Mapping[str, Any] | None


class LogGroup(Struct, frozen=True):
    """A log group that a container writes to; `is_created` tells whether the log driver makes one that is missing."""

    container: str
    name: str
    exists: bool
    is_created: bool = False


class Network(Struct, frozen=True):
    """Subnets with their free addresses, and security groups; None for what is gone."""

    subnets: Mapping[str, int | None] = field(default_factory=dict)
    security_groups: Mapping[str, bool] = field(default_factory=dict)


class StartFacts(Struct, frozen=True):
    """All of it, of the revision that a service is set to."""

    images: tuple[StoredImage, ...] = ()
    values: tuple[StoredValue, ...] = ()
    roles: tuple[StoredRole, ...] = ()
    log_groups: tuple[LogGroup, ...] = ()
    network: Network = Network()
