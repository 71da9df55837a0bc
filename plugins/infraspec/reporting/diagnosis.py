"""A diagnosis of `infraspec diagnose` as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from infraspec.checks.diagnosis import Diagnosis, is_allowed
from infraspec.checks.explanation import Explanation
from infraspec.ecs.service import Service
from infraspec.ecs.stop_cause import StopCause
from infraspec.ecs.task import revision_of
from infraspec.finding import Finding, Location
from infraspec.process.changes import Changes
from infraspec.process.playbooks import Playbook
from infraspec.unknown import render

HEALTHY, FAILING, UNKNOWN_CAUSE = 0, 1, 3
"""Exit codes; 2 is an error of the input."""
_SHOWN_EVENTS = 5


def exit_code(diagnoses: Sequence[Diagnosis]) -> int:
    """Return 0 if nothing is wrong, 3 if of something the cause is not known, else 1."""
    wrong = [one for one in diagnoses if not one.is_healthy]
    if not wrong:
        return HEALTHY
    return FAILING if all(one.is_known for one in wrong) else UNKNOWN_CAUSE


def as_text(diagnoses: Sequence[Diagnosis]) -> str:
    """Write diagnoses for people."""
    return "\n\n".join("\n".join(_lines(one)) for one in diagnoses)


def as_json(diagnoses: Sequence[Diagnosis]) -> str:
    """Write diagnoses for programs; the keys are those of the documentation."""
    found = {"services": [builtins_of(one) for one in diagnoses]}
    return json.dumps(found, indent=2, ensure_ascii=False)


def name_of(diagnosis: Diagnosis) -> str:
    """Return the name of the service."""
    return render(diagnosis.one.declared.name)


def rollback_commands(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return what brings the service back to the revision before: the commands of the playbook, its names filled in."""
    live = diagnosis.live
    if live is None:
        return ()
    pages = [page for page in diagnosis.playbooks if page.commands("restore")]
    known = f"PREVIOUS={diagnosis.previous}" if diagnosis.previous else ""
    commands = [
        known if known and command.startswith("PREVIOUS=") else command
        for command in (pages[0].commands("restore") if pages else _default(known))
    ]
    return (f"CLUSTER={live.cluster_name}", f"SERVICE={live.name}", *commands)


def _default(known: str) -> tuple[str, ...]:
    update = 'aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$PREVIOUS"'
    return (known or "PREVIOUS=…", update, 'aws ecs wait services-stable --cluster "$CLUSTER" --services "$SERVICE"')


def fix_text(diagnosis: Diagnosis) -> str:
    """Say what mends it, with what is to be pasted; empty if that is not known."""
    explanation = diagnosis.explanation
    if explanation is not None and explanation.addition is not None:
        addition = explanation.addition
        return f"add to {addition.target}{_at(addition.location)}\n\n{addition.hcl}"
    if is_allowed(explanation) and explanation is not None:
        stale = diagnosis.deployed is not None and not is_allowed(diagnosis.deployed)
        state = "what is deployed does not yet" if stale else "what is deployed may differ, or have come later"
        return f"the source allows it ({explanation.reason}), {state}: terraform apply"
    if explanation is not None:
        return f"{explanation.reason}: change that statement"
    deployed = diagnosis.deployed
    if deployed is not None and deployed.addition is not None:
        return f"add to {deployed.addition.target}, which is not in the source\n\n{deployed.addition.hcl}"
    gone = "\n\n".join(finding.remedy for finding in diagnosis.missing)
    cause = diagnosis.cause
    if not gone and cause is not None and cause.is_known and cause.failure is None:
        return (
            f"nothing of {cause.role} is amiss now: if its trust policy lets ecs-tasks.amazonaws.com in, deploy again"
        )
    return gone


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    live = diagnosis.live
    declared = diagnosis.one.declared
    where = f"{name_of(diagnosis)} in {render(declared.cluster)}"
    yield f"{where}: {_verdict(diagnosis)}"
    yield from _row("source", f"{declared.resource.address}{_at(declared.resource.location)}")
    if live is None:
        for finding in diagnosis.rollout:
            yield from _row("found", f"{finding.found}: {finding.remedy}")
        return
    yield from _state(diagnosis, live)
    yield from _cause(diagnosis)
    if diagnosis.is_healthy:
        return
    for finding in diagnosis.missing:
        yield from _row("missing", f"{finding.subject}: {finding.found}")
    for event in diagnosis.events[:_SHOWN_EVENTS]:
        yield from _row("event", f"{_time(event.at)} {event.message}")
    if diagnosis.changes is not None:
        yield from _changes(diagnosis.changes)
    for page in diagnosis.playbooks:
        yield from _row("playbook", page.page.file)
    fix = fix_text(diagnosis)
    if fix:
        yield f"\nFix: {fix}"
    yield f"\n{_back(diagnosis)}\n"
    yield from rollback_commands(diagnosis)


def _verdict(diagnosis: Diagnosis) -> str:
    if diagnosis.is_healthy:
        return "got over it" if diagnosis.is_past else "healthy"
    return f"{diagnosis.failure}, since {_time(diagnosis.begun)}"


def _back(diagnosis: Diagnosis) -> str:
    if diagnosis.has_gone_back:
        return "ECS has gone back by itself. These commands of the playbook would do it, and were not run:"
    return "To go back, run these commands of the playbook; they were not run:"


def _state(diagnosis: Diagnosis, live: Service) -> Iterator[str]:
    yield from _row(
        "revision", f"{revision_of(live.task_definition)}; the newest is {revision_of(diagnosis.one.newest)}"
    )
    if live.last is not None:
        last = live.last
        of = f" of {revision_of(last.task_definition)}" if last.task_definition else ""
        at = f" at {_time(last.created)}" if last.created else ""
        yield from _row("deployment", f"{last.status}{of}{at}" + (f": {last.reason}" if last.reason else ""))
    yield from _row("tasks", f"{live.running} of {live.desired} run, {live.pending} pending")
    for group in diagnosis.stopped:
        count, newest = len(group.tasks), group.newest
        last_one = f", the last at {_time(newest.stopped)}" if newest.stopped else ""
        yield from _row("stopped", f"{count} of {newest.revision} {group.stop.value}{last_one}")
    for finding in diagnosis.rollout:
        yield from _row("rollout", f"{finding.subject}: {finding.found}")


def _cause(diagnosis: Diagnosis) -> Iterator[str]:
    cause, explanation = diagnosis.cause, diagnosis.explanation or diagnosis.deployed
    if cause is None:
        return
    yield from _row("cause", _class(cause))
    yield from _row("message", cause.text)
    for label, value in (
        ("action", cause.action),
        ("secret", cause.secret),
        ("parameter", cause.parameter),
        ("json key", cause.key),
        ("image", cause.image),
    ):
        if value:
            yield from _row(label, value)
    if diagnosis.note:
        yield from _row("deployed", f"not compared: {diagnosis.note}")
    if explanation is None:
        if cause.role:
            yield from _row("role", cause.role)
        return
    yield from _row("role", f"{explanation.role.address}{_at(explanation.role.location)}")
    if explanation.hit is not None:
        yield from _row("statement", f"{explanation.hit}{_at(explanation.hit.location)}")
    yield from _row("why", explanation.reason)


def _class(cause: StopCause) -> str:
    if cause.failure is not None:
        return cause.failure.value
    return "ECS cannot assume the role" if cause.is_known else "none of the ten that infraspec knows"


def _changes(changes: Changes) -> Iterator[str]:
    for change in changes.found:
        failed = f" ({change.error})" if change.error else ""
        yield from _row(
            "changed", f"{_time(change.at)} {change.operation}{failed} of {', '.join(change.what)} by {change.who}"
        )
    if not changes.found and not changes.note:
        yield from _row("changed", f"nothing since {_time(changes.since)}; CloudTrail may be 15 minutes behind")
    if changes.note:
        yield from _row("changed", changes.note)


def _row(label: str, text: str) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    yield f"  {label + ':':12}{first}"
    yield from (f"              {line}" for line in rest)


def _at(location: Location | None) -> str:
    return f" ({location})" if location else ""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def builtins_of(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as JSON has it."""
    live, cause = diagnosis.live, diagnosis.cause
    return {
        "service": name_of(diagnosis),
        "address": diagnosis.one.declared.resource.address,
        "arn": live.arn if live else None,
        "healthy": diagnosis.is_healthy,
        "past": diagnosis.is_past,
        "since": None if diagnosis.is_healthy else diagnosis.begun.isoformat(),
        "revision": {
            "running": revision_of(live.task_definition) if live else None,
            "newest": revision_of(diagnosis.one.newest) or None,
            "previous": diagnosis.previous or None,
        },
        "deployments": [
            {
                "status": one.status,
                "reason": one.reason or None,
                "revision": revision_of(one.task_definition) or None,
                "created": one.created.isoformat() if one.created else None,
            }
            for one in (live.service_deployments[:_SHOWN_EVENTS] if live else ())
        ],
        "stopped": [
            {
                "revision": group.newest.revision,
                "tasks": [task.arn for task in group.tasks],
                "how": group.stop.value,
                "last": group.newest.stopped.isoformat() if group.newest.stopped else None,
                "reason": group.newest.reason,
            }
            for group in diagnosis.stopped
        ],
        "events": [{"at": event.at.isoformat(), "message": event.message} for event in diagnosis.events],
        "rollout": [_finding(finding) for finding in diagnosis.rollout],
        "missing": [_finding(finding) for finding in diagnosis.missing],
        "cause": None
        if cause is None
        else {
            "class": cause.failure.value if cause.failure else None,
            "text": cause.text,
            **{
                key: getattr(cause, key) or None
                for key in ("action", "resource", "role", "secret", "key", "parameter", "image")
            },
        },
        "source": _explanation(diagnosis.explanation),
        "deployed": _explanation(diagnosis.deployed),
        "note": diagnosis.note or None,
        "fix": fix_text(diagnosis) or None,
        "rollback": [] if diagnosis.is_healthy else list(rollback_commands(diagnosis)),
        "playbooks": [] if diagnosis.is_healthy else [page.page.file for page in diagnosis.playbooks],
        "changes": _changes_as_builtins(diagnosis.changes),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    keys = ("rule", "subject", "expected", "found", "reason", "remedy")
    return {"verdict": finding.verdict.value, **{key: getattr(finding, key) or None for key in keys}}


def _explanation(explanation: Explanation | None) -> dict[str, Any] | None:
    if explanation is None:
        return None
    hit, addition = explanation.hit, explanation.addition
    return {
        "decision": explanation.outcome.value,
        "role": explanation.role.address,
        "why": explanation.reason,
        "statement": str(hit) if hit else None,
        "location": str(hit.location) if hit and hit.location else None,
        "add": {"to": addition.target, "location": str(addition.location or "") or None, "hcl": addition.hcl}
        if addition
        else None,
    }


def _changes_as_builtins(changes: Changes | None) -> dict[str, Any] | None:
    if changes is None:
        return None
    return {
        "since": changes.since.isoformat(),
        "note": changes.note or None,
        "found": [
            {
                "at": change.at.isoformat(),
                "operation": change.operation,
                "who": change.who,
                "what": list(change.what),
                "error": change.error or None,
            }
            for change in changes.found
        ],
    }


def owner_of(pages: Sequence[Playbook], default: str) -> str:
    """Return who answers for the failure: the owner of its playbook, or of the project."""
    return next((page.owner for page in pages), default) or "nobody yet"
