"""Naming patterns: `{application}-{environment}-{engine}` and what it says of a name.

A pattern is literal text with {placeholders} (see `placeholders`), or `regex:` and a regular expression. The name as
a whole has to match. Of several patterns one has to match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from infraspec.conventions.automaton import Automaton
from infraspec.conventions.expression import parse_expression
from infraspec.conventions.nearest import nearest
from infraspec.conventions.placeholders import Element, parse_template
from infraspec.errors import ContractError
from infraspec.finding import Verdict
from infraspec.unknown import Text, Unknown

REGEX = "regex:"
_MOST_EXPECTED = 3
_DOUBLED, _ENDS = re.compile(r"([-_/.])[-_/.]+"), re.compile(r"^[-_/.]+|[-_/.]+$")
_WORD_START = re.compile(r"(?<=[^A-Za-z0-9])|(?<=[a-z0-9])(?=[A-Z])")


class NamePattern(Struct, frozen=True):
    """One pattern, compiled. `text` is the pattern as it was written."""

    text: str
    elements: tuple[Element, ...]
    automaton: Automaton

    @classmethod
    def parse(
        cls, text: str, placeholders: Mapping[str, str], facts: Mapping[str, str], *, key: str = "names.patterns"
    ) -> NamePattern:
        """Parse a pattern; `key` is where it stands in the contract. Raises ContractError.

        `placeholders` are regular expressions by name; `facts` the values of application, environment, region and
        account_id, as far as they are known.
        """
        if text.startswith(REGEX):
            regex = text.removeprefix(REGEX)
            elements: tuple[Element, ...] = (Element(text, parse_expression(regex, key=key), text),)
        else:
            elements = parse_template(text, placeholders, facts, key=key)
        return cls(text, elements, Automaton(tuple(element.expression for element in elements), key=key))

    @property
    def shown(self) -> str:
        """The pattern with what is known put in: `daily-report-tool-prod-(postgres|mysql)`."""
        return "".join(element.shown for element in self.elements)

    @property
    def unsettled(self) -> tuple[str, ...]:
        """The facts the pattern needs and nobody knows."""
        return tuple(dict.fromkeys(element.unsettled for element in self.elements if element.unsettled))

    def judge(self, name: str | Text | Unknown) -> Verdict:
        """PROVEN or VIOLATED only if it is so whatever the unknown parts become."""
        verdict = self.automaton.judge(name)
        return Verdict.UNDETERMINED if verdict is Verdict.PROVEN and self.unsettled else verdict

    def describe(self) -> str:
        """Return the pattern, and what it comes to here if that is not the same."""
        return self.text if self.text == self.shown else f"{self.text}, here {self.shown}"

    def template(self) -> tuple[str, str]:
        """Return the name to write, with what is known put in, and a note on what is left to fill in."""
        if self.text.startswith(REGEX):
            return "…", f"matching {self.text.removeprefix(REGEX)}"
        left = [element for element in self.elements if not element.texts]
        notes = [f"{e.source}: {e.meaning or e.shown.strip('()')}" for e in left if e.meaning or e.shown != e.source]
        text = "".join(element.texts[0] if element.texts else element.source for element in self.elements)
        return text, "; ".join(dict.fromkeys(notes))

    def explain(self, name: str | Text) -> str:
        """Say where a name that does not match departs from the pattern."""
        known = name if isinstance(name, str) else _beginning(name)
        length = self.automaton.departure(known)
        if length == len(known):
            return self._explain_end(known) if isinstance(name, str) else self._explain_rest(name)
        start = _word_start(known, length)
        rest = known[start:] if isinstance(name, str) else known[start:] + str(name)[len(known) :]
        return f"departs at `{rest}`, where {self._expected(known[:start])} belongs"

    def _explain_end(self, name: str) -> str:
        if self.text.startswith(REGEX):
            return "ends before it matches"
        parts = self.automaton.parts_at(self.automaton.follow(self.automaton.start, name))
        rest = self.elements[parts[-1] + bool(self._entered(parts[-1], name)) :] if parts else ()
        shown = "".join(element.source for element in rest or self.elements[-1:])
        return f"ends where `{shown}` is still to come"

    def _entered(self, part: int, name: str) -> bool:
        """Tell whether the name could end within a part, the part being complete."""
        before = Automaton(tuple(element.expression for element in self.elements[: part + 1]))
        return before.matches(name)

    def _explain_rest(self, name: Text) -> str:
        known = [part for part in name.parts if isinstance(part, str)]
        return f"no value of its unknown part makes it match: its known parts are {' … '.join(f'`{k}`' for k in known)}"

    def _expected(self, beginning: str) -> str:
        position = self.automaton.follow(self.automaton.start, beginning)
        elements = [self.elements[part] for part in self.automaton.parts_at(position)][:_MOST_EXPECTED]
        return " or ".join(_in_words(element) for element in elements) or "nothing more"


def _in_words(element: Element) -> str:
    if element.source == element.shown:
        return f"`{element.source}`" + (f" ({element.meaning})" if element.meaning else "")
    shown = element.shown
    return f"{element.source} {shown if shown.startswith('(') else f'({shown})'}"


def _word_start(name: str, at: int) -> int:
    """Return where the word begins that the character at an offset belongs to."""
    if not name[at].isalnum():
        return at
    return max((found.start() for found in _WORD_START.finditer(name) if found.start() <= at), default=0)


def _beginning(name: Text) -> str:
    first = name.parts[0]
    return first if isinstance(first, str) else ""


class NamingRule(Struct, frozen=True):
    """The patterns of a resource type, one of which its names match. `described` says so, one pattern a line."""

    patterns: tuple[NamePattern, ...]
    described: str

    @classmethod
    def parse(
        cls,
        texts: str | Sequence[str],
        placeholders: Mapping[str, str],
        facts: Mapping[str, str],
        *,
        key: str = "names.patterns",
    ) -> NamingRule:
        """Parse one pattern or several. Raises ContractError."""
        several = (texts,) if isinstance(texts, str) else texts
        patterns = tuple(NamePattern.parse(text, placeholders, facts, key=key) for text in several)
        if not patterns:
            raise ContractError(
                "the list of patterns is empty",
                place=key,
                expected="at least one pattern",
                found="[]",
                remedy="write a pattern, or remove the key",
            )
        return cls(patterns, "\nor ".join(pattern.describe() for pattern in patterns))

    def judge(self, name: str | Text | Unknown) -> Verdict:
        """PROVEN if a pattern matches, VIOLATED if none can, else UNDETERMINED."""
        found = Verdict.VIOLATED
        for pattern in self.patterns:
            verdict = pattern.judge(name)
            if verdict is Verdict.PROVEN:
                return verdict
            if verdict is Verdict.UNDETERMINED:
                found = verdict
        return found

    def closest(self, name: str | Text) -> NamePattern:
        """Return the pattern that a name follows for longest."""
        known = name if isinstance(name, str) else _beginning(name)
        return max(self.patterns, key=lambda pattern: pattern.automaton.departure(known))

    def explain(self, name: str | Text) -> str:
        """Say where a name that does not match departs from the closest pattern."""
        pattern = self.closest(name)
        reason = pattern.explain(name)
        return reason if len(self.patterns) == 1 else f"{reason} in {pattern.text}"

    def suggest(self, name: str | Text) -> str | None:
        """Return the valid name that a name most likely stands for, or None if that cannot be told."""
        if not isinstance(name, str):
            return None
        found = [(cost, text) for pattern in self.patterns for cost, text in _nearest_of(pattern, name)]
        return min(found)[1] if found else None


def _nearest_of(pattern: NamePattern, name: str) -> list[tuple[int, str]]:
    """Return the nearest name with its cost; a word of the pattern is moved rather than another one lost."""
    if pattern.unsettled:
        return []
    guesses = frozenset(index for index, element in enumerate(pattern.elements) if element.choice)
    found = nearest(pattern.automaton, name, guesses)
    if found is None or any(_is_stub(pattern.elements[part], text) for part, text in found.parts.items()):
        return []
    if _words(name) <= _words(found.text):
        return [(found.cost, found.text)]
    moved = _moved(pattern, name)
    doubled = any(len(_whole(word).findall(found.text)) > pattern.shown.count(word) for word in _fixed(pattern))
    return [(found.cost, moved or found.text)] if moved or not doubled else []


def _fixed(pattern: NamePattern) -> list[str]:
    """Return the values of placeholders that stand for one thing: {application}, {environment}."""
    return [each.shown for each in pattern.elements if each.source.startswith("{") and not each.choice]


def _moved(pattern: NamePattern, name: str) -> str | None:
    """Return the name with the words that the pattern fixes where it has them, the others where it leaves a choice."""
    fixed = _fixed(pattern)
    if sum(element.choice for element in pattern.elements) != 1 or not any(_whole(word).search(name) for word in fixed):
        return None
    rest = name
    for word in fixed:
        rest = _ENDS.sub("", _DOUBLED.sub(r"\1", _whole(word).sub("", rest)))
    moved = "".join(rest if element.choice else element.texts[0] for element in pattern.elements)
    return moved if pattern.judge(moved) is Verdict.PROVEN else None


def _words(name: str) -> frozenset[str]:
    return frozenset(re.split(r"[^A-Za-z0-9]+", name.lower()))


def _whole(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])")


def _is_stub(element: Element, text: str) -> bool:
    """Tell whether one letter was split off a neighbour to stand for a word."""
    return len(text) == 1 and element.choice and bool(element.meaning)
