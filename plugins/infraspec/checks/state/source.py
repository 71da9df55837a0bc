"""Whether the source was evaluated whole: validations hold, and no module is missing.

A check that passes over half of the resources has not looked at the other half; this one says so.
"""

from __future__ import annotations

from infraspec.core.errors import FileAccessError, InfraspecError, InputErrorGroup, LimitError
from infraspec.core.finding import Finding, Location
from infraspec.core.rules import RULES
from infraspec.terraform.environments import force
from infraspec.terraform.plan import Diagnostic, Plan

RULE = RULES["source"]

_OWN = (LimitError, FileAccessError)
"""The errors that Terraform does not make."""
_TO_MEND = "correct the value, or the condition that it does not meet"


def check_source(plan: Plan) -> list[Finding]:
    """Report each diagnostic of the plan: an error is VIOLATED, a warning UNDETERMINED; else one PROVEN.

    Without a resource or data source there is nothing to report on.
    """
    findings = [_judge(plan, diagnostic) for diagnostic in plan.diagnostics]
    for fault in plan.examine():
        subject = RULE.about(fault.address, fault.name, fault.location)
        findings.append(subject.say(fault.kind, **fault.values))
    try:
        force(plan)
    except InfraspecError as error:
        problems = error.errors if isinstance(error, InputErrorGroup) else (error,)
        said = {finding.location for finding in findings}
        findings += [one for one in (_refused(plan, problem) for problem in problems) if one.location not in said]
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


def _refused(plan: Plan, error: InfraspecError) -> Finding:
    """Report what has no value: Terraform stops there, unless it is infraspec alone that does not go on."""
    file, line = (*error.place.split(":"), "")[:2]
    location = Location(file, int(line)) if line.isdigit() else None
    subject = RULE.about(plan.origin, error.message, location)
    expected, remedy = error.expected or "a configuration that terraform plans", error.remedy or "correct it"
    reason = "\n".join(filter(None, (f"{error.place}: {error.message}", error.excerpt)))
    told = subject.undetermined if isinstance(error, _OWN) else subject.violated
    return told(expected=expected, found=error.found, reason=reason, remedy=remedy)


def coverage(plan: Plan) -> str:
    """Say how much was looked at."""
    managed = sum(1 for resource in plan.resources if resource.mode == "managed")
    return f"{managed} resources, {len(plan.resources) - managed} data sources, {plan.module_calls} module instances"
