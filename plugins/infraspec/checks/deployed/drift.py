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

from msgspec import Struct, structs

from infraspec.checks.common.live_comparison import (
    Difference,
    ResolvedSource,
    counted,
    not_in_sandbox,
    not_placed,
    refusal_of,
    same,
    where_to_ask,
)
from infraspec.checks.common.nested_comparison import nested_differences
from infraspec.checks.common.unknown_remedies import how_to_know, left_open
from infraspec.contract.alarms import Bounds
from infraspec.contract.live import Rollout
from infraspec.contract.models import Contract
from infraspec.conventions.naming import read_name, read_path
from infraspec.core.finding import Finding, Related
from infraspec.core.json_text import decode_json
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, parts_of, render
from infraspec.ecs.fleet import is_scaled
from infraspec.ecs.start import Refusal
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.resource_types import DriftAttributes, NestedFields, resource_type
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
        yield from (_identifying(source, name) for name in known.identity)
        return
    path = known.name or _NAME_TAG
    name = None if path == _NAME_TAG else read_name(source.type, source.values, source.address, path)
    if name is not None:
        yield name


def _identifying(source: Resource, name: str) -> Value:
    """Return an attribute that names a resource; where AWS is asked without it, what stands for none."""
    listing = resource_type(source.type).listing
    if listing is None or source.stated(name) not in (None, source.reference(name)):
        return source.attribute(name)
    optional = listing.call is not None and f"{name}?" in listing.call.arguments.values()
    return "" if optional else listing.defaults.get(name, source.attribute(name))


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


def compare_revisions(
    source: Resource, live: Resource, bound: ResolvedSource, running: Collection[str], rollout: Rollout
) -> Finding:
    """Compare three: the revision of the source or its state, that of the service, and those of its tasks.

    Without a state the source knows a family and no revision: then the other two are compared, and that is said. What
    the revisions say is compared with the task definition of the source.
    """
    own, service = bound.attributes.narrow(source.stated("task_definition")), live.stated("task_definition")
    if not isinstance(own, str):
        own = _family_of(source.stated("task_definition"), bound) or own
    tasks = sorted({_revision(one) for one in running})
    pipeline = rollout.image == "pipeline" or bool({"task_definition", "all"} & set(source.ignore_changes))
    answer = _same_revision(_family(own) if pipeline else own, service)
    if answer is not Truth.NO and all(one == _revision(service) for one in tasks):
        told = _revision(service)
        if answer is Truth.MAYBE or pipeline or ":" not in str(own):
            told += ", the service and its tasks; " + (
                "the pipeline owns the revision" if pipeline else "only the state shows which one the source means"
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
"""Compared with the revisions that services and tasks run."""
_SERVICE, _CONTAINERS = "aws_ecs_service", "container_definitions"
_SHARED_NETWORK = frozenset({"bridge", "none"})
"""Network modes in which a port of the host is another one than that of the container."""
_DOCUMENTS = frozenset({"policy", "policy_document", "assume_role_policy", "event_pattern"})
_KEYS = frozenset({"kms_key_id", "kms_master_key_id", "target_key_id"})
_NOTHING: tuple[Value, ...] = (None, "", [], {})
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
    open: list[str]
    """What the source sets and nothing compares."""

    @property
    def told(self) -> str:
        """What a proven finding is about, and what it is not."""
        equal = f"as the source says: {', '.join(self.equal)}" if self.equal else "it exists; no argument is compared"
        left = f"; the pipeline's: {', '.join(self.left)}" if self.left else ""
        return equal + left + (f"; not compared: {', '.join(self.open)}" if self.open else "")


def check_drift(
    plan: Plan,
    live_plan: Plan,
    running_tasks: Mapping[str, Collection[str] | Refusal],
    contract: Contract | None = None,
) -> list[Finding]:
    """Judge each resource of a source, or of a state, that can be compared; what is not compared is one advice.

    `live_plan` has the live resources at the addresses of the source, `running_tasks` the task definitions of the tasks
    that run, by the address of their service, or why these may not be seen. `contract` says what others than Terraform
    decide of a rollout.
    """
    bound = ResolvedSource(plan, live_plan)
    run = _Running(bound, running_tasks, contract.rollout if contract else Rollout())
    findings: list[Finding] = []
    unseen: list[Resource] = []
    for source in plan.managed():
        known = resource_type(source.type)
        if known.compared_by:
            continue
        if known.drift is None or bound.whereabouts.elsewhere(source):
            unseen.append(source)
        elif bound.whereabouts.has(source) is Truth.MAYBE:
            findings.append(not_placed(RULE, source, bound.whereabouts))
        else:
            findings += _of_source(source, known.drift, run)
    return [*findings, *([_not_compared(bound, unseen)] if unseen else ())]


class _Running(Struct, frozen=True):
    """A source beside AWS, with the task definitions that tasks run, and what the contract leaves to others."""

    bound: ResolvedSource
    tasks: Mapping[str, Collection[str] | Refusal]
    rollout: Rollout

    def revisions(self, source: Resource) -> list[Resource]:
        """Return the revisions of a family that services and tasks run, or else the newest one; the first is told."""
        own = self.bound.resource(source)
        if own is None:
            return []
        used = {one.stated("task_definition") for one in self.bound.live.managed(_SERVICE)}
        used = used.union(*(one for one in self.tasks.values() if not isinstance(one, Refusal)))
        alike = [
            one for one in self.bound.live.managed(_TASK_DEFINITION) if one.stated("family") == own.stated("family")
        ]
        return [one for one in alike if one.stated("arn") in used] or [own]

    def is_left(self, source: Resource) -> bool:
        """Tell whether Terraform leaves the revisions of a task definition to others, and the contract says no more."""
        services = self.bound.plan.managed(_SERVICE)
        own = [one for one in services if self.definition(one) is source]
        ignored = [set(one.ignore_changes) & {"task_definition", "all"} for one in own]
        return any(ignored) or bool({_CONTAINERS, "all"} & set(source.ignore_changes))

    def definition(self, service: Resource) -> Resource | None:
        """Return the task definition of the source that a service of it names."""
        named = service.stated("task_definition")
        found = self.bound.plan.find(named) if isinstance(named, Unknown) else None
        return found[0] if found and found[0].type == _TASK_DEFINITION else None


def _not_compared(bound: ResolvedSource, unseen: list[Resource]) -> Finding:
    """Say which resources nothing is said of: of a type that is not compared, or where nobody looked."""
    places = {one.address: bound.whereabouts.elsewhere(one) for one in unseen}
    found = counted(Counter(f"{one.type} in {places[one.address]}".removesuffix(" in ") for one in unseen))
    remedy = where_to_ask((one for one in unseen if resource_type(one.type).drift is not None), bound.whereabouts)
    return RULE.about(bound.plan.origin, "resources that are not compared").say(
        "not-compared", found=found, remedy=remedy
    )


def _of_source(source: Resource, drift: DriftAttributes, run: _Running) -> Iterator[Finding]:
    bound = run.bound
    if why := bound.live.left_out(source):
        yield not_in_sandbox(RULE, source, why)
        return
    live = find_live(source, bound)
    if live is None:
        yield left_open(bound.plan, _absent(source, bound))
        return
    if source.type == _SERVICE:
        tasks = run.tasks.get(source.address, ())
        if isinstance(tasks, Refusal):
            yield RULE.about(source, "task definition").unseen(tasks.found, tasks.remedy)
        else:
            yield compare_revisions(source, live, bound, tasks, run.rollout)
    for one in run.revisions(source) if source.type == _TASK_DEFINITION else [live]:
        yield _judged(source, one, _compare(source, one, drift, run), run)


def _judged(source: Resource, live: Resource, compared: _Compared, run: _Running) -> Finding:
    ids = [one for one in (live.stated("arn"), live.stated("id")) if one and isinstance(one, str)]
    related, shown = [Related("live", one) for one in ids[:1]], compared.wrong or compared.doubtful
    subject = "" if live.address in run.bound.plan.by_address else f"as {_revision(live.stated('arn'))}"
    if not shown:
        return RULE.about(source, subject, related=related).proven(compared.told)
    told = RULE.about(source, subject, source.location_of(shown[0].attribute), related)
    if not compared.wrong and (hidden := refusal_of(shown)):
        return told.unseen(hidden.address, how_to_know(hidden))
    expected = "\n".join(f"{one.attribute} {_shown(one.expected)}" for one in shown)
    found = "\n".join(f"{one.attribute} {_shown(one.shown)}" for one in shown)
    names = ", ".join(dict.fromkeys(one.attribute.partition(".")[0] for one in shown))
    wording = _wording(source, compared, run)
    return told.say(wording, expected=expected, found=found, names=names)


def _wording(source: Resource, compared: _Compared, run: _Running) -> str:
    """Name what is said of what differs; where nobody says what a pipeline may change of a revision, that is open."""
    if not compared.wrong:
        return "not-known"
    if source.type != _TASK_DEFINITION:
        return "changed"
    return "others-revision" if run.rollout.image == "source" and run.is_left(source) else "changed-revision"


def _compare(source: Resource, live: Resource, drift: DriftAttributes, run: _Running) -> _Compared:
    found, compared = _Compared([], [], [], [], []), {"task_definition"}
    for name in drift.compared:
        if name == "task_definition":  # the revision is compared elsewhere
            continue
        differences = _differences(name, source, live, drift, run)
        if differences is None:
            continue
        compared.add(name)
        is_left = {name.partition(".")[0], "all"} & set(source.ignore_changes) and source.type != _TASK_DEFINITION
        for one in differences:
            if is_left or (run.rollout.image == "pipeline" and is_other_tag(one)):
                found.left.append(one.attribute)
            else:
                (found.wrong if one.answer is Truth.NO else found.doubtful).append(one)
        if not differences:
            found.equal.append(name)
    found.open.extend(_open(source, compared, run.bound.plan))
    return found


def _open(source: Resource, compared: Collection[str], plan: Plan) -> Iterator[str]:
    """Yield the arguments of a source that were not compared; its name has found it, and tags have a rule."""
    known = resource_type(source.type)
    said = {known.name, *known.identity, *compared, "tags", "region", "timeouts"}
    for name, value in source.values.items():
        if name not in said and value not in _NOTHING and plan.configures(source, name):
            yield name


def _differences(
    name: str, source: Resource, live: Resource, drift: DriftAttributes, run: _Running
) -> list[Difference] | None:
    """Return how an attribute differs; None if there is nothing to compare."""
    fields = drift.nested.get(name)
    if fields is not None:
        return _nested(name, fields, source, live, drift, run.bound)
    if name == "desired_count" and is_scaled(source, run.bound.attributes):  # Application Auto Scaling sets it
        return None
    pair = _pair(name, source, live, drift)
    if pair is None:
        return None
    if name == "desired_count" and run.rollout.tasks is not None:
        return _out_of(run.rollout.tasks, name, pair[1])
    expected = run.bound.value(pair[0])
    answer = _same(name, expected, pair[1])
    return [] if answer is Truth.YES else [Difference(name, expected, pair[1], answer)]


def _nested(  # noqa: PLR0917 - two resources, and what is known of their type
    name: str,
    fields: NestedFields,
    source: Resource,
    live: Resource,
    drift: DriftAttributes,
    bound: ResolvedSource,
) -> list[Difference] | None:
    configured, there = source.stated(name), live.stated(name)
    is_open = name not in drift.defaults and _is_anyones(name, source, drift)
    if (not configured and is_open) or (name == _CONTAINERS and there is None):
        return None
    if name == _CONTAINERS:
        definition = TaskDefinition.from_resource(source)
        configured = definition.unknown_containers or [one.definition or Unknown(name) for one in definition.containers]
        if live.stated("network_mode") in _SHARED_NETWORK:
            fields = structs.replace(fields, repeats={})
    found = nested_differences(name, bound.value(configured), there, fields)
    return [one for one in found if not _is_other_revision(one)]


def _is_anyones(name: str, source: Resource, drift: DriftAttributes) -> bool:
    """Tell whether AWS may set what the source does not set."""
    instead = drift.inherited.get(name)
    is_inherited = instead is not None and not any(isinstance(source.values.get(one), str) for one in instead)
    return is_inherited or is_computed(source.type, name) is True


def _is_other_revision(difference: Difference) -> bool:
    """Tell whether a schedule or target starts another revision of its family: a state alone knows which is meant."""
    values = (difference.expected, difference.found)
    is_revision = difference.attribute.endswith(".task_definition_arn") and all(isinstance(one, str) for one in values)
    return is_revision and len({_family(_revision(one)) for one in values}) == 1


def _out_of(bounds: Bounds, name: str, count: Value) -> list[Difference]:
    """Return that a number is not one that the contract allows."""
    low, high = bounds.min or 0, bounds.max
    if not isinstance(count, int) or (count >= low and (high is None or count <= high)):
        return []
    most = "" if high is None else f" and at most {high:g}"
    return [Difference(name, f"at least {low:g}{most}, as [rollout] of the contract says", count, Truth.NO)]


def is_other_tag(difference: Difference) -> bool:
    """Tell whether the image of a container is another one of the same repository."""
    parts = difference.attribute.split(".")
    if parts[0] != _CONTAINERS or parts[2:] != ["image"] or not isinstance(difference.found, str):
        return False
    expected = difference.expected if isinstance(difference.expected, str | Text) else ""
    first = next(iter(parts_of(expected)), "")
    return isinstance(first, str) and bool(first) and repository_of(first) == repository_of(difference.found)


def repository_of(image: str) -> str:
    """Return an image without its tag and digest. Source: Amazon ECS API Reference, ContainerDefinition, `image`."""
    host, slash, name = image.partition("@")[0].rpartition("/")
    return f"{host}{slash}{name.partition(':')[0]}"


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
        is_left = configured is None and _is_anyones(name, source, drift)
        configured, there = (None if is_left else configured or ""), there or ""
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
    if name == "principal":
        return same(_account(expected), _account(found))
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
