"""The contract's tables as pydantic models. DESIGN: everything is optional but the application and one environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from infraspec.contract.alarms import Alarms, DrilledFailures
from infraspec.contract.field_types import (
    AccountId,
    ContractTable,
    Day,
    EnvironmentName,
    FilePath,
    KnownKey,
    NonEmpty,
    Region,
    TerraformValue,
    wrong,
)
from infraspec.contract.live import Databases, Host, Inventory, Live, Rollout, Sandbox
from infraspec.contract.operations import Incidents, Metrics, Notifications, Playbooks, Process
from infraspec.contract.static import Consistency, Drift, Modules, Names, PlanReview, Policies, State, Tags, Versions
from infraspec.core.rule import Severity

Partition: TypeAlias = Literal[
    "aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"
]

_PARTITIONS: dict[str, Partition] = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}
"""The partition by the beginning of a region's name; `aws` for every other one."""


def partition_of(region: str) -> Partition:
    """Return the partition that a region belongs to."""
    return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), "aws")


class Project(ContractTable):
    """`[project]`: what the repository is about."""

    application: NonEmpty
    description: str = ""
    owner: str = ""
    language: Literal["en", "ja"] | None = None


class Environment(ContractTable):
    """`[environments.NAME]`: where one environment's Terraform lies and what it is deployed to."""

    root: FilePath = Path()
    account_id: AccountId | None = None
    region: Region | None = None
    partition: Partition = "aws"
    workspace: NonEmpty = "default"
    var_files: list[FilePath] = []
    variables: dict[str, TerraformValue] = Field({}, repr=False)
    plan: FilePath | None = None
    state: FilePath | None = None
    snapshots: list[FilePath] = []
    scps: list[FilePath] = []
    rcps: list[FilePath] = []
    task_definitions: list[NonEmpty] = []
    known: dict[KnownKey, TerraformValue] = Field({}, repr=False)
    live: Live = Live()

    @model_validator(mode="before")
    @classmethod
    def _partition_from_region(cls, data: Any) -> Any:
        if isinstance(data, dict) and "partition" not in data and isinstance(data.get("region"), str):
            return {**data, "partition": partition_of(data["region"])}
        return data

    @field_validator("partition")
    @classmethod
    def _partition_agrees(cls, partition: Partition, info: ValidationInfo) -> Partition:
        region = info.data.get("region")
        if region is not None and partition != partition_of(region):
            raise wrong(f'"{partition_of(region)}", the partition of {region}')
        return partition

    @field_validator("live")
    @classmethod
    def _canary_stays_at_home(cls, live: Live, info: ValidationInfo) -> Live:
        """Refuse the topics of another account: what was copied from another environment would alert its people."""
        account = info.data.get("account_id")
        arns = [*live.canary.topics, live.canary.queue] if live.canary and account else []
        if strange := [arn for arn in arns if arn.split(":")[4] != account]:
            raise wrong(f"topics and a queue of the environment's account {account}, and not {strange[0]}")
        return live


class Suite(ContractTable):
    """`[suite]`: how verdicts become outcomes."""

    undetermined: Literal["fail", "warn"] = "fail"
    allow_empty: list[NonEmpty] = []
    baseline: FilePath | None = None
    own_rules: list[FilePath] = []
    severity: dict[NonEmpty, Severity] = {}
    documentation: NonEmpty | None = None


Level: TypeAlias = Literal["violated", "advice", "off"]
"""What a violation of a rule does: fail, be shown as advice, or nothing, as the rule is not judged."""


class Waiver(ContractTable):
    """`[[waivers]]`: a known violation that is accepted until a day, that day included."""

    rule: NonEmpty
    address: NonEmpty
    reason: NonEmpty
    owner: NonEmpty
    expires: Day
    environments: list[NonEmpty] = []


class Contract(ContractTable):
    """infraspec.toml as a whole. `path` is the file it was read from."""

    project: Project
    environments: dict[EnvironmentName, Environment] = Field(min_length=1)
    known: dict[KnownKey, TerraformValue] = Field({}, repr=False)
    names: Names = Names()
    tags: Tags = Tags()
    alarms: Alarms | None = None
    drill: DrilledFailures | None = None
    databases: Databases = Databases()
    hosts: dict[NonEmpty, Host] = {}
    inventory: Inventory = Inventory()
    plan_review: PlanReview | None = None
    state: State | None = None
    versions: Versions | None = None
    consistency: Consistency | None = None
    modules: Modules | None = None
    drift: Drift | None = None
    playbooks: Playbooks | None = None
    incidents: Incidents | None = None
    process: Process | None = None
    metrics: Metrics | None = None
    notifications: Notifications | None = None
    policies: Policies = Policies()
    rollout: Rollout = Rollout()
    sandbox: Sandbox = Sandbox()
    suite: Suite = Suite()
    rules: dict[NonEmpty, Level] = {}
    waivers: list[Waiver] = []
    path: SkipJsonSchema[Path] = Field(Path("infraspec.toml"), exclude=True)

    @property
    def directory(self) -> Path:
        """The directory that relative paths of the contract start from."""
        return self.path.parent
