"""Policies that are attached to a role, user or group: by resources of their own, or by the role's arguments."""

from __future__ import annotations

from collections.abc import Iterator

from infraspec.checks.review.breadth import MANAGED, broad_statements
from infraspec.checks.review.risk import Review, RiskFound
from infraspec.iam.answer import Answer
from infraspec.iam.document import PolicyDocument
from infraspec.terraform.plan import Change, ChangeKind, Resource
from infraspec.unknown import Unknown, Value, render

_USER, _GROUP, _ROLE = ("aws_iam_user",), ("aws_iam_group",), ("aws_iam_role",)
_ATTACHMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "aws_iam_role_policy_attachment": {"role": _ROLE},
    "aws_iam_user_policy_attachment": {"user": _USER},
    "aws_iam_group_policy_attachment": {"group": _GROUP},
    "aws_iam_policy_attachment": {"roles": _ROLE, "users": _USER, "groups": _GROUP},
}
"""Resources that attach the policy of `policy_arn`: the attributes that name to whom, and their types."""

_EXCLUSIVE = "aws_iam_role_policy_attachments_exclusive"
"""The resource that lists in `policy_arns` all policies that the role of `role_name` has."""


def attachments(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what a change attaches that was not attached."""
    if change.kind is ChangeKind.DELETE:
        return
    if change.type in _ATTACHMENTS:
        yield from _attachment(review, change)
    elif change.type == "aws_iam_role":
        yield from _own(review, change)
    elif change.type == _EXCLUSIVE:
        yield from _exclusive(review, change)


def _attachment(review: Review, change: Change) -> Iterator[RiskFound]:
    values, policy = review.after(change), review.after(change).get("policy_arn")
    for attribute, types in _ATTACHMENTS[change.type].items():
        old = _listed(change.before.get(attribute)) if change.before.get("policy_arn") == policy else []
        for target in _listed(values.get(attribute)):
            if target not in old:
                yield from _attached(
                    review, change, policy, target, "policy_arn", new=review.is_new(*types, named=target)
                )


def _exclusive(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what a list of all policies of a role adds to it."""
    role = review.after(change).get("role_name")
    old = _listed(change.before.get("policy_arns")) if change.before.get("role_name") == role else []
    for policy in _listed(review.after(change).get("policy_arns")):
        if policy not in old:
            new = review.is_new("aws_iam_role", named=role)
            yield from _attached(review, change, policy, role, "policy_arns", new=new)


def _own(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what the role's own arguments attach: managed_policy_arns and inline_policy blocks."""
    name, new = review.after(change).get("name"), change.kind is ChangeKind.CREATE
    old = _listed(change.before.get("managed_policy_arns"))
    for policy in _listed(review.given(change, "managed_policy_arns")):
        if policy not in old:
            yield from _attached(review, change, policy, name, "managed_policy_arns", new=new)
    before = {_text(block) for block in _listed(change.before.get("inline_policy"))}
    for index, block in enumerate(_listed(review.given(change, "inline_policy", block=True))):
        if _text(block) not in before:
            path = f"inline_policy.{index}.policy"
            found = f"the inline policies of {render(name)}, if it gets any: they are not known before apply"
            if isinstance(block, dict):
                found = f"the inline policy {render(block.get('name'))} of {render(name)}"
            yield _risk(found, path, new=new, answer=Answer.MAYBE if isinstance(block, Unknown) else Answer.YES)


def _attached(
    review: Review, change: Change, policy: Value, target: Value, path: str, *, new: bool
) -> Iterator[RiskFound]:
    shown = render(review.attributes.narrow(policy))
    yield _risk(f"attaches {shown} to {render(target)}", path, new=new)
    found = _policy(review, policy)
    text = found.get("policy") if found else None
    document = PolicyDocument.from_value(text, place=f"{change.address}.policy") if text else None
    if MANAGED.search(shown) or broad_statements(document, None):
        yield RiskFound(
            "iam-broad",
            Answer.YES,
            f"attaches {shown}",
            "it allows all of a service, or taking on any role, on every resource",
            "attach a policy that names the actions and the resources that are needed",
            path,
        )


def _risk(found: str, path: str, *, new: bool, answer: Answer = Answer.YES) -> RiskFound:
    reason = "the principal is new itself" if new else "it was not attached before"
    return RiskFound("iam-new" if new else "iam-widening", answer, found, reason, "take the attachment out", path)


def _policy(review: Review, arn: Value) -> Resource | None:
    """Return the plan's policy of an ARN."""
    found = review.plan.find(arn) if isinstance(arn, Unknown) else None
    if found is not None:
        return found[0]
    return next((r for r in review.plan.managed("aws_iam_policy") if r.get("arn") == arn), None)


def _listed(value: Value) -> list[Value]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(block: Value) -> str:
    return render(block.get("policy")) if isinstance(block, dict) else render(block)
