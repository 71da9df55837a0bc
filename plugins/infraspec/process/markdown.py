"""A Markdown page: front matter, headings, checklist items, links and command lines, with the lines they stand on.

Source: CommonMark 0.31, GitHub Flavored Markdown "Task list items", and the front matter that GitHub Docs reads.

Source: YAML 1.2.2, which GitHub's workflow files and front matter are written in (`on` is text, not true).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from infraspec.core.errors import ProcessFileError, collected
from infraspec.core.finding import Location
from infraspec.core.runtime import read_regular


def parse_mapping(text: str, place: str) -> Mapping[str, Any]:
    """Read a YAML mapping; ProcessFileError with the line if it is none."""
    tree = _load(text, place)
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        raise ProcessFileError(
            "the document is no mapping", place=place, expected="key: value lines", found=type(tree).__name__
        )
    return tree


def parse_sequence(text: str, place: str) -> Sequence[Any]:
    """Read a YAML list; ProcessFileError with the line if it is none."""
    tree = _load(text, place)
    if not isinstance(tree, list):
        raise ProcessFileError("the document is no list", place=place, expected="- … lines", found=type(tree).__name__)
    return tree


def _load(text: str, place: str) -> Any:
    from ruamel import yaml  # noqa: PLC0415 - a repository without playbooks has no YAML to read

    try:
        return yaml.YAML(typ="rt").load(text)
    except yaml.error.MarkedYAMLError as error:
        line = 1 + (error.problem_mark.line if error.problem_mark else 0)
        raise ProcessFileError(
            f"no YAML: {error.problem}", place=f"{place}:{line}", remedy="correct the line, or put its text in quotes"
        ) from None
    except (yaml.error.YAMLError, ValueError, RecursionError) as error:
        raise ProcessFileError(f"no YAML: {error}", place=place) from None


def line_of(node: Any, key: Any, default: int = 0) -> int:
    """Return the line of a key of a mapping or an item of a list, from 1; `default` if there is none."""
    lines = getattr(node, "lc", None)  # a scalar has none
    if lines is None:
        return default
    if isinstance(node, Mapping) and key in node:
        return int(lines.key(key)[0]) + 1
    if isinstance(node, list) and isinstance(key, int) and 0 <= key < len(node):
        return int(lines.item(key)[0]) + 1
    return default


if TYPE_CHECKING:  # a repository without playbooks has no pages to read
    from markdown_it.token import Token

_ITEM = re.compile(r"\[([ xX])\]\s+(.*)", re.DOTALL)
_SHELLS = {"sh", "bash", "shell", "zsh", "console"}


class Heading(Struct, frozen=True):
    """A heading: its level from 1, its text, its line."""

    level: int
    text: str
    line: int


class Item(Struct, frozen=True):
    """An item of a task list: `- [x] text`."""

    text: str
    ticked: bool
    line: int


class PageLink(Struct, frozen=True):
    """A link or an image, as it is written."""

    target: str
    line: int


class Command(Struct, frozen=True):
    """A command line of a shell block, continuation lines joined."""

    text: str
    line: int


class ShellBlock(Struct, frozen=True):
    """A block of commands: its text as a shell takes it, and the line that this begins on."""

    text: str
    line: int


class Page(Struct, frozen=True, eq=False):
    """A Markdown page. `file` is the path that people see, `path` the real one (None for text that is no file)."""

    file: str
    path: Path | None
    meta: Mapping[str, Any]
    headings: Sequence[Heading]
    items: Sequence[Item]
    links: Sequence[PageLink]
    commands: Sequence[Command]
    blocks: Sequence[ShellBlock] = ()

    def location(self, key: str | int = 0) -> Location:
        """Return where a key of the front matter stands, or a line, or the page as a whole."""
        return Location(self.file, key if isinstance(key, int) else line_of(self.meta, key, 1))

    @property
    def anchors(self) -> frozenset[str]:
        """The fragments of links to the page, as GitHub makes them of headings; repeated ones are numbered."""
        found: Counter[str] = Counter()
        anchors = set()
        for slug in (
            re.sub(r"[^\w\- ]", "", heading.text.strip().lower()).replace(" ", "-") for heading in self.headings
        ):
            anchors.add(f"{slug}-{found[slug]}" if found[slug] else slug)
            found[slug] += 1
        return frozenset(anchors)


def read_page(path: Path, shown: str) -> Page:
    """Read a page; ProcessFileError if it cannot be read or its front matter is no YAML."""
    try:
        text = read_regular(path, shown).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProcessFileError(
            f"the file cannot be read: {getattr(error, 'strerror', None) or error}",
            place=shown,
            expected="a Markdown file in UTF-8",
        ) from None
    return parse_page(text, shown, path)


T = TypeVar("T")


def read_pages(directory: Path, shown: str, read: Callable[[Page], T], *, template: Path | None = None) -> list[T]:
    """Return what is read of each page of a directory that has front matter, in order of its path, but of a template.

    ProcessFileError (all of them at once) for a page that cannot be read.
    """

    def read_one(path: Path) -> list[T]:
        page = read_page(path, f"{shown.rstrip('/')}/{path.relative_to(directory).as_posix()}")
        return [read(page)] if page.meta else []

    paths = [path for path in sorted(directory.rglob("*.md")) if not template or path.resolve() != template.resolve()]
    return [one for found in collected(read_one, paths) for one in found]


def parse_page(text: str, shown: str, path: Path | None = None) -> Page:
    """Read a page from its text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    front, body = _front_matter(text, shown)
    tokens = _tokens(body)
    return Page(
        shown,
        path,
        parse_mapping(front, shown) if front else {},
        tuple(_headings(tokens)),
        tuple(_items(tokens)),
        tuple(_links(tokens)),
        tuple(_commands(tokens)),
        tuple(_blocks(tokens)),
    )


def text_of(page: Page, key: str) -> str:
    """Return a text of the front matter. Raises ProcessFileError."""
    value = page.meta.get(key)
    if not isinstance(value, str) or not value.strip():
        raise wrong_key(page, key, "text", value)
    return value.strip()


def wrong_key(page: Page, key: str, expected: str, found: Any) -> ProcessFileError:
    """Return the error of a key of the front matter."""
    return ProcessFileError(
        f'the front matter\'s "{key}" is missing or wrong',
        place=str(page.location(key)),
        expected=expected,
        found="nothing" if found is None else str(found),
        remedy=f"{key}: …",
    )


def task_list(text: str) -> tuple[Item, ...]:
    """Return the task list items of Markdown text that has no front matter, such as a pull request's description."""
    return tuple(_items(_tokens(text)))


def _front_matter(text: str, shown: str) -> tuple[str, str]:
    """Return the front matter, empty if there is none, and the rest, each on the lines that it stands on."""
    if not text.startswith("---\n"):
        return "", text
    end = re.search(r"^---[ \t]*$", text[4:], re.MULTILINE)
    if end is None:
        raise ProcessFileError("the front matter has no end", place=f"{shown}:1", expected="a line --- below it")
    at = 4 + end.end()
    return f"\n{text[4 : 4 + end.start()]}", "\n" * text.count("\n", 0, at) + text[at:]


def _tokens(text: str) -> list[Token]:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - a repository without playbooks has no pages to read

    return MarkdownIt("commonmark").parse(text)


def _line(token: Token) -> int:
    return (token.map[0] if token.map else 0) + 1


def _headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            texts = (child.content for child in inline.children or () if child.type in {"text", "code_inline"})
            yield Heading(int(opening.tag[1:]), "".join(texts), _line(opening))


def _items(tokens: Sequence[Token]) -> Iterator[Item]:
    for opening, _, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "list_item_open" and inline.type == "inline":
            found = _ITEM.fullmatch(inline.content)
            if found:
                yield Item(" ".join(found[2].split()), found[1] != " ", _line(opening))


def _links(tokens: Sequence[Token]) -> Iterator[PageLink]:
    for token in tokens:
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if isinstance(target, str):
                yield PageLink(target, _line(token))


def _is_shell(token: Token) -> bool:
    return token.type == "fence" and token.info.strip().split(" ")[0].lower() in _SHELLS


def _blocks(tokens: Sequence[Token]) -> Iterator[ShellBlock]:
    for token in tokens:
        if _is_shell(token):
            yield ShellBlock(_typed(token.content), _line(token) + 1)


def _typed(content: str) -> str:
    """Return what is typed of a block: where a line has the prompt `$ `, the others are what commands print."""
    lines = content.splitlines()
    if not any(line.startswith("$ ") for line in lines):
        return content
    typed, continues = [], False
    for line in lines:
        is_typed = line.startswith("$ ") or continues
        text = line.removeprefix("$ ").removeprefix("> ") if is_typed else ""
        continues = is_typed and text.endswith("\\")
        typed.append(text)
    return "\n".join(typed)


def _commands(tokens: Sequence[Token]) -> Iterator[Command]:
    for token in tokens:
        if not _is_shell(token):
            continue
        pending, begun = "", 0
        for number, line in enumerate(token.content.splitlines(), _line(token) + 1):
            text = line.strip().removeprefix("$ ")
            if not pending and (not text or text.startswith("#")):
                continue
            begun = begun or number
            pending += text.removesuffix("\\")
            if not text.endswith("\\"):
                yield Command(" ".join(pending.split()), begun)
                pending, begun = "", 0
        if pending:
            yield Command(" ".join(pending.split()), begun)
