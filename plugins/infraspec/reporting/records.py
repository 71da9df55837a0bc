"""What a test leaves for the reports: its record, and the error that fails it. Every pytest run imports this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from infraspec.finding import Finding, Verdict

PROPERTY = "infraspec"
"""Name of the user property that a test's record is kept under."""

BAD = (Verdict.VIOLATED, Verdict.UNDETERMINED)
"""The verdicts that are not proven, the worse one first."""


class UnprovenError(AssertionError):
    """Findings that are not proven: the infrastructure is not, or not known to be, what its contract says."""

    def __init__(self, findings: Sequence[Finding], total: int) -> None:
        self.findings = tuple(findings)
        counts = Counter(finding.verdict for finding in findings)
        parts = [f"{counts[verdict]} {verdict.value}" for verdict in BAD if counts[verdict]]
        super().__init__(f"{', '.join(parts)} of {total}")

    def __str__(self) -> str:
        return "\n\n".join([self.args[0], *map(str, self.findings)])


def records(reports: Iterable[pytest.TestReport]) -> list[Mapping[str, Any]]:
    """Return the records that tests have left."""
    properties: list[tuple[str, Any]] = [pair for report in reports for pair in report.user_properties]
    return [value for name, value in properties if name == PROPERTY]
