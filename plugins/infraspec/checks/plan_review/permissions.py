"""Risks `iam-widening`, `iam-broad`, `iam-new` and, by policies, `public-exposure`: what becomes allowed that was not.

Policies before and after the change are compared statement by statement. What a new role, user or resource may do or
grants is new as it is itself (`iam-new`); the same for one that exists widens it.

Source: AWS Security Hub, control IAM.21 (no wildcard actions for services), and IAM User Guide, "Grant a user
permissions to pass a role to an AWS service".

Source: Amazon S3 User Guide, "The meaning of 'public'": a condition that fixes who or from where keeps it from that.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping

from infraspec.checks.plan_review.risk import Review, RiskFound
from infraspec.contract.static import Risk
from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import Unknown, Value, render
from infraspec.iam.policy.document import PolicyDocument, Statement
from infraspec.iam.policy.policy_diff import Widening, widenings
from infraspec.resource_types import Policy, PolicyKind, resource_type
from infraspec.terraform.plan import Change, ChangeKind, Resource

_WHOLE_SERVICE = re.compile(r"^(\*|[\w-]+:\*)$")
_BROAD = "it allows all of a service, or taking on any role, on every resource"
_ANY_ROLE = ("iam:passrole", "sts:assumerole")
MANAGED = re.compile(r":policy/(?:[\w-]+/)*(AdministratorAccess|PowerUserAccess|IAMFullAccess|SystemAdministrator)$")
"""AWS managed policies that are as broad."""


def broad_statements(after: PolicyDocument | None, before: PolicyDocument | None) -> list[Statement]:
    """Return the statements that are broad and were not there before."""
    old = {_meaning(statement) for statement in before.statements} if before else set()
    statements = after.statements if after else ()
    return [statement for statement in statements if _is_broad(statement) and _meaning(statement) not in old]


def _is_broad(statement: Statement) -> bool:
    if statement.effect != "Allow" or statement.condition is not None:
        return False
    if statement.resources is not None and "*" not in statement.resources:
        return False
    if statement.not_actions is not None:
        return True
    return any(
        isinstance(action, str) and (_WHOLE_SERVICE.match(action) or action.lower() in _ANY_ROLE)
        for action in statement.actions or ()
    )


def _meaning(statement: Statement) -> str:
    return repr((statement.actions, statement.not_actions, statement.resources, statement.not_resources))


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
                new = review.is_new(*types, named=target)
                yield from _attached(review, change, policy, target, "policy_arn", new=new)


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
            found = f"the inline policies of {render(name)}, if it gets any: they are known only after apply"
            if isinstance(block, dict):
                found = f"the inline policy {render(block.get('name'))} of {render(name)}"
            yield _risk(found, path, new=new, answer=Truth.MAYBE if isinstance(block, Unknown) else Truth.YES)


def _attached(
    review: Review, change: Change, policy: Value, target: Value, path: str, *, new: bool
) -> Iterator[RiskFound]:
    shown = render(review.attributes.narrow(policy))
    yield _risk(f"attaches {shown} to {render(target)}", path, new=new)
    attached = _attached_policy(review, policy)
    text = attached.stated("policy") if attached else None
    document = PolicyDocument.from_value(text, place=f"{change.address}.policy") if text else None
    if MANAGED.search(shown) or broad_statements(document, None):
        remedy = "attach a policy that names the actions and the resources that are needed"
        yield RiskFound("iam-broad", Truth.YES, f"attaches {shown}", _BROAD, remedy, path)


def _risk(found: str, path: str, *, new: bool, answer: Truth = Truth.YES) -> RiskFound:
    reason = "the principal is new itself" if new else "it was not attached before"
    return RiskFound("iam-new" if new else "iam-widening", answer, found, reason, "take the attachment out", path)


def _attached_policy(review: Review, arn: Value) -> Resource | None:
    """Return the plan's policy of an ARN."""
    referred = review.plan.find(arn) if isinstance(arn, Unknown) else None
    if referred is not None:
        return referred[0]
    return next((r for r in review.plan.managed("aws_iam_policy") if r.stated("arn") == arn), None)


def _listed(value: Value) -> list[Value]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(block: Value) -> str:
    return render(block.get("policy")) if isinstance(block, dict) else render(block)


_FIXED = frozenset((
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
    "aws:resourceaccount", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths",
    "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:userid", "aws:vpcsourceip",
    "kms:calleraccount", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
))  # fmt: skip
_OPERATORS = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")
_WIDEST_PREFIX = 8


def is_public(widening: Widening) -> Truth:
    """Tell whether what becomes allowed is allowed to everyone; MAYBE if a condition may say otherwise."""
    principal, condition = widening.principal, widening.statement.condition
    if principal is None or not (principal.is_everyone or principal.kind == "Not"):
        return Truth.NO
    if condition is None:
        return Truth.YES
    if not isinstance(condition, Mapping):
        return Truth.MAYBE
    return Truth.NO if any(_fixes(operator, block) for operator, block in condition.items()) else Truth.MAYBE


def _fixes(operator: str, block: Value) -> bool:
    plain = operator.lower().removeprefix("foranyvalue:")
    if plain not in _OPERATORS or not isinstance(block, Mapping):
        return False
    return any(key.lower() in _FIXED and all(map(_is_fixed, _listed(values))) for key, values in block.items())


def _is_fixed(value: Value) -> bool:
    """Tell whether a value leaves out most of the world: no wildcard for all or in the account, no more than a /8."""
    if not isinstance(value, str):
        return True
    if value.startswith("arn:"):
        account = value.split(":")[4:5]
        return bool(account) and not set(account[0]) & {"*", "?"}
    try:
        return ipaddress.ip_network(value, strict=False).prefixlen >= _WIDEST_PREFIX
    except ValueError:
        return bool(value.strip("*?"))


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
        reason = "nothing limits the sessions of its role any more"
        yield RiskFound("iam-widening", Truth.YES, f"{path} = null", reason, f"keep {path}", path)
        return
    new = _is_new(review, change, policy)
    wider = widenings(before, after, review.attributes.narrow)
    public = [w for w in wider if _public(policy, w) is not Truth.NO]
    for widening in public:
        yield _exposed(path, widening)
    yield from _widened([w for w in wider if w not in public], path, new=new)
    if policy.kind is PolicyKind.IDENTITY:
        for statement in broad_statements(after, before):
            remedy = "name the actions and the resources that are needed"
            yield RiskFound("iam-broad", Truth.YES, str(statement), _BROAD, remedy, f"{path}.{statement.path}")


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


def _public(policy: Policy, widening: Widening) -> Truth:
    if widening.undenied or policy.kind not in (PolicyKind.RESOURCE, PolicyKind.TRUST):
        return Truth.NO
    return is_public(widening)


def _exposed(path: str, widening: Widening) -> RiskFound:
    answer = all_of(is_public(widening), widening.answer)
    reason = "the statement names everyone, and no condition says who may"
    if answer is not Truth.YES:
        reason = "the statement names everyone, and it cannot be decided whether its condition keeps them out"
    remedy, place = 'name who may: "Principal": {"AWS": "arn:aws:iam::ACCOUNT:role/NAME"}', widening.statement.path
    return RiskFound("public-exposure", answer, f"allows {widening}", reason, remedy, f"{path}.{place}")


def _widened(wider: list[Widening], path: str, *, new: bool) -> Iterator[RiskFound]:
    """Join what is certain and what is not into a risk each."""
    for answer in (Truth.YES, Truth.MAYBE):
        group = [widening for widening in wider if widening.answer is answer]
        if not group:
            continue
        lines = [f"{'no longer denies' if w.undenied else 'allows'} {w}" for w in group[:_MOST_SHOWN]]
        if len(group) > _MOST_SHOWN:
            lines.append(f"and {len(group) - _MOST_SHOWN} more")
        reason, remedy = "it was not allowed before", "remove what is not needed"
        if answer is Truth.MAYBE:
            reason = (
                "whether this was allowed before cannot be decided: the policy or a condition is unknown or differs"
            )
            remedy = "make the plan with what it depends on applied"
        place = path if group[0].undenied else f"{path}.{group[0].statement.path}"
        risk: Risk = "iam-new" if new else "iam-widening"
        reason = "what it belongs to is new itself" if new else reason
        yield RiskFound(risk, answer, "\n".join(lines), reason, remedy, place)


def _boundary(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield a permissions boundary that is taken off or becomes another one."""
    name = "permissions_boundary"
    before, after = change.before.get(name), review.after(change).get(name)
    if not before or change.kind is ChangeKind.DELETE or before == after:
        return
    answer, reason = Truth.MAYBE, "whether the new boundary allows more is not compared"
    if not after:
        answer, reason = Truth.YES, "nothing limits its policies any more"
    found = f"{name} = {after or 'null'}, before {before}"
    yield RiskFound("iam-widening", answer, found, reason, f'{name} = "{before}"', name)
