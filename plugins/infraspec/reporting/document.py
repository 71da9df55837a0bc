"""What people and programs are told, as one model: titles, paragraphs, labelled rows, tables, lists, code.

A module about a subject makes a Document of it; how that looks is said once for each form: `text` and `as_json` here,
`markdown`, pages and the terminal's `view` in modules of their own, which escape what the form would take for its own.

Source: GitHub Flavored Markdown Spec, "Backslash escapes", "Code spans", "Tables (extension)"; GitHub Docs, "Basic
writing and formatting syntax" (mentions and references are not made inside of code).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias
from unicodedata import combining, east_asian_width

import msgspec
from msgspec import Struct

from infraspec.core.finding import Location
from infraspec.core.visible_text import visible, visible_json

Form: TypeAlias = Literal["text", "terminal", "markdown", "html"]
"""What people read; a terminal has room and colours, and may show more than text."""

Tone: TypeAlias = Literal["", "good", "doubtful", "bad", "worst", "strong", "quiet", "module"]
"""What a form with colours makes of a text."""


class TextSpan(Struct, frozen=True):
    """A part of a text. Raw text is ours, or trusted to be what the form takes: nothing of it is escaped."""

    text: str
    tone: Tone = ""
    kind: Literal["plain", "code", "raw"] = "plain"


Words: TypeAlias = str | TextSpan | tuple[str | TextSpan, ...]
"""A text of one or several lines. A str is shown as it is in every form."""


class Title(Struct, frozen=True):
    """A heading; what comes after it belongs to it."""

    words: Words
    level: int = 1
    tone: Tone = ""


class Paragraph(Struct, frozen=True):
    """A text by itself."""

    words: Words
    tone: Tone = ""


class Field(Struct, frozen=True):
    """A label and its text. Fields with one `frame` that follow each other are in a frame of that tone."""

    label: str
    text: str
    tone: Tone = ""
    frame: Tone = ""


class Fields(Struct, frozen=True):
    """Labelled rows, their texts below each other; labels are at least `width` wide, with their colon."""

    rows: tuple[Field, ...]
    width: int = 0


class Column(Struct, frozen=True):
    """A column of a table, and how wide it is at least and at most where columns are aligned."""

    name: str = ""
    least: int = 0
    most: int | None = None


class Row(Struct, frozen=True):
    """A row of a table, and what is to be pasted because of it, below its last cell."""

    cells: tuple[Words, ...]
    note: Code | None = None


class Table(Struct, frozen=True):
    """Rows of cells. A table that is no table in text, but lines, has its header on a terminal alone, or never."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    header: Literal["always", "terminal", "never"] = "always"
    indent: int = 0

    @classmethod
    def of(cls, names: Iterable[str], rows: Iterable[Iterable[Words]], *, indent: int = 0) -> Table:
        """Return a table of named columns, which on a terminal is some columns further in."""
        return cls(tuple(map(Column, names)), tuple(Row(tuple(cells)) for cells in rows), indent=indent)

    def widths(self) -> list[int]:
        """Return how wide the columns are if no cell is cut off but by `most`."""
        lines = [[column.name for column in self.columns]] if self.header == "always" else []
        lines += [list(map(plain, row.cells)) for row in self.rows]
        wanted = [max(map(width, cells)) for cells in zip(*lines, strict=True)] or [0] * len(self.columns)
        return [
            max(column.least, size if column.most is None else min(size, column.most))
            for column, size in zip(self.columns, wanted, strict=True)
        ]


class Code(Struct, frozen=True):
    """Lines to be pasted, which are never wrapped; `language` is a name that Pygments and GitHub know."""

    text: str
    language: str = "text"


class Items(Struct, frozen=True):
    """A list; an item has one part or several."""

    items: tuple[tuple[Part, ...], ...]
    is_numbered: bool = False

    @classmethod
    def of(cls, texts: Iterable[Words]) -> Items:
        """Return a list of texts."""
        return cls(tuple((Paragraph(one),) for one in texts))


class Tree(Struct, frozen=True):
    """A text, and what is below it."""

    words: Words
    branches: tuple[tuple[Part, ...], ...]
    tone: Tone = ""


Part: TypeAlias = Title | Paragraph | Fields | Table | Code | Items | Tree


class Document(Struct, frozen=True):
    """What is told of a subject: `parts` makes what people read in a form, `data` what programs read."""

    parts: Callable[[Form], Iterable[Part]]
    data: Callable[[], Any] = dict


def languages(name: str) -> Mapping[str, Mapping[str, str]]:
    """Return what a document says by language and key: NAME.json beside this module has it."""
    content = Path(__file__).with_name(f"{name}.json").read_bytes()
    found: Mapping[str, Mapping[str, str]]
    found = msgspec.json.decode(content, type=dict[Literal["en", "ja"], dict[str, str]])
    return found


def code(text: str) -> TextSpan:
    """Return a name or a value, which stands out where a form can show that."""
    return TextSpan(text, kind="code")


def raw(text: str) -> TextSpan:
    """Return a text that a form takes as it is."""
    return TextSpan(text, kind="raw")


def marked(template: str, **values: str | int) -> tuple[str | TextSpan, ...]:
    """Return a text of ours in which what is between backticks is code; values are text, whatever they hold."""
    parts = [part.format(**values) for part in template.split("`")]
    return tuple(code(part) if at % 2 else part for at, part in enumerate(parts) if part)


def joined(separator: str, texts: Iterable[Words]) -> tuple[str | TextSpan, ...]:
    """Return texts as one."""
    found: list[str | TextSpan] = []
    for text in texts:
        found += [*([separator] if found else []), *spans(text)]
    return tuple(found)


def spans(words: Words) -> tuple[str | TextSpan, ...]:
    """Return the parts of a text."""
    return words if isinstance(words, tuple) else (words,)


def plain(words: Words) -> str:
    """Return a text without what only some forms show."""
    return "".join(span if isinstance(span, str) else span.text for span in spans(words))


def place(location: Location | None) -> str:
    """Return where something is, to stand behind it."""
    return f" ({location})" if location else ""


def width(text: str) -> int:
    """Return how many columns a text takes: Chinese and Japanese characters take two. Source: Unicode Annex 11."""
    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def as_json(data: Any) -> str:
    """Write what programs read; the keys are those of the documentation, and times are as ISO 8601 has them."""
    return visible_json(json.dumps(data, indent=2, ensure_ascii=False, default=datetime.isoformat))


def as_text(document: Document) -> str:
    """Write a document for people, in text alone."""
    return text(document.parts("text"))


def text(parts: Iterable[Part]) -> str:
    """Write parts as text: what follows a title stands right below it, the rest after a blank line."""
    found: list[str] = []
    before: Part | None = None
    for part in parts:
        if before is not None:
            found.append("\n" if isinstance(before, Title) else "\n\n")
        found.append("\n".join(_lines(part)))
        before = part
    return visible("".join(found))


def _lines(part: Part) -> Iterator[str]:
    match part:
        case Title() | Paragraph():
            yield plain(part.words)
        case Code():
            yield part.text
        case Fields():
            yield from _field_lines(part)
        case Table():
            yield from _table_lines(part)
        case Items():
            for number, item in enumerate(part.items, 1):
                yield hanging(f"{number}. " if part.is_numbered else "- ", text(item))
        case Tree():
            yield plain(part.words)
            for branch in part.branches:
                yield hanging("  ", text(branch))


def hanging(sign: str, lines: str) -> str:
    """Return lines of which the first stands behind a sign, and the others below the first."""
    first, *rest = lines.split("\n")
    return "\n".join([sign + first, *((" " * len(sign) + line).rstrip() for line in rest)])


def _field_lines(fields: Fields) -> Iterator[str]:
    size = max(fields.width, *(width(row.label) + 1 for row in fields.rows), 0)
    for row in fields.rows:
        first, *rest = row.text.splitlines() or [""]
        yield f"  {row.label}:{' ' * (size - width(row.label))}{first}"
        yield from (f"{'':{size + 3}}{line}" for line in rest)


def _table_lines(table: Table) -> Iterator[str]:
    widths = table.widths()
    rows = [Row(tuple(column.name for column in table.columns))] if table.header == "always" else []
    for row in (*rows, *table.rows):
        cells = [cell + " " * (size - width(cell)) for cell, size in zip(map(plain, row.cells), widths, strict=True)]
        yield "  ".join(cells).rstrip()
        if row.note:
            indent = sum(widths[:-1]) + 2 * len(widths[:-1])
            yield from (f"{'':{indent}}{line}" for line in row.note.text.splitlines())


_SPECIAL = re.compile(r"([\\`*\[\]<>#|~$]|(?<![^\W_])_|_(?![^\W_]))")
_TICKS = re.compile(r"`+")
_BREAK = "<!-- -->"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, in one line; it mentions nobody and refers to no issue."""
    escaped = _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))
    return escaped.replace("&", "&amp;").replace("@", f"@{_BREAK}").replace(r"\#", rf"\#{_BREAK}")


def code_span(text: str) -> str:
    """Return a code span of one line, also where the text holds backticks."""
    line = " ".join(text.split()) or " "
    ticks = "`" * (max((len(run) for run in _TICKS.findall(line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fence(text: str, language: str) -> str:
    """Return a fenced code block, also where the text holds fences."""
    ticks = "`" * max(3, max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def fold(title: str, content: str) -> str:
    """Return what is shown on a click."""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown already, pipes in them are escaped here."""
    head, *lines = (" | ".join(re.sub(r"(?<!\\)\|", r"\|", cell) for cell in line) for line in (header, *rows))
    return "\n".join([f"| {head} |", "|---" * len(header) + "|", *(f"| {line} |" for line in lines)])


def link(text: str, address: str) -> str:
    """Return a name in code, with its link if there is one."""
    return f"[{code_span(text)}]({address})" if address else code_span(text)


def as_markdown(document: Document) -> str:
    """Write a document as a page."""
    return markdown(document.parts("markdown"))


def markdown(parts: Iterable[Part]) -> str:
    """Write parts as Markdown, each after a blank line."""
    return visible("\n\n".join(map(_part, parts)))


def inline(words: Words) -> str:
    """Write a text: what is ours as it is, code as code, and all else so that it reads as it is."""
    return "".join(map(_span, spans(words)))


def _span(span: str | TextSpan) -> str:
    if isinstance(span, str):
        return _escaped(span)
    return span.text if span.kind == "raw" else code_span(span.text) if span.kind == "code" else _escaped(span.text)


def _escaped(text: str) -> str:
    """Return escaped text with the blanks around it, which part it from code."""
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{' ' if before else ''}{escape(text)}{' ' if after and text.strip() else ''}"


def _part(part: Part) -> str:
    match part:
        case Title():
            return f"{'#' * part.level} {inline(part.words)}"
        case Paragraph():
            return inline(part.words)
        case Code():
            return fence(part.text, part.language)
        case Fields():
            return "\n".join(f"- **{escape(row.label)}:** {escape(row.text)}" for row in part.rows)
        case Table():
            return table(
                [inline(column.name) for column in part.columns], ([*map(inline, row.cells)] for row in part.rows)
            )
        case Items():
            return "\n".join(
                _item(f"{at}. " if part.is_numbered else "- ", item) for at, item in enumerate(part.items, 1)
            )
        case Tree():
            return "\n".join([inline(part.words), *(_item("- ", branch) for branch in part.branches)])


def _item(sign: str, parts: Sequence[Part]) -> str:
    """Return an item of a list, whose other lines are as far in as its first; after code it ends with a blank line."""
    return hanging(sign, markdown(parts)) + ("\n" if isinstance(parts[-1], Code) else "")
