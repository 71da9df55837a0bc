"""Risks `iam-widening`, `iam-broad`, `iam-new` and, by policies, `public-exposure`: what becomes allowed that was not.

Policies before and after the change are compared statement by statement. What a new role, user or resource may do or
grants is new as it is itself (`iam-new`); the same for one that exists widens it.
"""

from __future__ import annotations

from collections.abc import Iterator

from infraspec.checks.review.attachments import attachments
from infraspec.checks.review.breadth import broad_statements
from infraspec.checks.review.policy_attributes import NOT_PUBLIC_TYPES, POLICIES, PolicyAttribute
from infraspec.checks.review.publicity import is_public
from infraspec.checks.review.risk import Review, RiskFound
from infraspec.iam.answer import Answer, both
from infraspec.iam.document import PolicyDocument
from infraspec.iam.widening import Widening, widenings
from infraspec.terraform.plan import Change, ChangeKind
from infraspec.unknown import Unknown, Value

_MOST_SHOWN = 5


def permissions(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what a change allows that was not allowed. PolicyError if a policy is malformed."""
    for attribute in POLICIES.get(change.type, ()):
        yield from _policy(review, change, attribute)
    yield from attachments(review, change)
    yield from _boundary(review, change)


def _policy(review: Review, change: Change, attribute: PolicyAttribute) -> Iterator[RiskFound]:
    if change.kind is ChangeKind.DELETE and _is_gone(review, change, attribute):
        return
    before = _document(change.before.get(attribute.name), change, attribute)
    after = None
    if change.kind is not ChangeKind.DELETE:
        after = _document(review.given(change, attribute.name), change, attribute)
        if isinstance(review.after(change).get(attribute.name), Unknown) and after is None and before is not None:
            after = before  # the provider keeps what it has
    if _moved(review, change, attribute):
        before = None
    new = _is_new(review, change, attribute)
    found = widenings(before, after, review.attributes.narrow)
    public = [w for w in found if _public(change, w) is not Answer.NO]
    for widening in public:
        yield _exposed(attribute, widening)
    yield from _widened([w for w in found if w not in public], attribute, new=new)
    if not attribute.principals:
        for statement in broad_statements(after, before):
            yield RiskFound(
                "iam-broad",
                Answer.YES,
                str(statement),
                "it allows all of a service, or taking on any role, on every resource",
                "name the actions and the resources that are needed",
                f"{attribute.name}.{statement.path}",
            )


def _document(value: Value, change: Change, attribute: PolicyAttribute) -> PolicyDocument | None:
    if value is None or value in ("", "{}"):
        return None
    place = f"{change.address}.{attribute.name}"
    return PolicyDocument.from_value(value, place=place, with_principals=attribute.principals)


def _moved(review: Review, change: Change, attribute: PolicyAttribute) -> bool:
    """Tell whether the policy is taken from one principal or resource and given to another."""
    if not attribute.target or change.kind is not ChangeKind.REPLACE:
        return False
    before, after = change.before.get(attribute.target), review.after(change).get(attribute.target)
    return before is not None and not isinstance(after, Unknown) and before != after


def _is_new(review: Review, change: Change, attribute: PolicyAttribute) -> bool:
    """Tell whether the policy is that of something new; one that is attached to nothing yet allows nothing."""
    if not attribute.target:
        return change.kind is ChangeKind.CREATE
    return review.is_new(*attribute.types, named=review.after(change).get(attribute.target))


def _is_gone(review: Review, change: Change, attribute: PolicyAttribute) -> bool:
    """Tell whether what the policy is attached to is destroyed with it."""
    return not attribute.target or review.is_gone(*attribute.types, named=change.before.get(attribute.target))


def _public(change: Change, widening: Widening) -> Answer:
    if widening.undenied or change.type in NOT_PUBLIC_TYPES:
        return Answer.NO
    return both(is_public(widening), Answer.YES)


def _exposed(attribute: PolicyAttribute, widening: Widening) -> RiskFound:
    answer = both(is_public(widening), widening.answer)
    reason = "the statement names everyone, and no condition says who may"
    if answer is not Answer.YES:
        reason = "the statement names everyone, and it cannot be told whether its condition keeps them out"
    remedy = 'name who may: "Principal": {"AWS": "arn:aws:iam::ACCOUNT:role/NAME"}'
    path = f"{attribute.name}.{widening.statement.path}"
    return RiskFound("public-exposure", answer, f"allows {widening}", reason, remedy, path)


def _widened(found: list[Widening], attribute: PolicyAttribute, *, new: bool) -> Iterator[RiskFound]:
    """Join what is certain and what is not into a risk each."""
    for answer in (Answer.YES, Answer.MAYBE):
        group = [widening for widening in found if widening.answer is answer]
        if not group:
            continue
        lines = [f"{'no longer denies' if w.undenied else 'allows'} {w}" for w in group[:_MOST_SHOWN]]
        if len(group) > _MOST_SHOWN:
            lines.append(f"and {len(group) - _MOST_SHOWN} more")
        path = f"{attribute.name}.{group[0].statement.path}" if not group[0].undenied else attribute.name
        yield RiskFound(
            "iam-new" if new else "iam-widening",
            answer,
            "\n".join(lines),
            _reason(answer, new=new),
            "leave out what is not needed" if answer is Answer.YES else "make the plan with what it depends on applied",
            path,
        )


def _reason(answer: Answer, *, new: bool) -> str:
    if new:
        return "what it belongs to is new itself"
    if answer is Answer.YES:
        return "it was not allowed before"
    return "it cannot be told whether this was allowed before: the policy or a condition is not known, or differs"


def _boundary(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield a permissions boundary that is taken off or becomes another one."""
    name = "permissions_boundary"
    before, after = change.before.get(name), review.after(change).get(name)
    if not before or change.kind is ChangeKind.DELETE or before == after:
        return
    taken = not after
    yield RiskFound(
        "iam-widening",
        Answer.YES if taken else Answer.MAYBE,
        f"{name} = {_name(after)}, before {_name(before)}",
        "nothing limits its policies any more" if taken else "whether the new boundary allows more is not compared",
        f'{name} = "{_name(before)}"',
        name,
    )


def _name(value: Value) -> str:
    return "null" if not value else str(value)
