"""The contract's tables as pydantic models. DESIGN: everything is optional but the application and one environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from infraspec.contract.alarms import Alarms
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

    application: NonEmpty = Field(
        description="Name of the application; {application} in naming patterns.", examples=["shop"]
    )
    description: str = Field("", description="What it does, for people.")
    owner: str = Field("", description="The team that owns the infrastructure.")


class Environment(ContractTable):
    """`[environments.NAME]`: where one environment's Terraform lies and what it is deployed to."""

    root: FilePath = Field(
        Path(), description="Terraform root module, relative to the contract.", examples=["environments/prod"]
    )
    account_id: AccountId | None = Field(
        None, description="The AWS account, twelve digits in quotes.", examples=["111122223333"]
    )
    region: Region | None = Field(
        None, description="The AWS region, if the provider configuration does not say.", examples=["eu-west-1"]
    )
    partition: Partition = Field("aws", description="The AWS partition; by default the one of the region.")
    workspace: NonEmpty = Field("default", description="terraform.workspace.", examples=["default"])
    var_files: list[FilePath] = Field(
        default_factory=list,
        description="As -var-file, in order; relative to the contract.",
        examples=[["environments/common.tfvars"]],
    )
    variables: dict[str, TerraformValue] = Field(
        default_factory=dict,
        repr=False,
        description="As -var: they win over every file. Values never appear in a message.",
        examples=[{"image_tag": "1.4.2"}],
    )
    plan: FilePath | None = Field(
        None, description="`terraform show -json` of a plan, completing the source.", examples=["plan.json"]
    )
    state: FilePath | None = Field(
        None, description="A state file, raw or `terraform show -json`.", examples=["terraform.tfstate"]
    )
    snapshots: list[FilePath] = Field(
        default_factory=list,
        description="What IAM has in accounts, for roles that are not in the plan: "
        "`aws iam get-account-authorization-details --output json`.",
        examples=[["iam-111122223333.json"]],
    )
    task_definitions: list[NonEmpty] = Field(
        default_factory=list,
        description="Task definition JSON files outside Terraform (glob patterns, relative to the contract).",
        examples=[["task-definitions/*.json"]],
    )
    known: dict[KnownKey, TerraformValue] = Field(
        default_factory=dict,
        repr=False,
        description='What data sources return, such as "aws_availability_zones.names" or "aws_vpc.main.id".',
        examples=[{"aws_vpc.main.id": "vpc-0a1b2c3d"}],
    )
    live: Live = Field(Live(), description="How the live suite looks at what is deployed.")

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

    undetermined: Literal["fail", "warn"] = Field("fail", description="What an UNDETERMINED verdict does to the test.")
    allow_empty: list[NonEmpty] = Field(
        default_factory=list, description="Rules that may match nothing.", examples=[["task-definitions"]]
    )
    baseline: FilePath | None = Field(
        None,
        description="Known findings that do not fail until a day, as infraspec report baseline writes them.",
        examples=["infraspec-baseline.json"],
    )
    severity: dict[NonEmpty, Severity] = Field(
        default_factory=dict,
        description="How much a violation of a rule matters, for Allure, where it is not as infraspec has it.",
        examples=[{"names": "trivial"}],
    )
    documentation: NonEmpty | None = Field(
        None,
        description="Address of the pages about rules; {page} is the page's name. Reports link to it.",
        examples=["https://git.example.com/infraspec/docs/{page}.md"],
    )


class Waiver(ContractTable):
    """`[[waivers]]`: a known violation that is accepted until a day, that day included."""

    rule: NonEmpty = Field(description="Id of the rule.", examples=["names"])
    address: NonEmpty = Field(
        description="Address pattern; * matches any text, everything else itself.", examples=["module.legacy.*"]
    )
    reason: NonEmpty = Field(description="Why it is accepted.", examples=["renaming recreates the database"])
    owner: NonEmpty = Field(description="Who answers for it.", examples=["team-data"])
    expires: Day = Field(description="The last day it holds.", examples=["2026-11-01"])
    environments: list[NonEmpty] = Field(
        default_factory=list, description="Environments it holds for; all if empty.", examples=[["prod"]]
    )


class Contract(ContractTable):
    """infraspec.toml as a whole. `path` is the file it was read from."""

    project: Project = Field(description="What the repository is about.")
    environments: dict[EnvironmentName, Environment] = Field(min_length=1, description="The environments by name.")
    known: dict[KnownKey, TerraformValue] = Field(
        default_factory=dict,
        repr=False,
        description="Known data of every environment.",
        examples=[{"aws_availability_zones.names": ["eu-west-1a", "eu-west-1b"]}],
    )
    names: Names = Field(Names(), description="Naming patterns by resource type.")
    tags: Tags = Field(Tags(), description="Required tags.")
    alarms: Alarms | None = Field(None, description="The alarm catalogue and the routes of alerts.")
    databases: Databases = Field(Databases(), description="How databases have to be in AWS.")
    hosts: dict[NonEmpty, Host] = Field(
        default_factory=dict,
        description="Machines that have to have tools, or to reach something.",
        examples=[{"runner": {"tools": {"terraform": "1.9"}}}],
    )
    inventory: Inventory = Field(Inventory(), description="What may be in AWS although no source makes it.")
    plan_review: PlanReview | None = Field(None, description="What a plan may not do without an approval.")
    state: State | None = Field(None, description="Where Terraform keeps its state.")
    versions: Versions | None = Field(None, description="How versions are pinned.")
    consistency: Consistency | None = Field(None, description="What environments may differ in.")
    modules: Modules | None = Field(None, description="Resources outside of modules.")
    drift: Drift | None = Field(None, description="What a plan of what is deployed may change.")
    playbooks: Playbooks | None = Field(None, description="What to do in an incident.")
    incidents: Incidents | None = Field(None, description="Records of what went wrong.")
    process: Process | None = Field(None, description="How a change reaches production.")
    metrics: Metrics | None = Field(None, description="Where the metrics of runs go.")
    notifications: Notifications | None = Field(None, description="Who is told when what runs find has changed.")
    policies: Policies = Field(Policies(), description="What policies may hold, and who may read secrets.")
    rollout: Rollout = Field(Rollout(), description="When a deployment counts as done.")
    sandbox: Sandbox = Field(Sandbox(), description="The embedded AWS of ENV=local.")
    suite: Suite = Field(Suite(), description="How verdicts become outcomes.")
    waivers: list[Waiver] = Field(default_factory=list, description="Known violations, accepted until a day.")
    path: SkipJsonSchema[Path] = Field(Path("infraspec.toml"), exclude=True)

    @property
    def directory(self) -> Path:
        """The directory that relative paths of the contract start from."""
        return self.path.parent
