"""The order of reports: environments as in the contract, rules as in the suite, then by place."""

from __future__ import annotations

from collections.abc import Sequence

from infraspec.core.rules import RULES
from infraspec.finding import Finding, Verdict
from infraspec.reporting.records import BAD

_PLACES = {id_: at for at, id_ in enumerate(RULES)}

VERDICTS = (*BAD, Verdict.PROVEN)
"""The verdicts, the worst first."""


def by_rule(environment: str, rule: str, environments: Sequence[str]) -> tuple[int, int, str]:
    """Return what to sort by: the contract's environments, then the repository; the suite's rules, then others."""
    place = environments.index(environment) if environment in environments else len(environments)
    return place, _PLACES.get(rule, len(_PLACES)), rule


def by_place(finding: Finding) -> tuple[int, str, int, str, str]:
    """Return what to sort the findings of one rule by: violations first, each kind by file and line."""
    location = finding.location
    return (
        VERDICTS.index(finding.verdict),
        location.file if location else "",
        location.line if location else 0,
        finding.key,
        finding.found,
    )
