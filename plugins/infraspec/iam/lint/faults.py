"""What a policy can be found to have, and how grave that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias, get_args

from msgspec import Struct, json

from infraspec.contract.static import PolicyFinding, Severity
from infraspec.core.unknown import Value
from infraspec.iam.policy.document import Statement

Resolve: TypeAlias = Callable[[Value], Value]

_ADVISED = frozenset(
    {
        "grants-nothing",
        "pass-any-role",
        "service-wide",
        "not-action-allow",
        "secret-without-suffix",
        "broader-than-needed",
    }
)
FINDINGS: Mapping[PolicyFinding, Severity] = {
    finding: "advise" if finding in _ADVISED else "fail" for finding in get_args(PolicyFinding)
}
"""Every finding with what it does unless the contract says otherwise."""


class FaultText(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a fault; `{name}` stands for a value that is given, `{about}` for what tells it apart."""

    finding: PolicyFinding
    expected: str
    reason: str
    remedy: str
    found: str = "{about}"


_TEXTS = json.decode(Path(__file__).with_name("faults.json").read_bytes(), type=dict[str, FaultText])
_VALUE = re.compile(r"\{(\w+)\}")


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

    @classmethod
    def say(
        cls,
        text: str,
        statement: Statement,
        part: str,
        /,
        *,
        about: str = "",
        certain: bool = True,
        refused: bool = False,
        **values: object,
    ) -> PolicyFault:
        """Make the fault of a part of a statement, of which faults.json says the text, with the values in it."""
        said, given = _TEXTS[text], {"about": about or '""', **values}
        parts = (said.expected, said.found, said.reason, said.remedy)
        expected, found, reason, remedy = (_VALUE.sub(lambda name: str(given[name[1]]), one) for one in parts)
        path = f"{statement.path}.{part}" if part else statement.path
        return cls(said.finding, str(statement), path, about, expected, found, reason, remedy, certain, refused)
