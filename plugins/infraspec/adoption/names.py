"""Naming patterns that most of the names of a resource type follow already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from infraspec.adoption.name_shapes import SNAKE, SNAKE_REGEX, Shape
from infraspec.conventions.name_attributes import read_name
from infraspec.conventions.naming import NamePattern
from infraspec.finding import Verdict
from infraspec.resource_types import resource_type
from infraspec.terraform.plan import Plan
from infraspec.unknown import Value

MAJORITY = 0.75
"""The share of the names that a pattern has to hold for."""

_MOST_PATTERNS = 2
_COMMON = 4
_FREE = frozenset({"aws_route53_record", "aws_route53_zone", "aws_acm_certificate", "aws_ses_domain_identity"})
PLACEHOLDERS: Mapping[str, str] = {SNAKE: SNAKE_REGEX}


class Named(Struct, frozen=True):
    """A name in an environment, with what is known of this."""

    type: str
    name: str
    facts: Mapping[str, str]


class Guess(Struct, frozen=True):
    """Patterns of a type: `held` of the `total` names that are known follow one of them."""

    type: str
    patterns: tuple[str, ...]
    held: int
    total: int


def names_of(plan: Plan, facts: Mapping[str, str]) -> Iterator[Named]:
    """Yield the names that are known before apply, but for those that are domain names."""
    for resource in plan.managed():
        if not resource.type.startswith("aws_") or resource.type in _FREE:
            continue
        attribute = resource_type(resource.type).name or "name"
        name: Value = read_name(resource.type, resource.values, resource.address, attribute)
        if isinstance(name, str) and name:
            yield Named(resource.type, name, facts)


def patterns_of(names: Sequence[Named]) -> list[Guess]:
    """Return the patterns of each type of which at least three quarters of the names follow them.

    A type with one name gets a pattern only if many names of other types follow the same one.
    """
    by_type: dict[str, list[Named]] = {}
    for named in names:
        by_type.setdefault(named.type, []).append(named)
    written = {type_: [_pattern(named) for named in group] for type_, group in by_type.items()}
    overall = Counter(pattern for patterns in written.values() for pattern in patterns if pattern)
    guesses: list[Guess] = []
    for type_, group in sorted(by_type.items()):
        chosen, held = _chosen(group, [pattern for pattern in written[type_] if pattern])
        backed = len(group) > 1 or all(overall[pattern] >= _COMMON for pattern in chosen)
        if chosen and backed and held >= MAJORITY * len(group):
            guesses.append(Guess(type_, chosen, held, len(group)))
    return guesses


def _chosen(group: Sequence[Named], patterns: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Take the pattern that most names follow, and a second if the first is not enough."""
    left, chosen = list(group), []
    for pattern, _ in sorted(Counter(patterns).items(), key=lambda entry: (-entry[1], entry[0])):
        unmatched = [named for named in left if not _follows(named, pattern)]
        if len(left) - len(unmatched) < min(2, len(group)):
            continue
        chosen.append(pattern)
        left = unmatched
        if len(chosen) == _MOST_PATTERNS or len(group) - len(left) >= MAJORITY * len(group):
            break
    return tuple(chosen), len(group) - len(left)


def _pattern(named: Named) -> str | None:
    shape = Shape.of(named.name, named.facts)
    return shape.pattern(named.type) if shape.has_facts else None


def _follows(named: Named, pattern: str) -> bool:
    return NamePattern.parse(pattern, PLACEHOLDERS, named.facts).judge(named.name) is Verdict.PROVEN
