"""The shape of a name: facts as placeholders, the rest as words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from infraspec.conventions.facts import ACCOUNT_ID, APPLICATION, ENVIRONMENT, REGION, spellings

SNAKE = "snake-name"
SNAKE_REGEX = "[a-z0-9]+(_[a-z0-9]+)*"
"""The placeholder for words joined by underscores, which is none of the conventions' own."""

_CHUNK = re.compile(r"([^A-Za-z0-9]*)(.*?)([^A-Za-z0-9]*)", re.DOTALL)
_KINDS = (
    (re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"), "{name}"),
    (re.compile(SNAKE_REGEX), f"{{{SNAKE}}}"),
    (re.compile(r"[A-Z][A-Za-z0-9]*"), "{Name}"),
)


class Shape(Struct, frozen=True):
    """A name cut into chunks of text and facts, alternately; the first and the last are chunks, empty ones too."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, name: str, facts: Mapping[str, str]) -> Shape:
        """Cut a name; a fact counts where it stands as a word, its form with a capital where a word begins."""
        expression = _facts(facts)
        if expression is None:
            return cls((name,))
        parts: list[str] = []
        at = 0
        for match in expression.finditer(name):
            parts += [name[at : match.start()], _placeholder(match.lastgroup or "")]
            at = match.end()
        return cls((*parts, name[at:]))

    @property
    def has_facts(self) -> bool:
        """Whether application or environment occurs in it."""
        return any(part[1:-1].lower() in (APPLICATION, ENVIRONMENT) for part in self.parts[1::2])

    def pattern(self, type_: str) -> str | None:
        """Return the pattern that names of the shape have, None if the words are of no kind there is a pattern for.

        What stands before the first fact, and a word of the resource type, is kept as it is.
        """
        known = set(type_.split("_"))
        written: list[str] = []
        for position, part in enumerate(self.parts):
            chunk = part if position % 2 else _general(part, known, leading=position == 0)
            if chunk is None:
                return None
            written.append(chunk)
        return "".join(written)


def _general(chunk: str, known: set[str], *, leading: bool) -> str | None:
    match = _CHUNK.fullmatch(chunk)
    if match is None:
        return None
    before, words, after = (text.replace("{", "{{").replace("}", "}}") for text in match.groups())
    if leading or not words or set(re.split("[-_]", words)) <= known:
        return f"{before}{words}{after}"
    placeholder = next((placeholder for kind, placeholder in _KINDS if kind.fullmatch(words)), None)
    return f"{before}{placeholder}{after}" if placeholder else None


def _facts(facts: Mapping[str, str]) -> re.Pattern[str] | None:
    alternatives: list[tuple[str, str]] = []
    for fact in (ACCOUNT_ID, REGION, APPLICATION, ENVIRONMENT):
        value = facts.get(fact)
        if not value:
            continue
        alternatives.append((value, rf"(?P<{fact}>(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9]))"))
        if fact in (APPLICATION, ENVIRONMENT):
            spelt = [text for text in spellings(fact, value) if text != value]
            forms = "|".join(re.escape(text) for text in sorted(spelt, key=len, reverse=True))
            if forms:
                alternatives.append((spelt[0], rf"(?P<{fact.capitalize()}>(?<![A-Z])(?:{forms})(?![a-z]))"))
    alternatives.sort(key=lambda entry: -len(entry[0]))
    return re.compile("|".join(expression for _, expression in alternatives)) if alternatives else None


def _placeholder(fact: str) -> str:
    return f"{{{fact}}}"
