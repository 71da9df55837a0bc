"""What has a say in a request beside the policies of role and resource: the key's state, the way, the organization.

A disabled key, and one that does not encrypt, decrypts nothing. A request that leaves the VPC of a task or a function
through an endpoint has to be allowed by the endpoint's policy too; it does where the names of the service lead to it.

Sources: AWS KMS Developer Guide, "Key states of AWS KMS keys"; AWS Secrets Manager User Guide, "Secret encryption and
decryption" (symmetric keys only); AWS PrivateLink Guide, "Control access to VPC endpoints using endpoint policies" and
"Access an AWS service using an interface VPC endpoint" (private DNS) and "Gateway endpoints"; Amazon ECS Developer
Guide, "Amazon ECS task execution IAM role" (the tokens of ECR do not come through the VPC on Fargate); AWS
Organizations User Guide, "SCP evaluation" (FullAWSAccess).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from infraspec.checks.common.documents import held_policy
from infraspec.checks.common.policy_owners import listed
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.common.roles_in_snapshots import as_far_as_certain
from infraspec.checks.common.vpc import PlanNetwork, network
from infraspec.core.errors import PolicyError
from infraspec.core.rule import Placed
from infraspec.core.truth import Truth, not_
from infraspec.core.unknown import AtRunTime, Unknown, Value, render
from infraspec.ecs.access_table import EXECUTION, TASK
from infraspec.ecs.requirement import Requirement
from infraspec.ecs.service_access import PlanServices, block
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.evaluation.layers import ResourceLayer
from infraspec.iam.lint.refusals import certain_refusal, refusals
from infraspec.iam.policy.context import Request
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.resource_types import Policy, PolicyKind, resource_type
from infraspec.terraform.plan import Plan, Resource
from infraspec.workloads.named_roles import values_at

_DECRYPTS: Mapping[str, tuple[Value, ...]] = {
    "is_enabled": (None, True, "true"),
    "enabled": (None, True, "true"),
    "key_usage": (None, "ENCRYPT_DECRYPT"),
    "customer_master_key_spec": (None, "SYMMETRIC_DEFAULT"),
    "key_spec": (None, "SYMMETRIC_DEFAULT"),
}
"""The arguments of keys, with the values under which one decrypts a secret."""
_ENDPOINT, _SUBNET = "aws_vpc_endpoint", "aws_subnet"
_ENDPOINTS = {"ecr": ("ecr.api", "ecr.dkr"), "kinesis": ("kinesis-streams",), "firehose": ("kinesis-firehose",)}
"""The names that endpoints have for a service, where it is another one than that of its actions."""


class Obstacle(Struct, frozen=True):
    """What stops a request that the policies allow, or may stop it where the answer is MAYBE."""

    answer: Truth
    found: str
    reason: str
    remedy: str


def key_obstacle(owners: ArnIndex, requirement: Requirement) -> Obstacle | None:
    """Return why the KMS key of a requirement cannot be used."""
    key = owners.find(requirement.resource) if requirement.action == "kms:Decrypt" else None
    if key is None or key.mode != "managed":
        return None
    for argument, usable in _DECRYPTS.items():
        value, place = key.stated(argument), key.location_of(argument)
        if value in usable or value == key.reference(argument):
            continue
        shown = f"{argument} of {key.address}{f' ({place})' if place else ''}"
        found = f"{shown} is {'unknown' if isinstance(value, Unknown) else render(value)}"
        wanted = "true" if True in usable else f'"{usable[-1]}"'
        remedy = f"set {argument} = {wanted} in {key.address}"
        answer = Truth.MAYBE if isinstance(value, Unknown) else Truth.NO
        return Obstacle(answer, found, "with such a key nothing that is encrypted can be read", remedy)
    return None


class Origin(Struct, frozen=True):
    """Subnets that the requests of a caller leave from, and whether they do."""

    caller: Resource | None
    subnets: tuple[Value, ...]
    certain: Truth


def _leaves_a_network(requirement: Requirement) -> bool:
    """Tell whether a request is made from a network: not those that one service of AWS makes for another."""
    access = requirement.access
    return requirement.via is None and (access.role in (EXECUTION, TASK) or bool(access.subnets))


class LimitedEndpoint(Struct, frozen=True):
    """An endpoint whose policy may stop a request; without a `service` it may be that of any."""

    endpoint: Resource
    policy: IdentityPolicy
    service: str

    def serves(self, service: str) -> bool:
        """Tell whether it may be the endpoint of a service, by the prefix of its actions."""
        return self.service in ("", *_ENDPOINTS.get(service, (service,)))


class Endpoints:
    """The endpoints of a plan that have a policy, and the tasks and functions whose requests go through them."""

    def __init__(self, owners: ArnIndex) -> None:
        self.owners, self.plan = owners, owners.plan
        self._services = PlanServices(owners.attributes, lambda _service: True)

    def obstacle(
        self, requirement: Requirement, caller: Placed, request: Request, principal: Principal
    ) -> Obstacle | None:
        """Return the endpoint that stops a request of a task or a function, or may stop it."""
        service, _, action = requirement.action.partition(":")
        origins = self._origins(requirement, caller) if _leaves_a_network(requirement) else ()
        if not origins:
            return None
        asked: list[tuple[str, Request, Principal | None]] = [(service, request, principal)]
        if action == "GetDownloadUrlForLayer":
            asked.append(("s3", self._layer(requirement, request), None))
        found = (
            self._judge(one, requirement, origins, what, who)
            for of, what, who in asked
            for one in self._limited
            if one.serves(of)
        )
        return min(filter(None, found), key=lambda one: one.answer, default=None)

    def unseen(self, requirement: Requirement) -> tuple[str, ...]:
        """Name the policies of endpoints that a requirement is judged without, where it may go through one."""
        if not _leaves_a_network(requirement) or self._are_all_seen:
            return ()
        return (f"the policies of VPC endpoints{' that are not in the plan' if self.plan.source is None else ''}",)

    def _origins(self, requirement: Requirement, caller: Placed) -> tuple[Origin, ...]:
        """List where the requests of a task or a function may leave from; nothing if no endpoint is on their way."""
        if isinstance(caller, Resource):
            subnets = tuple(one.value for one in values_at((caller.values,), requirement.access.subnets))
            given = [one for value in subnets for one in listed(value)]
            return (Origin(caller, tuple(given), Truth.YES),) if given else ()
        if not isinstance(caller, TaskDefinition) or (
            requirement.action == "ecr:GetAuthorizationToken" and caller.runs_on("EC2") is not True
        ):
            return ()
        of_services = tuple(self._of_service(one, requirement, caller) for one in self._services.of(caller))
        return of_services or (Origin(caller.resource, (), Truth.MAYBE),)

    def _of_service(self, service: Resource, requirement: Requirement, task: TaskDefinition) -> Origin:
        subnets = listed(block(service.values, "network_configuration").get("subnets"))
        on_fargate = service.stated("launch_type") == "FARGATE" or task.runs_on("EC2") is False
        by_task = on_fargate or requirement.access.role == TASK
        certain = by_task and self.plan.is_certain(service, task.resource)
        return Origin(task.resource, tuple(subnets), Truth.YES if certain else Truth.MAYBE)

    def _layer(self, requirement: Requirement, request: Request) -> Request:
        """Return the request for a layer of an image; Amazon ECR User Guide, "Amazon ECR interface VPC endpoints"."""
        region = arn_fields(requirement.resource).get("region")
        layer = Unknown("the layer", AtRunTime("the layer"))
        parts = ("arn:", self.plan.partition, ":s3:::prod-", region, "-starport-layer-bucket/", layer)
        return Request("s3:GetObject", PartialArn.of(self.owners.attributes.join(*parts)), request.context)

    @cached_property
    def _around(self) -> Plan:
        """The plan, or what the account has around it, whoever made that; `reachability` says what may not be seen."""
        whole = self.plan.with_network()
        return self.plan if isinstance(whole, Unknown) else whole

    @cached_property
    def _are_all_seen(self) -> bool:
        """Tell whether each endpoint is known: a plan may lack some, and an account those of a VPC it is a guest in."""
        own = {vpc.stated("id") for vpc in self._around.managed("aws_vpc")}
        subnets = self._around.managed(_SUBNET)
        return self._around is not self.plan and all(one.stated("vpc_id") in own for one in subnets)

    @cached_property
    def _network(self) -> PlanNetwork:
        return self._around.derived(network)

    @cached_property
    def _limited(self) -> tuple[LimitedEndpoint, ...]:
        return tuple(self._with_policies()) if self.plan.source is None or self._around is not self.plan else ()

    def _with_policies(self) -> Iterator[LimitedEndpoint]:
        apart: dict[str, Resource] = {}
        for own in self._around.managed("aws_vpc_endpoint_policy"):
            reference = own.attribute("vpc_endpoint_id")
            found = self._network.find(reference, _ENDPOINT)
            if found is not None:
                apart[found.address] = own
        for endpoint in self._around.managed(_ENDPOINT):
            source = apart.get(endpoint.address, endpoint)
            text = source.stated("policy")
            if text and text != source.reference("policy"):
                policy = held_policy(self.owners.attributes, source, "policy", text)
                yield LimitedEndpoint(endpoint, policy, self._network.service_of(endpoint))

    def _judge(
        self,
        one: LimitedEndpoint,
        requirement: Requirement,
        origins: tuple[Origin, ...],
        request: Request,
        who: Principal | None,
    ) -> Obstacle | None:
        layer = ResourceLayer.asked((one.policy,), request, who, bounded=False)
        passes = min(layer.allowed, not_(layer.denied))
        goes = Truth.NO if passes is Truth.YES else self._goes_through(one, requirement, origins)
        if goes is Truth.NO:
            return None
        is_certain = passes is Truth.NO and goes is Truth.YES
        place = one.policy.locate("Statement.0") or one.endpoint.location
        denying = next((f"{hit} denies it" for answer, hit in layer.denies if answer is Truth.YES), "")
        found = f"the policy of {one.endpoint.address} ({place}) {'does' if is_certain else 'may'} not let it through"
        goes_through = "goes" if goes is Truth.YES else "may go"
        reason = f"the request {goes_through} through the endpoint, whose policy must also allow it"
        reason += f": {denying}" if denying else ""
        remedy = f"allow {request.action} on {render(request.subject.value)} in {one.policy.name}"
        return Obstacle(Truth.NO if is_certain else Truth.MAYBE, found, reason, remedy)

    def _goes_through(self, one: LimitedEndpoint, requirement: Requirement, origins: tuple[Origin, ...]) -> Truth:
        """Tell whether requests for a resource leave their VPC through an endpoint."""
        region = arn_fields(requirement.resource).get("region")
        here = self.owners.attributes.region_of(one.endpoint)
        if isinstance(region, str) and region and isinstance(here, str) and region != here:
            return Truth.NO
        known = bool(one.service) and all(self.plan.is_certain(one.endpoint, origin.caller) for origin in origins)
        return min(Truth.YES if known else Truth.MAYBE, max(self._from(origin, one) for origin in origins))

    def _from(self, origin: Origin, one: LimitedEndpoint) -> Truth:
        leads = max((self._leads(subnet, one) for subnet in origin.subnets), default=Truth.MAYBE)
        return min(leads, origin.certain)

    def _leads(self, subnet: Value, one: LimitedEndpoint) -> Truth:
        """Tell whether names or routes in a subnet lead to an endpoint."""
        endpoint = one.endpoint
        found = self._network.find(subnet, _SUBNET)
        if found is None:
            return Truth.MAYBE
        same = self._network.same(found.attribute("vpc_id"), endpoint.attribute("vpc_id"))
        kind = endpoint.stated("vpc_endpoint_type") or "Gateway"
        if same is Truth.NO or kind == "Gateway":
            return min(same, self._routed(found, endpoint))
        private = endpoint.stated("private_dns_enabled")
        if kind != "Interface" or one.service in ("s3", "") or isinstance(private, Unknown):
            return Truth.MAYBE
        return same if private in (True, "true") else Truth.NO

    def _routed(self, subnet: Resource, endpoint: Resource) -> Truth:
        """Tell whether the route table of a subnet has a route to a gateway endpoint."""
        tables = listed(endpoint.stated("route_table_ids"))
        for other in self._around.managed("aws_vpc_endpoint_route_table_association"):
            if self._network.refers(other.attribute("vpc_endpoint_id"), endpoint):
                tables.append(other.attribute("route_table_id"))
        associations = self._around.managed("aws_route_table_association")
        own = [
            one.attribute("route_table_id")
            for one in associations
            if self._network.refers(one.attribute("subnet_id"), subnet)
        ]
        if not own:
            return Truth.MAYBE
        return max((self._network.same(table, mine) for table in tables for mine in own), default=Truth.NO)


_OF_ORGANIZATION = (PolicyKind.ORGANIZATION, PolicyKind.RESOURCE_CONTROL)
_FULL_ACCESS = IdentityPolicy.of(
    "FullAWSAccess",
    PolicyDocument.from_value({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
)

_REPLACED = ("whether FullAWSAccess is still attached beside a policy that allows is unknown", None)


def _allows(policy: IdentityPolicy) -> bool:
    return any(statement.effect == "Allow" for statement in policy.statements)


class Organization(Struct, frozen=True):
    """The policies of the organization that limit an account, by level."""

    scps: tuple[tuple[IdentityPolicy, ...], ...] = ()
    rcps: tuple[tuple[IdentityPolicy, ...], ...] = ()

    @classmethod
    def of(cls, owners: ArnIndex) -> Organization:
        """Return those that the contract gives, a level a file, and those that the plan attaches. Raises PolicyError.

        FullAWSAccess is attached to everything unless it was replaced: by a level that allows something.
        """
        plan, levels = owners.plan, {kind: list[tuple[IdentityPolicy, ...]]() for kind in _OF_ORGANIZATION}
        for kind, name, documents in (plan.source or plan).organization:
            level = tuple(_given(name, document, kind) for document in listed(documents))
            levels[kind].append(level if any(map(_allows, level)) else (_FULL_ACCESS, *level))
        for kind, policy in _attached(owners) if plan.source is None else ():
            replaced = kind is PolicyKind.ORGANIZATION and _allows(policy)
            levels[kind].append((_FULL_ACCESS.perhaps(_REPLACED) if replaced else _FULL_ACCESS, policy))
        return cls(*(tuple(levels[kind]) for kind in _OF_ORGANIZATION))

    def limits(self, account: Value, plan: Plan) -> Organization:
        """Return what limits an account: nothing of it is known if that is not the plan's."""
        return Organization() if isinstance(account, str) and account and account != plan.account else self


def _given(name: str, document: Value, kind: PolicyKind) -> IdentityPolicy:
    use = Policy(kind)
    read = PolicyDocument.from_value(document, place=name, with_principals=use.names_principals)
    fault = certain_refusal(refusals(read, use))
    if fault is not None and fault.certain:
        place, expected = f"{name}: {fault.path}", fault.expected
        raise PolicyError(fault.reason, place=place, expected=expected, found=fault.found, remedy=fault.remedy)
    return IdentityPolicy.of(name, read)


def _attached(owners: ArnIndex) -> Iterator[tuple[PolicyKind, IdentityPolicy]]:
    """Yield the policies of the organization that the plan attaches to the account, or may attach to it."""
    plan, account = owners.plan, owners.plan.account
    for attachment in plan.managed("aws_organizations_policy_attachment"):
        reference, target = (
            attachment.attribute("policy_id"),
            owners.attributes.narrow(attachment.attribute("target_id")),
        )
        found = plan.find(reference) if isinstance(reference, Unknown) else None
        is_account = isinstance(target, str) and target.isdecimal()
        if (
            found is None
            or found[0].mode != "managed"
            or (is_account and isinstance(account, str) and target != account)
        ):
            continue
        kinds = [use.kind for use in resource_type(found[0].type).policies if use.applies(found[0].values)]
        policy = held_policy(owners.attributes, found[0], "content", found[0].attribute("content"))
        if not is_account or target != account:
            policy = policy.perhaps((f"whether the account of the plan is below {render(target)} is unknown", None))
        yield from ((kind, as_far_as_certain(policy, plan, attachment)) for kind in kinds)
