"""Match a pattern of a policy against the ARN or action of a request, with unknown parts on both sides.

The answer is YES if every value of the unknown parts matches, NO if none does.

What is ambiguous in AWS's documents is MAYBE: a wildcard in one of the first five fields of an ARN that would have to
cross a colon, a wildcard in the resource type, and an ARN with fewer than six fields. Sources: IAM User Guide, "IAM
JSON policy elements: Resource" (wildcards within and over segments) and "IAM identifiers" (no wildcard in the type).

Two things are taken for granted of an unknown part that stands in a subject: it is part of the ARN of a real resource,
so it holds neither `*` nor `?`, and where it stands in the first five fields it holds no colon.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import Character, Reference, Unknown
from infraspec.iam.policy.partial_arn import PartialArn, identical, is_open
from infraspec.iam.policy.pattern import Form, Pattern, Token, Wildcard, matcher

_FIELDS = 6
_CASED = frozenset({Form.ARN, Form.LIKE, Form.TEXT})
"""The forms in which letter case counts everywhere."""
_STARS = (Wildcard.STAR, Wildcard.SEGMENT_STAR)


def match(pattern: Pattern, subject: PartialArn) -> Truth:
    """Tell whether the pattern matches the subject."""
    if pattern.known is not None:
        answer = _quick(pattern, pattern.known, subject)
        if answer is not None:
            return answer
    return _by_tokens(pattern, subject)


def _quick(pattern: Pattern, text: str, subject: PartialArn) -> Truth | None:
    """Answer for a known pattern where text operations suffice. A code of the subject matches only wildcards."""
    form = pattern.form
    if form is Form.RESOURCE:
        return _quick_resource(pattern, text, subject)
    if form is Form.ACTION or form is Form.LIKE:
        if text == "*":
            return Truth.YES
        if subject.known:
            return Truth.YES if matcher(text)(subject.lowered if form is Form.ACTION else subject.code) else Truth.NO
    elif subject.known:
        if form is Form.TEXT:
            return Truth.YES if text == subject.code else Truth.NO
        return _quick_arn(pattern, subject.code)
    return None


def _quick_arn(pattern: Pattern, text: str) -> Truth:
    fields, given = pattern.fields, text.split(":", len(pattern.fields) - 1)
    if len(fields) != len(given) or not all(matcher(one)(other) for one, other in zip(fields, given, strict=True)):
        return Truth.NO
    return Truth.MAYBE if pattern.doubtful else Truth.YES


def _quick_resource(pattern: Pattern, text: str, subject: PartialArn) -> Truth | None:
    if text == "*":
        return Truth.YES
    if pattern.incomplete:
        return all_of(Truth.MAYBE, match(Pattern.arn(f"{text}:*"), subject))
    if pattern.doubtful or (not subject.known and "?" in text and subject.has_open):
        return Truth.NO if pattern.rejects(subject) else None
    if _fields_match(pattern.fields, subject.fields):
        return Truth.YES
    return Truth.NO if pattern.rejects(subject) else None


def _fields_match(fields: tuple[str, ...], given: tuple[str, ...]) -> bool:
    if len(fields) != _FIELDS or len(given) != _FIELDS:
        return False
    header = fields[:-1] == given[:-1] or all(
        one in ("*", other) or matcher(one)(other) for one, other in zip(fields[:-1], given[:-1], strict=True)
    )
    return header and matcher(fields[-1])(given[-1])


def _by_tokens(pattern: Pattern, subject: PartialArn) -> Truth:
    """Answer with a walk over the tokens of both sides, after what their beginnings tell."""
    common = min(len(pattern.prefix), len(subject.prefix))
    if pattern.prefix[:common] != subject.prefix[:common] and (
        pattern.form in _CASED or pattern.prefix[:common].lower() != subject.prefix[:common].lower()
    ):
        return Truth.NO
    if pattern.plain is not None:
        if pattern.plain == subject.value:
            return Truth.YES
        known = isinstance(pattern.plain, str) and isinstance(subject.value, str)
        if known and pattern.plain.lower() != subject.value.lower():
            return Truth.NO
    if _distinct(pattern.source, subject.source):
        return Truth.NO
    if not pattern.doubtful and _certain(pattern, subject.tokens):
        return Truth.YES
    return Truth.MAYBE if _possible(pattern, subject.tokens) else Truth.NO


def match_action(pattern: Pattern, action: str) -> Truth:
    """Tell whether the pattern of an Action matches the action, such as `s3:GetObject`."""
    return match(pattern, _action(action.lower()))


@lru_cache(maxsize=256)
def _action(name: str) -> PartialArn:
    return PartialArn.of(name)


def _certain(pattern: Pattern, subject: tuple[str | Unknown, ...]) -> bool:
    """Tell whether one reading of the pattern consumes the subject whatever its unknown parts are."""
    tokens, folded, last = pattern.tokens, pattern.folded, len(pattern.tokens)
    states = _closure(tokens, {0}, last, _STARS.__contains__)
    for item in subject:
        following: set[int] = set()
        for state in states:
            if state < last:
                following.update(_certain_step(tokens[state], item, state, folded=state < folded))
        states = _closure(tokens, following, last, _STARS.__contains__)
    return last in states


def _certain_step(token: Token, item: str | Unknown, state: int, *, folded: bool) -> tuple[int, ...]:
    single = isinstance(item, (str, Character))
    match token:
        case Wildcard.STAR:
            return (state,)
        case Wildcard.SEGMENT_STAR:
            return (state,) if item != ":" else ()
        case Wildcard.QUESTION:
            return (state + 1,) if single else ()
        case Wildcard.SEGMENT_QUESTION:
            return (state + 1,) if single and item != ":" else ()
        case _:
            return (state + 1,) if identical(token, item) or (folded and _same_letter(token, item)) else ()


def _same_letter(token: Token, item: str | Unknown) -> bool:
    return isinstance(token, str) and isinstance(item, str) and token.lower() == item.lower()


def _possible(pattern: Pattern, subject: tuple[str | Unknown, ...]) -> bool:
    """Tell whether some value of the unknown parts matches, each unknown part taken to be free.

    What both sides begin and end with is equal for every value and is taken off first, so that the freedom of an
    unknown part that stands on both sides is not counted.
    """
    tokens = pattern.tokens
    shortest = min(len(tokens), len(subject))
    start = 0
    while start < shortest and identical(tokens[start], subject[start]):
        start += 1
    end = 0
    while end < shortest - start and identical(tokens[-1 - end], subject[-1 - end]):
        end += 1
    last = len(tokens) - end
    states = _closure(tokens, {start}, last, _is_loose)
    for item in subject[start : len(subject) - end]:
        if is_open(item):
            states = set(range(min(states), last + 1)) if states else states
            continue
        following: set[int] = set()
        for state in states:
            if state < last:
                following.update(_possible_step(pattern, item, state))
        states = _closure(tokens, following, last, _is_loose)
    return last in states


def _possible_step(pattern: Pattern, item: str | Unknown, state: int) -> tuple[int, ...]:
    token = pattern.tokens[state]
    if _is_loose(token):
        return (state,)
    if not isinstance(token, str) or not isinstance(item, str) or token == item:
        return (state + 1,)
    return (state + 1,) if state < pattern.header and _same_letter(token, item) else ()


def _closure(tokens: tuple[Token, ...], states: set[int], last: int, is_empty: Callable[[Token], bool]) -> set[int]:
    """Add the states that are reached over tokens that may stand for no text."""
    for state in tuple(states):
        following = state
        while following < last and is_empty(tokens[following]):
            following += 1
            states.add(following)
    return states


def _is_loose(token: Token) -> bool:
    """Tell whether a token may stand for text of any length. Unknown text of a policy may itself hold wildcards."""
    return token in _STARS or is_open(token)


def _distinct(first: Unknown | None, second: Unknown | None) -> bool:
    """Tell whether two attributes are the ARNs of two instances of one type, which are never equal."""
    if first is None or second is None or first == second:
        return False
    one, other = Reference.of(first), Reference.of(second)
    return one == other and one is not None and one.mode == "managed" and one.attribute == "arn" and one.certain
