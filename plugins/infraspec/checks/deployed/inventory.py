"""Rule `inventory`: what belongs to the environment in AWS is in its source.

What AWS or a deployment makes by itself is left out: tasks, revisions of task definitions, network interfaces,
automatic snapshots. Source: Service Authorization Reference, the resource types of each service.

An inline policy or an attachment that somebody gave a role by hand is in no plan of Terraform, and neither is the
policy of a secret or a rule of a security group. Source: Terraform AWS provider, aws_iam_role_policy_attachment,
aws_iam_policy_attachment, aws_iam_role_policies_exclusive, aws_iam_role_policy_attachments_exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from infraspec.checks.common.live_comparison import ResolvedSource, Whereabouts, same
from infraspec.contract.live import Inventory
from infraspec.contract.waivers import matches
from infraspec.core.arn import Arn
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth, all_of, any_of
from infraspec.core.unknown import Sensitive, Text, Unknown, Value
from infraspec.iam.policy.partial_arn import arn_fields
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["inventory"]

_MADE_BY_AWS = frozenset((
    "ec2:network-interface", "ecs:container-instance", "ecs:service-deployment", "ecs:service-revision", "ecs:task",
    "ecs:task-definition", "rds:auto-backup", "rds:cluster-snapshot", "rds:snapshot",
))  # fmt: skip


class Stray(Struct, frozen=True):
    """A resource that belongs to an environment by what `why` says, and is at no address of its source.

    It is not `certain` if the source may make it all the same: under an id that AWS assigned, or in a module that is
    not here. `import_id` is what Terraform imports it by, where that is not the end of its ARN. With `refused` it is
    no resource: those of its type could not be listed, and the text says what lets the runner list them.
    """

    arn: str
    type: str
    why: str
    certain: bool
    import_id: str = ""
    refused: str = ""


def check_inventory(plan: Plan, strays: Sequence[Stray], settings: Inventory, *, has_state: bool) -> list[Finding]:
    """Judge each resource that the source does not make; what it does make is one proven finding.

    With `has_state` the plan holds the ids that AWS assigned, so that what is not in it is certainly not managed.
    """
    owned = Owned(plan)
    unlisted = [one for one in strays if one.refused]
    seen = (one for one in strays if not one.refused)
    left = [one for one in seen if _kind(one.arn) not in _MADE_BY_AWS and not owned.has(one.arn)]
    allowed = [one for one in left if any(matches(pattern, one.arn) for pattern in settings.allow)]
    reason = f"{len(plan.managed())} resources of the source, {len(allowed)} more that the contract allows"
    return [
        RULE.about(plan.origin).proven(reason),
        *(_unmanaged(one, has_state=has_state) for one in left if one not in allowed),
        *(RULE.about(one.arn).say("not-listed", remedy=one.refused) for one in unlisted),
    ]


class Owned:
    """The ARNs and ids of a source, so far as they are known."""

    def __init__(self, plan: Plan) -> None:
        self._attributes = plan.derived(AwsAttributes)
        arns = [self._attributes.narrow(one.reference("arn")) for one in plan.managed()]
        self._arns = {arn for arn in arns if isinstance(arn, str)}
        self._ids: dict[str, list[Resource]] = {}
        for one in plan.managed():
            if isinstance(identifier := one.stated("id"), str):
                self._ids.setdefault(identifier, []).append(one)
        self._shapes = [shape for shape in arns if isinstance(shape, Text) and _is_telling(shape)]

    def has(self, arn: str) -> bool:
        """Tell whether an ARN is one of the source, or has the shape of one that is known but for what AWS appends.

        An id is that of what is in the account and region of the ARN: a name may be had in each.
        """
        ends = {arn, arn.removesuffix(":*"), arn.rpartition("/")[2], arn.rpartition(":")[2]}
        if ends & self._arns or any(same(shape, arn) is not Truth.NO for shape in self._shapes):
            return True
        there = Whereabouts(self._attributes, *_place(arn))
        return any(there.has(one) is not Truth.NO for end in ends for one in self._ids.get(end, ()))


def _is_telling(shape: Text) -> bool:
    """Tell whether a shape says where it is and has the name in it: that of a key, `key/${…}`, fits every key."""
    fields = arn_fields(shape)
    if not all(isinstance(fields.get(name), str) for name in ("region", "account")):
        return False
    text = "".join(part for part in shape.parts if isinstance(part, str))
    return any(re.split("[:/]", text.split(":", 5)[-1], maxsplit=1)[1:])


def _place(arn: str) -> tuple[str | None, str | None]:
    """Return the account and the region of an ARN, None where it has none."""
    if not Arn.is_arn(arn):
        return None, None
    parsed = Arn.parse(arn)
    return parsed.account or None, parsed.region or None


def _kind(arn: str) -> str:
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        return ""
    return f"{parsed.service}:{parsed.resource.replace(':', '/').partition('/')[0]}"


def _unmanaged(stray: Stray, *, has_state: bool) -> Finding:
    wording = "unmanaged" if stray.certain or has_state else "perhaps-managed"
    shown, type_ = f"{stray.type} " if stray.type else "", stray.type or "TYPE"
    name = stray.import_id or stray.arn.replace("/", ":").rpartition(":")[2]
    return RULE.about(stray.arn).say(wording, shown=shown, why=stray.why, type=type_, id=name)


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
_RECEIVERS = (
    ("aws_sns_topic_subscription", "topic_arn", "aws_sns_topic", "arn"),
    ("aws_cloudwatch_event_target", "rule", "aws_cloudwatch_event_rule", "name"),
)
"""Types that get what another one sends, the attribute that names that, and its type and attribute."""
_GROUPS = ("aws_security_group", "aws_default_security_group")
_GROUP_RULES = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
_OLD_RULE = "aws_security_group_rule"


def extra_grants(plan: Plan, live: Plan) -> Iterator[Stray]:
    """Yield the policies that roles of the source have in AWS, and that the source does not give them."""
    bound = ResolvedSource(plan, live)
    roles = {role.stated("name"): role for role in live.managed(_ROLE) if role.address in plan.by_address}
    given = list(_given(plan, bound))
    for one in live.managed(_ATTACHMENT, _INLINE):
        role, (attribute, separator) = one.stated("role"), _NAMES[one.type]
        if role not in roles or one.address in plan.by_address or isinstance(one.stated(attribute), Unknown):
            continue
        known = any_of(
            all_of(here, _may_be(to, role), _may_be(what, one.stated(attribute)))
            for type_, here, to, what in given
            if type_ == one.type
        )
        if known is not Truth.YES:
            name = f"{role}{separator}{one.stated(attribute)}"
            yield Stray(one.address, one.type, "its role", certain=known is Truth.NO and plan.is_whole, import_id=name)


def _given(plan: Plan, bound: ResolvedSource) -> Iterator[tuple[str, Truth, Value, Value]]:
    """Yield whether the source gives it here, to whom, and what; either of the last two may be a list."""
    for given, type_, role, attribute in _WAYS:
        for one in plan.managed(type_):
            if type_ != _ROLE or one.sets(attribute):
                here = bound.whereabouts.has(one)
                yield given, here, bound.value(one.attribute(role)), bound.value(one.attribute(attribute))


def _may_be(value: Value, found: Value) -> Truth:
    items = value if isinstance(value, list | tuple) else [value]
    return any_of(same(item, found) for item in items)


def extra_receivers(plan: Plan, live: Plan, allowed: Collection[str] = ()) -> Iterator[Stray]:
    """Yield who else gets the alerts of topics, and the events of rules, of the source; `allowed` are endpoints."""
    bound = ResolvedSource(plan, live)
    for type_, attribute, owner, key in _RECEIVERS:
        owners = {one.stated(key): one.address for one in live.managed(owner) if one.address in plan.by_address}
        here = [one for one in plan.managed(type_) if bound.whereabouts.has(one) is not Truth.NO]
        missing = [bound.value(one.attribute(attribute)) for one in here if bound.resource(one) is None]
        for one in live.managed(type_):
            own = one.stated(attribute)
            endpoint = one.stated("endpoint")
            shown = endpoint.reveal() if isinstance(endpoint, Sensitive) else endpoint
            if own not in owners or one.address in plan.by_address or shown in allowed:
                continue
            certain = plan.is_whole and all(same(of, own) is Truth.NO for of in missing)
            yield Stray(one.address, type_, f"what it is of, {owners[own]}", certain=certain)


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
    bound = ResolvedSource(plan, live)
    groups = {one.stated("id"): one.address for one in live.managed(*_GROUPS) if one.address in plan.by_address}
    sources, older = (
        [
            (one, bound.value(one.attribute("security_group_id")))
            for one in plan.managed(*types)
            if bound.whereabouts.has(one) is not Truth.NO
        ]
        for types in (_GROUP_RULES, (_OLD_RULE,))
    )
    known = {one.stated("id") for one in live.managed(*_GROUP_RULES) if one.address in plan.by_address}
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
