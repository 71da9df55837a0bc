"""Tags that most resources carry already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from infraspec.checks.tags import tagged
from infraspec.conventions.effective_tags import EffectiveTags
from infraspec.conventions.facts import ACCOUNT_ID, APPLICATION, ENVIRONMENT, REGION, spellings
from infraspec.conventions.taggable import Taggable
from infraspec.terraform.plan import Plan
from infraspec.unknown import Value

MAJORITY = 0.75
"""The share of the taggable resources that carry a tag for it to be asked for."""

WORTH_SAYING = 0.3
"""The share from which on a tag is mentioned, as a comment."""

_MOST_VALUES = 4
_OWN = frozenset({"Name", "name"})  # each resource has its own


class TagGuess(Struct, frozen=True):
    """A tag: `rule` as the contract writes it, carried by `held` of `total` resources that take tags."""

    key: str
    rule: str | list[str] | dict[str, str]
    held: int
    total: int

    @property
    def is_common(self) -> bool:
        """Whether the majority carries it."""
        return self.held >= MAJORITY * self.total


class Carried(Struct, frozen=True):
    """The tags of a resource in an environment, with what is known of this."""

    tags: Mapping[str, Value]
    facts: Mapping[str, str]


def tags_of(plan: Plan, facts: Mapping[str, str]) -> Iterator[Carried]:
    """Yield the effective tags of the resources that certainly take tags."""
    for resource, takes in tagged(plan):
        if takes is Taggable.YES:
            yield Carried(EffectiveTags.of(resource.type, resource.values).tags, facts)


def common_tags(carried: Sequence[Carried]) -> list[TagGuess]:
    """Return the tags that a good part of the resources carries, with the value that they have in common."""
    keys = dict.fromkeys(key for each in carried for key in each.tags if key not in _OWN)
    guesses = []
    for key in sorted(keys):
        having = [each for each in carried if each.tags.get(key) is not None]
        if len(having) >= max(2, WORTH_SAYING * len(carried)):
            guesses.append(TagGuess(key, _rule(key, having), len(having), len(carried)))
    return guesses


def _rule(key: str, having: Sequence[Carried]) -> str | list[str] | dict[str, str]:
    """Return a fact, the one value or few values that all have; any value where some is not known."""
    values = [each.tags[key] for each in having]
    if not all(isinstance(value, str) for value in values):
        return {}
    for fact in (ENVIRONMENT, APPLICATION, REGION, ACCOUNT_ID):
        if all(each.facts.get(fact) == each.tags[key] for each in having):
            return f"{{{fact}}}"
        if fact in (ENVIRONMENT, APPLICATION) and all(
            each.tags[key] in spellings(fact, each.facts[fact]) for each in having
        ):
            return f"{{{fact.capitalize()}}}"
    distinct = sorted(set(values))
    if not all(distinct) or len(distinct) > _MOST_VALUES or len(values) < 2 * len(distinct):
        return {}
    escaped = [value.replace("{", "{{").replace("}", "}}") for value in distinct]
    return escaped[0] if len(escaped) == 1 else escaped
