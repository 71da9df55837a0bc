"""The contract's tables about the layout: `[state]`, `[versions]`, `[consistency]`, `[modules]`, `[drift]`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field, Tag

from infraspec.contract.field_types import ContractTable, FilePath, NonEmpty, Regex, told_by

_ALTERNATIVES: dict[type, str] = {str: "<text>", list: "<list>"}


NamePatterns: TypeAlias = Annotated[
    Annotated[NonEmpty, Tag("<text>")] | Annotated[list[NonEmpty], Field(min_length=1), Tag("<list>")],
    told_by(lambda value: _ALTERNATIVES.get(type(value)), "a pattern in quotes or a list of alternatives"),
]
"""One naming pattern or several alternatives."""


class Names(ContractTable):
    """`[names]`: naming patterns by resource type."""

    patterns: dict[NonEmpty, NamePatterns] = {}
    placeholders: dict[NonEmpty, Regex] = {}
    attributes: dict[NonEmpty, NonEmpty] = {}


class TagRule(ContractTable):
    """`{ regex = "…" }`: the tag's value matches as a whole. `{}` alone asks for the key with any value."""

    regex: Regex | None = None


TagValue: TypeAlias = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[str], Field(min_length=1), Tag("<list>")]
    | Annotated[TagRule, Tag("<rule>")],
    told_by(
        lambda value: "<rule>" if isinstance(value, (dict, TagRule)) else _ALTERNATIVES.get(type(value)),
        "an exact value in quotes, a list of values, { regex = '…' } or {} for any value",
    ),
]
"""An exact value (with {application} and {environment}), one of a list, or a TagRule."""


class Tags(ContractTable):
    """`[tags]`: required tags."""

    common: dict[NonEmpty, TagValue] = {}
    resource: dict[NonEmpty, dict[NonEmpty, TagValue]] = {}
    policy: FilePath | None = None
    exempt: list[NonEmpty] = []


PolicyFinding: TypeAlias = Literal[
    "unknown-action", "foreign-action", "resource-mismatch", "malformed-resource", "unknown-condition-key",
    "condition-key-mismatch", "condition-value", "wildcard-in-equals", "wildcard-in-principal",
    "variables-without-version", "duplicate-sid", "too-long", "refused", "full-access", "public-access",
    "not-principal-allow", "grants-nothing", "pass-any-role", "service-wide", "not-action-allow",
    "secret-without-suffix", "broader-than-needed",
]  # fmt: skip
"""What the rule `policies` can find; docs/policies.md describes each."""

Severity: TypeAlias = Literal["fail", "advise", "ignore"]
"""What a finding does: fail the test, be shown in the summary, or nothing."""


class Policies(ContractTable):
    """`[policies]`: what policy documents may hold, and who may read secrets."""

    severity: dict[PolicyFinding, Severity] = {}
    secret_readers: dict[NonEmpty, list[NonEmpty]] = {}


Risk: TypeAlias = Literal[
    "stateful-destroy", "secret-deletion", "iam-widening", "iam-broad", "iam-new", "public-exposure", "open-ingress"
]
"""The kinds of risk that a change of a plan can be; docs/plan-review.md says what each is."""

RISKS: tuple[Risk, ...] = get_args(Risk)
_NOTICES = ("iam-new",)
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]


class PlanReview(ContractTable):
    """`[plan_review]`: what a plan may not do without an approval."""

    critical: list[Risk] = Field(default_factory=lambda: [risk for risk in RISKS if risk not in _NOTICES])
    stateful_types: list[NonEmpty] = []
    disposable: list[NonEmpty] = []
    public_ports: list[Port] = []
    approvals: dict[NonEmpty, Annotated[list[Risk], Field(min_length=1)]] = {}
    approved_by_owners: bool = False
    teams: dict[NonEmpty, list[NonEmpty]] = {}


class State(ContractTable):
    """`[state]`: where Terraform keeps its state."""

    backend: NonEmpty = "s3"
    managed: bool = True


class Versions(ContractTable):
    """`[versions]`: versions are pinned, and the lock file has them."""

    modules: Literal["exact", "bounded"] = "exact"
    hashes: bool = True


class Consistency(ContractTable):
    """`[consistency]`: the environments are made of the same modules and resources."""

    reference: NonEmpty | None = None
    allow: list[NonEmpty] = []


class Modules(ContractTable):
    """`[modules]`: root modules call modules and declare no resource of their own."""

    allow: list[NonEmpty] = []


class Drift(ContractTable):
    """`[drift]`: a plan of what is deployed changes nothing."""

    environments: list[NonEmpty] = []
    ignore: list[NonEmpty] = []
