"""Part of the rule `playbooks`: whether each page was rehearsed, by the commands that it has now, and how long ago."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from infraspec.contract.models import Contract
from infraspec.contract.operations import Playbooks
from infraspec.contract.paths import display, resolve
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.process.playbooks import Playbook
from infraspec.process.rehearsals import RESTORING, RecordedRehearsal, read_rehearsals, recorded_name

RULE = RULES["playbooks"]


def rehearsed(
    contract: Contract, settings: Playbooks, playbooks: Sequence[Playbook], today: date | None
) -> Iterator[Finding]:
    """Judge the record of rehearsals, if the contract names one. Raises ProcessFileError."""
    if settings.rehearsals is None:
        return
    shown = display(contract, settings.rehearsals)
    last: dict[str, RecordedRehearsal] = {}
    for one in sorted(read_rehearsals(resolve(contract, settings.rehearsals), shown), key=lambda each: each.date):
        last[one.playbook] = one
    for playbook in playbooks:
        yield _of_page(playbook, last.get(recorded_name(playbook, contract.directory)), settings, shown, today)


def _of_page(
    playbook: Playbook, found: RecordedRehearsal | None, settings: Playbooks, record: str, today: date | None
) -> Finding:
    subject = RULE.about(playbook.page.file, "rehearsal", playbook.page.location("id"))
    page = {"id": playbook.id, "language": playbook.language}
    if found is None:
        return subject.say("no-rehearsal", record=record, **page)
    if found.commands != playbook.digest:
        return subject.say("stale-rehearsal", day=found.date, **page)
    if found.result not in RESTORING:
        said = {"result": found.result, "day": found.date, "environment": found.environment}
        return subject.say("failed-rehearsal", **said, **page)
    if settings.rehearsed_within:
        age = ((today or datetime.now(UTC).date()) - found.date).days
        if age > int(settings.rehearsed_within.removesuffix("d")):
            return subject.say("old-rehearsal", within=settings.rehearsed_within, day=found.date, age=age, **page)
    return subject.proven(f"{found.result} on {found.date} in {found.environment}, in {found.seconds} seconds")
