"""Playbooks: what to do in an incident, with front matter that a check can read.

A playbook is a Markdown page. Its front matter names `id`, `language`, `owner`, the `failure_classes` and `alarms` that
lead to it, and how many minutes each phase may take; its second-level headings are the phases in order, each with the
time in words: `## 1. Confirm (within 5 minutes)`, `## 1. 即座の確認事項 (5分以内)`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.process.markdown import Heading, Item, Page, ShellBlock, read_pages, text_of, wrong_key
from infraspec.process.shell import UnreadableScriptError, statements

PHASES = ("confirm", "restore", "fix", "follow-up")
"""The phases of a response in order: what to look at, back to service, the cause fixed, what is learned."""

_NUMBERED = re.compile(r"(\d+)\.\s")
_TIME = re.compile(r"(?<!\d)(\d++)\s*+(minutes?|min|分|hours?|h|時間)", re.IGNORECASE)


class Phase(Struct, frozen=True):
    """A phase of a playbook: its heading, the minutes that the heading promises (None: none), its checklist."""

    name: str
    heading: Heading
    minutes: int | None
    items: tuple[Item, ...]


class PlaybookStep(Struct, frozen=True):
    """A statement of a block of commands: what is run at once, the phase that it is in, and its line."""

    text: str
    line: int
    phase: str


class Playbook(Struct, frozen=True, eq=False):
    """A playbook. `targets` are minutes by phase; `covers` are failure classes and alarm names that lead to it."""

    page: Page
    id: str
    language: str
    owner: str
    targets: Mapping[str, int]
    covers: tuple[str, ...]
    phases: tuple[Phase, ...]

    def commands(self, phase: str) -> tuple[str, ...]:
        """Return the command lines of a phase, in order; none if it does not have the phase."""
        begin = next((one.heading.line for one in self.phases if one.name == phase), None)
        if begin is None:
            return ()
        end = min((one.heading.line for one in self.phases if one.heading.line > begin), default=1 << 62)
        return tuple(command.text for command in self.page.commands if begin < command.line < end)

    def steps(self) -> tuple[PlaybookStep, ...]:
        """Return what is run one after the other. ProcessFileError for a block that no shell can read."""
        return tuple(step for block in self.page.blocks for step in self._of_block(block))

    def _of_block(self, block: ShellBlock) -> Iterator[PlaybookStep]:
        try:
            found = statements(block.text)
        except UnreadableScriptError as error:
            raise ProcessFileError(
                "the commands cannot be read",
                place=f"{self.page.file}:{block.line + int(error.place or 0)}",
                expected="commands that bash can read",
                remedy="correct the line",
            ) from None
        for text, line in found:
            yield PlaybookStep(text, block.line + line, self._phase_at(block.line))

    def _phase_at(self, line: int) -> str:
        return next((one.name for one in reversed(self.phases) if one.heading.line < line), "")

    @property
    def digest(self) -> str:
        """What identifies the commands of a page: another one means that they were changed."""
        return hashlib.sha256("\0".join(block.text for block in self.page.blocks).encode()).hexdigest()


def read_playbooks(directory: Path, shown: str) -> tuple[Playbook, ...]:
    """Read every Markdown file of a directory that has front matter, in order of its path.

    ProcessFileError (all of them at once) for a file that cannot be read or lacks a key.
    """
    return tuple(read_pages(directory, shown, playbook_of))


def playbook_of(page: Page) -> Playbook:
    """Make a playbook of a page; ProcessFileError if its front matter lacks a key or has one of the wrong type."""
    return Playbook(
        page,
        text_of(page, "id"),
        text_of(page, "language"),
        text_of(page, "owner"),
        _targets(page),
        (*_texts(page, "failure_classes"), *_texts(page, "alarms")),
        _phases(page),
    )


def _texts(page: Page, key: str) -> tuple[str, ...]:
    value = page.meta.get(key, [])
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise wrong_key(page, key, "a list of text", value)
    return tuple(value)


def _targets(page: Page) -> dict[str, int]:
    value = page.meta.get("targets")
    if not isinstance(value, Mapping) or not all(isinstance(item, int) and item > 0 for item in value.values()):
        raise wrong_key(page, "targets", "minutes by phase: " + ", ".join(f"{phase}: …" for phase in PHASES), value)
    unknown = [key for key in value if key not in PHASES]
    if unknown:
        raise wrong_key(page, "targets", "the phases " + ", ".join(PHASES), unknown[0])
    return dict(value)


def _phases(page: Page) -> tuple[Phase, ...]:
    """Return the numbered headings of the second level, in the order of the phases."""
    numbered = [heading for heading in page.headings if heading.level == 2 and _NUMBERED.match(heading.text)]  # noqa: PLR2004
    ends = [*(heading.line for heading in numbered[1:]), 1 << 62]
    phases = []
    for heading, end in zip(numbered, ends, strict=False):
        number = int(heading.text.split(".")[0])
        items = tuple(item for item in page.items if heading.line < item.line < end)
        name = PHASES[number - 1] if 0 < number <= len(PHASES) else ""
        phases.append(Phase(name, heading, minutes_in(heading.text), items))
    return tuple(phases)


def minutes_in(text: str) -> int | None:
    """Return the minutes that a text such as "within 5 minutes" or "24時間以内" tells of, None if it tells of none."""
    found = _TIME.search(text)
    if found is None:
        return None
    return int(found[1]) * (60 if found[2].lower().startswith(("h", "時")) else 1)
