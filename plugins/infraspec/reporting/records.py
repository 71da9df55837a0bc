"""The error that fails a test by its findings. Every pytest run imports this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from infraspec.finding import Finding, Verdict

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
