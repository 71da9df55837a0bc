"""A diagnosis of `infraspec diagnose` as a document: how a service runs, the cause, what else is known, the fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from infraspec.checks.access.explanation import Explanation
from infraspec.checks.services.diagnosis import Diagnosis, is_allowed
from infraspec.core.finding import Finding
from infraspec.core.unknown import render
from infraspec.ecs.service import revision_of
from infraspec.ecs.stop_cause import StopCause
from infraspec.process.history import RecordedChanges
from infraspec.process.playbooks import Playbook
from infraspec.reporting.document import Code, Document, Field, Fields, Paragraph, Part, Title, Tone, place
from infraspec.reporting.explanation import where

HEALTHY, FAILING, UNKNOWN_CAUSE = 0, 1, 3
"""Exit codes; 2 is an error of the input."""
_ROLLBACK = (
    "PREVIOUS=…",
    'aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$PREVIOUS"',
    'aws ecs wait services-stable --cluster "$CLUSTER" --services "$SERVICE"',
)
_SHOWN_EVENTS = 5
_WIDTH = len("consequence:")
_TONES: Mapping[str, Tone] = {"consequence": "worst", "cause": "worst", "rollout": "doubtful", "missing": "bad"}


def exit_code(diagnoses: Sequence[Diagnosis]) -> int:
    """Return 0 if nothing is wrong, 3 if of something the cause is not known, else 1."""
    wrong = [one for one in diagnoses if not one.is_healthy]
    if not wrong:
        return HEALTHY
    return FAILING if all(one.is_known for one in wrong) else UNKNOWN_CAUSE


def diagnosis_document(diagnoses: Sequence[Diagnosis]) -> Document:
    """Return diagnoses one after the other."""
    return Document(
        lambda _form: (part for one in diagnoses for part in _parts(one)),
        lambda: {"services": [_data(one) for one in diagnoses]},
    )


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
        for command in (pages[0].commands("restore") if pages else _ROLLBACK)
    ]
    return (f"CLUSTER={live.cluster_name}", f"SERVICE={live.name}", *commands)


class Fix(Struct, frozen=True):
    """What fixes it: `what` is to be done, `paste` is to be pasted; both are empty if that is not known."""

    what: str = ""
    paste: str = ""

    def __str__(self) -> str:
        return "\n\n".join(filter(None, (self.what, self.paste)))


def fix_of(diagnosis: Diagnosis) -> Fix:
    """Return what fixes it."""
    explanation = diagnosis.explanation
    if explanation is not None and explanation.addition is not None:
        return Fix(f"add to {where(explanation.addition)}", explanation.addition.hcl)
    if is_allowed(explanation) and explanation is not None:
        stale = diagnosis.deployed is not None and not is_allowed(diagnosis.deployed)
        state = "the deployed revision does not yet" if stale else "the deployed revision may differ, or be newer"
        return Fix(f"the source allows it ({explanation.reason}), {state}: terraform apply")
    if explanation is not None:
        return Fix(f"{explanation.reason}: change that statement")
    deployed = diagnosis.deployed
    if deployed is not None and deployed.addition is not None:
        return Fix(f"add to {deployed.addition.target}, which is not in the source", deployed.addition.hcl)
    gone = "\n\n".join(finding.remedy for finding in diagnosis.missing)
    cause = diagnosis.cause
    if not gone and cause is not None and cause.is_known and cause.failure is None:
        return Fix(f"{cause.role} is in order now: if its trust policy allows ecs-tasks.amazonaws.com, deploy again")
    return Fix(paste=gone)


def _parts(diagnosis: Diagnosis) -> Iterator[Part]:
    yield Title(_title(diagnosis), tone="good" if diagnosis.is_healthy else "bad")
    frame: Tone = "quiet" if diagnosis.is_healthy else "bad"
    cause = (replace(row, frame=frame) for row in _cause_rows(diagnosis))
    rows = (*_consequence_rows(diagnosis), *_state_rows(diagnosis), *cause, *_evidence_rows(diagnosis))
    yield Fields(tuple(replace(row, tone=_TONES.get(row.label, "")) for row in rows), _WIDTH)
    if diagnosis.is_healthy or diagnosis.live is None:
        return
    fix = fix_of(diagnosis)
    if fix.what:
        yield Paragraph(f"Fix: {fix.what}", "strong")
        yield from [Code(fix.paste, "terraform")] if fix.paste else []
    elif fix.paste:
        yield Code(f"Fix: {fix.paste}")
    told = "To go back, run these commands of the playbook; they were not run:"
    if diagnosis.has_gone_back:
        told = "ECS has gone back by itself. These commands of the playbook would do it, and were not run:"
    yield Paragraph(told, "strong")
    yield Code("\n".join(rollback_commands(diagnosis)), "bash")


def _title(diagnosis: Diagnosis) -> str:
    """Return the service, its cluster, and how it is."""
    if not diagnosis.is_healthy:
        verdict = f"{diagnosis.failure}, since {_time(diagnosis.begun)}"
    else:
        verdict = "recovered" if diagnosis.is_past else "healthy"
    return f"{name_of(diagnosis)} in {render(diagnosis.one.declared.cluster)}: {verdict}"


def _consequence_rows(diagnosis: Diagnosis) -> Iterator[Field]:
    """Yield what the failure means for those who use the service."""
    live = diagnosis.live
    if live is None or diagnosis.is_healthy:
        return
    running, newest = revision_of(live.task_definition), revision_of(diagnosis.one.newest)
    if live.running < live.desired:
        how = "is down" if live.running == 0 else "runs below its capacity"
        yield Field("consequence", f"{live.name} {how}: {live.running} of {live.desired} tasks run")
    if newest and newest != running:
        yield Field("consequence", f"{live.name} still runs {running}; the changes in {newest} are not live")


def _state_rows(diagnosis: Diagnosis) -> Iterator[Field]:
    """Yield how the service runs."""
    live, declared = diagnosis.live, diagnosis.one.declared
    yield Field("source", f"{declared.resource.address}{place(declared.resource.location)}")
    if live is None:
        yield from (Field("found", f"{finding.found}: {finding.remedy}") for finding in diagnosis.rollout)
        return
    yield Field("revision", f"{revision_of(live.task_definition)}; the newest is {revision_of(diagnosis.one.newest)}")
    if live.last is not None:
        last = live.last
        of = f" of {revision_of(last.task_definition)}" if last.task_definition else ""
        at = f" at {_time(last.created)}" if last.created else ""
        yield Field("deployment", f"{last.status}{of}{at}" + (f": {last.reason}" if last.reason else ""))
    yield Field("tasks", f"{live.running} of {live.desired} run, {live.pending} pending")
    for group in diagnosis.stopped:
        count, newest = len(group.tasks), group.newest
        last_one = f", the last at {_time(newest.stopped)}" if newest.stopped else ""
        yield Field("stopped", f"{count} of {newest.revision} {group.stop.value}{last_one}")
    for finding in diagnosis.rollout:
        yield Field("rollout", f"{finding.subject}: {finding.found}")


def _cause_rows(diagnosis: Diagnosis) -> Iterator[Field]:
    """Yield what AWS has said of the failure, and what the source has for it."""
    cause, explanation = diagnosis.cause, diagnosis.explanation or diagnosis.deployed
    if cause is None or diagnosis.live is None:
        return
    yield Field("cause", _class(cause))
    yield Field("message", cause.text)
    named = (
        ("action", cause.action),
        ("secret", cause.secret),
        ("parameter", cause.parameter),
        ("json key", cause.key),
        ("image", cause.image),
    )
    yield from (Field(label, value) for label, value in named if value)
    if diagnosis.note:
        yield Field("deployed", f"not compared: {diagnosis.note}")
    if explanation is None:
        if cause.role:
            yield Field("role", cause.role)
        return
    yield Field("role", f"{explanation.role.address}{place(explanation.role.location)}")
    if explanation.hit is not None:
        yield Field("statement", f"{explanation.hit}{place(explanation.hit.location)}")
    yield Field("why", explanation.reason)


def _evidence_rows(diagnosis: Diagnosis) -> Iterator[Field]:
    """Yield what else is known of a failure: what is gone, events, who changed what, playbooks."""
    if diagnosis.is_healthy or diagnosis.live is None:
        return
    for finding in diagnosis.missing:
        yield Field("missing", f"{finding.subject}: {finding.found}")
    for event in diagnosis.events[:_SHOWN_EVENTS]:
        yield Field("event", f"{_time(event.at)} {event.message}")
    if diagnosis.changes is not None:
        yield from _changes(diagnosis.changes)
    for page in diagnosis.playbooks:
        yield Field("playbook", page.page.file)


def _class(cause: StopCause) -> str:
    if cause.failure is not None:
        return cause.failure.value
    return "ECS cannot assume the role" if cause.is_known else "none of the ten that infraspec knows"


def _changes(changes: RecordedChanges) -> Iterator[Field]:
    for change in changes.found:
        failed = f" ({change.error})" if change.error else ""
        yield Field(
            "changed", f"{_time(change.at)} {change.operation}{failed} of {', '.join(change.what)} by {change.who}"
        )
    if not changes.found and not changes.note:
        yield Field("changed", f"nothing since {_time(changes.since)}; CloudTrail may be 15 minutes behind")
    if changes.note:
        yield Field("changed", changes.note)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def owner_of(pages: Sequence[Playbook], default: str) -> str:
    """Return who answers for the failure: the owner of its playbook, or of the project."""
    return next((page.owner for page in pages), default) or "nobody yet"


def _data(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as JSON has it."""
    live, cause = diagnosis.live, diagnosis.cause
    return {
        "service": name_of(diagnosis),
        "address": diagnosis.one.declared.resource.address,
        "arn": live.arn if live else None,
        "healthy": diagnosis.is_healthy,
        "past": diagnosis.is_past,
        "since": None if diagnosis.is_healthy else diagnosis.begun,
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
                "created": one.created,
            }
            for one in (live.service_deployments[:_SHOWN_EVENTS] if live else ())
        ],
        "stopped": [
            {
                "revision": group.newest.revision,
                "tasks": [task.arn for task in group.tasks],
                "how": group.stop.value,
                "last": group.newest.stopped,
                "reason": group.newest.reason,
            }
            for group in diagnosis.stopped
        ],
        "events": [{"at": event.at, "message": event.message} for event in diagnosis.events],
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
        "fix": str(fix_of(diagnosis)) or None,
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


def _changes_as_builtins(changes: RecordedChanges | None) -> dict[str, Any] | None:
    if changes is None:
        return None
    return {
        "since": changes.since,
        "note": changes.note or None,
        "found": [asdict(change) | {"error": change.error or None} for change in changes.found],
    }
