"""Whether the source was evaluated whole: validations hold, and no module is missing.

A check that passes over half of the resources has not looked at the other half; this one says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from infraspec.contract.models import Contract
from infraspec.core.errors import (
    ErrorCollector,
    FileAccessError,
    FileReadError,
    InfraspecError,
    LimitError,
    listing,
)
from infraspec.core.finding import Finding, Location
from infraspec.core.rules import RULES
from infraspec.terraform.configuration.inline_waivers import unknown_rule
from infraspec.terraform.plan import Diagnostic, Plan

RULE = RULES["source"]

_OWN = (LimitError, FileAccessError)
"""The errors that Terraform does not make."""
_BUILT = (".zip", ".jar", ".war", ".gz", ".tgz", ".whl")
_IN = re.compile(r" \(in [^()]*\)$")
"""What a message says of the value that an error was met in."""
_VARIABLE = re.compile(r'(?<=has no input variable )"[^"]*"$')
"""The name in a message about a variable that is given or read and not declared: many of a module are one mistake."""
_FEW = 5
_TO_MEND = "correct the value, or the condition that it does not meet"


def check_source(plan: Plan, contract: Contract | None = None) -> list[Finding]:
    """Report each diagnostic of the plan: an error is VIOLATED, a warning UNDETERMINED; else one PROVEN.

    So is a comment VIOLATED that is meant for a waiver and is none. Without a resource or data source there is nothing
    to report on.
    """
    findings = list(_diagnosed(plan))
    may_be_own = contract is not None and bool(contract.suite.own_rules)
    unknown = (unknown_rule(waiver, plan.additions.rules, may_be_own=may_be_own) for waiver in plan.waivers)
    for fault in (*plan.examine(), *plan.refused_waivers, *filter(None, unknown)):
        subject = RULE.about(fault.address, fault.name, fault.location)
        findings.append(subject.say(fault.kind, **fault.values))
    problems = ErrorCollector([*plan.problems]).distinct()
    findings += _refusals(plan, problems, {finding.location for finding in findings})
    if all(one.advice for one in findings) and plan.resources:
        findings.insert(0, RULE.about(plan.origin).proven(coverage(plan)))
    return findings


def _diagnosed(plan: Plan) -> Iterator[Finding]:
    """Yield what is said of the diagnostics; one that many places have in common is one mistake."""
    alike: dict[tuple[str, str, str], list[Diagnostic]] = {}
    for one in plan.diagnostics:
        mistake = _VARIABLE.sub("", one.message)
        alike.setdefault((one.severity, mistake, one.remedy if mistake == one.message else ""), []).append(one)
    for first, *rest in alike.values():
        others = [(one.message, str(one.location)) for one in rest if one.location not in (None, first.location)]
        yield _judge(plan, first, _also(others))


def _also(others: Iterable[tuple[str, str]]) -> str:
    """Say where else a mistake is made, by messages and places; of a variable, which others it is made with."""
    told: dict[str, None] = {}
    for said, place in others:
        name = _VARIABLE.search(said)
        told[f"{name[0]} at {place}" if name else place] = None
    begun = "nor" if any(one.startswith('"') for one in told) else "and at"
    return f"{begun} {listing(list(told), _FEW)}" if told else ""


def _judge(plan: Plan, diagnostic: Diagnostic, also: str) -> Finding:
    name, _, reason = diagnostic.message.partition(": ")
    reason = "\n".join(filter(None, (reason, also)))
    subject = RULE.about(plan.origin, name, diagnostic.location)
    if diagnostic.severity == "error":
        expected, remedy = "a configuration that terraform plans", diagnostic.remedy or _TO_MEND
        return subject.violated(expected=expected, found="", reason=reason, remedy=remedy)
    expected = "a configuration that can be read completely"
    return subject.undetermined(expected=expected, found="", reason=reason, remedy=diagnostic.remedy)


def _refusals(plan: Plan, problems: Iterable[InfraspecError], told: Collection[Location | None]) -> Iterator[Finding]:
    """Yield what has no value, but for places that something is told of; a name that is missing in many is one."""
    alike: dict[tuple[type, str], list[InfraspecError]] = {}
    for one in problems:
        if _location(one) not in told:
            name = _VARIABLE.sub("", _IN.sub("", one.message)) if '"' in one.message and one.excerpt else str(one)
            alike.setdefault((type(one), name), []).append(one)
    for first, *rest in alike.values():
        yield _refused(plan, first, _also((_IN.sub("", one.message), one.place) for one in rest))


def _refused(plan: Plan, error: InfraspecError, also: str) -> Finding:
    """Report what has no value: Terraform stops there, unless it is infraspec alone that does not go on.

    A file that a build makes is not there yet.
    """
    subject = RULE.about(plan.origin, error.message, _location(error))
    expected, remedy = error.expected or "a configuration that terraform plans", error.remedy or "correct it"
    reason = "\n".join(filter(None, (f"{error.place}: {error.message}", error.excerpt, also)))
    is_built = isinstance(error, FileReadError) and error.found.endswith(_BUILT)
    told = subject.undetermined if is_built or isinstance(error, _OWN) else subject.violated
    return told(expected=expected, found=error.found, reason=reason, remedy=remedy)


def _location(error: InfraspecError) -> Location | None:
    file, line = (*error.place.split(":"), "")[:2]
    return Location(file, int(line)) if line.isdigit() else None


def coverage(plan: Plan) -> str:
    """Say how much was looked at."""
    managed = sum(1 for resource in plan.resources if resource.mode == "managed")
    return f"{managed} resources, {len(plan.resources) - managed} data sources, {plan.module_calls} module instances"
