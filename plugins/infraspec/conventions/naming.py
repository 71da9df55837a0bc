"""Naming patterns: `{application}-{environment}-{engine}` and what it says of a name.

A pattern is literal text with {placeholders} (see `placeholders`), or `regex:` and a regular expression. The name as
a whole has to match. Of several patterns one has to match.

Source: the argument references of the Terraform AWS provider. Where the provider makes a name up from a prefix
(`name_prefix`, `identifier_prefix`, `bucket_prefix`), the name is that prefix and an unknown rest.

The nearest text in the sense of edit distance (Wagner, "Order-n Correction for Regular Languages", 1974), with
weights: what a pattern fixes is cheap to put in, what it leaves open is dear, for it would be a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

from msgspec import Struct

from infraspec.contract import located
from infraspec.contract.models import Contract
from infraspec.conventions.automaton import Automaton, Characters, fits, parse_expression
from infraspec.conventions.effective_tags import EffectiveTags
from infraspec.conventions.placeholders import Element, parse_template
from infraspec.conventions.tags import TagRules
from infraspec.core.errors import ContractError, ErrorCollector
from infraspec.core.finding import Verdict
from infraspec.core.unknown import Text, Unknown, Value, computed_from, concatenate, render
from infraspec.resource_types import Renaming, resource_type

_TAGS = "tags."


def read_name(type_: str, values: Mapping[str, Value], address: str, path: str) -> Value:
    """Return the name of a resource: str, Text, Unknown, or None if it has none.

    A name the provider makes up is Unknown, one made from a prefix is Text that begins with the prefix. Something
    that is no text (a list) is returned as it is.
    """
    if path.startswith(_TAGS):
        effective = EffectiveTags.of(type_, values)
        value = effective.tags.get(path.removeprefix(_TAGS))
        return effective.open if value is None else value
    name = read_path(values, path)
    if isinstance(name, str):
        return name
    made_up = isinstance(name, Unknown) and name.address == f"{address}.{path}"
    if name is None or made_up:
        return _from_prefix(values, address, path, name)
    return render(name) if isinstance(name, (bool, int, float)) else name


def renaming(type_: str, attribute: str) -> Renaming:
    """Tell what a change of the attribute that holds the name does; a tag is always changed in place."""
    return Renaming.IN_PLACE if attribute.startswith(_TAGS) else resource_type(type_).renaming


def read_path(value: Value, path: str) -> Value:
    """Follow a dotted path into maps and blocks; Unknown on the way makes the name unknown, absence makes it None."""
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list):
            index = int(step) if step.isdecimal() else None
            value = value[index] if index is not None and index < len(value) else None
        elif isinstance(value, (Unknown, Text)):
            whole = value.address if isinstance(value, Unknown) else value
            value = Unknown(f"{whole}.{step}", computed_from(value))
        else:
            return None
    return value


def _from_prefix(values: Mapping[str, Value], address: str, path: str, name: Unknown | None) -> Value:
    unknown = name or Unknown(f"{address}.{path}")
    prefix = values.get(f"{path}_prefix")
    if prefix is None or prefix == "" or "." in path:
        return name if "." in path else unknown
    return concatenate((prefix, unknown)) if isinstance(prefix, (str, Text, Unknown)) else unknown


_CERTAIN, _DELETION, _GUESS = 2, 3, 8
_SEPARATORS = frozenset("-_/.: ")
_LONGEST = 128
_MOST_NODES = 20_000

_Node = tuple[int, int]
_Edit = tuple[_Node, int, str, int]


class Nearest(Struct, frozen=True):
    """A text that matches, how far it is, and what of it stands for each part of the automaton."""

    cost: int
    text: str
    parts: Mapping[int, str]


def nearest(automaton: Automaton, text: str, guesses: frozenset[int]) -> Nearest | None:
    """Return the nearest text that matches, or None if the way there is too far to be a suggestion.

    `guesses` are the parts of the automaton that stand for more than one text.
    """
    if len(text) > _LONGEST:
        return None
    limit = max(12, len(text))
    origin = (0, 0)
    costs: dict[_Node, int] = {origin: 0}
    came: dict[_Node, tuple[_Node, str, int]] = {}
    queue: list[tuple[int, int, int, _Node]] = [(0, 0, 0, origin)]
    count = 0
    while queue and count < _MOST_NODES:
        cost, _, _, node = heappop(queue)
        if cost > costs[node]:
            continue
        if node == (len(text), automaton.final):
            return _spell(cost, node, came)
        for target, price, written, part in _edits(automaton, text, node, guesses):
            total = cost + price
            if total <= limit and total < costs.get(target, limit + 1):
                costs[target] = total
                came[target] = (node, written, part)
                count += 1
                heappush(queue, (total, -target[0], count, target))
    return None


def _spell(cost: int, node: _Node, came: Mapping[_Node, tuple[_Node, str, int]]) -> Nearest:
    text = ""
    parts: dict[int, str] = {}
    while node in came:
        node, written, part = came[node]
        text = written + text
        if written:
            parts[part] = written + parts.get(part, "")
    return Nearest(cost, text, parts)


def _edits(automaton: Automaton, text: str, node: _Node, guesses: frozenset[int]) -> Iterator[_Edit]:
    """Yield (node reached, cost, character written, part it belongs to) of each way to go on."""
    at, state = node
    for target in automaton.epsilons[state]:
        yield (at, target), 0, "", 0
    character = text[at : at + 1]
    if character:
        yield (at + 1, state), _DELETION, "", 0
    for characters, target, part in automaton.edges[state]:
        put = _representative(characters)
        price = _GUESS if part in guesses else _CERTAIN
        if put:
            yield (at, target), price, put, part
        if character and fits(characters, character):
            yield (at + 1, target), 0, character, part
        elif character:
            for other, change in _replacements(character, put, price):
                if fits(characters, other):
                    yield (at + 1, target), change, other, part


def _replacements(character: str, put: str, price: int) -> Iterator[tuple[str, int]]:
    """Yield what a wrong character may become, with the cost: other case or another separator is no guess."""
    if put:
        yield put, _CERTAIN if {character, put} <= _SEPARATORS else price
    for other in (character.lower(), character.upper()):
        if other != character and len(other) == 1:
            yield other, _CERTAIN


def _representative(characters: Characters) -> str:
    """Return the character to put in for a set: its only one, or 1 if it holds digits alone."""
    if characters.only:
        return characters.only
    return "1" if fits(characters, "1") and not fits(characters, "a") and not fits(characters, "A") else ""


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
        expected = self._expected(known[:start])
        return f"unexpected `{rest}`: expected {expected}" if expected else f"unexpected suffix `{rest}`"

    def _explain_end(self, name: str) -> str:
        if self.text.startswith(REGEX):
            return "incomplete: the expression needs more text"
        parts, rest = self.automaton.parts_at(self.automaton.follow(self.automaton.start, name)), self.elements[:0]
        if parts:
            # The part in which the name ends may be complete.
            before = Automaton(tuple(element.expression for element in self.elements[: parts[-1] + 1]))
            rest = self.elements[parts[-1] + bool(before.matches(name)) :]
        shown = "".join(element.source for element in rest or self.elements[-1:])
        return f"`{shown}` is missing at the end"

    def _explain_rest(self, name: Text) -> str:
        known = [part for part in name.parts if isinstance(part, str)]
        return f"no value of its unknown part makes it match: its known parts are {' … '.join(f'`{k}`' for k in known)}"

    def _expected(self, beginning: str) -> str:
        position = self.automaton.follow(self.automaton.start, beginning)
        elements = [self.elements[part] for part in self.automaton.parts_at(position)][:_MOST_EXPECTED]
        return " or ".join(_in_words(element) for element in elements)


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
        """Return the valid name that a name most likely stands for, or None if that cannot be decided."""
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
    if found is None:
        return []
    texts = ((pattern.elements[part], text) for part, text in found.parts.items())
    # One letter was split off a neighbour to stand for a word.
    if any(len(text) == 1 and element.choice and element.meaning for element, text in texts):
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


def demand_patterns(contract: Contract) -> None:
    """Raise the errors of the patterns of names and tags that no environment can fix, at their lines."""
    collector = ErrorCollector()
    with located(contract):
        for type_, patterns in contract.names.patterns.items():
            with collector.collect():
                NamingRule.parse(patterns, contract.names.placeholders, {}, key=f"names.patterns.{type_}")
        with collector.collect():
            TagRules.parse(contract.tags, {})
        collector.finalize()
