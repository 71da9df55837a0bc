"""The contract's `[policies]`: what policy documents may hold, and who may read secrets."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from infraspec.contract.kinds import NonEmpty
from infraspec.contract.table import Table

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


class Policies(Table):
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
