"""The contract's tables about the layout: `[state]`, `[versions]`, `[consistency]`, `[modules]`, `[drift]`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Discriminator, Field, Tag

from infraspec.contract.field_types import ContractTable, FilePath, NonEmpty, Regex

_ALTERNATIVES: dict[type, str] = {str: "<text>", list: "<list>"}


NamePatterns: TypeAlias = Annotated[
    Annotated[NonEmpty, Tag("<text>")] | Annotated[list[NonEmpty], Field(min_length=1), Tag("<list>")],
    Discriminator(
        lambda value: _ALTERNATIVES.get(type(value)),
        custom_error_type="contract",
        custom_error_message="a pattern in quotes or a list of alternatives",
    ),
]
"""One naming pattern or several alternatives."""


class Names(ContractTable):
    """`[names]`: naming patterns by resource type."""

    patterns: dict[NonEmpty, NamePatterns] = Field(
        default_factory=dict,
        description="A pattern or several alternatives by resource type; {placeholder} stands for a part.",
        examples=[{"aws_ecs_cluster": "{application}-{environment}-cluster"}],
    )
    placeholders: dict[NonEmpty, Regex] = Field(
        default_factory=dict,
        description="Regular expression of a placeholder, such as engine = 'postgres|mysql'.",
        examples=[{"engine": "postgres|mysql"}],
    )
    attributes: dict[NonEmpty, NonEmpty] = Field(
        default_factory=dict,
        description="The attribute that holds the name of a resource type, where it is not known.",
        examples=[{"aws_db_instance": "identifier"}],
    )


class TagRule(ContractTable):
    """`{ regex = "…" }`: the tag's value matches as a whole. `{}` alone asks for the key with any value."""

    regex: Regex | None = Field(
        None, description="Regular expression the whole value matches.", examples=["[a-z]+@example.com"]
    )


TagValue: TypeAlias = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[str], Field(min_length=1), Tag("<list>")]
    | Annotated[TagRule, Tag("<rule>")],
    Discriminator(
        lambda value: "<rule>" if isinstance(value, (dict, TagRule)) else _ALTERNATIVES.get(type(value)),
        custom_error_type="contract",
        custom_error_message="an exact value in quotes, a list of values, { regex = '…' } or {} for any value",
    ),
]
"""An exact value (with {application} and {environment}), one of a list, or a TagRule."""


class Tags(ContractTable):
    """`[tags]`: required tags."""

    common: dict[NonEmpty, TagValue] = Field(
        default_factory=dict,
        description="Tags every taggable resource carries.",
        examples=[{"Environment": "{environment}"}],
    )
    resource: dict[NonEmpty, dict[NonEmpty, TagValue]] = Field(
        default_factory=dict,
        description="Further tags by resource type.",
        examples=[{"aws_db_instance": {"Backup": ["daily", "hourly"]}}],
    )
    policy: FilePath | None = Field(
        None,
        description="An AWS Organizations tag policy (JSON), relative to the contract.",
        examples=["tag-policy.json"],
    )
    exempt: list[NonEmpty] = Field(
        default_factory=list,
        description="Resource types or address patterns that need no tags.",
        examples=[["aws_cloudwatch_log_stream"]],
    )


PolicyFinding: TypeAlias = Literal[
    "unknown-action",
    "foreign-action",
    "resource-mismatch",
    "malformed-resource",
    "unknown-condition-key",
    "condition-key-mismatch",
    "condition-value",
    "wildcard-in-equals",
    "wildcard-in-principal",
    "variables-without-version",
    "duplicate-sid",
    "too-long",
    "full-access",
    "public-access",
    "not-principal-allow",
    "grants-nothing",
    "pass-any-role",
    "service-wide",
    "not-action-allow",
    "secret-without-suffix",
    "broader-than-needed",
]
"""What the rule `policies` can find; docs/policies.md describes each."""

Severity: TypeAlias = Literal["fail", "advise", "ignore"]
"""What a finding does: fail the test, be shown in the summary, or nothing."""


class Policies(ContractTable):
    """`[policies]`: what policy documents may hold, and who may read secrets."""

    severity: dict[PolicyFinding, Severity] = Field(
        default_factory=dict,
        description="What a finding of the rule policies does, where it is not what it does by default.",
        examples=[{"service-wide": "fail", "pass-any-role": "ignore"}],
    )
    secret_readers: dict[NonEmpty, list[NonEmpty]] = Field(
        default_factory=dict,
        description="Who may read a secret, by its address or name; * matches any text. Without it, this account.",
        examples=[{"{application}-{environment}-*": ["{application}-{environment}-*-execution"]}],
    )


Risk: TypeAlias = Literal[
    "stateful-destroy", "secret-deletion", "iam-widening", "iam-broad", "iam-new", "public-exposure", "open-ingress"
]
"""The kinds of risk that a change of a plan can be; docs/plan-review.md says what each is."""

RISKS: tuple[Risk, ...] = get_args(Risk)
_NOTICES = ("iam-new",)
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]


class PlanReview(ContractTable):
    """`[plan_review]`: what a plan may not do without an approval."""

    critical: list[Risk] = Field(
        default_factory=lambda: [risk for risk in RISKS if risk not in _NOTICES],
        description="Kinds of risk that fail until somebody approves them; the others are only reported.",
        examples=[["stateful-destroy", "public-exposure"]],
    )
    stateful_types: list[NonEmpty] = Field(
        default_factory=list,
        description="Further resource types whose destruction loses data.",
        examples=[["aws_instance"]],
    )
    disposable: list[NonEmpty] = Field(
        default_factory=list,
        description="Resource types or address patterns that may be destroyed at any time.",
        examples=[["aws_cloudwatch_log_group", "module.preview.*"]],
    )
    public_ports: list[Port] = Field(
        default_factory=list, description="Ports that security groups may open to everyone.", examples=[[443]]
    )
    approvals: dict[NonEmpty, Annotated[list[Risk], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="By label of the pull request, the kinds of risk that it approves.",
        examples=[{"approve/destroy": ["stateful-destroy", "secret-deletion"]}],
    )


class State(ContractTable):
    """`[state]`: where Terraform keeps its state."""

    backend: NonEmpty = Field("s3", description="The type of backend that every root module has.", examples=["s3"])
    managed: bool = Field(
        default=True, description="Whether the bucket and the lock table are resources of the environment itself."
    )


class Versions(ContractTable):
    """`[versions]`: versions are pinned, and the lock file has them."""

    modules: Literal["exact", "bounded"] = Field(
        "exact", description="How registry modules are pinned: to one version, or below the next major one."
    )
    hashes: bool = Field(default=True, description="Whether the lock file has to have checksums of every provider.")


class Consistency(ContractTable):
    """`[consistency]`: the environments are made of the same modules and resources."""

    reference: NonEmpty | None = Field(
        None, description="The environment that the others are compared with; by default the first.", examples=["prod"]
    )
    allow: list[NonEmpty] = Field(
        default_factory=list,
        description="Address patterns of what environments may have or lack.",
        examples=[["module.rds.aws_db_instance.replica*"]],
    )


class Modules(ContractTable):
    """`[modules]`: root modules call modules and declare no resource of their own."""

    allow: list[NonEmpty] = Field(
        default_factory=list,
        description="Address patterns of resources that a root module may declare.",
        examples=[["aws_route53_record.*"]],
    )


class Drift(ContractTable):
    """`[drift]`: a plan of what is deployed changes nothing."""

    environments: list[NonEmpty] = Field(
        default_factory=list,
        description="Environments whose plan always has to be empty; the others when a run asks for it.",
        examples=[["prod"]],
    )
    ignore: list[NonEmpty] = Field(
        default_factory=list,
        description="Address patterns of what may differ.",
        examples=[["aws_autoscaling_group.*"]],
    )
