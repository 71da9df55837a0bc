"""Rule `drift`: what AWS has is what the source, or its state, says; who else may change it is said by the source.

What it compares are the attributes that change what something does and that AWS gives back as they were set; a proven
finding names them. Alarms, log groups and backups have rules of their own. Source: Terraform AWS provider, the resource
of each type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from infraspec.checks.comparison import Bound, Difference, same
from infraspec.checks.drift_revision import compare_revisions
from infraspec.checks.existence import left_open
from infraspec.checks.live_identity import find_live, identity
from infraspec.checks.policy_form import policy_form
from infraspec.checks.whereabouts import counted, not_placed, where_to_ask
from infraspec.conventions.name_attributes import read_path
from infraspec.core.rules import DRIFT as RULE
from infraspec.ecs.declared_service import is_scaled
from infraspec.finding import Finding, Related, Verdict
from infraspec.iam.answer import Answer
from infraspec.resource_types import Drift, resource_type
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.schema import is_computed
from infraspec.unknown import Sensitive, Value, render

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
    bound = Bound(plan, live_plan)
    findings: list[Finding] = []
    unseen: list[Resource] = []
    for source in plan.managed():
        known = resource_type(source.type)
        if known.compared_by:
            continue
        if (known.drift is None and source.type != _TASK_DEFINITION) or bound.whereabouts.elsewhere(source):
            unseen.append(source)
        elif bound.whereabouts.has(source) is Answer.MAYBE:
            findings.append(not_placed(RULE.id, source, bound.whereabouts))
        elif known.drift is not None:
            findings += _of_source(source, known.drift, bound, running_tasks)
    return [*findings, *([_not_compared(bound, unseen)] if unseen else ())]


def _not_compared(bound: Bound, unseen: list[Resource]) -> Finding:
    """Say which resources nothing is said of: of a type that is not compared, or where nobody looked."""
    places = {one.address: bound.whereabouts.elsewhere(one) for one in unseen}
    return Finding(
        RULE.id,
        Verdict.PROVEN,
        bound.plan.origin,
        "resources that are not compared",
        expected="a comparison with AWS for each resource of the source",
        found=counted(Counter(f"{one.type} in {places[one.address]}".removesuffix(" in ") for one in unseen)),
        reason="drift says nothing of these resources",
        remedy=where_to_ask((one for one in unseen if resource_type(one.type).drift is not None), bound.whereabouts),
        advice=True,
    )


def _of_source(
    source: Resource, drift: Drift, bound: Bound, running: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    live = find_live(source, bound)
    if live is None:
        yield left_open(bound.plan, _absent(source, bound))
        return
    found = _compare(source, live, drift, bound)
    if source.type == "aws_ecs_service":
        yield compare_revisions(source, live, bound, running.get(source.address, ()))
    arn = str(live.get("arn") or live.get("id") or "")
    related = (Related("live", arn),) if arn else ()
    shown = found.wrong or found.doubtful
    if not shown:
        yield Finding(RULE.id, Verdict.PROVEN, source.address, "", source.location, reason=found.told, related=related)
        return
    yield Finding(
        RULE.id,
        Verdict.VIOLATED if found.wrong else Verdict.UNDETERMINED,
        source.address,
        "",
        source.location_of(shown[0].attribute),
        expected="\n".join(f"{one.attribute} {_shown(one.expected)}" for one in shown),
        found="\n".join(f"{one.attribute} {_shown(one.found)}" for one in shown),
        reason="somebody changed it, or the source was not applied"
        if found.wrong
        else "the source does not know it before apply, or AWS does not show it",
        remedy=_remedy(source, shown)
        if found.wrong
        else "name the state of the environment in the contract: state = …",
        related=related,
    )


def _compare(source: Resource, live: Resource, drift: Drift, bound: Bound) -> _Compared:
    found = _Compared([], [], [], [])
    for name in drift.compared:
        pair = None if _is_owned(name, source, bound) else _pair(name, source, live, drift)
        if pair is None:
            continue
        expected = bound.value(pair[0])
        answer = _same(name, expected, pair[1])
        if answer is Answer.YES:
            found.equal.append(name)
        elif {name.partition(".")[0], "all"} & set(source.ignore_changes):
            found.left.append(name)
        else:
            (found.wrong if answer is Answer.NO else found.doubtful).append(Difference(name, expected, pair[1], answer))
    return found


def _is_owned(name: str, source: Resource, bound: Bound) -> bool:
    """Tell whether an attribute is compared elsewhere, or is set by Application Auto Scaling."""
    return name == "task_definition" or (name == "desired_count" and is_scaled(source, bound.attributes))


def _pair(name: str, source: Resource, live: Resource, drift: Drift) -> tuple[Value, Value] | None:
    """Return what the source says of an attribute and what AWS does; None if one of the two says nothing."""
    if name in drift.repeated and not source.sets(name):
        return None
    configured, there = read_path(source.values, name), read_path(live.values, name)
    if configured is None and not (name == "state" and source.get("is_enabled") is not None):
        configured = drift.defaults.get(name)
    if name in drift.left_out:
        is_anyones = is_computed(source.type, name) is True or name in drift.inherited
        configured, there = (None if configured is None and is_anyones else configured or ""), there or ""
    if configured is None or there is None or isinstance(configured, Sensitive):
        return None
    if name == "target_key_id" and not isinstance(configured, str):
        return None  # without a state a key is known by this very alias
    return configured, there


def _same(name: str, expected: Value, found: Value) -> Answer:
    if name in _DOCUMENTS:
        return same(policy_form(expected), policy_form(found))
    if name == "inline_policy":
        return same(_inline_form(expected), _inline_form(found))
    if name == "ip_protocol" and isinstance(expected, str | int):
        return same(_PROTOCOLS.get(str(expected), expected), found)
    if isinstance(expected, str) and isinstance(found, str):
        if name == "engine_version":
            return Answer.YES if f"{found}.".startswith(f"{expected}.") else Answer.NO
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


def _same_key(expected: str, found: str) -> Answer:
    """Compare a key by its id, which the ARN ends with; an alias may be of any key."""
    if expected.rpartition("/")[2] == found.rpartition("/")[2]:
        return Answer.YES
    if "" in (expected, found):
        return Answer.YES if (expected or found).endswith(_DEFAULT_KEY) else Answer.NO
    return Answer.MAYBE if ("alias/" in expected) is not ("alias/" in found) else Answer.NO


def _absent(source: Resource, bound: Bound) -> Finding:
    shown = identity(source, bound)
    certain = shown is not None
    return Finding(
        RULE.id,
        Verdict.VIOLATED if certain else Verdict.UNDETERMINED,
        source.address,
        "",
        source.location,
        expected=f"{source.type} {' '.join(shown)}" if shown is not None else f"a {source.type} in AWS",
        found="AWS has none of this name" if certain else "none that is certainly it",
        reason="it was deleted, or never applied" if certain else "AWS names it in a way that the source does not know",
        remedy=f"terraform apply -target='{source.address}'"
        if certain
        else "name the state of the environment in the contract: state = …",
    )


def _remedy(source: Resource, wrong: list[Difference]) -> str:
    names = ", ".join(dict.fromkeys(one.attribute.partition(".")[0] for one in wrong))
    return (
        f"terraform apply -target='{source.address}'\nor, if AWS is right, bring {names} into the source\n"
        f"or, if it is somebody else's:\nlifecycle {{\n  ignore_changes = [{names}]\n}}"
    )


def _shown(value: Value) -> str:
    return "not set" if value is None or value == "" else render(value)
