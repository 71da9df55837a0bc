"""What the next task of a service needs to be there: image, values, roles, log groups, network.

Sources: AWS Secrets Manager API Reference, "DescribeSecret"; AWS KMS API Reference, "KeyMetadata"; Amazon ECS API
Reference, "Task".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import RefusedRead, Unknown, Value

CURRENT = "AWSCURRENT"
TASKS = "tasks"
"""What the runner may not look at, beside keys and secrets, which are told by their ARN."""


class StoredSecret(Struct, frozen=True):
    """A secret or parameter. `deletion` is when it was marked for deletion, `stages` the stages of each version."""

    arn: str
    deletion: datetime | None = None
    changed: datetime | None = None
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has(self, stage: str, version: str) -> bool:
        """Tell whether there is a version of an id or, without one, of a stage."""
        if version:
            return version in self.stages
        return any(stage in stages for stages in self.stages.values())


class KeyGrant(Struct, frozen=True):
    """A grant of a KMS key. `subset` and `equals` are what the encryption context has to hold, or to be."""

    key: str
    grantee: str
    operations: tuple[str, ...]
    subset: Mapping[str, str] = field(default_factory=dict)
    equals: Mapping[str, str] | None = None

    def lets(self, role: str, key: str, encryption_context: Mapping[str, str]) -> bool:
        """Tell whether a role may decrypt by it what was encrypted with an encryption context."""
        if (self.grantee, self.key) != (role, key) or "Decrypt" not in self.operations:
            return False
        if self.equals is not None and dict(self.equals) != dict(encryption_context):
            return False
        return all(encryption_context.get(name) == value for name, value in self.subset.items())


class StartedTask(Struct, frozen=True):
    """A task that runs: it read all that its revision names when it started."""

    arn: str
    task_definition: str
    started: datetime


class ReadValue(Struct, frozen=True):
    """What a look at the value of a secret showed, where the contract allows one: whether it has a JSON key."""

    has_key: bool | None
    problem: str = ""


class Refusal(Struct, frozen=True):
    """What AWS says where the runner may not look, as its policy or that of the resource has it, and what lets it.

    `of_grants` says that it hides the grants of a key and nothing else.
    """

    found: str
    remedy: str
    of_grants: bool = False

    @classmethod
    def of(cls, error: RunnerPermissionError) -> Refusal:
        """Return what an error says."""
        return cls(": ".join(filter(None, (error.message, error.found))), error.remedy)


@contextmanager
def noting(refused: MutableMapping[str, Refusal], part: str) -> Iterator[None]:
    """Note under the name of a part that the runner may not look at it, the first time."""
    try:
        yield
    except RunnerPermissionError as error:
        refused.setdefault(part, Refusal.of(error))


def unless_refused(*values: Value) -> None:
    """Raise RunnerPermissionError for a value that is not known for that reason: nobody can be asked about it."""
    for value in values:
        if isinstance(value, Unknown) and isinstance(value.cause, RefusedRead):
            raise RunnerPermissionError("the runner may not look", found=value.address, remedy=value.cause.remedy)


class ChainFacts(Struct, frozen=True):
    """What AWS says beside the policies.

    `stored` has the secrets and parameters by ARN, None where there is none; one that is not in it was not looked at,
    as in another account. `keys` has the state of each customer managed key by ARN (`Enabled`, `PendingDeletion`).
    `values` is what was read, by ARN and JSON key. `refused` has what was not shown of keys and secrets, by ARN.
    """

    stored: Mapping[str, StoredSecret | None] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    grants: tuple[KeyGrant, ...] = ()
    tasks: tuple[StartedTask, ...] = ()
    values: Mapping[tuple[str, str], ReadValue] = field(default_factory=dict)
    refused: Mapping[str, Refusal] = field(default_factory=dict)


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
    refused: Refusal | None = None


class StartLogGroup(Struct, frozen=True):
    """A log group that a container writes to; `is_created` tells whether the log driver makes one that is missing."""

    container: str
    name: str
    exists: bool
    is_created: bool = False
    refused: Refusal | None = None


class Network(Struct, frozen=True):
    """Subnets with their free addresses, and security groups; None for what is gone."""

    subnets: Mapping[str, int | None] = field(default_factory=dict)
    security_groups: Mapping[str, bool] = field(default_factory=dict)
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    """What could not be looked at: `subnets` or `security groups`."""


class StartFacts(Struct, frozen=True):
    """All of it, of the revision that a service is set to."""

    images: tuple[StoredImage, ...] = ()
    values: tuple[StoredValue, ...] = ()
    roles: tuple[StoredRole, ...] = ()
    log_groups: tuple[StartLogGroup, ...] = ()
    network: Network = Network()
