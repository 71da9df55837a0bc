"""Whether the source was evaluated whole: validations hold, and no module is missing.

A check that passes over half of the resources has not looked at the other half; this one says so.
"""

from __future__ import annotations

from infraspec.finding import Finding, Verdict
from infraspec.terraform.plan import Plan

RULE = "source"


def check_source(plan: Plan) -> list[Finding]:
    """Report each diagnostic of the plan: an error is VIOLATED, a warning UNDETERMINED; else one PROVEN."""
    findings = [
        Finding(
            RULE,
            Verdict.VIOLATED if diagnostic.severity == "error" else Verdict.UNDETERMINED,
            plan.origin,
            diagnostic.message,
            diagnostic.location,
        )
        for diagnostic in plan.diagnostics
    ]
    return findings or [Finding(RULE, Verdict.PROVEN, plan.origin, reason=coverage(plan))]


def coverage(plan: Plan) -> str:
    """Say how much was looked at."""
    managed = sum(1 for resource in plan.resources if resource.mode == "managed")
    return f"{managed} resources, {len(plan.resources) - managed} data sources, {plan.module_calls} module instances"
