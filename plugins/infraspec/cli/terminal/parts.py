"""What views are made of: text with its places as links, labelled rows, tables, and what is to be pasted."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.table import Table
from rich.text import Text

_PLACE = re.compile(r"(?P<file>[^\s()\[\]\"'`,;=:]+)(?::(?P<line>\d+))?")
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\n"}
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
    return text.expandtabs(4).translate(_CONTROLS)


def sign(character: str, plain: str) -> str:
    """Return a character, or a plain one where the encoding of the terminal lacks it."""
    try:
        character.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return plain
    return character


def fields(
    rows: Iterable[tuple[str, str]], styles: Mapping[str, str] | None = None, *, width: int = 0, indent: int = 2
) -> Padding:
    """Return rows of a label, in a column of at least a width, and its text; some labels' text is in a style."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="dim", min_width=width or None)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(Text(f"{visible(label)}:"), words(text, (styles or {}).get(label, "")))
    return Padding(grid, (0, 0, 0, indent))


def table(*columns: str) -> Table:
    """Return a table in which every column wraps, and none is cut off."""
    found = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        found.add_column(Text(column), overflow="fold")
    return found


def code(text: str, language: str = "text", indent: int = 0) -> Group:
    """Return what is to be pasted: highlighted, and each line whole, however narrow the terminal is."""
    lines = highlighted(text, language).split("\n")
    return Group(*(_whole(Text(" " * indent) + line) for line in lines))


def highlighted(text: str, language: str) -> Text:
    """Return source in colours; `language` is a name that Pygments knows."""
    shown = Syntax("", language, theme=_THEME, background_color="default").highlight(visible(text))
    shown.rstrip()
    shown.no_wrap, shown.overflow = False, "fold"
    return shown


def _whole(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ignore"
    return line
