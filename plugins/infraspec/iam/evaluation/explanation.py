"""Say which statement decided, which came closest, and why it misses."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache

from msgspec import Struct

from infraspec.core.beginnings import Beginnings
from infraspec.core.truth import Truth
from infraspec.core.unknown import Character, Text, Unknown, concatenate, render, unknowns
from infraspec.iam.policy.conditions import Hidden, Test
from infraspec.iam.policy.context import Context, PolicyTemplate, Request
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, is_open, shown
from infraspec.iam.policy.pattern import Form, Pattern, Token
from infraspec.iam.policy.statements import Clause, Hit, IdentityPolicy

_CONDITION_LIMIT = 3
_WILD = re.compile(r"[*?]")


def condition_miss(conditions: Sequence[Test | Hidden], context: Context) -> str:
    """Say why a Condition does not hold."""
    failed = [test for test in conditions if test.holds(context) is Truth.NO]
    return "; ".join(_reason(test, context) for test in failed if isinstance(test, Test)) or "its Condition fails"


def condition_doubt(conditions: Sequence[Test | Hidden], context: Context) -> str:
    """Say on which context keys it depends whether a Condition holds."""
    open_tests = [test for test in conditions if test.holds(context) is Truth.MAYBE]
    silent = [test for test in open_tests if isinstance(test, Test) and _is_told(test, context)]
    keys = dict.fromkeys(test.key for test in open_tests if test not in silent)
    reasons = [f"its Condition depends on {', '.join(keys)}"] if keys else []
    reasons += [f"AWS does not document whether {_asked(test)} holds for {_observed(test, context)}" for test in silent]
    mistakes = [_mistake(test) for test in open_tests if isinstance(test, Test)]
    return "; ".join([*reasons, *filter(None, mistakes)])


def _is_told(test: Test, context: Context) -> bool:
    """Tell whether all that a test compares is known."""
    entry = context.get(test.key)
    known = all(isinstance(value, str) for value in entry.values)
    return entry.present is not Truth.MAYBE and known and all(wanted.is_known(context) for wanted in test.wanted)


def _reason(test: Test, context: Context) -> str:
    mistake = _mistake(test)
    if mistake:
        return mistake
    entry = context.get(test.key)
    if entry.present is Truth.NO:
        return f"its Condition {_asked(test)} does not hold: the request has no {test.key}"
    case = " (letter case counts)" if _differs_in_case(test, context) else ""
    return f"its Condition {_asked(test)} does not hold: the request has {_observed(test, context)}{case}"


def _observed(test: Test, context: Context) -> str:
    values = context.get(test.key).values
    return ", ".join(f'"{shown(value)}"' for value in values) or f"a request without {test.key}"


def _mistake(test: Test) -> str:
    """Name what is wrong with a test whatever the request: wildcards where they are plain characters."""
    operator = test.name.operator
    if operator.form is not Form.TEXT or not operator.name.startswith("String") or operator.negated:
        return ""
    if not test.wanted or not all(_WILD.search(render(wanted.value)) for wanted in test.wanted):
        return ""
    return f"{_asked(test)} never matches: {operator.name} takes no wildcards, use StringLike"


def _asked(test: Test) -> str:
    """Write a test as the policy has it: `StringEquals aws:PrincipalTag/team "core"`."""
    listed = [f'"{wanted}"' for wanted in test.wanted[:_CONDITION_LIMIT]]
    more = len(test.wanted) - _CONDITION_LIMIT
    return f"{test.name.written} {test.key} {', '.join(listed)}" + (f" and {more} more" if more > 0 else "")


def _differs_in_case(test: Test, context: Context) -> bool:
    observed = {render(value).lower() for value in context.get(test.key).values}
    wanted = {render(wanted.value).lower() for wanted in test.wanted}
    return not test.name.operator.negated and bool(observed & wanted)


_SUFFIX = "-??????"
_LIMIT = 4


class Miss(Struct, frozen=True):
    """The Allow statement that came closest, the part that missed (`action`, `resource`, `condition`), and why."""

    hit: Hit
    part: str
    reason: str


class Doubt(Struct, frozen=True):
    """A statement that may or may not apply, and what that depends on."""

    hit: Hit
    effect: str
    reason: str
    unknown: Unknown | None = None

    def __str__(self) -> str:
        verb = "may deny it" if self.effect == "Deny" else "may allow it"
        return f"{self.hit} {verb}: {self.reason}"


def nearest(policies: Sequence[IdentityPolicy], request: Request) -> Miss | None:
    """Return the Allow statement that came closest to the request: first by its action, then by its resource."""
    return _nearest(tuple(policies), request)


@lru_cache(maxsize=64)
def _nearest(policies: tuple[IdentityPolicy, ...], request: Request) -> Miss | None:
    closest = _closest(policies, request.action)
    return _miss(closest.to(request), request) if closest else None


@lru_cache(maxsize=64)
def _closest(policies: tuple[IdentityPolicy, ...], action: str) -> _Closest | None:
    """Return the Allow statements that are closest to an action; None if none is about anything of its service."""
    ranked = [
        (rank, Hit(policy, clause))
        for policy in policies
        for clause in policy.clauses
        if (rank := _rank(clause, action))
    ]
    most = max((rank for rank, _ in ranked), default=0)
    return _Closest([hit for rank, hit in ranked if rank == most]) if most else None


def _rank(clause: Clause, action: str) -> int:
    if clause.statement.effect != "Allow":
        return 0
    covered = clause.covers_action(action)
    service = action.lower().partition(":")[0] + ":"
    kin = any(pattern.prefix.startswith(service) for pattern in clause.actions)
    return 2 * covered.value if covered is not Truth.NO else int(kin)


class _Closest:
    """Statements, of which the first that has the most in common with a request is found without asking each.

    A resource has in common with it how many tokens are the same at the beginning; more than any has what may match.
    Among resources in alphabetical order, those that have the most in common are neighbours of the request.
    """

    def __init__(self, hits: Sequence[Hit]) -> None:
        self._hits = hits
        self._codes: dict[Unknown, str] = {}
        self._beginnings: Beginnings[tuple[int, Pattern]] = Beginnings()
        self._templates: list[tuple[int, PolicyTemplate]] = []
        self._least: dict[tuple[int, int], int] = {}
        coded: list[tuple[str, int]] = []
        for number, hit in enumerate(hits):
            for entry in hit.clause.resources.entries:
                if isinstance(entry, PolicyTemplate):
                    self._templates.append((number, entry))
                else:
                    self._beginnings.add(entry.lowered_prefix, (number, entry))
                    coded.append((self._code(entry.tokens), number))
        coded.sort()
        self._texts, self._numbers = [text for text, _ in coded], [number for _, number in coded]

    def to(self, request: Request) -> Hit:
        """Return the statement that is closest to a request."""
        subject = request.subject
        filled = [(number, template.filled(request.context)[0]) for number, template in self._templates]
        near = (*self._beginnings.beside(subject.lowered_prefix), *filled)
        matching = [number for number, pattern in near if match(pattern, subject) is not Truth.NO]
        if matching:
            return self._hits[min(matching)]
        text = "".join(
            [token if isinstance(token, str) else self._codes.get(token, _OTHER) for token in subject.tokens]
        )
        among = [(_common(pattern.tokens, subject.tokens), -number) for number, pattern in filled]
        return self._hits[-max([self._by_text(text), *among])[1]]

    def _by_text(self, text: str) -> tuple[int, int]:
        """Return how much the resources have in common with a request at most, and the first statement, negative."""
        place = bisect_left(self._texts, text)
        common = max((_common(near, text) for near in self._texts[max(place - 1, 0) : place + 1]), default=0)
        if common == 0:
            return 0, 0
        span = bisect_left(self._texts, text[:common]), bisect_right(self._texts, text[:common] + _LAST)
        if span not in self._least:
            self._least[span] = min(self._numbers[slice(*span)])
        return common, -self._least[span]

    def _code(self, tokens: Sequence[Token]) -> str:
        """Return tokens as characters: one for each unknown, and one for wildcards, which requests do not have."""
        return "".join(
            token
            if isinstance(token, str)
            else self._codes.setdefault(token, chr(_FIRST + len(self._codes)))
            if isinstance(token, Unknown)
            else _WILDCARD
            for token in tokens
        )


_FIRST, _OTHER, _WILDCARD, _LAST = 0xF0000, "\uf8fe", "\uf8ff", "\U0010ffff"


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how many tokens two sequences have in common at the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def doubt(hit: Hit, request: Request, *, effect: str) -> Doubt:
    """Say what it depends on whether a statement applies."""
    reasons = list(_doubts(hit.clause, request))
    reason, unknown = reasons[0] if reasons else _attachment_doubt(hit.clause)
    return Doubt(hit, effect, reason, unknown)


def _attachment_doubt(clause: Clause) -> tuple[str, Unknown | None]:
    """Say that it depends on nothing in the request whether a statement applies, but on whom it concerns."""
    if clause.doubt is not None:
        return clause.doubt
    for element, value in (("Principal", clause.statement.principal), ("NotPrincipal", clause.statement.not_principal)):
        if value is not None:
            unknown = next(unknowns(value), None)
            why = f": {unknown.address} is unknown" if unknown else ""
            return f"it is unknown whether its {element} names the principal{why}", unknown
    return "it is unknown whether the role has this policy", None


def _patterns(clause: Clause, request: Request) -> list[Pattern]:
    """Return the resources of a statement, the variables in them filled."""
    resources = clause.resources.entries
    return [item if isinstance(item, Pattern) else item.filled(request.context)[0] for item in resources]


def _miss(hit: Hit, request: Request) -> Miss:
    clause = hit.clause
    if clause.covers_action(request.action) is Truth.NO:
        return Miss(hit, "action", f"{_omitting(clause)} {request.action}")
    if clause.covers_resource(request) is Truth.NO:
        return Miss(hit, "resource", _resource_reason(clause, request))
    return Miss(hit, "condition", condition_miss(clause.conditions, request.context))


def _omitting(clause: Clause) -> str:
    return "its NotAction excludes" if clause.statement.not_actions is not None else "its Action omits"


def _resource_reason(clause: Clause, request: Request) -> str:
    subject = request.subject
    wanted = str(subject)
    if clause.statement.not_resources is not None:
        return f"its NotResource excludes {wanted}"
    for pattern in _patterns(clause, request):
        hint = _hint(pattern, subject)
        if hint:
            return hint
    return f"its Resource omits {wanted}"


def _hint(pattern: Pattern, subject: PartialArn) -> str:
    """Name the edit of the pattern that would make it match, if there is a known one."""
    fields = render(pattern.value).split(":", 5)
    end = fields[-1]
    if not pattern.begins_apart(subject):
        if _matches_with(pattern, _SUFFIX, subject) and ":secret:" in render(subject.value):
            return f"its Resource ends in `{end}`, but a secret's ARN has a six-character suffix: use `{end}{_SUFFIX}`"
        if _matches_with(pattern, ":*", subject):
            return f"its Resource ends in `{end}`, but log streams follow after a colon: use `{end}:*`"
        if _matches_with(pattern, "/*", subject):
            return f"its Resource ends in `{end}`, which does not cover what is below it: use `{end}/*`"
    value = pattern.value
    parts = value.parts if isinstance(value, Text) else ()
    if len(parts) > 1 and isinstance(parts[0], Unknown) and parts[-1] == "-*":
        asks = f"its Resource `{render(value)}` requires more text after the ARN, which is complete"
        return f"{asks}: use `{parts[0].address}`"
    return ""


def _matches_with(pattern: Pattern, ending: str, subject: PartialArn) -> bool:
    if not pattern.plain:
        return False
    longer = Pattern.arn(concatenate([pattern.plain, ending]))
    return match(longer, subject) is Truth.YES


def _list(patterns: Sequence[object]) -> str:
    shown = ", ".join(str(pattern) for pattern in patterns[:_LIMIT])
    return f"{shown} and {len(patterns) - _LIMIT} more" if len(patterns) > _LIMIT else shown


def _doubts(clause: Clause, request: Request) -> Iterator[tuple[str, Unknown | None]]:
    statement = clause.statement
    if isinstance(statement.effect, Unknown | Text):
        unknown = next(unknowns(statement.effect))
        yield f"{unknown.address} is unknown", unknown
    if clause.covers_action(request.action) is Truth.MAYBE:
        yield from _unknown_in(clause.actions, "action")
    if clause.covers_resource(request) is Truth.MAYBE:
        yield from _resource_doubt(clause, request)
    if clause.condition(request.context) is Truth.MAYBE:
        yield (
            condition_doubt(clause.conditions, request.context),
            next(unknowns(statement.condition), None),
        )


def _unknown_in(patterns: Sequence[Pattern], part: str) -> Iterator[tuple[str, Unknown | None]]:
    for pattern in patterns:
        for unknown in unknowns(pattern.value):
            whole = unknown.address if pattern.value == unknown else f"{part} {render(pattern.value)}"
            yield f"{whole} is unknown", unknown
            return


def _resource_doubt(clause: Clause, request: Request) -> Iterator[tuple[str, Unknown | None]]:
    subject = request.subject
    if not clause.resources.entries:
        yield f"AWS does not document whether a statement without a Resource is about {subject}", None
    for entry in clause.resources.entries:
        if isinstance(entry, PolicyTemplate) and entry.filled(request.context)[1] is Truth.NO:
            yield f"AWS does not document NotResource {entry} without a value of its variable", None
            return
    for pattern in _patterns(clause, request):
        if match(pattern, subject) is not Truth.MAYBE:
            continue
        unknown = _open_unknown(pattern.tokens) or _open_unknown(subject.tokens)
        wanted, listed = str(subject), str(pattern)
        if unknown is not None:
            yield f"resource {listed} against {wanted}: {unknown.address} is unknown", unknown
        elif any(isinstance(item, Character) for item in subject.tokens):
            yield f"resource {listed} fixes characters that AWS chooses when it creates {wanted}", None
        else:
            yield f"AWS does not document whether {listed} matches {wanted}", None
        return


def _open_unknown(tokens: Sequence[object]) -> Unknown | None:
    return next((token for token in tokens if isinstance(token, Unknown) and is_open(token)), None)
