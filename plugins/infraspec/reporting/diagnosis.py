"""A diagnosis of `infraspec diagnose` as text, and the parts that it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from infraspec.checks.diagnosis import Diagnosis, is_allowed
from infraspec.ecs.stop_cause import StopCause
from infraspec.ecs.task import revision_of
from infraspec.finding import Location
from infraspec.process.changes import Changes
from infraspec.process.playbooks import Playbook
from infraspec.reporting.explanation import where
from infraspec.unknown import render

HEALTHY, FAILING, UNKNOWN_CAUSE = 0, 1, 3
"""Exit codes; 2 is an error of the input."""
SHOWN_EVENTS = 5


def exit_code(diagnoses: Sequence[Diagnosis]) -> int:
    """Return 0 if nothing is wrong, 3 if of something the cause is not known, else 1."""
    wrong = [one for one in diagnoses if not one.is_healthy]
    if not wrong:
        return HEALTHY
    return FAILING if all(one.is_known for one in wrong) else UNKNOWN_CAUSE


def as_text(diagnoses: Sequence[Diagnosis]) -> str:
    """Write diagnoses for people."""
    return "\n\n".join("\n".join(_lines(one)) for one in diagnoses)


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


class Fix(Struct, frozen=True):
    """What mends it: `what` is to be done, `paste` is to be pasted; both are empty if that is not known."""

    what: str = ""
    paste: str = ""

    def __str__(self) -> str:
        return "\n\n".join(filter(None, (self.what, self.paste)))


def fix_of(diagnosis: Diagnosis) -> Fix:
    """Return what mends it."""
    explanation = diagnosis.explanation
    if explanation is not None and explanation.addition is not None:
        return Fix(f"add to {where(explanation.addition)}", explanation.addition.hcl)
    if is_allowed(explanation) and explanation is not None:
        stale = diagnosis.deployed is not None and not is_allowed(diagnosis.deployed)
        state = "what is deployed does not yet" if stale else "what is deployed may differ, or have come later"
        return Fix(f"the source allows it ({explanation.reason}), {state}: terraform apply")
    if explanation is not None:
        return Fix(f"{explanation.reason}: change that statement")
    deployed = diagnosis.deployed
    if deployed is not None and deployed.addition is not None:
        return Fix(f"add to {deployed.addition.target}, which is not in the source", deployed.addition.hcl)
    gone = "\n\n".join(finding.remedy for finding in diagnosis.missing)
    cause = diagnosis.cause
    if not gone and cause is not None and cause.is_known and cause.failure is None:
        return Fix(
            f"nothing of {cause.role} is amiss now: if its trust policy lets ecs-tasks.amazonaws.com in, deploy again"
        )
    return Fix(paste=gone)


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    yield title(diagnosis)
    for label, text in (*state_rows(diagnosis), *cause_rows(diagnosis), *evidence_rows(diagnosis)):
        yield from _row(label, text)
    if diagnosis.is_healthy or diagnosis.live is None:
        return
    fix = fix_of(diagnosis)
    if str(fix):
        yield f"\nFix: {fix}"
    yield f"\n{going_back(diagnosis)}\n"
    yield from rollback_commands(diagnosis)


def title(diagnosis: Diagnosis) -> str:
    """Return the service, its cluster, and how it is."""
    if not diagnosis.is_healthy:
        verdict = f"{diagnosis.failure}, since {_time(diagnosis.begun)}"
    else:
        verdict = "got over it" if diagnosis.is_past else "healthy"
    return f"{name_of(diagnosis)} in {render(diagnosis.one.declared.cluster)}: {verdict}"


def going_back(diagnosis: Diagnosis) -> str:
    """Say what the commands are that are printed at the end."""
    if diagnosis.has_gone_back:
        return "ECS has gone back by itself. These commands of the playbook would do it, and were not run:"
    return "To go back, run these commands of the playbook; they were not run:"


Rows: TypeAlias = Iterator[tuple[str, str]]
"""Labels, and the text of each, which may have several lines."""


def state_rows(diagnosis: Diagnosis) -> Rows:
    """Yield how the service runs."""
    live, declared = diagnosis.live, diagnosis.one.declared
    yield "source", f"{declared.resource.address}{_at(declared.resource.location)}"
    if live is None:
        yield from (("found", f"{finding.found}: {finding.remedy}") for finding in diagnosis.rollout)
        return
    yield "revision", f"{revision_of(live.task_definition)}; the newest is {revision_of(diagnosis.one.newest)}"
    if live.last is not None:
        last = live.last
        of = f" of {revision_of(last.task_definition)}" if last.task_definition else ""
        at = f" at {_time(last.created)}" if last.created else ""
        yield "deployment", f"{last.status}{of}{at}" + (f": {last.reason}" if last.reason else "")
    yield "tasks", f"{live.running} of {live.desired} run, {live.pending} pending"
    for group in diagnosis.stopped:
        count, newest = len(group.tasks), group.newest
        last_one = f", the last at {_time(newest.stopped)}" if newest.stopped else ""
        yield "stopped", f"{count} of {newest.revision} {group.stop.value}{last_one}"
    for finding in diagnosis.rollout:
        yield "rollout", f"{finding.subject}: {finding.found}"


def cause_rows(diagnosis: Diagnosis) -> Rows:
    """Yield what AWS has said of the failure, and what the source has for it."""
    cause, explanation = diagnosis.cause, diagnosis.explanation or diagnosis.deployed
    if cause is None or diagnosis.live is None:
        return
    yield "cause", _class(cause)
    yield "message", cause.text
    named = (
        ("action", cause.action),
        ("secret", cause.secret),
        ("parameter", cause.parameter),
        ("json key", cause.key),
        ("image", cause.image),
    )
    yield from ((label, value) for label, value in named if value)
    if diagnosis.note:
        yield "deployed", f"not compared: {diagnosis.note}"
    if explanation is None:
        if cause.role:
            yield "role", cause.role
        return
    yield "role", f"{explanation.role.address}{_at(explanation.role.location)}"
    if explanation.hit is not None:
        yield "statement", f"{explanation.hit}{_at(explanation.hit.location)}"
    yield "why", explanation.reason


def evidence_rows(diagnosis: Diagnosis) -> Rows:
    """Yield what else is known of a failure: what is gone, events, who changed what, playbooks."""
    if diagnosis.is_healthy or diagnosis.live is None:
        return
    for finding in diagnosis.missing:
        yield "missing", f"{finding.subject}: {finding.found}"
    for event in diagnosis.events[:SHOWN_EVENTS]:
        yield "event", f"{_time(event.at)} {event.message}"
    if diagnosis.changes is not None:
        yield from _changes(diagnosis.changes)
    for page in diagnosis.playbooks:
        yield "playbook", page.page.file


def _class(cause: StopCause) -> str:
    if cause.failure is not None:
        return cause.failure.value
    return "ECS cannot assume the role" if cause.is_known else "none of the ten that infraspec knows"


def _changes(changes: Changes) -> Rows:
    for change in changes.found:
        failed = f" ({change.error})" if change.error else ""
        yield "changed", f"{_time(change.at)} {change.operation}{failed} of {', '.join(change.what)} by {change.who}"
    if not changes.found and not changes.note:
        yield "changed", f"nothing since {_time(changes.since)}; CloudTrail may be 15 minutes behind"
    if changes.note:
        yield "changed", changes.note


def _row(label: str, text: str) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    yield f"  {label + ':':12}{first}"
    yield from (f"              {line}" for line in rest)


def _at(location: Location | None) -> str:
    return f" ({location})" if location else ""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def owner_of(pages: Sequence[Playbook], default: str) -> str:
    """Return who answers for the failure: the owner of its playbook, or of the project."""
    return next((page.owner for page in pages), default) or "nobody yet"
