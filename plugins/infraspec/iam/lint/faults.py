"""What a policy can be found to have, and how grave that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from infraspec.contract.static import PolicyFinding, Severity
from infraspec.core.unknown import Value
from infraspec.iam.policy.document import Statement

Resolve: TypeAlias = Callable[[Value], Value]

FINDINGS: Mapping[PolicyFinding, Severity] = {
    "unknown-action": "fail",
    "foreign-action": "fail",
    "resource-mismatch": "fail",
    "malformed-resource": "fail",
    "unknown-condition-key": "fail",
    "condition-key-mismatch": "fail",
    "condition-value": "fail",
    "wildcard-in-equals": "fail",
    "wildcard-in-principal": "fail",
    "variables-without-version": "fail",
    "duplicate-sid": "fail",
    "too-long": "fail",
    "refused": "fail",
    "full-access": "fail",
    "public-access": "fail",
    "not-principal-allow": "fail",
    "grants-nothing": "advise",
    "pass-any-role": "advise",
    "service-wide": "advise",
    "not-action-allow": "advise",
    "secret-without-suffix": "advise",
    "broader-than-needed": "advise",
}
"""Every finding with what it does unless the contract says otherwise."""


class PolicyFault(Struct, frozen=True):
    """One thing found in a document.

    `path` is its place in the document (`Statement.1.Action.0`), `about` what tells it apart from others of its
    statement. One that is not `certain` advises by default, whatever its finding does. For one that is `refused`
    AWS does not take the document, or may not where it is not certain.
    """

    finding: PolicyFinding
    statement: str
    path: str
    about: str
    expected: str
    found: str
    reason: str
    remedy: str
    certain: bool = True
    refused: bool = False

    @property
    def subject(self) -> str:
        """What it is about, for a finding."""
        return " ".join(
            part for part in (f"{self.statement}:" if self.statement else "", self.finding, self.about) if part
        )

    @classmethod
    def of(
        cls,
        finding: PolicyFinding,
        statement: Statement,
        part: str,
        *,
        expected: str,
        found: str,
        reason: str,
        remedy: str,
        about: str = "",
        certain: bool = True,
        refused: bool = False,
    ) -> PolicyFault:
        """Make the fault of a part of a statement, such as `Action.0`."""
        path = f"{statement.path}.{part}" if part else statement.path
        return cls(finding, str(statement), path, about, expected, found, reason, remedy, certain, refused)
