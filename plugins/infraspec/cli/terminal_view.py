"""Documents on a terminal: in colours, with places as links, what would control the terminal visible."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from msgspec import Struct
from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.table import Table as Grid
from rich.text import Text
from rich.tree import Tree as Branches

from infraspec.core.visible_text import visible as shown
from infraspec.reporting.document import (
    Code,
    Document,
    Field,
    Fields,
    Items,
    Paragraph,
    Part,
    Row,
    Table,
    TextSpan,
    Title,
    Tone,
    Tree,
    Words,
    plain,
    spans,
    width,
)

_PLACE = re.compile(r"(?P<file>[^\s()\[\]\"'`,;=:]+)(?::(?P<line>\d+))?")
_HIDDEN = r"(?m)\(known after apply: .*?\)(?=$|,)|\(sensitive value\)"
_STYLES: dict[Tone, str] = {
    "good": "green", "doubtful": "yellow", "bad": "red", "worst": "bold red", "strong": "bold", "quiet": "dim",
    "module": "bold blue"
}  # fmt: skip
_SIGNS: dict[Tone, tuple[str, str]] = {"good": ("✓", "+"), "doubtful": ("!", "!"), "worst": ("✗", "x")}
_COLOURS = {
    ("Comment",): "dim",
    ("Keyword",): "blue",
    ("Literal", "Number"): "blue",
    ("Literal", "String"): "green",
    ("Name", "Attribute"): "cyan",
    ("Name", "Builtin"): "cyan",
    ("Name", "Constant"): "blue",
    ("Name", "Tag"): "cyan",
    ("Name", "Variable"): "magenta",
}
"""Colours of the tokens of Pygments, of the eight that a terminal has its own idea of, light or dark."""
_THEME = ANSISyntaxTheme({token: Style.parse(colour) for token, colour in _COLOURS.items()})


def view(document: Document) -> Iterator[RenderableType]:
    """Yield what is shown of a document: all that its text has."""
    yield from _parts(document.parts("terminal"))


def _parts(parts: Iterable[Part]) -> Iterator[RenderableType]:
    before: Part | None = None
    for part in parts:
        if before is not None and not isinstance(before, Title):
            yield Text()
        yield from _part(part)
        before = part


def _part(part: Part) -> Iterator[RenderableType]:
    match part:
        case Title():
            yield line(part.words, f"bold {_STYLES.get(part.tone, '')}".strip())
        case Paragraph():
            yield line(part.words, _STYLES.get(part.tone, ""))
        case Code():
            yield code(part.text, part.language)
        case Fields():
            for frame, rows in groupby(part.rows, key=lambda row: row.frame):
                grid = _fields(rows, part.width, 1 if frame else 2)
                yield Panel(grid, box=box.ROUNDED, border_style=_STYLES[frame], padding=0) if frame else grid
        case Table():
            yield from _lines(part) if part.header == "never" else [Padding(_FittedTable(part), (0, 0, 0, part.indent))]
        case Items():
            for number, item in enumerate(part.items, 1):
                yield _hanging(f"{number}." if part.is_numbered else "-", item)
        case Tree():
            yield _tree(part)


def line(shown: Words, style: str = "") -> Text:
    """Return a text in a style, its parts in their own."""
    return Text.assemble(*(words(*_styled(span, style)) for span in spans(shown)))


def _styled(span: str | TextSpan, style: str) -> tuple[str, str]:
    return (span, style) if isinstance(span, str) else (span.text, _STYLES.get(span.tone, style))


def _fields(rows: Iterable[Field], width: int, indent: int) -> Padding:
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="dim", min_width=width or None)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(Text(f"{visible(row.label)}:"), words(row.text, _STYLES.get(row.tone, "")))
    return Padding(grid, (0, 0, 0, indent))


class _FittedTable(Struct, frozen=True):
    """A table of which nothing is cut off: where it does not fit, columns move together, then texts wrap at spaces.

    Words are broken only where the longest of all columns do not fit beside each other.
    """

    table: Table

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        widths, gaps = self.table.widths(), len(self.table.columns) - 1
        is_tight = sum(widths) + 3 * gaps > options.max_width
        longest = [max((width(word) for cell in cells for word in cell.split()), default=0) for cells in self._cells()]
        keeps_words = sum(longest) + gaps <= options.max_width
        grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        grid.padding = (0, 0 if is_tight else 1)
        for column, size, word in zip(self.table.columns, widths, longest, strict=True):
            grid.add_column(Text(visible(column.name)), overflow="fold", no_wrap=keeps_words and word == size)
        for row in self.table.rows:
            grid.add_row(*map(line, row.cells))
        yield grid

    def _cells(self) -> Iterator[list[str]]:
        """Yield the texts of each column, its name first."""
        for at, column in enumerate(self.table.columns):
            yield [column.name, *(plain(row.cells[at]) for row in self.table.rows)]


def _lines(table: Table) -> Iterator[RenderableType]:
    """Yield rows without a header: a sign before a first cell that has a tone, and below a row what is to be pasted."""
    is_signed = any(_tone(row) in _SIGNS for row in table.rows)
    widths = table.widths()
    widths[0] += 2 * is_signed
    for row in table.rows:
        grid = Grid.grid(padding=(0, 2, 0, 0))
        for size in widths[:-1]:
            grid.add_column(width=size, overflow="fold")
        grid.add_column(overflow="fold")
        first = Text(f"{sign(*_SIGNS[_tone(row)])} ", _STYLES[_tone(row)]) if is_signed else Text()
        grid.add_row(first + line(row.cells[0]), *map(line, row.cells[1:]))
        yield grid
        if row.note:
            yield code(row.note.text, row.note.language, widths[0] + 4)


def _tone(row: Row) -> Tone:
    first = row.cells[0]
    return first.tone if isinstance(first, TextSpan) else ""


def _hanging(sign: str, parts: Iterable[Part]) -> Grid:
    grid = Grid.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(sign), Group(*_parts(parts)))
    return grid


def _tree(tree: Tree, above: Branches | None = None) -> Branches:
    label = line(tree.words, _STYLES.get(tree.tone, ""))
    found = above.add(label) if above else Branches(label, guide_style="dim")
    for branch in tree.branches:
        match branch:
            case (Tree() as below,):
                _tree(below, found)
            case _:
                found.add(Group(*(shown for part in branch for shown in _in_tree(part))))
    return found


def _in_tree(part: Part) -> Iterable[RenderableType]:
    """Return what is shown below a branch, where code is wrapped: the lines on its left are no part of it."""
    return [highlighted(part.text, part.language)] if isinstance(part, Code) else _part(part)


def words(text: str, style: str = "") -> Text:
    """Return text in a style: a file that is there is a link, and what would control the terminal is visible."""
    shown = Text(visible(text), style)
    for match in _PLACE.finditer(shown.plain):
        file, line = match["file"], match["line"]
        if "." in file and os.path.isfile(file):  # noqa: PTH113 - a Path raises for what cannot be a name
            target = Path(file).resolve().as_uri() + (f"#{line}" if line else "")
            shown.stylize(Style(color="cyan", link=target), *match.span())
    return shown


def visible(text: str) -> str:
    """Return text with escapes for control characters, which would move the cursor, or worse."""
    return shown(text.expandtabs(4))


def sign(character: str, plain: str) -> str:
    """Return a character, or a plain one where the encoding of the terminal lacks it."""
    try:
        character.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return plain
    return character


def code(text: str, language: str = "text", indent: int = 0) -> Group:
    """Return what is to be pasted: highlighted, and each line whole, however narrow the terminal is."""
    lines = highlighted(text, language).split("\n")
    return Group(*(_whole(Text(" " * indent) + line) for line in lines))


def highlighted(text: str, language: str) -> Text:
    """Return source in colours; `language` is a name that Pygments knows."""
    shown = Syntax("", language, theme=_THEME, background_color="default").highlight(visible(text))
    shown.rstrip()
    shown.no_wrap, shown.overflow = False, "fold"
    if language == "terraform":
        shown.highlight_regex(_HIDDEN, "dim italic")
    return shown


def _whole(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ignore"
    return line
