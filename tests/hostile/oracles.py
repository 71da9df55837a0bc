"""What of an output is raw, by its form: as who reads it would find out, and not as infraspec writes it."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from markdown_it import MarkdownIt

from tests.hostile.payloads import CANARY

_PRINTED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters with a shape: Prepended_Concatenation_Mark of PropList.txt."""
_IGNORABLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
"""Default_Ignorable_Code_Point of DerivedCoreProperties.txt, without the variation selectors."""
_SELECTOR = re.compile("(?:^|[\x00-\x7f\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""A variation selector that selects nothing: of no character, of one of ASCII, or of another one."""
_COMMAND = re.compile(r"^\s*::[a-z][\w-]*(?:\s|::)|##\[|##vso\[|^\s*##\w+\[", re.IGNORECASE)
_ALLOWED = re.compile(r"\s*<(?:/?(?:details|summary|sub|br)\b[^<>]*|!--[^<>]*--)>\s*")


def is_hidden(character: str) -> bool:
    """Tell whether a character is not seen, or does something to what is seen."""
    kind = unicodedata.category(character)
    return (
        (kind == "Cc" and character not in "\n\t")
        or (kind == "Cf" and character not in _PRINTED)
        or kind in {"Zl", "Zp", "Cs"}
        or ord(character) & 0xFFFE == 0xFFFE
        or _IGNORABLE.match(character) is not None
    )


def hidden(text: str) -> Iterator[str]:
    """Yield lines in which something is not seen, and those with a password."""
    for line in text.replace("\r\n", "\n").split("\n"):
        if (
            (not line.isascii() or not line.isprintable()) and (any(map(is_hidden, line)) or _SELECTOR.search(line))
        ) or CANARY in line:
            yield _shown(line)


def commands(text: str) -> Iterator[str]:
    """Yield lines that a runner would take for commands: what ends a line for a terminal does so here too."""
    for line in re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text):
        if _COMMAND.search(line):
            yield _shown(line)


def in_log(text: str) -> Iterator[str]:
    """Yield what is raw in what a log shows."""
    yield from hidden(text)
    yield from commands(text)


_ANNOTATION = re.compile(r"^::(?:error|warning|notice) [^:\n]*::", re.MULTILINE)


def in_annotations(text: str) -> Iterator[str]:
    """Yield what is raw in workflow commands: each line is one, with properties, and has no other in it."""
    for line in text.splitlines():
        if not _ANNOTATION.match(line):
            yield _shown(line)
    yield from in_log(_ANNOTATION.sub("", text))


def in_markdown(text: str) -> Iterator[str]:
    """Yield what is raw in Markdown as GitHub renders it: elements, links, mentions, references that are not ours."""
    yield from in_log(text)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for token in parser.parse(text):
        if token.type == "html_block":
            yield from _foreign_elements(token.content)
        for inline in token.children or ():
            match inline.type:
                case "html_inline":
                    yield from _foreign_elements(inline.content)
                case "link_open" | "image":
                    address = str(inline.attrGet("href") or inline.attrGet("src") or "")
                    if "evil.example" in address or ":" in address.partition("/")[0].removeprefix("https:"):
                        yield f"link to {address}"
                case "text" if re.search(r"(?:^|[^\w`/&])(?:@[A-Za-z]|#\d)", inline.content):
                    yield f"mention: {_shown(inline.content)}"
                case _:
                    pass


def _foreign_elements(text: str) -> Iterator[str]:
    if rest := _ALLOWED.sub("", text).strip():
        yield from (_shown(line) for line in rest.splitlines() if "<" in line)


class _Elements(HTMLParser):
    """Elements and attributes that a page of ours has not."""

    tags = frozenset(
        [
            "html",
            "head",
            "link",
            "title",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "header",
            "h1",
            "h2",
            "h3",
            "p",
            "nav",
            "ul",
            "ol",
            "li",
            "a",
            "section",
            "small",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "div",
            "details",
            "summary",
            "dl",
            "dt",
            "dd",
            "pre",
            "code",
            "span",
            "time",
            "footer",
            "br",
            "i",
            "svg",
            "g",
            "rect",
            "text",
            "line",
            "path",
            "desc",
        ]
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Judge an element."""
        self.open.append(tag)
        if tag not in self.tags:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if (
                name.startswith("on")
                or (name in {"href", "src"} and re.match(r"(?!#).*evil\.example", value or ""))
                or (name in {"href", "src"} and not re.match(r"https://|#|data:,$|$", value or ""))
            ):
                self.found.append(f"{name}={value}")

    def handle_comment(self, data: str) -> None:
        """No page of ours has comments of others."""
        if "boo" in data:
            self.found.append(f"<!--{data}-->")


def in_html(text: str) -> Iterator[str]:
    """Yield what is raw in a page: hidden characters, elements, handlers and addresses that are not ours."""
    yield from hidden(text)
    parser = _Elements()
    parser.feed(text)
    parser.close()
    yield from parser.found
    for part in re.findall(r"<style.*?</style>", text, re.DOTALL):
        if "boo" in part:
            yield "in the style"


def in_json(text: str) -> Iterator[str]:
    """Yield what is raw in JSON: as a log shows it, and what does not read as JSON."""
    yield from in_log(text)
    try:
        json.loads(text)
    except ValueError as error:
        yield f"no JSON: {error}"


def in_review(text: str) -> Iterator[str]:
    """Yield what is raw in a review of a pull request, whose bodies GitHub renders as Markdown."""
    yield from in_json(text)
    review = json.loads(text)
    for body in (review["body"], *(comment["body"] for comment in review["comments"])):
        yield from in_markdown(body)


def in_xml(text: str) -> Iterator[str]:
    """Yield what is raw in XML, JUnit's among it."""
    yield from hidden(text)
    try:
        for element in ET.fromstring(text).iter():  # noqa: S314 - our own file
            yield from hidden("".join([element.text or "", *element.attrib.values()]))
    except ET.ParseError as error:
        yield f"no XML: {error}"


def in_csv(text: str) -> Iterator[str]:
    """Yield what is raw in a table: hidden characters, formulas, rows that are broken."""
    yield from hidden(text)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    for row in rows:
        if len(row) != len(rows[0]):
            yield f"{len(row)} cells"
        yield from (_shown(cell) for cell in row if re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell))


_STYLE = re.compile(r"\x1b\[[0-9;]*[mK]|\x1b\[\?25[lh]|\x1b\[[0-9]*[AG]|\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)")
"""What a terminal is told by infraspec itself: colours, a cursor while it waits, and links."""
_LINK = re.compile(r"\x1b\]8;[^;]*;([^\x1b\x07]*)")


def on_terminal(text: str) -> Iterator[str]:
    """Yield what is raw on a terminal, where there are colours and links to files."""
    for address in _LINK.findall(text):
        if address and not re.match(r"file://|https://(?!evil)", address):
            yield f"link to {_shown(address)}"
    plain = _STYLE.sub("", text.replace("\r\n", "\n"))
    yield from in_log(plain.replace("\r", "\n"))


ORACLES: Mapping[str, Callable[[str], Iterator[str]]] = {
    ".json": in_json,
    ".xml": in_xml,
    ".csv": in_csv,
    ".html": in_html,
    ".svg": in_html,
    ".txt": in_log,
    ".properties": hidden,
    ".md": in_markdown,
}
"""By the suffix of a file."""


def _shown(line: str) -> str:
    return line[:200].encode("unicode_escape", "surrogatepass").decode()
