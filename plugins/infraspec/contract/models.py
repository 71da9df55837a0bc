"""The contract's tables as pydantic models. DESIGN: everything is optional but the application and one environment."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NonEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d+$")]


class Table(BaseModel):
    """A table of the contract: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Project(Table):
    """`[project]`: what the repository is about."""

    application: NonEmpty = Field(description="Name of the application; {application} in naming patterns.")
    description: str = ""
    owner: str = Field("", description="The team that owns the infrastructure.")


class Environment(Table):
    """`[environments.NAME]`: where one environment's Terraform lies and what it is deployed to."""

    root: Path = Field(Path(), description="Terraform root module, relative to the contract.")
    account_id: AccountId | None = Field(None, description="The AWS account, twelve digits.")
    region: Region | None = Field(None, description="The AWS region, if the provider configuration does not say.")
    partition: Literal["aws", "aws-cn", "aws-us-gov"] = "aws"
    workspace: str = Field("default", description="terraform.workspace.")
    var_files: list[Path] = Field(default_factory=list, description="As -var-file, in order; relative to the contract.")
    variables: dict[str, Any] = Field(default_factory=dict, description="As -var: they win over every file.")
    plan: Path | None = Field(None, description="`terraform show -json` of a plan, completing the source.")
    state: Path | None = Field(None, description="A state file, raw or `terraform show -json`.")
    task_definitions: list[str] = Field(
        default_factory=list,
        description="Task definition JSON files outside Terraform (glob patterns, relative to the contract).",
    )
    known: dict[str, Any] = Field(
        default_factory=dict,
        description='What data sources return, such as "aws_availability_zones.names" or "aws_vpc.main.id".',
    )


class Names(Table):
    """`[names]`: naming patterns by resource type."""

    patterns: dict[str, NonEmpty | list[NonEmpty]] = Field(
        default_factory=dict,
        description="A pattern or several alternatives by resource type; {placeholder} stands for a part.",
    )
    placeholders: dict[str, NonEmpty] = Field(
        default_factory=dict, description="Regular expression of a placeholder, such as engine = 'postgres|mysql'."
    )
    attributes: dict[str, NonEmpty] = Field(
        default_factory=dict, description="The attribute that holds the name of a resource type, where it is not known."
    )


class TagRule(Table):
    """`{ regex = "…" }`: the tag's value matches as a whole. `{}` alone asks for the key with any value."""

    regex: str | None = None


TagValue = str | list[str] | TagRule
"""An exact value (with {application} and {environment}), one of a list, or a TagRule."""


class Tags(Table):
    """`[tags]`: required tags."""

    common: dict[str, TagValue] = Field(default_factory=dict, description="Tags every taggable resource carries.")
    resource: dict[str, dict[str, TagValue]] = Field(default_factory=dict, description="Further tags by resource type.")
    policy: Path | None = Field(None, description="An AWS Organizations tag policy (JSON), relative to the contract.")
    exempt: list[str] = Field(default_factory=list, description="Resource types or address patterns that need no tags.")


class Suite(Table):
    """`[suite]`: how verdicts become outcomes."""

    undetermined: Literal["fail", "warn"] = Field("fail", description="What an UNDETERMINED verdict does to the test.")
    allow_empty: list[str] = Field(default_factory=list, description="Rules that may match nothing.")


class Waiver(Table):
    """`[[waivers]]`: a known violation that is accepted until a day, that day included."""

    rule: NonEmpty = Field(description="Id of the rule.")
    address: NonEmpty = Field(description="Address pattern; * matches any text.")
    reason: NonEmpty = Field(description="Why it is accepted.")
    owner: NonEmpty = Field(description="Who answers for it.")
    expires: date = Field(description="The last day it holds.")
    environments: list[str] = Field(default_factory=list, description="Environments it holds for; all if empty.")


class Contract(Table):
    """infraspec.toml as a whole. `path` is the file it was read from."""

    project: Project
    environments: dict[str, Environment] = Field(min_length=1)
    known: dict[str, Any] = Field(default_factory=dict, description="Known data of every environment.")
    names: Names = Names()
    tags: Tags = Tags()
    suite: Suite = Suite()
    waivers: list[Waiver] = Field(default_factory=list)
    path: Path = Field(Path("infraspec.toml"), exclude=True)

    @property
    def directory(self) -> Path:
        """The directory that relative paths of the contract start from."""
        return self.path.parent
