"""HTML pages that ask nobody for anything: no script, no font, no picture; light and dark.

Every page has one frame and one style sheet, `page.html` and `page.css` beside this module. The Content-Security-Policy
of the frame lets a browser load nothing, whatever the text in the page holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from string import Template
from typing import TypeAlias

from infraspec import __version__
from infraspec.core.visible_text import visible
from infraspec.reporting.document import (
    Code,
    Document,
    Field,
    Fields,
    Items,
    Paragraph,
    Part,
    Table,
    TextSpan,
    Title,
    Tone,
    Tree,
    Words,
    plain,
    spans,
)
from infraspec.reporting.language import spoken

Lines: TypeAlias = Iterable[str]
_PILLS: dict[Tone, str] = {"good": "proven", "doubtful": "undetermined", "bad": "violated", "worst": "violated"}
"""The class of the style sheet for a part of a text that has this tone."""


def framed(title: str, header: Lines, sections: Lines) -> str:
    """Return a page in the language that is spoken; header and sections are HTML already."""
    template, style = (_resource(name) for name in ("page.html", "page.css"))
    return Template(template).substitute(
        language=spoken(),
        title=escape(title),
        style=style,
        header="\n".join(header),
        sections="".join(f"{line}\n" for line in sections),
        version=escape(__version__),
    )


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def as_html(document: Document) -> str:
    """Write a document as a page of its own. Its first title is the title of the page."""
    parts = list(document.parts("html"))
    title = next((plain(part.words) for part in parts if isinstance(part, Title)), "infraspec")
    return visible(framed(title, _header(parts), (line for part in parts[1:] for line in _lines(part))))


def _header(parts: list[Part]) -> Iterator[str]:
    yield "<header>"
    for part in parts[:1]:
        yield from _lines(part)
    yield "</header>"


def _lines(part: Part) -> Iterator[str]:
    match part:
        case Title():
            level = min(part.level, 3)
            yield f"<h{level}>{_inline(part.words)}</h{level}>"
        case Paragraph():
            yield f"<p>{_inline(part.words)}</p>"
        case Code():
            yield f"<pre>{escape(part.text)}</pre>"
        case Fields():
            yield f"<dl>{''.join(map(_field, part.rows))}</dl>"
        case Table():
            yield from _table(part)
        case Items():
            tag = "ol" if part.is_numbered else "ul"
            yield from _list(tag, part.items)
        case Tree():
            yield f"<p>{_inline(part.words)}</p>"
            yield from _list("ul", part.branches)


def _field(row: Field) -> str:
    return f"<dt>{escape(row.label)}</dt><dd>{'<br>'.join(map(escape, row.text.splitlines()))}</dd>"


def _table(table: Table) -> Iterator[str]:
    yield "<table class=list>"
    if table.header != "never":
        yield head(column.name for column in table.columns)
    yield "<tbody>"
    names = [column.name for column in table.columns] if table.header != "never" else [""] * len(table.columns)
    for row in table.rows:
        *cells, last = map(_inline, row.cells)
        note = f"<pre>{escape(row.note.text)}</pre>" if row.note else ""
        yield f"<tr>{''.join(map(cell, names, (*cells, last + note)))}</tr>"
    yield "</tbody>\n</table>"


def head(names: Iterable[str]) -> str:
    """Write the head of a table."""
    return f"<thead><tr>{''.join(f'<th scope=col>{escape(name)}</th>' for name in names)}</tr></thead>"


def cell(name: str, content: str, kind: str = "") -> str:
    """Write a cell with HTML in it; on a narrow page, which shows no head, the name of its column stands before it."""
    label = f' data-label="{escape(name)}"' if name else ""
    return f"<td{f' class={kind}' if kind else ''}{label}>{content}</td>"


def _list(tag: str, items: Iterable[Iterable[Part]]) -> Iterator[str]:
    yield f"<{tag}>"
    for item in items:
        yield f"<li>{''.join(line for part in item for line in _lines(part))}</li>"
    yield f"</{tag}>"


def _inline(words: Words) -> str:
    return "".join(map(_span, spans(words)))


def _span(span: str | TextSpan) -> str:
    """Write a part of a text. What is raw is Markdown, so it is no HTML and is escaped too."""
    if isinstance(span, str):
        return escape(span)
    if span.kind == "code":
        return f"<code>{escape(span.text)}</code>"
    level = _PILLS.get(span.tone)
    return f'<span class="pill {level}">{escape(span.text)}</span>' if level else escape(span.text)
