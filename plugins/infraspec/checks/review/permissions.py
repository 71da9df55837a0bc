"""Risks `iam-widening`, `iam-broad`, `iam-new` and, by policies, `public-exposure`: what becomes allowed that was not.

Policies before and after the change are compared statement by statement. What a new role, user or resource may do or
grants is new as it is itself (`iam-new`); the same for one that exists widens it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infraspec.checks.review.attachments import attachments
from infraspec.checks.review.breadth import broad_statements
from infraspec.checks.review.publicity import is_public
from infraspec.checks.review.risk import Review, RiskFound
from infraspec.iam.answer import Answer, both
from infraspec.iam.document import PolicyDocument
from infraspec.iam.widening import Widening, widenings
from infraspec.resource_types import Policy, PolicyKind, resource_type
from infraspec.terraform.plan import Change, ChangeKind
from infraspec.unknown import Unknown, Value

_MOST_SHOWN = 5
_ATTACHED = ("aws_iam_role", "inline_policy.policy")
"""What is judged as policies that are attached are."""
_OF_ACCOUNTS = frozenset({PolicyKind.ORGANIZATION, PolicyKind.RESOURCE_CONTROL})
_LIMITS = _OF_ACCOUNTS | {PolicyKind.SESSION}
"""Policies that allow nothing by themselves, and limit what others allow."""


def permissions(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what a change allows that was not allowed. PolicyError if a policy is malformed."""
    for policy in resource_type(change.type).policies:
        if (change.type, policy.attribute) != _ATTACHED:
            yield from _policy(review, change, policy)
    yield from attachments(review, change)
    yield from _boundary(review, change)


def _policy(review: Review, change: Change, policy: Policy) -> Iterator[RiskFound]:
    if change.kind is ChangeKind.DELETE and _is_gone(review, change, policy):
        return
    old, new = dict(policy.documents(change.before)), _after(review, change, policy)
    for path in dict.fromkeys((*old, *new)):
        before = _document(old.get(path), change, policy, path)
        after = _document(new.get(path), change, policy, path)
        if _moved(review, change, policy):
            before = None
        yield from _compared(review, change, policy, path, before, after)


def _after(review: Review, change: Change, policy: Policy) -> Mapping[str, Value]:
    """Return the documents after the change; the provider keeps those that nobody sets."""
    if change.kind is ChangeKind.DELETE:
        return {}
    values, (name, *inner) = review.after(change), policy.attribute.split(".")
    given = review.given(change, name, block=bool(inner))
    if given is None and isinstance(values.get(name), Unknown):
        return dict(policy.documents(change.before))
    return dict(policy.documents({**values, name: given}))


def _compared(  # noqa: PLR0917 - the two versions of a policy, and where it stands
    review: Review,
    change: Change,
    policy: Policy,
    path: str,
    before: PolicyDocument | None,
    after: PolicyDocument | None,
) -> Iterator[RiskFound]:
    if policy.kind in _LIMITS and before is None:
        return  # it takes away, and gives nothing
    if policy.kind is PolicyKind.SESSION and after is None:
        yield _taken(path)
        return
    new = _is_new(review, change, policy)
    found = widenings(before, after, review.attributes.narrow)
    public = [w for w in found if _public(policy, w) is not Answer.NO]
    for widening in public:
        yield _exposed(path, widening)
    yield from _widened([w for w in found if w not in public], path, new=new)
    if policy.kind is PolicyKind.IDENTITY:
        for statement in broad_statements(after, before):
            yield RiskFound(
                "iam-broad",
                Answer.YES,
                str(statement),
                "it allows all of a service, or taking on any role, on every resource",
                "name the actions and the resources that are needed",
                f"{path}.{statement.path}",
            )


def _taken(path: str) -> RiskFound:
    reason = "nothing limits the sessions of its role any more"
    return RiskFound("iam-widening", Answer.YES, f"{path} = null", reason, f"keep {path}", path)


def _document(value: Value, change: Change, policy: Policy, path: str) -> PolicyDocument | None:
    if value is None or value == "{}":
        return None
    return PolicyDocument.from_value(value, place=f"{change.address}.{path}", with_principals=policy.names_principals)


def _moved(review: Review, change: Change, policy: Policy) -> bool:
    """Tell whether the policy is taken from one principal or resource and given to another."""
    if not policy.of or change.kind is not ChangeKind.REPLACE:
        return False
    before, after = change.before.get(policy.of), review.after(change).get(policy.of)
    return before is not None and not isinstance(after, Unknown) and before != after


def _is_new(review: Review, change: Change, policy: Policy) -> bool:
    """Tell whether the policy is that of something new; one that is attached to nothing yet allows nothing."""
    if not policy.of:
        return change.kind is ChangeKind.CREATE
    return review.is_new(*policy.owners, named=review.after(change).get(policy.of))


def _is_gone(review: Review, change: Change, policy: Policy) -> bool:
    """Tell whether what the policy is attached to is destroyed with it."""
    if policy.kind in _OF_ACCOUNTS:
        return False
    return not policy.of or review.is_gone(*policy.owners, named=change.before.get(policy.of))


def _public(policy: Policy, widening: Widening) -> Answer:
    if widening.undenied or policy.kind not in (PolicyKind.RESOURCE, PolicyKind.TRUST):
        return Answer.NO
    return both(is_public(widening), Answer.YES)


def _exposed(path: str, widening: Widening) -> RiskFound:
    answer = both(is_public(widening), widening.answer)
    reason = "the statement names everyone, and no condition says who may"
    if answer is not Answer.YES:
        reason = "the statement names everyone, and it cannot be told whether its condition keeps them out"
    remedy = 'name who may: "Principal": {"AWS": "arn:aws:iam::ACCOUNT:role/NAME"}'
    return RiskFound(
        "public-exposure", answer, f"allows {widening}", reason, remedy, f"{path}.{widening.statement.path}"
    )


def _widened(found: list[Widening], path: str, *, new: bool) -> Iterator[RiskFound]:
    """Join what is certain and what is not into a risk each."""
    for answer in (Answer.YES, Answer.MAYBE):
        group = [widening for widening in found if widening.answer is answer]
        if not group:
            continue
        lines = [f"{'no longer denies' if w.undenied else 'allows'} {w}" for w in group[:_MOST_SHOWN]]
        if len(group) > _MOST_SHOWN:
            lines.append(f"and {len(group) - _MOST_SHOWN} more")
        yield RiskFound(
            "iam-new" if new else "iam-widening",
            answer,
            "\n".join(lines),
            _reason(answer, new=new),
            "leave out what is not needed" if answer is Answer.YES else "make the plan with what it depends on applied",
            path if group[0].undenied else f"{path}.{group[0].statement.path}",
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
