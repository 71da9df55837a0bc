"""`[environments.NAME.live]` and `[sandbox]`: who looks at what is deployed, and at what of it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from infraspec.contract.alarms import Bounds
from infraspec.contract.field_types import (
    KNOWN,
    ContractTable,
    EnvironmentName,
    LinearRegex,
    Matching,
    NonEmpty,
    wrong,
)

HostSpec: TypeAlias = Annotated[str, Matching.named("HostSpec")]
AWS_KINDS = ("ssm", "ecs")
"""Kinds of hosts whose commands AWS runs: Systems Manager Run Command, and ECS Exec."""
Endpoint = Annotated[str, StringConstraints(pattern=r"^[\w.-]+:[0-9]{1,5}$")]


class Host(ContractTable):
    """`[hosts.NAME]`: a machine, by default the one that the suite runs on."""

    host: HostSpec = "local://"
    environments: list[EnvironmentName] = []
    run_commands: bool = Field(default=False, validate_default=True)
    tools: dict[NonEmpty, str] = {}
    reach: list[Endpoint] = []

    @field_validator("run_commands")
    @classmethod
    def _is_consented(cls, run_commands: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic calls it
        """Ask for the consent where AWS runs the commands, and for the environments that it is given for."""
        kind = str(info.data.get("host", "")).partition("://")[0]
        if kind in AWS_KINDS and not run_commands:
            raise wrong(f"run_commands = true, the consent to run commands by {kind}://; it is a write to AWS")
        if kind in AWS_KINDS and info.data.get("environments") == []:
            raise wrong(f"other environments: {kind}:// needs each of them to be listed by name")
        return run_commands

    def is_of(self, environment: str) -> bool:
        """Whether it is asked for an environment."""
        return not self.environments or environment in self.environments

    @property
    def is_reached_by_aws(self) -> bool:
        """Whether AWS runs the commands."""
        return self.host.partition("://")[0] in AWS_KINDS


Positive = Annotated[int, Field(gt=0)]
Percent = Annotated[float, Field(gt=0, lt=100)]


class Databases(ContractTable):
    """`[databases]`: how databases have to be in AWS."""

    restorable_minutes: Positive = 60
    most_lag_seconds: Positive = 300
    least_free_percent: Percent = 10
    maintenance_days: Positive = 7
    reach: Literal["path", "use", "connect"] = "path"
    connect_from: list[EnvironmentName] = []


class Inventory(ContractTable):
    """`[inventory]`: what may be in AWS although no source makes it."""

    allow: list[NonEmpty] = []


_HALF_A_DAY = 43200


class Rollout(ContractTable):
    """`[rollout]`: when a deployment counts as done, and what of it others than Terraform decide."""

    wait: Annotated[int, Field(ge=0, le=_HALF_A_DAY)] = 600
    newest: bool = False
    image: Literal["source", "pipeline"] = "source"
    tasks: Bounds | None = None


RoleArn: TypeAlias = Annotated[str, Matching.named("RoleArn")]
SecretPattern: TypeAlias = Annotated[str, Matching.named("SecretPattern")]
TopicArn: TypeAlias = Annotated[str, Matching.named("TopicArn")]
QueueArn: TypeAlias = Annotated[str, Matching.named("QueueArn")]
Read: TypeAlias = Annotated[str, Matching.named("Read")]


class Canary(ContractTable):
    """`[environments.NAME.live.canary]`: the consent to publish a test message, and where it has to arrive."""

    topics: list[TopicArn] = Field(min_length=1, max_length=10)
    queue: QueueArn
    seconds: Annotated[int, Field(ge=1, le=300)] = 30


class Live(ContractTable):
    """`[environments.NAME.live]`: how the live suite looks at what is deployed."""

    role: RoleArn | None = None
    runner: LinearRegex | None = None
    read_secrets: list[SecretPattern] = []
    reads: list[Read] = []

    canary: Canary | None = None

    @field_validator("reads")
    @classmethod
    def _hand_out_no_secrets(cls, reads: list[str]) -> list[str]:
        if found := sorted(KNOWN.refused_reads & set(reads)):
            raise wrong(f"reads; {found[0]} hands out secrets: read_secrets names those whose value may be read")
        return reads


class Sandbox(ContractTable):
    """`[sandbox]`: the sandbox of ENV=local."""

    environment: NonEmpty | None = None
