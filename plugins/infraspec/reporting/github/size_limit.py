"""A report of sections that is kept under a limit by leaving out what matters least."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from infraspec.reporting.markdown import fold

COMMENT_LIMIT = 65_536
"""Characters of a comment. Source: GitHub's API refuses more: "body is too long (maximum is 65536 characters)"."""

SUMMARY_LIMIT = 349_000
"""Characters of a step's summary, of at most three bytes. Source: GitHub Docs, "Workflow commands": at most 1 MiB."""

_LONGEST = 4_000


class Section(Struct, frozen=True):
    """A part of a report. Sections of a high `rank` lose items first, the longest of them its last; with 0 none.

    `noun` says what the items are, in the plural. With `folded` it is shown on a click on its title.
    """

    title: str
    items: tuple[str, ...]
    rank: int = 0
    noun: str = ""
    folded: bool = False

    def __str__(self) -> str:
        is_list = all(item.startswith("- ") for item in self.items)
        content = ("\n" if is_list else "\n\n").join(self.items)
        if not self.title:
            return content
        return fold(self.title, content) if self.folded else f"#### {self.title}\n\n{content}"


def fitted(sections: Sequence[Section], limit: int) -> str:
    """Return the sections as text of at most `limit` characters, and say at the end what was left out."""
    kept = [section for section in sections if section.items]
    left: dict[str, int] = {}
    size = sum(_size(str(section)) + 2 for section in kept) + 1
    while size + _size(_note(left)) > limit and (
        losers := [at for at, one in enumerate(kept) if one.rank and one.items]
    ):
        at = max(losers, key=lambda index: (kept[index].rank, len(kept[index].items), index))
        section = kept[at]
        left[section.noun] = left.get(section.noun, 0) + 1
        size -= _size(section.items[-1]) + 2
        kept[at] = replace(section, items=section.items[:-1])
    texts = [str(section) for section in kept if section.items]
    return "\n\n".join([*texts, *filter(None, [_note(left)])]) + "\n"


def shortened(text: str) -> str:
    """Return a text that is not too long to be read."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… ({len(text) - _LONGEST} more characters)"


def _note(left: dict[str, int]) -> str:
    if not left:
        return ""
    what = ", ".join(f"{number} {noun}" for noun, number in left.items())
    return f"_Left out, as this would be too long: {what}. All of it is in the results file._"


def _size(text: str) -> int:
    """Count as GitHub may: characters outside of the basic plane twice."""
    return len(text.encode("utf-16-le")) // 2
