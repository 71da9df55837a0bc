"""The terminal that a command writes to, if it does: what is shown on it, and what is said while it takes long."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from infraspec.reporting.document import Document, as_json, as_text

if TYPE_CHECKING:  # a command starts faster without
    from rich.console import Console, RenderableType


def is_terminal() -> bool:
    """Tell whether standard output is shown on a terminal; FORCE_COLOR and the like do not make one of a pipe."""
    return sys.stdout.isatty()


def show_document(document: Document, form: str) -> None:
    """Print a document as "json", or else for people: on a terminal in colours, as wide as it is."""
    if form == "json":
        click.echo(as_json(document.data()))
    elif is_terminal():
        from infraspec.cli.terminal_view import view  # noqa: PLC0415 - a pipe does without

        show(*view(document))
    else:
        click.echo(as_text(document))


def show(*parts: RenderableType) -> None:
    """Print on the terminal; nothing is cut off, and what is not wrapped is left to the terminal."""
    console = _console(sys.stdout)
    for part in parts:
        console.print(part, crop=False)


@contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """Say on standard error what takes long, as long as it does; yield what says something else.

    Nothing is said where there is no terminal, or one without colours, which cannot take it back.
    """
    console = _console(sys.stderr) if sys.stderr.isatty() else None
    if console is None or console.color_system is None:
        yield lambda _text: None
        return
    from rich.text import Text  # noqa: PLC0415 - a pipe does without

    with console.status(Text(text)) as status:
        yield lambda text: status.update(Text(text))


def _console(stream: TextIO) -> Console:
    """Return the console of a stream that is a terminal; with NO_COLOR it writes text alone (https://no-color.org)."""
    from rich.console import Console  # noqa: PLC0415 - a pipe does without

    size = shutil.get_terminal_size()
    return Console(
        file=stream,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        width=size.columns,
        height=size.lines,
        highlight=False,
        markup=False,
        emoji=False,
    )
