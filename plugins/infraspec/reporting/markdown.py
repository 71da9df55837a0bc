"""Documents as GitHub's Markdown, and what they are made of: escaped text, code, links, tables, folds.

Source: GitHub Flavored Markdown Spec, "Backslash escapes", "Code spans", "Tables (extension)"; GitHub Docs, "Basic
writing and formatting syntax" (mentions and references are not made inside of code).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from infraspec.reporting.document import (
    Code,
    Document,
    Fields,
    Items,
    Paragraph,
    Part,
    Span,
    Table,
    Title,
    Tree,
    Words,
    hanging,
    spans,
)

_SPECIAL = re.compile(r"([\\`*\[\]<>#|~$]|(?<![^\W_])_|_(?![^\W_]))")
_TICKS = re.compile(r"`+")
_BREAK = "<!-- -->"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, in one line; it mentions nobody and refers to no issue."""
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("@", f"@{_BREAK}").replace(r"\#", rf"\#{_BREAK}")


def code(text: str) -> str:
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
    return f"[{code(text)}]({address})" if address else code(text)


def as_markdown(document: Document) -> str:
    """Write a document as a page."""
    return markdown(document.parts("markdown"))


def markdown(parts: Iterable[Part]) -> str:
    """Write parts as Markdown, each after a blank line."""
    return "\n\n".join(map(_part, parts))


def inline(words: Words) -> str:
    """Write a text: what is ours as it is, code as code, and all else so that it reads as it is."""
    return "".join(map(_span, spans(words)))


def _span(span: str | Span) -> str:
    if isinstance(span, str):
        return _escaped(span)
    return span.text if span.kind == "raw" else code(span.text) if span.kind == "code" else _escaped(span.text)


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
