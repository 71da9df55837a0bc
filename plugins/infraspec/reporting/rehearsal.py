"""A rehearsal as a document: which playbooks restore, and where each of the others stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from infraspec.process.rehearsals import RESTORING
from infraspec.reporting.document import (
    Document,
    Field,
    Fields,
    Form,
    Items,
    Paragraph,
    Part,
    Table,
    Title,
    Tone,
    code,
)
from infraspec.sandbox.rehearsal.rehearsing import NOT_RESTORED, NOT_SEEN, STOPPED, Rehearsal

_MOST_LINES = 12
_MEANING = {
    STOPPED: "a step failed, and those after it were not run",
    NOT_RESTORED: "all steps ran, and it is not healthy: a step is missing or does something else",
    NOT_SEEN: "the live suite did not see the failure, so that nothing was rehearsed",
}


def rehearsal_document(rehearsals: Sequence[Rehearsal]) -> Document:
    """Return a table of the playbooks, and what stopped those that do not restore."""
    return Document(partial(_parts, rehearsals), partial(_data, rehearsals))


def tone_of(rehearsals: Sequence[Rehearsal]) -> Tone:
    """Return how they look as a whole."""
    return "good" if all(one.result in RESTORING for one in rehearsals) else "bad"


def _parts(rehearsals: Sequence[Rehearsal], _form: Form) -> Iterator[Part]:
    restored = sum(one.result in RESTORING for one in rehearsals)
    title = f"Rehearsal of {rehearsals[0].environment}: {restored} of {len(rehearsals)} playbooks restore"
    yield Title(title, tone=tone_of(rehearsals))
    yield Table.of(("playbook", "failure", "result", "healthy after", "seconds"), map(_row, rehearsals))
    for one in rehearsals:
        if one.result not in RESTORING:
            yield from _explained(one)


def _row(one: Rehearsal) -> tuple[str, ...]:
    after = "-" if one.healthy_after is None or not one.failure else f"step {one.healthy_after} of {len(one.steps)}"
    name = f"{one.playbook.id} ({one.playbook.language})"
    return name, one.failure or "none", one.result, after, f"{sum(_seconds(one)):.0f}"


def _seconds(one: Rehearsal) -> Iterator[float]:
    return (step.result.seconds for step in one.steps if step.result is not None)


def _explained(one: Rehearsal) -> Iterator[Part]:
    yield Title(f"{one.playbook.id} ({one.playbook.language}): {one.result}", level=2, tone="bad")
    yield Paragraph(_MEANING[one.result])
    if stopped := one.stopped_at:
        assert stopped.result is not None  # noqa: S101 - it stopped
        ended = "it took too long" if stopped.result.is_late else f"exit code {stopped.result.exit_code}"
        rows = (
            ("step", f"{stopped.number} of {len(one.steps)}"),
            ("place", f"{one.playbook.page.file}:{stopped.step.line}"),
            ("command", stopped.step.text),
            ("ended", f"{ended}, after {stopped.result.seconds:.1f} seconds"),
            ("output", "\n".join(stopped.result.output.splitlines()[-_MOST_LINES:]) or "none"),
        )
        yield Fields(tuple(Field(label, text) for label, text in rows))
    if one.left:
        yield Paragraph("Not healthy at the end:")
        yield Items.of(code(text) for text in one.left)


def _data(rehearsals: Sequence[Rehearsal]) -> Any:
    return [
        {
            "playbook": one.playbook.page.file,
            "id": one.playbook.id,
            "language": one.playbook.language,
            "environment": one.environment,
            "failure": one.failure,
            "result": one.result,
            "seconds": round(one.seconds, 1),
            "healthy_after": one.healthy_after,
            "seen": list(one.seen),
            "left": list(one.left),
            "steps": [
                {
                    "step": step.number,
                    "line": step.step.line,
                    "phase": step.step.phase,
                    "command": step.step.text,
                    "exit_code": step.result.exit_code if step.result else None,
                    "seconds": round(step.result.seconds, 1) if step.result else None,
                    "late": bool(step.result and step.result.is_late),
                    "output": step.result.output if step.result else "",
                }
                for step in one.steps
            ],
        }
        for one in rehearsals
    ]
