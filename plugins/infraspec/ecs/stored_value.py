"""What is known of the secrets, parameters and keys that a task reads, and of the tasks that did; no value of one.

Sources: AWS Secrets Manager API Reference, "DescribeSecret"; AWS KMS API Reference, "KeyMetadata"; Amazon ECS API
Reference, "Task".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

CURRENT = "AWSCURRENT"


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


class Grant(Struct, frozen=True):
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
    """What AWS says where the policy of a key or secret keeps the runner out, and what lets it look.

    `of_grants` says that it hides the grants of a key and nothing else.
    """

    found: str
    remedy: str
    of_grants: bool = False


class ChainFacts(Struct, frozen=True):
    """What AWS says beside the policies.

    `stored` has the secrets and parameters by ARN, None where there is none; one that is not in it was not looked at,
    as in another account. `keys` has the state of each customer managed key by ARN (`Enabled`, `PendingDeletion`).
    `values` is what was read, by ARN and JSON key. `refused` has what was not shown of keys and secrets, by ARN.
    """

    stored: Mapping[str, StoredSecret | None] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    tasks: tuple[StartedTask, ...] = ()
    values: Mapping[tuple[str, str], ReadValue] = field(default_factory=dict)
    refused: Mapping[str, Refusal] = field(default_factory=dict)
