"""The view of `infraspec diagnose`: how a service runs, the cause in a frame, what else is known, and the fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from infraspec.checks.diagnosis import Diagnosis
from infraspec.cli.terminal.parts import code, fields, words
from infraspec.reporting.diagnosis import (
    cause_rows,
    evidence_rows,
    fix_of,
    going_back,
    rollback_commands,
    state_rows,
    title,
)

_LABEL_WIDTH = len("deployment:")
_STYLES = {"cause": "bold red", "rollout": "yellow", "missing": "red"}


def view(diagnoses: Sequence[Diagnosis]) -> Iterator[RenderableType]:
    """Yield what is shown of diagnoses: all that their text has."""
    for number, one in enumerate(diagnoses):
        if number:
            yield Text()
        yield from _one(one)


def _one(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield words(title(diagnosis), "bold green" if diagnosis.is_healthy else "bold red")
    yield fields(state_rows(diagnosis), _STYLES, width=_LABEL_WIDTH)
    cause = tuple(cause_rows(diagnosis))
    if cause:
        colour = "dim" if diagnosis.is_healthy else "red"
        inner = fields(cause, _STYLES, width=_LABEL_WIDTH, indent=1)
        yield Panel(inner, box=box.ROUNDED, border_style=colour, padding=0)
    evidence = tuple(evidence_rows(diagnosis))
    if evidence:
        yield fields(evidence, _STYLES, width=_LABEL_WIDTH)
    if diagnosis.is_healthy or diagnosis.live is None:
        return
    fix = fix_of(diagnosis)
    if str(fix):
        yield words(f"\nFix: {fix.what}\n", "bold")
        yield code(fix.paste, "terraform" if fix.what else "text")
    yield words(f"\n{going_back(diagnosis)}\n", "bold")
    yield code("\n".join(rollback_commands(diagnosis)), "bash")
