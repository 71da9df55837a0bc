"""What the source says of a resource beside what AWS has: equal, different, or not known.

Numbers and switches are compared by value, lists of text without their order, JSON documents as trees. What the source
leaves to AWS, an ARN's suffix or an id, is taken from the live resource of the same address before it is compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from infraspec.character import Character
from infraspec.checks.whereabouts import Whereabouts
from infraspec.iam.answer import Answer, both, either
from infraspec.json_text import decode_json
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import JsonText, Sensitive, Text, Unknown, Value, concatenate, is_known

_DEEPEST = 8
"""How often what is known of an unknown may refer to a further one."""


@dataclass
class Bound:
    """The values of a source, with what AWS has assigned in the place of what was not known before apply.

    `live` has the live resources, under the addresses of the source where it knows them.
    """

    plan: Plan
    live: Plan
    attributes: AwsAttributes = field(init=False)
    whereabouts: Whereabouts = field(init=False)
    _live: dict[str, Mapping[str, Resource]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attributes = AwsAttributes(self.plan)
        self.whereabouts = Whereabouts(self.attributes, self.live.account, self.live.region)

    def resource(self, source: Resource) -> Resource | None:
        """Return the live resource of a resource of the source; None if there is none. It asks for its type only."""
        if source.type not in self._live:
            self._live[source.type] = {one.address: one for one in self.live.managed(source.type)}
        return self._live[source.type].get(source.address)

    def value(self, value: Value, depth: int = 0) -> Value:
        """Return a value with all that is known of it; sensitive ones stay hidden."""
        match value:
            case Sensitive():
                return value
            case Unknown() | JsonText() | Text() if depth > _DEEPEST:
                return value
            case Unknown():
                return self._unknown(value, depth)
            case JsonText():
                tree = self.value(value.tree, depth + 1)
                return JsonText(tree)
            case Text():
                return concatenate(self._piece(part, depth) for part in value.parts)
            case Mapping():
                return {key: self.value(item, depth) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item, depth) for item in value]
            case _:
                return value

    def _piece(self, part: str | Unknown, depth: int) -> str | Text | Unknown:
        found = part if isinstance(part, str) else self.value(part, depth + 1)
        return found if isinstance(found, str | Text | Unknown) else part

    def _unknown(self, value: Unknown, depth: int) -> Value:
        found = self.plan.find(value)
        resource = self.resource(found[0]) if found else None
        assigned = resource.get(found[1]) if found and resource else None
        if assigned is not None and is_known(assigned):
            return assigned
        narrowed = self.attributes.narrow(value)
        return narrowed if narrowed == value else self.value(narrowed, depth + 1)


class Difference(Struct, frozen=True):
    """An attribute that is not certainly as the source says. `answer` is NO, or MAYBE if the source does not know."""

    attribute: str
    expected: Value
    found: Value
    answer: Answer


def same(expected: Value, found: Value) -> Answer:
    """Tell whether a live value is what the source says; one that AWS does not show may be."""
    if isinstance(found, Unknown):
        return Answer.MAYBE
    match expected:
        case JsonText():
            return _same_document(expected, found)
        case Text():
            return _fits(expected, found)
        case Unknown():
            return Answer.MAYBE
        case Mapping():
            return _same_map(expected, found)
        case list() | tuple() | set() | frozenset():
            return _same_items(list(expected), found)
        case str() if expected[:1] in ("{", "[") and expected != found:
            return _same_document(expected, found)
    return Answer.YES if _plain(expected) == _plain(found) else Answer.NO


def _plain(value: Value) -> Value:
    """Return a scalar as text: Terraform turns `"3"` into 3 where a number is wanted."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(float(value))
    return "" if value is None else value


def _fits(expected: Text, found: Value) -> Answer:
    """Text with unknown parts never certainly is a live one, but may certainly not be."""
    if not isinstance(found, str):
        return Answer.NO
    pattern = "".join(
        "." if isinstance(part, Character) else ".*" if isinstance(part, Unknown) else re.escape(part)
        for part in expected.parts
    )
    return Answer.MAYBE if re.fullmatch(pattern, found, re.DOTALL) else Answer.NO


def _same_document(expected: Value, found: Value) -> Answer:
    try:
        trees = decode_json(expected), decode_json(found)
    except (ValueError, TypeError, AttributeError):
        return Answer.YES if expected == found else Answer.NO
    return same(*trees)


def _same_map(expected: Mapping[str, Value], found: Value) -> Answer:
    if not isinstance(found, Mapping) or set(expected) != set(found):
        return Answer.NO
    return both(*(same(value, found[key]) for key, value in expected.items()))


def _same_items(expected: list[Value], found: Value) -> Answer:
    """Compare without order; each item of the source takes the best that is left."""
    items = [found] if isinstance(found, str) and len(expected) == 1 else found
    if not isinstance(items, Sequence) or isinstance(items, str) or len(items) != len(expected):
        return Answer.NO
    left, worst = list(items), Answer.YES
    for item in sorted(expected, key=is_known, reverse=True):
        answers = [same(item, other) for other in left]
        best = either(answers)
        if best is Answer.NO:
            return Answer.NO
        left.pop(answers.index(best))
        worst = min(worst, best)
    return worst
