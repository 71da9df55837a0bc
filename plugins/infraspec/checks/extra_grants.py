"""What lets in more than the source says, although nothing of it has a name: grants of roles, policies, rules.

An inline policy or an attachment that somebody gave a role by hand is in no plan of Terraform, and neither is the
policy of a secret or a rule of a security group. Source: Terraform AWS provider, aws_iam_role_policy_attachment,
aws_iam_policy_attachment, aws_iam_role_policies_exclusive, aws_iam_role_policy_attachments_exclusive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct

from infraspec.checks.comparison import Bound, same
from infraspec.checks.inventory import Stray
from infraspec.iam.answer import Answer, both, either
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Value

_ROLE, _ATTACHMENT, _INLINE = "aws_iam_role", "aws_iam_role_policy_attachment", "aws_iam_role_policy"
_WAYS = (
    (_ATTACHMENT, _ATTACHMENT, "role", "policy_arn"),
    (_ATTACHMENT, "aws_iam_policy_attachment", "roles", "policy_arn"),
    (_ATTACHMENT, "aws_iam_role_policy_attachments_exclusive", "role_name", "policy_arns"),
    (_ATTACHMENT, _ROLE, "name", "managed_policy_arns"),
    (_INLINE, _INLINE, "role", "name"),
    (_INLINE, "aws_iam_role_policies_exclusive", "role_name", "policy_names"),
)
"""What is given, by which type, and its attributes with the role and with what is given."""
_NAMES = {_ATTACHMENT: ("policy_arn", "/"), _INLINE: ("name", ":")}
"""By type, what tells one grant of a role from another, and what stands before it in the id of an import."""
_POLICIES = {
    "aws_ecr_repository_policy": ("repository", "aws_ecr_repository", "name"),
    "aws_secretsmanager_secret_policy": ("secret_arn", "aws_secretsmanager_secret", "arn"),
    "aws_sns_topic_policy": ("arn", "aws_sns_topic", "arn"),
}
"""By type of policy, its attribute that names what it is of, and the type and attribute of that."""
_GROUPS = ("aws_security_group", "aws_default_security_group")
_GROUP_RULES = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
_OLD_RULE = "aws_security_group_rule"


def extra_grants(plan: Plan, live: Plan) -> Iterator[Stray]:
    """Yield the policies that roles of the source have in AWS, and that the source does not give them."""
    bound = Bound(plan, live)
    roles = {role.get("name"): role for role in live.managed(_ROLE) if role.address in plan.by_address}
    given = list(_given(plan, bound))
    for one in live.managed(_ATTACHMENT, _INLINE):
        role, (attribute, separator) = one.get("role"), _NAMES[one.type]
        if role not in roles or one.address in plan.by_address:
            continue
        known = either(
            both(here, _may_be(to, role), _may_be(what, one.get(attribute)))
            for type_, here, to, what in given
            if type_ == one.type
        )
        if known is not Answer.YES:
            name = f"{role}{separator}{one.get(attribute)}"
            yield Stray(one.address, one.type, "its role", certain=known is Answer.NO and plan.is_whole, import_id=name)


def _given(plan: Plan, bound: Bound) -> Iterator[tuple[str, Answer, Value, Value]]:
    """Yield whether the source gives it here, to whom, and what; either of the last two may be a list."""
    for given, type_, role, attribute in _WAYS:
        for one in plan.managed(type_):
            if type_ != _ROLE or one.sets(attribute):
                here = bound.whereabouts.has(one)
                yield given, here, bound.value(one.attribute(role)), bound.value(one.attribute(attribute))


def _may_be(value: Value, found: Value) -> Answer:
    items = value if isinstance(value, list | tuple) else [value]
    return either(same(item, found) for item in items)


def extra_policies(plan: Plan, live: Plan) -> Iterator[Stray]:
    """Yield the policies that secrets, topics and repositories of the source have in AWS, and not by the source.

    AWS itself gives buckets one for the logs that it delivers; those are left out.
    """
    bound = Bound(plan, live)
    for type_, (attribute, owner, key) in _POLICIES.items():
        owners = {one.get(key): plan.by_address.get(one.address) for one in live.managed(owner)}
        given = [(bound.whereabouts.has(one), bound.value(one.attribute(attribute))) for one in plan.managed(type_)]
        for one in live.managed(type_):
            source = owners.get(one.get(attribute))
            if source is None or source.sets("policy") or one.address in plan.by_address:
                continue
            known = either(both(here, same(value, one.get(attribute))) for here, value in given)
            if known is not Answer.YES:
                name, certain = str(one.get(attribute)), known is Answer.NO and plan.is_whole
                yield Stray(one.address, type_, f"what it is of, {source.address}", certain=certain, import_id=name)


class FirewallRule(Struct, frozen=True):
    """A rule of a security group as AWS has it; `is_egress` tells its direction."""

    arn: str
    id: str
    group: str
    is_egress: bool


def extra_rules(plan: Plan, live: Plan, rules: Collection[FirewallRule]) -> Iterator[Stray]:
    """Yield the rules of security groups of the source that the source does not have.

    Groups whose rules are blocks, or resources of the older type, are left to Terraform's own plan.
    """
    bound = Bound(plan, live)
    groups = {one.get("id"): one.address for one in live.managed(*_GROUPS) if one.address in plan.by_address}
    sources, older = (
        [
            (one, bound.value(one.attribute("security_group_id")))
            for one in plan.managed(*types)
            if bound.whereabouts.has(one) is not Answer.NO
        ]
        for types in (_GROUP_RULES, (_OLD_RULE,))
    )
    known = {one.get("id") for one in live.managed(*_GROUP_RULES) if one.address in plan.by_address}
    for rule in rules:
        address = groups.get(rule.group)
        own = [one for one, group in sources if group == rule.group]
        if (
            address is None
            or rule.id in known
            or _is_left(plan.by_address[address], own, has_older=any(group == rule.group for _, group in older))
        ):
            continue
        type_ = _GROUP_RULES[rule.is_egress]
        open_ = any(not isinstance(group, str) for _, group in (*older, *sources))
        missing = any(bound.resource(one) is None for one in own if one.type == type_)
        certain = plan.is_whole and not open_ and not missing
        yield Stray(rule.arn, type_, f"its security group, {address}", certain=certain)


def _is_left(group: Resource, own: Collection[Resource], *, has_older: bool) -> bool:
    """Tell whether Terraform itself compares the rules of a group."""
    has_blocks = group.sets("ingress") or group.sets("egress")
    return has_older or (has_blocks and not own)
