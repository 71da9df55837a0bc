"""An explanation of `infraspec explain` as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from infraspec.checks.explanation import Addition, Explanation
from infraspec.finding import Location
from infraspec.iam.decision import Outcome
from infraspec.iam.pattern import shown
from infraspec.unknown import render

VERDICTS = {
    Outcome.ALLOWED: "ALLOWED",
    Outcome.EXPLICITLY_DENIED: "DENIED by a statement",
    Outcome.IMPLICITLY_DENIED: "DENIED: no statement allows it",
    Outcome.UNDETERMINED: "UNDETERMINED: it depends on what is not known",
}
EXIT_CODES = {
    Outcome.ALLOWED: 0,
    Outcome.EXPLICITLY_DENIED: 1,
    Outcome.IMPLICITLY_DENIED: 1,
    Outcome.UNDETERMINED: 3,
}
"""The exit code of the command; 2 is an error of the input."""


def as_text(explanation: Explanation) -> str:
    """Write an explanation for people."""
    return "\n".join(_lines(explanation))


def as_json(explanation: Explanation) -> str:
    """Write an explanation for programs; the keys are those of the documentation."""
    return json.dumps(_builtins(explanation), indent=2, ensure_ascii=False)


def rows(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """Yield what shows the verdict: labels, and the text of each, which may have several lines."""
    role, hit = explanation.role, explanation.hit
    yield "role", f"{role.address}{_at(role.location)}"
    yield "action", explanation.action
    target = str(explanation.decision.request.subject)
    written = render(explanation.decision.request.subject.value)
    yield "resource", f"{target} ({written})" if written != target else target
    yield "why", explanation.reason
    if hit is not None:
        yield "statement", f"{hit}{_at(hit.location)}"
    if explanation.listed:
        yield "it lists", explanation.listed
        yield "asked for", explanation.asked
    for warning in explanation.warnings:
        yield "warning", f"{warning.finding}: {warning.reason}; {warning.remedy}"
    if explanation.key:
        yield "also", f"it needs kms:Decrypt on {explanation.key} too, which encrypts the secret"


def where(addition: Addition) -> str:
    """Return what a statement is to be added to, and its place."""
    return f"{addition.target}{_at(addition.location)}"


def _lines(explanation: Explanation) -> Iterator[str]:
    yield VERDICTS[explanation.outcome]
    for label, text in rows(explanation):
        yield from _row(label, text)
    if explanation.addition is not None:
        yield f"\nTo allow it, add to {where(explanation.addition)}:\n"
        yield explanation.addition.hcl
        yield "\nThe same as JSON:\n"
        yield json.dumps(explanation.addition.json, indent=2)


def _row(label: str, text: str) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    yield f"  {label + ':':11}{first}"
    yield from (f"             {line}" for line in rest)


def _at(location: Location | None) -> str:
    return f" ({location})" if location else ""


def _builtins(explanation: Explanation) -> dict[str, Any]:
    hit, addition = explanation.hit, explanation.addition
    return {
        "decision": explanation.outcome.value,
        "role": {"address": explanation.role.address, "location": _place(explanation.role.location)},
        "action": explanation.action,
        "resource": {
            "named": shown(explanation.resource),
            "arn": render(explanation.decision.request.subject.value),
        },
        "why": explanation.reason,
        "statement": None
        if hit is None
        else {
            "policy": hit.policy.name,
            "path": hit.clause.statement.path,
            "sid": hit.clause.statement.sid,
            "location": _place(hit.location),
            "listed": explanation.listed or None,
            "asked": explanation.asked or None,
        },
        "warnings": [
            {"finding": fault.finding, "reason": fault.reason, "remedy": fault.remedy} for fault in explanation.warnings
        ],
        "kms_key": explanation.key or None,
        "add": None
        if addition is None
        else {
            "to": addition.target,
            "location": _place(addition.location),
            "hcl": addition.hcl,
            "json": addition.json,
        },
    }


def _place(location: Location | None) -> dict[str, Any] | None:
    return {"file": location.file, "line": location.line} if location else None
