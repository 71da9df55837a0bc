"""Rule `reachability`: every task on Fargate reaches what it needs in order to start, and requests reach the tasks.

Followed are, for each subnet of a service, scheduled task or rule: its route table, internet and NAT gateways, the
endpoints of services with private DNS, security groups and network ACLs; then the way from the load balancer to the
port of the container, and from the container to the databases that its environment names. Where traffic is handed to
a firewall, transit gateway or peering the model ends, and so does what is known.

Sources: Amazon ECS Developer Guide, "Amazon ECS task networking options for Fargate", "Resolve
ResourceInitializationError errors in Amazon ECS tasks" and "Use an Application Load Balancer for Amazon ECS"; Elastic
Load Balancing, "Target groups for your Application Load Balancers", "Listener rules for your Application Load Balancer"
and "Security groups for your Application Load Balancer"; and those of the module vpc.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.access.secret_access import placed
from infraspec.checks.common.policy_owners import listed
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent, unless_unlisted
from infraspec.checks.common.vpc import INTERNET, UNLISTED, Hop, NetworkPath, Peer, PlanNetwork, network
from infraspec.checks.network.destinations import HTTPS, Destination, Listener, destinations, listeners
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, render
from infraspec.ecs.service_access import PlanServices, block
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["reachability"]

_FARGATE = ("FARGATE", "FARGATE_SPOT")
_BALANCERS = ("aws_lb", "aws_alb")
_TARGET_GROUPS = ("aws_lb_target_group", "aws_alb_target_group")
_LISTENERS = ("aws_lb_listener", "aws_alb_listener")
_LISTENER_RULES = ("aws_lb_listener_rule", "aws_alb_listener_rule")
_ANY = {"path_pattern": frozenset({"*", "/*"}), "host_header": frozenset({"*"})}
"""The values of conditions of listener rules that fit every request."""
_UNSEEN = ("what an operating system, a proxy or a DNS server decides",)
_COMPLETE = (
    "bring the subnets into the plan, or judge a plan file or state of the root module that makes them; where the "
    "model ends, ask VPC Reachability Analyzer"
)


@of_what_may_be_absent
def check_reachability(
    plan: Plan, task_definitions: Iterable[TaskDefinition], contract: Contract, environment: str
) -> list[Finding]:
    """Judge the ways of each service, scheduled task and rule that names subnets: one finding for each end."""
    plan = placed(plan, contract, environment)
    whole = plan.with_network()
    if isinstance(whole, Unknown):
        return _unseen(plan.managed("aws_ecs_service"), whole)
    check = _Check(whole.derived(network), [*task_definitions])
    findings = [finding for runner in check.runners() for finding in check.findings(runner)]
    if whole is not plan:
        findings = [_of_account(finding) for finding in findings]
    return [unless_unlisted(plan, _left_open(plan, finding), *UNLISTED) for finding in findings]


def _unseen(services: Sequence[Resource], network: Unknown) -> list[Finding]:
    """Return one finding for all services: that the network around them may not be looked at."""
    found = [RULE.about(one, "network").unseen(network.address, how_to_know(network)) for one in services]
    also = tuple((one.address, one.subject) for one in found[1:])
    return [replace(one, also=also) for one in found[:1]]


def _of_account(finding: Finding) -> Finding:
    """Return a finding whose fix begins with what brings the account back to its source."""
    if finding.verdict is not Verdict.VIOLATED:
        return finding
    return replace(finding, remedy=f"terraform apply, if the source has it; otherwise\n{finding.remedy}")


def _left_open(plan: Plan, finding: Finding) -> Finding:
    """Return a finding, an undetermined one if it is VIOLATED and an absent module may have what is missing."""
    absent = plan.unevaluated
    if finding.verdict is not Verdict.VIOLATED or not absent:
        return finding
    reason = f"{finding.reason}\nand a module that is not downloaded may have it: {absent[0]}"
    return replace(finding, verdict=Verdict.UNDETERMINED, reason=reason, remedy="run `infraspec get`", changes=())


class TaskPlacement(Struct, frozen=True):
    """What runs tasks in subnets, with its network configuration; `definition` is None if it is not known."""

    resource: Resource
    definition: TaskDefinition | None
    subnets: tuple[Value, ...]
    groups: tuple[Value, ...]
    has_address: Value
    on_fargate: Truth
    location: Location | None


class _Check:
    def __init__(self, network: PlanNetwork, definitions: Sequence[TaskDefinition]) -> None:
        self.network, self.plan = network, network.plan
        self.services = PlanServices(network.attributes, lambda _service: True)
        self.definitions = {each.resource.address: each for each in definitions if each.resource is not None}

    def runners(self) -> Iterator[TaskPlacement]:
        """Yield what runs tasks with a network configuration."""
        for service in self.plan.managed("aws_ecs_service"):
            place = service.location_of("network_configuration")
            yield from self._runner(service, service.values, service.attribute("task_definition"), place)
        for target in self.plan.managed("aws_cloudwatch_event_target"):
            ecs = block(target.values, "ecs_target")
            yield from self._runner(target, ecs, ecs.get("task_definition_arn"), target.location_of("ecs_target"))
        for schedule in self.plan.managed("aws_scheduler_schedule"):
            ecs = block(block(schedule.values, "target"), "ecs_parameters")
            yield from self._runner(schedule, ecs, ecs.get("task_definition_arn"), schedule.location_of("target"))

    def _runner(
        self, resource: Resource, tree: Mapping[str, Value], named: Value, place: Location | None
    ) -> Iterator[TaskPlacement]:
        configuration = block(tree, "network_configuration")
        if not configuration:
            return
        found = self.services.task_definition(named) if named is not None else None
        definition = self.definitions.get(found.address) if found is not None else None
        subnets, groups = listed(configuration.get("subnets")), listed(configuration.get("security_groups"))
        fargate = _on_fargate(tree, definition)
        yield TaskPlacement(
            resource, definition, tuple(subnets), tuple(groups), configuration.get("assign_public_ip"), fargate, place
        )

    def findings(self, runner: TaskPlacement) -> Iterator[Finding]:
        """Yield the findings about a runner."""
        known = {subnet: self.network.find(subnet, "aws_subnet") for subnet in runner.subnets}
        is_here = any(known.values())
        if is_here and runner.definition is not None and runner.on_fargate is not Truth.NO:
            ends = destinations(runner.definition, self.network.attributes)
            yield from self._grouped(runner, [(end, self._to(runner, known, end)) for end in ends])
        yield from (each for each in self._of_groups(runner) if is_here or each.verdict is not Verdict.UNDETERMINED)

    def _of_groups(self, runner: TaskPlacement) -> Iterator[Finding]:
        """Yield the findings that security groups decide, wherever the subnets are."""
        for container in runner.definition.containers if runner.definition is not None else ():
            for listener in listeners(container, self.plan):
                yield self._to_listener(runner, container.name, listener)
        for target in listed(runner.resource.stated("load_balancer")):
            if isinstance(target, Mapping) and target.get("target_group_arn"):
                yield self._from_balancer(runner, target)

    # To services of AWS and registries

    def _to(
        self, runner: TaskPlacement, subnets: Mapping[Value, Resource | None], end: Destination
    ) -> list[NetworkPath]:
        paths = [self._way(runner, value, subnet, end) for value, subnet in subnets.items()]
        unsure = end.doubt is not None or runner.on_fargate is Truth.MAYBE
        return [_doubted(path, end.doubt) if unsure and path.answer is Truth.NO else path for path in paths]

    def _way(self, runner: TaskPlacement, value: Value, subnet: Resource | None, end: Destination) -> NetworkPath:
        if subnet is None:
            return NetworkPath((Hop(Truth.MAYBE, render(value), f"the subnet {render(value)} is not in this plan"),))
        offered = [*self.network.endpoints(subnet, end.service, end.region)] if end.service else []
        sure = [self._through(runner, subnet, one) for leads, one in offered if leads is Truth.YES]
        if sure:
            return sure[0]
        egress = self.network.groups_pass(runner.groups, "egress", HTTPS, INTERNET, subnet.attribute("vpc_id"))
        hops = self.network.routed(subnet, has_address=runner.has_address)
        direct = NetworkPath((*hops, egress, *self.network.acls(subnet, INTERNET, HTTPS)))
        perhaps = [self._through(runner, subnet, one) for _, one in offered]
        if not perhaps or (direct.answer is Truth.YES and all(one.answer is Truth.YES for one in perhaps)):
            return direct
        names = ", ".join(one.address for _, one in offered)
        reason = f"whether requests go through {names} is unknown"
        return NetworkPath((Hop(Truth.MAYBE, subnet.address, reason),))

    def _through(self, runner: TaskPlacement, subnet: Resource, endpoint: Resource) -> NetworkPath:
        start = Hop(Truth.YES, f"{subnet.address} -> {endpoint.address}")
        vpc, within = subnet.attribute("vpc_id"), self.network
        if endpoint.stated("vpc_endpoint_type") in (None, "Gateway"):
            peer = Peer("the prefix list of S3", INTERNET.networks, lists=(endpoint.attribute("prefix_list_id"),))
            egress = within.groups_pass(runner.groups, "egress", HTTPS, peer, vpc)
            return NetworkPath((start, egress, *within.acls(subnet, INTERNET, HTTPS)))
        places, groups = listed(endpoint.stated("subnet_ids")), listed(endpoint.stated("security_group_ids"))
        for other in self.plan.managed("aws_vpc_endpoint_security_group_association"):
            if within.refers(other.attribute("vpc_endpoint_id"), endpoint):
                groups.append(other.attribute("security_group_id"))
        for other in self.plan.managed("aws_vpc_endpoint_subnet_association"):
            if within.refers(other.attribute("vpc_endpoint_id"), endpoint):
                places.append(other.attribute("subnet_id"))
        peer = Peer(endpoint.address, within.addresses(places) or (None,), tuple(groups), in_default=not groups)
        hops = [start, within.groups_pass(runner.groups, "egress", HTTPS, peer, vpc)]
        hops.append(within.groups_pass(groups, "ingress", HTTPS, self._task(runner, subnet), vpc))
        refused = within.name_resolution(endpoint)
        apart = not any(within.refers(place, subnet) for place in places)
        return NetworkPath(
            (*hops, *([refused] if refused else []), *(within.acls(subnet, peer, HTTPS) if apart else ()))
        )

    def _place(self, runner: TaskPlacement) -> tuple[list[Resource], Value]:
        """Return the subnets that are known, and their VPC."""
        found = (self.network.find(value, "aws_subnet") for value in runner.subnets)
        subnets = [one for one in found if one is not None]
        return subnets, subnets[0].attribute("vpc_id") if subnets else None

    def _task(self, runner: TaskPlacement, *subnets: Resource) -> Peer:
        blocks = tuple(self.network.network(subnet.attribute("cidr_block")) for subnet in subnets) or (None,)
        return Peer("the tasks", blocks, runner.groups, in_default=not runner.groups)

    def _grouped(
        self, runner: TaskPlacement, ends: Sequence[tuple[Destination, list[NetworkPath]]]
    ) -> Iterator[Finding]:
        """Yield a finding for each end that can be reached, and one for all that the same hop stops."""
        stopped: dict[tuple[Truth, str], list[tuple[Destination, Hop, list[NetworkPath]]]] = {}
        for end, paths in ends:
            worst = min(paths, key=lambda path: path.answer)
            if worst.answer is Truth.YES:
                shown = "\n".join(dict.fromkeys(map(str, paths)))
                proven = self._subject(runner, (end,)).proven(shown)
                yield replace(proven, rests_on=tuple(dict.fromkeys(map(str, paths))), unseen=_UNSEEN)
                continue
            stopped.setdefault((worst.answer, worst.worst.reason), []).append((end, worst.worst, paths))
        for (answer, _), found in stopped.items():
            yield self._stopped(runner, answer, found)

    def _subject(self, runner: TaskPlacement, ends: Sequence[Destination]) -> Subject:
        return RULE.about(runner.resource, f"to {', '.join(end.name for end in ends)}", runner.location)

    def _stopped(
        self, runner: TaskPlacement, answer: Truth, found: Sequence[tuple[Destination, Hop, list[NetworkPath]]]
    ) -> Finding:
        ends, hop = [end for end, _, _ in found], found[0][1]
        path = min(found[0][2], key=lambda path: path.answer)
        services = [end.service for end in ends if end.service]
        needs = list(dict.fromkeys(need for end in ends for need in end.needs))
        others = f", or interface endpoints with private DNS for {', '.join(services)}" if services else ""
        remedy = hop.remedy or (how_to_know(hop.unknown) if hop.unknown is not None else _COMPLETE)
        is_routed = answer is Truth.NO and "route" in hop.remedy and len(services) == len(ends)
        return self._subject(runner, ends).say(
            "no-way" if answer is Truth.NO else "open",
            what=", ".join(end.name for end in ends),
            subnets=", ".join(dict.fromkeys(hop.shown.split(" -> ")[0] for hop in [path.hops[0]])),
            way=str(path),
            reason=hop.reason,
            remedy=remedy + (others if is_routed else ""),
            consequence=f"tasks of {runner.resource.address} do not start: {'; '.join(needs[:3])}",
        )

    # To databases and caches

    def _to_listener(self, runner: TaskPlacement, container: str, listener: Listener) -> Finding:
        resource, within = listener.resource, self.network
        found, vpc = self._place(runner)
        groups = listed(listener.groups)
        peer = Peer(resource.address, self._blocks(resource, vpc), tuple(groups))
        egress = within.groups_pass(runner.groups, "egress", listener.port, peer, vpc)
        if groups:
            ingress = within.groups_pass(groups, "ingress", listener.port, self._task(runner, *found), vpc)
        else:
            ingress = Hop(Truth.MAYBE, resource.address, f"{resource.address} has the default security group of a VPC")
        path = NetworkPath((egress, ingress))
        name = f'container "{container}", {listener.variable}: to {resource.address}'
        subject = RULE.about(runner.resource, name, runner.location)
        if path.answer is Truth.YES:
            return replace(subject.proven(str(path)), rests_on=(str(path),), unseen=_UNSEEN)
        hop = path.worst
        return subject.say(
            "no-way" if path.answer is Truth.NO else "open",
            what=f"{resource.address}, port {render(listener.port)},",
            subnets=", ".join(one.address for one in found) or runner.resource.address,
            way=str(path),
            reason=hop.reason,
            remedy=hop.remedy or (how_to_know(hop.unknown) if hop.unknown is not None else _COMPLETE),
            consequence=f"the application in {container} cannot connect to {resource.address}",
        )

    def _blocks(self, resource: Resource, vpc: Value) -> tuple[IPv4Network | None, ...]:
        """Return the addresses of what listens: those of its subnet group, else of the whole VPC."""
        for attribute in ("db_subnet_group_name", "subnet_group_name", "cluster_subnet_group_name"):
            named = resource.stated(attribute)
            found = self.plan.find(named) if isinstance(named, Unknown) else None
            if found is not None and found[0].stated("subnet_ids") is not None:
                return self.network.addresses(listed(found[0].stated("subnet_ids"))) or (None,)
        owner = self.network.find(vpc, "aws_vpc")
        return (self.network.network(owner.attribute("cidr_block")) if owner is not None else None,)

    # From load balancers

    def _from_balancer(self, runner: TaskPlacement, target: Mapping[str, Value]) -> Finding:
        port, container = target.get("container_port"), render(target.get("container_name"))
        subject = RULE.about(runner.resource, f'from the load balancer to container "{container}"', runner.location)
        value = target.get("target_group_arn")
        group = self.network.find(value, *_TARGET_GROUPS)
        if group is None or group.mode != "managed":
            hops: list[Hop] = [Hop(Truth.MAYBE, render(value), f"the target group {render(value)} is not in this plan")]
            shown = render(value)
        else:
            hops, shown = [*self._arrives(runner, group, port)], group.address
        path = NetworkPath(tuple(hops))
        if path.answer is Truth.YES:
            return replace(subject.proven(str(path)), rests_on=(str(path),), unseen=_UNSEEN)
        hop = path.worst
        return subject.say(
            "no-arrival" if path.answer is Truth.NO else "open-arrival",
            what=shown,
            port=f'port {render(port)} of container "{container}"',
            way=str(path),
            reason=hop.reason,
            remedy=hop.remedy or (how_to_know(hop.unknown) if hop.unknown is not None else _COMPLETE),
        )

    def _arrives(self, runner: TaskPlacement, group: Resource, port: Value) -> Iterator[Hop]:
        kind = group.stated("target_type")
        if isinstance(kind, Unknown):
            yield Hop(Truth.MAYBE, group.address, f"the target type of {group.address} is unknown", unknown=kind)
        elif kind != "ip":
            reason = (
                f'tasks that have a network interface register by IP address; target_type is "{kind or "instance"}"'
            )
            yield Hop(Truth.NO, group.address, reason, f'set target_type = "ip" in {group.address}')
        subnets, vpc = self._place(runner)
        if (
            subnets
            and group.stated("vpc_id") is not None
            and self.network.same(group.attribute("vpc_id"), vpc) is Truth.NO
        ):
            reason = f"{group.address} is in another VPC than {subnets[0].address}"
            yield Hop(Truth.NO, group.address, reason, "name the VPC of the tasks as its vpc_id")
        attached, balancers = self._balancers(group, runner)
        yield attached
        for balancer in balancers:
            ports = (port, _health_port(group, port))
            yield from self._from_one(runner, balancer, dict.fromkeys(ports), subnets)

    def _balancers(self, group: Resource, runner: TaskPlacement) -> tuple[Hop, list[Resource]]:
        """Return whether a listener forwards to a target group, and the load balancers of those that do."""
        found: list[Resource] = []
        shown, is_open, taken, hidden = "", False, None, None
        for one in self.plan.managed(*_LISTENERS, *_LISTENER_RULES):
            targets = [*_forwarded(_actions(one))]
            if any(self.network.refers(target, group) for target in targets):
                listener = one if one.type in _LISTENERS else self._listener(one)
                if earlier := self._taking_all(one, listener, group):
                    taken = earlier
                    continue
                shown = shown or one.address
                hidden = hidden or self._hidden(listener)
                balancer = self.network.find(listener.attribute("load_balancer_arn"), *_BALANCERS) if listener else None
                found += [balancer] if balancer is not None and balancer not in found else []
            is_open = is_open or any(isinstance(target, Unknown) and not self.plan.find(target) for target in targets)
        if hidden is not None:
            reason = "a rule that may not be looked at may take the requests before"
            return Hop(Truth.MAYBE, f"{shown} -> {group.address}", reason, unknown=hidden), found
        if shown:
            return Hop(Truth.YES, f"{shown} -> {group.address}"), found
        if taken is not None:
            reason = f"{taken.address} takes every request first, and does not forward to {group.address}"
            answer = Truth.NO if self.plan.is_certain(taken, group) else Truth.MAYBE
            return Hop(answer, group.address, reason, f"remove {taken.address}, or give it conditions"), []
        reason = f"no listener forwards to {group.address}"
        controller = block(runner.resource.values, "deployment_controller").get("type")
        if is_open or controller not in (None, "ECS"):
            return Hop(Truth.MAYBE, group.address, f"whether a listener forwards to {group.address} is unknown"), []
        remedy = f"name {group.address} in the default_action of a listener, or in the action of a listener rule"
        return Hop(Truth.NO, group.address, f"{reason}; ECS refuses a service with such a target group", remedy), []

    def _taking_all(self, one: Resource, listener: Resource | None, group: Resource) -> Resource | None:
        """Return a rule of a listener that takes every request before another, or before its default action."""
        for rule in self.plan.managed(*_LISTENER_RULES) if listener is not None else ():
            is_before = _priority(rule) < _priority(one) and _takes_all(rule) and self._listener(rule) == listener
            if is_before and not any(self.network.refers(target, group) for target in _forwarded(_actions(rule))):
                return rule
        return None

    def _hidden(self, listener: Resource | None) -> Unknown | None:
        """Return that the rules of a listener may not be looked at; None where they are known."""
        for rule in self.plan.managed(*_LISTENER_RULES) if listener is not None else ():
            first = next(iter(listed(_actions(rule))), None)
            is_bare = rule.stated("condition") is None and rule.stated("priority") is None
            if is_bare and isinstance(first, Unknown) and self._listener(rule) == listener:
                return first
        return None

    def _listener(self, rule: Resource) -> Resource | None:
        return self.network.find(rule.attribute("listener_arn"), *_LISTENERS)

    def _from_one(
        self, runner: TaskPlacement, balancer: Resource, ports: Iterable[Value], subnets: Sequence[Resource]
    ) -> Iterator[Hop]:
        kind, (_, vpc) = balancer.stated("load_balancer_type"), self._place(runner)
        if balancer.mode != "managed" or kind == "gateway":
            yield Hop(Truth.MAYBE, balancer.address, f"the security groups of {balancer.address} are not in this plan")
            return
        groups, places = listed(balancer.stated("security_groups")), listed(balancer.stated("subnets"))
        mapped = [one for one in listed(balancer.stated("subnet_mapping")) if isinstance(one, Mapping)]
        blocks = self.network.addresses([*places, *(one.get("subnet_id") for one in mapped)]) or (None,)
        has_groups = bool(groups) or kind in (None, "application")
        peer = Peer(balancer.address, blocks, tuple(groups), in_default=has_groups and not groups)
        for port in ports:
            if has_groups:
                yield self.network.groups_pass(groups, "egress", port, self._task(runner, *subnets), vpc)
            yield self.network.groups_pass(runner.groups, "ingress", port, peer, vpc)


def _health_port(group: Resource, port: Value) -> Value:
    given = block(group.values, "health_check").get("port")
    return given if given not in (None, "traffic-port", "") and render(given) != render(port) else port


def _actions(one: Resource) -> Value:
    return one.stated("default_action" if one.type in _LISTENERS else "action")


def _priority(one: Resource) -> float:
    """Return the place of a rule among those of its listener; the default action and what is not known come last."""
    given = one.stated("priority")
    return float(given) if isinstance(given, int | float | str) and str(given).isdigit() else float("inf")


def _takes_all(rule: Resource) -> bool:
    """Tell whether every request fits the conditions of a rule for certain: it has some, each for any path or host."""
    conditions = listed(rule.stated("condition"))
    return bool(conditions) and all(isinstance(one, Mapping) and _fits_all(one) for one in conditions)


def _fits_all(condition: Mapping[str, Value]) -> bool:
    given = {name: listed(block(condition, name).get("values")) for name, value in condition.items() if value}
    return bool(given) and all(_ANY.get(name, frozenset()) & {*map(render, values)} for name, values in given.items())


def _forwarded(actions: Value) -> Iterator[Value]:
    """Yield the target groups that actions forward to."""
    for action in listed(actions):
        if isinstance(action, Unknown):
            yield action
        elif isinstance(action, Mapping):
            if action.get("target_group_arn"):
                yield action["target_group_arn"]
            for forward in listed(action.get("forward")):
                groups = listed(forward.get("target_group")) if isinstance(forward, Mapping) else [forward]
                yield from (one.get("arn") if isinstance(one, Mapping) else one for one in groups)


def _on_fargate(tree: Mapping[str, Value], definition: TaskDefinition | None) -> Truth:
    """Tell whether tasks run on Fargate, where the agent uses the network interface of the task."""
    kind = tree.get("launch_type")
    strategies = [one for one in listed(tree.get("capacity_provider_strategy")) if isinstance(one, Mapping)]
    providers = [one.get("capacity_provider") for one in strategies]
    if kind in _FARGATE or (providers and all(one in _FARGATE for one in providers)):
        return Truth.YES
    if kind is not None and not isinstance(kind, Unknown):
        return Truth.NO
    asks = definition.runs_on("FARGATE") if definition is not None else None
    if asks is True and definition is not None and definition.runs_on("EC2") is False:
        return Truth.YES
    if asks is False or (kind is None and not providers and asks is not True):
        return Truth.NO
    return Truth.MAYBE


def _doubted(path: NetworkPath, unknown: Unknown | None) -> NetworkPath:
    hops = [replace(hop, answer=Truth.MAYBE, unknown=unknown) if hop.answer is Truth.NO else hop for hop in path.hops]
    return NetworkPath(tuple(hops))
