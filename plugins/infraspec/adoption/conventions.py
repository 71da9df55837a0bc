"""Naming patterns that most of the names of a resource type follow already."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from infraspec.checks.conventions.tags import tagged
from infraspec.conventions.effective_tags import EffectiveTags
from infraspec.conventions.naming import NamePattern, read_name
from infraspec.conventions.placeholders import ACCOUNT_ID, APPLICATION, ENVIRONMENT, REGION, spellings
from infraspec.core.finding import Verdict
from infraspec.core.truth import Truth
from infraspec.core.unknown import Value
from infraspec.resource_types import resource_type
from infraspec.terraform.plan import Plan

SNAKE = "snake-name"
SNAKE_REGEX = "[a-z0-9]+(_[a-z0-9]+)*"
"""The placeholder for words joined by underscores, which is none of the conventions' own."""

_CHUNK = re.compile(r"([^A-Za-z0-9]*)(.*?)([^A-Za-z0-9]*)", re.DOTALL)
_KINDS = (
    (re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"), "{name}"),
    (re.compile(SNAKE_REGEX), f"{{{SNAKE}}}"),
    (re.compile(r"[A-Z][A-Za-z0-9]*"), "{Name}"),
)


class NameShape(Struct, frozen=True):
    """A name cut into chunks of text and facts, alternately; the first and the last are chunks, empty ones too."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, name: str, facts: Mapping[str, str]) -> NameShape:
        """Cut a name; a fact counts where it stands as a word, its form with a capital where a word begins."""
        expression = _facts(facts)
        if expression is None:
            return cls((name,))
        parts: list[str] = []
        at = 0
        for match in expression.finditer(name):
            parts += [name[at : match.start()], f"{{{match.lastgroup}}}"]
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


TAG_MAJORITY = 0.75
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
        return self.held >= TAG_MAJORITY * self.total


class Carried(Struct, frozen=True):
    """The tags of a resource in an environment, with what is known of this."""

    type: str
    tags: Mapping[str, Value]
    facts: Mapping[str, str]
    root: str


def tags_of(plan: Plan, facts: Mapping[str, str], root: str) -> Iterator[Carried]:
    """Yield the effective tags of the resources that certainly take tags."""
    for resource, takes in tagged(plan):
        if takes is Truth.YES and resource.module not in plan.fetched:
            yield Carried(resource.type, EffectiveTags.of(resource.type, resource.values).tags, facts, root)


def common_tags(carried: Sequence[Carried]) -> list[TagGuess]:
    """Return the tags that a good part of the resources carries, three of one type among them, with their value."""
    keys = dict.fromkeys(key for each in carried for key in each.tags if key not in _OWN)
    guesses = []
    for key in sorted(keys):
        having = [each for each in carried if each.tags.get(key) is not None]
        alike = max(Counter(each.type for each in having).values(), default=0)
        if alike >= LEAST and len(having) >= WORTH_SAYING * len(carried):
            guesses.append(TagGuess(key, _rule(key, having), len(having), len(carried)))
    return guesses


def _rule(key: str, having: Sequence[Carried]) -> str | list[str] | dict[str, str]:
    """Return a fact, the one value or few values that all have in several root modules, else any value.

    What one root module alone has is its constant, and no rule for the next one.
    """
    values = [each.tags[key] for each in having]
    if not all(isinstance(value, str) for value in values):
        return {}
    for fact in (ENVIRONMENT, APPLICATION, REGION, ACCOUNT_ID):
        if all(each.facts.get(fact) == each.tags[key] for each in having):
            return f"{{{fact}}}"
        if fact in (ENVIRONMENT, APPLICATION) and all(
            fact in each.facts and each.tags[key] in spellings(fact, each.facts[fact]) for each in having
        ):
            return f"{{{fact.capitalize()}}}"
    distinct = sorted(set(values))
    if (
        len({each.root for each in having}) == 1
        or not all(distinct)
        or len(distinct) > _MOST_VALUES
        or len(values) < 2 * len(distinct)
    ):
        return {}
    escaped = [value.replace("{", "{{").replace("}", "}}") for value in distinct]
    return escaped[0] if len(escaped) == 1 else escaped


MAJORITY = 0.75
"""The share of the names that a pattern has to hold for."""

_MOST_PATTERNS = 2
LEAST = 3
"""How many resources of a type have to agree for a convention to be proposed: fewer may be chance."""

_DICTATED = re.compile(r"/aws/|aws-waf-logs-|AWS|Amazon|alias/aws/|/ecs/|ecs[A-Z]|rds-monitoring-role$")
"""What names begin with that AWS gives, or asks for: of log groups, service roles, keys, logs of WAF."""

_FREE = frozenset({"aws_route53_record", "aws_route53_zone", "aws_acm_certificate", "aws_ses_domain_identity"})
PLACEHOLDERS: Mapping[str, str] = {SNAKE: SNAKE_REGEX}


class NamedResource(Struct, frozen=True):
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

    @property
    def written(self) -> str | list[str]:
        """The patterns as the contract has them."""
        return self.patterns[0] if len(self.patterns) == 1 else list(self.patterns)


def names_of(plan: Plan, facts: Mapping[str, str]) -> Iterator[NamedResource]:
    """Yield the names that are known before apply, but for those that are domain names."""
    for resource in plan.managed():
        if not resource.type.startswith("aws_") or resource.type in _FREE or resource.module in plan.fetched:
            continue
        attribute = resource_type(resource.type).name or "name"
        name: Value = read_name(resource.type, resource.values, resource.address, attribute)
        if isinstance(name, str) and name:
            yield NamedResource(resource.type, name, facts)


def patterns_of(names: Sequence[NamedResource]) -> list[Guess]:
    """Return the patterns of each type of which at least three quarters of the names follow them, and three names.

    A type of which AWS dictates some names has none: what others follow is no rule of the team for all of it.
    """
    by_type: dict[str, list[NamedResource]] = {}
    for named in names:
        by_type.setdefault(named.type, []).append(named)
    guesses: list[Guess] = []
    for type_, group in sorted(by_type.items()):
        if any(_DICTATED.match(named.name) for named in group):
            continue
        chosen, held = _chosen(group, [pattern for named in group if (pattern := _pattern(named))])
        if chosen and held >= MAJORITY * len(group):
            guesses.append(Guess(type_, chosen, held, len(group)))
    return guesses


def _chosen(group: Sequence[NamedResource], patterns: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Take the pattern that most names follow, and a second if the first is not enough."""
    left, chosen = list(group), []
    for pattern, _ in sorted(Counter(patterns).items(), key=lambda entry: (-entry[1], entry[0])):
        unmatched = [
            named
            for named in left
            if NamePattern.parse(pattern, PLACEHOLDERS, named.facts).judge(named.name) is not Verdict.PROVEN
        ]
        followed = {named.name for named in left} - {named.name for named in unmatched}
        if len(followed) < LEAST:
            continue
        chosen.append(pattern)
        left = unmatched
        if len(chosen) == _MOST_PATTERNS or len(group) - len(left) >= MAJORITY * len(group):
            break
    return tuple(chosen), len(group) - len(left)


def _pattern(named: NamedResource) -> str | None:
    shape = NameShape.of(named.name, named.facts)
    return shape.pattern(named.type) if shape.has_facts else None
