"""The valid name nearest to a wrong one, to be pasted as its remedy.

The nearest text in the sense of edit distance (Wagner, "Order-n Correction for Regular Languages", 1974), with
weights: what a pattern fixes is cheap to put in, what it leaves open is dear, for it would be a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

from msgspec import Struct

from infraspec.conventions.automaton import Automaton, fits
from infraspec.conventions.expression import Characters

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
