"""The view of `infraspec doctor`: a line for each thing with a sign of its state, and below it what is to be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from infraspec.adoption.health import Line, State, worst
from infraspec.cli.terminal.parts import code, sign, words

_SIGNS = {State.OK: ("✓", "+"), State.WARNING: ("!", "!"), State.PROBLEM: ("✗", "x")}
_COLOURS = {State.OK: "green", State.WARNING: "yellow", State.PROBLEM: "bold red"}
_STATE_WIDTH = 9
_INDENT = _STATE_WIDTH + 4


def view(lines: Sequence[Line], counts: str, width: int) -> Iterator[RenderableType]:
    """Yield what is shown of lines; `width` is that of their topics, `counts` how many there are of each state."""
    for line in lines:
        yield _row(line, width)
        if line.remedy:
            yield code(line.remedy, "toml" if line.remedy.startswith("[") else "text", _INDENT)
    yield words(f"\n{counts}", _COLOURS[worst(lines)])


def _row(line: Line, width: int) -> Table:
    state = Text(f"{sign(*_SIGNS[line.state])} {line.state.value}", _COLOURS[line.state])
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=_STATE_WIDTH, no_wrap=True)
    grid.add_column(width=width, overflow="fold", style="bold")
    grid.add_column(overflow="fold")
    grid.add_row(state, words(line.topic), words(line.message))
    return grid
