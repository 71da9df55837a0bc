"""Rule `drift`: what AWS has is what the source, or its state, says; who else may change it is said by the source.

What it compares are the attributes that change what something does and that AWS gives back as they were set; a proven
finding names them. Alarms, log groups and backups have rules of their own. Source: Terraform AWS provider, the resource
of each type.

Source: IAM User Guide, "IAM JSON policy elements reference": a single value may be written without its list, and an
account as its id or as the ARN of its root.

Source: Amazon ECS API Reference, DescribeServices and DescribeTasks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from infraspec.checks.common.live_comparison import Difference, ResolvedSource, counted, not_placed, same, where_to_ask
from infraspec.checks.common.unknown_remedies import left_open
from infraspec.conventions.naming import read_name, read_path
from infraspec.core.finding import Finding, Related
from infraspec.core.json_text import decode_json
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, render
from infraspec.ecs.fleet import is_scaled
from infraspec.resource_types import DriftAttributes, resource_type
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.schema import is_computed

RULE = RULES["drift"]

_FIREWALL_RULES = frozenset({"aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"})

_NAME_TAG = "tags.Name"


def find_live(source: Resource, bound: ResolvedSource) -> Resource | None:
    """Return the live resource of one of the source, or of another that is the same in AWS; None if there is none."""
    live = bound.resource(source)
    own = identity(source, bound) if live is None else None
    if own is None:
        return live
    same = (one for one in bound.plan.managed(source.type) if identity(one, bound) == own)
    return next((found for one in same if (found := bound.resource(one)) is not None), None)


def identity(source: Resource, bound: ResolvedSource) -> tuple[str, ...] | None:
    """Return what names a resource in AWS; None if that is not wholly known, or is a tag, which anything may have.

    A rule of a security group is named by what it says: AWS has no two of one group that say the same.
    """
    values = [bound.value(value) for value in _named_by(source)]
    if not values or not all(isinstance(value, str | int) for value in values):
        return None
    return tuple(str(value) for value in values if value != "")


def _named_by(source: Resource) -> Iterator[Value]:
    known = resource_type(source.type)
    if source.type in _FIREWALL_RULES and known.drift is not None:
        yield source.attribute("security_group_id")
        yield from (source.stated(name, "") for name in known.drift.compared)
        return
    if known.identity:
        yield from (source.attribute(name) for name in known.identity)
        return
    path = known.name or _NAME_TAG
    name = None if path == _NAME_TAG else read_name(source.type, source.values, source.address, path)
    if name is not None:
        yield name


_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_ACCOUNT = re.compile(r"\d{12}")


def policy_form(document: Value) -> Value:
    """Return a policy document as a tree in its one form; what is no document as it is."""
    if not isinstance(document, str | Text | JsonText) or document == "":
        return document
    try:
        tree = decode_json(document)
    except ValueError:
        return document
    if not isinstance(tree, Mapping) or "Statement" not in tree:
        return tree
    statements = tree["Statement"] if isinstance(tree["Statement"], list) else [tree["Statement"]]
    return {"Version": tree.get("Version", "2008-10-17"), "Statement": [_statement(one) for one in statements]}


def _statement(statement: Value) -> Value:
    if not isinstance(statement, Mapping):
        return statement
    form: dict[str, Value] = {
        name: _list(value) if name in _LISTS else value for name, value in statement.items() if name != "Sid"
    }
    for name in ("Principal", "NotPrincipal"):
        if name in form:
            form[name] = _principal(form[name])
    if "Condition" in form:
        form["Condition"] = _condition(form["Condition"])
    return form


def _condition(condition: Value) -> Value:
    if not isinstance(condition, Mapping):
        return condition
    return {
        operator: {key: _list(value) for key, value in block.items()} if isinstance(block, Mapping) else block
        for operator, block in condition.items()
    }


def _principal(principal: Value) -> Value:
    if principal == "*":
        return {"AWS": ["*"]}
    if not isinstance(principal, Mapping):
        return principal
    return {kind: [_account(one) for one in _list(names)] for kind, names in principal.items()}


def _account(name: Value) -> Value:
    return f"arn:aws:iam::{name}:root" if isinstance(name, str) and _ACCOUNT.fullmatch(name) else name


def _list(value: Value) -> list[Value]:
    items = list(value) if isinstance(value, list | tuple) else [value]
    return [str(item).lower() if isinstance(item, bool) else item for item in items]


def compare_revisions(source: Resource, live: Resource, bound: ResolvedSource, running: Collection[str]) -> Finding:
    """Compare three: the revision of the source or its state, that of the service, and those of its tasks.

    Without a state the source knows a family and no revision: then the other two are compared, and that is said.
    """
    own, service = bound.attributes.narrow(source.stated("task_definition")), live.stated("task_definition")
    if not isinstance(own, str):
        own = _family_of(source.stated("task_definition"), bound) or own
    tasks = sorted({_revision(one) for one in running})
    pipeline = bool({"task_definition", "all"} & set(source.ignore_changes))
    answer = _same_revision(_family(own) if pipeline else own, service)
    if answer is not Truth.NO and all(one == _revision(service) for one in tasks):
        told = _revision(service)
        if answer is Truth.MAYBE or pipeline or ":" not in str(own):
            told += ", the service and its tasks; " + (
                "the pipeline owns the revision" if pipeline else "which one the source means only its state tells"
            )
        return RULE.about(source, "task definition").proven(told)
    subject = RULE.about(source, "task definition", source.location_of("task_definition"))
    wording = "other-revision" if answer is Truth.NO else "other-tasks"
    return subject.say(wording, own=_revision(own), service=_revision(service), tasks=", ".join(tasks) or "none")


def _family_of(value: Value, bound: ResolvedSource) -> str | None:
    """Return the family of the task definition that a reference is to."""
    found = bound.plan.find(value) if isinstance(value, Unknown) else None
    name = bound.value(found[0].stated("family")) if found else None
    return name if isinstance(name, str) else None


def _same_revision(own: Value, service: Value) -> Truth:
    """Compare an ARN, `family:revision` or `family` with the ARN of a service."""
    if not isinstance(own, str) or not isinstance(service, str):
        return Truth.MAYBE
    name = service.rpartition("/")[2]
    return Truth.YES if own in {service, name, name.rpartition(":")[0]} else Truth.NO


def _family(value: Value) -> Value:
    """Return the family of an ARN or of `family:revision`."""
    name = value.rpartition("/")[2] if isinstance(value, str) else ""
    return name.partition(":")[0] or value


def _revision(value: Value) -> str:
    return value.rpartition("/")[2] if isinstance(value, str) else render(value)


_TASK_DEFINITION = "aws_ecs_task_definition"
"""Compared with what services and tasks run."""
_DOCUMENTS = frozenset({"policy", "assume_role_policy", "event_pattern"})
_KEYS = frozenset({"kms_key_id", "kms_master_key_id", "target_key_id"})
_DEFAULT_KEY = "alias/aws/secretsmanager"
"""The key of a secret that names none; AWS leaves it out of its answer."""
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
"""Names of protocols, which AWS answers with, by number. Source: Amazon EC2 API Reference, SecurityGroupRule."""


class _Compared(Struct, frozen=True):
    wrong: list[Difference]
    doubtful: list[Difference]
    equal: list[str]
    left: list[str]
    """What differs and is somebody else's."""

    @property
    def told(self) -> str:
        """What a proven finding is about, and what it is not."""
        equal = f"as the source says: {', '.join(self.equal)}" if self.equal else "it exists; no argument is compared"
        return f"{equal}; the pipeline's: {', '.join(self.left)}" if self.left else equal


def check_drift(plan: Plan, live_plan: Plan, running_tasks: Mapping[str, Collection[str]]) -> list[Finding]:
    """Judge each resource of a source, or of a state, that can be compared; what is not compared is one advice.

    `live_plan` has the live resources at the addresses of the source, `running_tasks` the task definitions of the tasks
    that run, by the address of their service.
    """
    bound = ResolvedSource(plan, live_plan)
    findings: list[Finding] = []
    unseen: list[Resource] = []
    for source in plan.managed():
        known = resource_type(source.type)
        if known.compared_by:
            continue
        if (known.drift is None and source.type != _TASK_DEFINITION) or bound.whereabouts.elsewhere(source):
            unseen.append(source)
        elif bound.whereabouts.has(source) is Truth.MAYBE:
            findings.append(not_placed(RULE, source, bound.whereabouts))
        elif known.drift is not None:
            findings += _of_source(source, known.drift, bound, running_tasks)
    return [*findings, *([_not_compared(bound, unseen)] if unseen else ())]


def _not_compared(bound: ResolvedSource, unseen: list[Resource]) -> Finding:
    """Say which resources nothing is said of: of a type that is not compared, or where nobody looked."""
    places = {one.address: bound.whereabouts.elsewhere(one) for one in unseen}
    found = counted(Counter(f"{one.type} in {places[one.address]}".removesuffix(" in ") for one in unseen))
    remedy = where_to_ask((one for one in unseen if resource_type(one.type).drift is not None), bound.whereabouts)
    return RULE.about(bound.plan.origin, "resources that are not compared").say(
        "not-compared", found=found, remedy=remedy
    )


def _of_source(
    source: Resource, drift: DriftAttributes, bound: ResolvedSource, running: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    live = find_live(source, bound)
    if live is None:
        yield left_open(bound.plan, _absent(source, bound))
        return
    compared = _compare(source, live, drift, bound)
    if source.type == "aws_ecs_service":
        yield compare_revisions(source, live, bound, running.get(source.address, ()))
    ids = [one for one in (live.stated("arn"), live.stated("id")) if one and isinstance(one, str)]
    related, shown = [Related("live", one) for one in ids[:1]], compared.wrong or compared.doubtful
    if not shown:
        yield RULE.about(source, related=related).proven(compared.told)
        return
    subject = RULE.about(source, location=source.location_of(shown[0].attribute), related=related)
    expected = "\n".join(f"{one.attribute} {_shown(one.expected)}" for one in shown)
    found = "\n".join(f"{one.attribute} {_shown(one.found)}" for one in shown)
    names = ", ".join(dict.fromkeys(one.attribute.partition(".")[0] for one in shown))
    yield subject.say("changed" if compared.wrong else "not-known", expected=expected, found=found, names=names)


def _compare(source: Resource, live: Resource, drift: DriftAttributes, bound: ResolvedSource) -> _Compared:
    found = _Compared([], [], [], [])
    for name in drift.compared:
        # The revision is compared elsewhere, and Application Auto Scaling sets the count.
        owned = name == "task_definition" or (name == "desired_count" and is_scaled(source, bound.attributes))
        pair = None if owned else _pair(name, source, live, drift)
        if pair is None:
            continue
        expected = bound.value(pair[0])
        answer = _same(name, expected, pair[1])
        if answer is Truth.YES:
            found.equal.append(name)
        elif {name.partition(".")[0], "all"} & set(source.ignore_changes):
            found.left.append(name)
        else:
            (found.wrong if answer is Truth.NO else found.doubtful).append(Difference(name, expected, pair[1], answer))
    return found


_STATES = {"true": "ENABLED", "false": "DISABLED"}
"""What an event rule's `is_enabled` is as its `state`. Source: AWS provider, "Resource: aws_cloudwatch_event_rule"."""


def _pair(name: str, source: Resource, live: Resource, drift: DriftAttributes) -> tuple[Value, Value] | None:
    """Return what the source says of an attribute and what AWS does; None if one of the two says nothing."""
    if name in drift.repeated and not source.sets(name):
        return None
    configured, there = read_path(source.values, name), read_path(live.values, name)
    if configured is None:
        enabled = source.stated("is_enabled") if name == "state" else None
        configured = drift.defaults.get(name) if enabled is None else _STATES.get(str(enabled).lower(), enabled)
    if name in drift.left_out:
        is_anyones = is_computed(source.type, name) is True or name in drift.inherited
        configured, there = (None if configured is None and is_anyones else configured or ""), there or ""
    if configured is None or there is None or isinstance(configured, Sensitive):
        return None
    if name == "target_key_id" and not isinstance(configured, str):
        return None  # without a state a key is known by this very alias
    return configured, there


def _same(name: str, expected: Value, found: Value) -> Truth:
    if name in _DOCUMENTS:
        return same(policy_form(expected), policy_form(found))
    if name == "inline_policy":
        return same(_inline_form(expected), _inline_form(found))
    if name == "ip_protocol" and isinstance(expected, str | int):
        return same(_PROTOCOLS.get(str(expected), expected), found)
    if isinstance(expected, str) and isinstance(found, str):
        if name == "engine_version":
            return Truth.YES if f"{found}.".startswith(f"{expected}.") else Truth.NO
        if name in _KEYS:
            return _same_key(expected, found)
        if name == "referenced_security_group_id":
            return same(expected.rpartition("/")[2], found)
    return same(expected, found)


def _inline_form(blocks: Value) -> Value:
    if not isinstance(blocks, list | tuple):
        return blocks
    return [
        {"name": one.get("name"), "policy": policy_form(one.get("policy"))} if isinstance(one, Mapping) else one
        for one in blocks
    ]


def _same_key(expected: str, found: str) -> Truth:
    """Compare a key by its id, which the ARN ends with; an alias may be of any key."""
    if expected.rpartition("/")[2] == found.rpartition("/")[2]:
        return Truth.YES
    if "" in (expected, found):
        return Truth.YES if (expected or found).endswith(_DEFAULT_KEY) else Truth.NO
    return Truth.MAYBE if ("alias/" in expected) is not ("alias/" in found) else Truth.NO


def _absent(source: Resource, bound: ResolvedSource) -> Finding:
    named = identity(source, bound)
    if named is None:
        return RULE.about(source).say("unnamed", type=source.type)
    return RULE.about(source).say("absent", type=source.type, named=" ".join(named))


def _shown(value: Value) -> str:
    return "not set" if value is None or value == "" else render(value)
