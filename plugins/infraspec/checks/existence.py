"""What is said of a resource of which it is not known whether there is one: its count or for_each is not known.

If there is none, nothing is wrong with it, so a fault of it is no violation yet. What another resource would make good,
or spoil, is decided where the two are looked at together, by `Plan.is_certain` and `Plan.belongs_to`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from msgspec.structs import replace

from infraspec.checks.unknown_remedies import how_to_know
from infraspec.finding import Finding, Verdict
from infraspec.terraform.plan import Plan, Uncertain

Given = ParamSpec("Given")
Check = Callable[Concatenate[Plan, Given], list[Finding]]


def of_what_may_be_absent(check: Check[Given]) -> Check[Given]:
    """Make a check leave open what is wrong with a resource that may not be there."""

    @wraps(check)
    def judged(plan: Plan, /, *arguments: Given.args, **named: Given.kwargs) -> list[Finding]:
        return [left_open(plan, finding) for finding in check(plan, *arguments, **named)]

    return judged


def left_open(plan: Plan, finding: Finding) -> Finding:
    """Return a finding, an undetermined one if it is VIOLATED and about a resource that may not be there."""
    return doubted(finding, *plan.uncertainties(finding.address).values())


def doubted(finding: Finding, *doubts: Uncertain) -> Finding:
    """Return a finding, an undetermined one if it is VIOLATED and there are doubts of there being what it is about."""
    if finding.verdict is not Verdict.VIOLATED or not doubts:
        return finding
    why = [f"{doubt}; without an instance nothing is wrong" for doubt in doubts]
    known = "\n".join(dict.fromkeys(how_to_know(doubt.value) for doubt in doubts))
    return replace(
        finding,
        verdict=Verdict.UNDETERMINED,
        reason="\n".join(filter(None, (finding.reason, *why))),
        remedy=f"{known}\nand if there is an instance:\n{finding.remedy}" if finding.remedy else known,
    )
