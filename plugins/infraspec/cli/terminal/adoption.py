"""The view of `infraspec init`: what was found, the files, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from infraspec.cli.terminal.parts import code, fields, words


def view(
    found: Iterable[tuple[str, str]], files: Iterable[tuple[str, str, str]], rest: str
) -> Iterator[RenderableType]:
    """Yield what is shown: labels and what was found; path, state and note of files; `rest` is text with commands."""
    yield fields(found)
    yield Text()
    written = Table.grid(padding=(0, 2), collapse_padding=True)
    for _ in range(3):
        written.add_column(overflow="fold")
    for path, state, note in files:
        written.add_row(words(path), Text(state, "green" if state == "written" else "yellow"), words(note, "dim"))
    yield written
    yield code(f"\n{rest}")
