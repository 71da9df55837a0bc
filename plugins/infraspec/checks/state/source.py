"""Whether the source was evaluated whole: validations hold, and no module is missing.

A check that passes over half of the resources has not looked at the other half; this one says so.
"""

from __future__ import annotations

from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.terraform.plan import Diagnostic, Plan

RULE = RULES["source"]

_TO_MEND = "correct the value, or the condition that it does not meet"


def check_source(plan: Plan) -> list[Finding]:
    """Report each diagnostic of the plan: an error is VIOLATED, a warning UNDETERMINED; else one PROVEN.

    Without a resource or data source there is nothing to report on.
    """
    findings = [_judge(plan, diagnostic) for diagnostic in plan.diagnostics]
    for fault in plan.examine():
        subject = RULE.about(fault.address, fault.name, fault.location)
        findings.append(subject.say(fault.kind, **fault.values))
    if all(one.advice for one in findings) and plan.resources:
        findings.insert(0, RULE.about(plan.origin).proven(coverage(plan)))
    return findings


def _judge(plan: Plan, diagnostic: Diagnostic) -> Finding:
    name, _, reason = diagnostic.message.partition(": ")
    subject = RULE.about(plan.origin, name, diagnostic.location)
    if diagnostic.severity == "error":
        expected, remedy = "a configuration that terraform plans", diagnostic.remedy or _TO_MEND
        return subject.violated(expected=expected, found="", reason=reason, remedy=remedy)
    expected = "all of the configuration to be seen"
    return subject.undetermined(expected=expected, found="", reason=reason, remedy=diagnostic.remedy)


def coverage(plan: Plan) -> str:
    """Say how much was looked at."""
    managed = sum(1 for resource in plan.resources if resource.mode == "managed")
    return f"{managed} resources, {len(plan.resources) - managed} data sources, {plan.module_calls} module instances"
