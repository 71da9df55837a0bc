"""A diagnosis as an incident record that the rule `incidents` takes, with what people have to add left open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from infraspec.checks.services.diagnosis import Diagnosis
from infraspec.contract.models import Contract
from infraspec.core.errors import counted
from infraspec.ecs.service import revision_of
from infraspec.reporting.diagnosis import fix_of, name_of, owner_of
from infraspec.reporting.document import Code, Paragraph, Part, Table, TextSpan, Title, Words, code, markdown, raw

_OPEN = raw("_to be written_")


def incident_record(diagnosis: Diagnosis, contract: Contract, environment: str) -> str:
    """Write the record of what is wrong with a service: front matter, timeline, five whys, what fixes it."""
    return markdown([_front_matter(diagnosis, contract, environment), *_body(diagnosis)]) + "\n"


def record_id(diagnosis: Diagnosis) -> str:
    """Return the id, which is the name of the file too: the day, the service and what failed."""
    return f"{diagnosis.begun:%Y-%m-%d}-{name_of(diagnosis)}-{diagnosis.failure}"


def _front_matter(diagnosis: Diagnosis, contract: Contract, environment: str) -> Paragraph:
    restored = _restored(diagnosis)
    times = {"started": diagnosis.begun, "detected": None if restored else diagnosis.asked, "restored": restored}
    page = next((page.id for page in diagnosis.playbooks), diagnosis.failure)
    values = {
        "id": record_id(diagnosis),
        "environment": environment,
        "severity": "critical" if _is_down(diagnosis) else "warning",
        "failure_class": diagnosis.failure,
        "playbook": page,
        "owner": owner_of(diagnosis.playbooks, contract.project.owner),
        **{name: moment.isoformat(timespec="seconds") for name, moment in times.items() if moment},
    }
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return Paragraph(raw("\n".join(["---", *lines, "---"])))


def _is_down(diagnosis: Diagnosis) -> bool:
    """Tell whether fewer tasks run than are wanted."""
    live = diagnosis.live
    return live is None or live.running < live.desired


def _restored(diagnosis: Diagnosis) -> datetime | None:
    """Return when ECS had put the revision before back, if it has, and all its tasks run."""
    live = diagnosis.live
    if live is None or live.last is None or not diagnosis.has_gone_back or _is_down(diagnosis):
        return None
    return live.last.finished if live.last.finished and live.last.finished >= diagnosis.begun else None


def _body(diagnosis: Diagnosis) -> Iterator[Part]:
    cause = diagnosis.cause
    yield Title(f"{name_of(diagnosis)}: {diagnosis.failure}")
    yield Title("影響 / Impact", level=2)
    yield Paragraph(_impact(diagnosis))
    yield Title("タイムライン / Timeline", level=2)
    rows = ((f"{at:%H:%M:%S}", _cell(what), _cell(who)) for at, what, who in _timeline(diagnosis))
    yield Table.of(("time (UTC)", "what happened", "who"), rows)
    yield Title("根本原因分析 / Five whys", level=2)
    whys: list[tuple[str, Words]] = [
        ("なぜ起きたか", _first_why(diagnosis)),
        ("それはなぜか", code(cause.text) if cause else _OPEN),
        ("それはなぜか", _third_why(diagnosis)),
        ("それはなぜか", _OPEN),
        ("それはなぜか", _OPEN),
    ]
    for number, (question, answer) in enumerate(whys, 1):
        yield Title(f"Why {number}: {question}", level=3)
        yield Paragraph(answer)
    fix = fix_of(diagnosis)
    yield Title("修正 / Fix", level=2)
    if fix.what or not fix.paste:
        yield Paragraph(fix.what or _OPEN)
    if fix.paste:
        yield Code(fix.paste, "hcl" if fix.what else "text")
    yield Title("再発防止策 / What prevents a recurrence", level=2)
    yield Table.of(("action", "owner", "until"), [(_OPEN, "", "")])
    yield Title("学び / What went well, what did not", level=2)
    yield Paragraph(_OPEN)


def _impact(diagnosis: Diagnosis) -> Words:
    live = diagnosis.live
    if live is None:
        return "The service does not exist. ", _OPEN
    tasks = f"{live.running} of {live.desired} tasks of {revision_of(live.task_definition)} run"
    return f"At {diagnosis.asked:%Y-%m-%d %H:%M} UTC {tasks}. Who could not do what, for how long: ", _OPEN


def _timeline(diagnosis: Diagnosis) -> list[tuple[datetime, str, str]]:
    """Return what is known to have happened: deployments, failed tasks, changes, and this look at it."""
    live = diagnosis.live
    entries: list[tuple[datetime, str, str]] = []
    if live is not None and live.last is not None and live.last.created is not None:
        last = live.last
        entries.append(
            (last.created or diagnosis.begun, f"deployment of {revision_of(last.task_definition)} begins", "ECS")
        )
        if last.finished is not None:
            entries.append((last.finished, f"deployment ends: {last.status} {last.reason}".rstrip(), "ECS"))
    for group in diagnosis.stopped:
        first = group.tasks[-1]
        if first.stopped:
            entries.append((first.stopped, f"the first task of {first.revision} {group.stop.value}", "ECS"))
    if diagnosis.changes is not None:
        entries += [
            (change.at, f"{change.operation} of {', '.join(change.what)}", change.who)
            for change in diagnosis.changes.found
        ]
    entries.append((diagnosis.asked, f"diagnosis: {diagnosis.failure}", "infraspec diagnose"))
    return sorted(entries, key=lambda entry: entry[0])


def _first_why(diagnosis: Diagnosis) -> Words:
    if diagnosis.stopped:
        group = diagnosis.stopped[0]
        return f"{counted(len(group.tasks), 'task')} of {group.newest.revision} {group.stop.value}."
    return "; ".join(f"{finding.subject}: {finding.found}" for finding in diagnosis.rollout) or _OPEN


def _third_why(diagnosis: Diagnosis) -> Words:
    explanation = diagnosis.explanation or diagnosis.deployed
    if explanation is not None:
        return f"{explanation.role.address}: {explanation.reason}."
    return "; ".join(f"{finding.subject}: {finding.found}" for finding in diagnosis.missing) or _OPEN


def _cell(text: str) -> TextSpan:
    return raw(" ".join(text.split()))
