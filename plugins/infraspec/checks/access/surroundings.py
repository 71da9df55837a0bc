"""What has a say in a request beside the policies of role and resource: the key's state, the way, the organization.

A disabled key, and one that does not encrypt, decrypts nothing. A request that leaves the VPC of the task through an
endpoint has to be allowed by the endpoint's policy too; it does where the names of the service lead to it.

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
from infraspec.core.truth import Truth, not_
from infraspec.core.unknown import AtRunTime, Unknown, Value, render
from infraspec.ecs.access_table import TASK
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
        found = f"{shown} is {'not known' if isinstance(value, Unknown) else render(value)}"
        wanted = "true" if True in usable else f'"{usable[-1]}"'
        remedy = f"set {argument} = {wanted} in {key.address}"
        answer = Truth.MAYBE if isinstance(value, Unknown) else Truth.NO
        return Obstacle(answer, found, "with such a key nothing that is encrypted can be read", remedy)
    return None


class LimitedEndpoint(Struct, frozen=True):
    """An endpoint whose policy may stop a request; without a `service` it may be that of any."""

    endpoint: Resource
    policy: IdentityPolicy
    service: str

    def serves(self, service: str) -> bool:
        """Tell whether it may be the endpoint of a service, by the prefix of its actions."""
        return self.service in ("", *_ENDPOINTS.get(service, (service,)))


class Endpoints:
    """The endpoints of a plan that have a policy, and the tasks whose requests go through them."""

    def __init__(self, owners: ArnIndex) -> None:
        self.owners, self.plan = owners, owners.plan
        self._services = PlanServices(owners.attributes, lambda _service: True)

    def obstacle(
        self, requirement: Requirement, task: TaskDefinition, request: Request, principal: Principal
    ) -> Obstacle | None:
        """Return the endpoint that stops a request of a task, or may stop it."""
        service, _, action = requirement.action.partition(":")
        by_fargate = action == "GetAuthorizationToken" and task.runs_on("EC2") is not True
        if requirement.via is not None or by_fargate:
            return None
        asked: list[tuple[str, Request, Principal | None]] = [(service, request, principal)]
        if action == "GetDownloadUrlForLayer":
            asked.append(("s3", self._layer(requirement, request), None))
        found = (
            self._judge(one, requirement, task, what, who)
            for of, what, who in asked
            for one in self._limited
            if one.serves(of)
        )
        return min(filter(None, found), key=lambda one: one.answer, default=None)

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
        task: TaskDefinition,
        request: Request,
        who: Principal | None,
    ) -> Obstacle | None:
        layer = ResourceLayer.asked((one.policy,), request, who, bounded=False)
        passes = min(layer.allowed, not_(layer.denied))
        goes = Truth.NO if passes is Truth.YES else self._goes_through(one, requirement, task)
        if goes is Truth.NO:
            return None
        is_certain = passes is Truth.NO and goes is Truth.YES
        place = one.policy.locate("Statement.0") or one.endpoint.location
        denying = next((f"{hit} denies it" for answer, hit in layer.denies if answer is Truth.YES), "")
        found = f"the policy of {one.endpoint.address} ({place}) {'does' if is_certain else 'may'} not let it through"
        where = "through which the tasks reach the service" if goes is Truth.YES else "which the tasks may go through"
        reason = f"the endpoint, {where}, has to allow it too{f': {denying}' if denying else ''}"
        remedy = f"allow {request.action} on {render(request.subject.value)} in {one.policy.name}"
        return Obstacle(Truth.NO if is_certain else Truth.MAYBE, found, reason, remedy)

    def _goes_through(self, one: LimitedEndpoint, requirement: Requirement, task: TaskDefinition) -> Truth:
        """Tell whether the requests of a task for a resource leave its VPC through an endpoint."""
        region = arn_fields(requirement.resource).get("region")
        here = self.owners.attributes.region_of(one.endpoint)
        if isinstance(region, str) and region and isinstance(here, str) and region != here:
            return Truth.NO
        services = self._services.of(task)
        of_each = [self._of_service(service, one, requirement, task) for service in services]
        known = Truth.YES if one.service and self.plan.is_certain(one.endpoint, task.resource) else Truth.MAYBE
        return min(known, max(of_each, default=Truth.MAYBE))

    def _of_service(
        self, service: Resource, one: LimitedEndpoint, requirement: Requirement, task: TaskDefinition
    ) -> Truth:
        subnets = listed(block(service.values, "network_configuration").get("subnets"))
        on_fargate = service.stated("launch_type") == "FARGATE" or task.runs_on("EC2") is False
        by_task = on_fargate or requirement.access.role == TASK
        certain = by_task and self.plan.is_certain(service, task.resource)
        leads = max((self._leads(subnet, one) for subnet in subnets), default=Truth.MAYBE)
        return min(leads, Truth.YES if certain else Truth.MAYBE)

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

_REPLACED = ("it is not known whether FullAWSAccess is still attached beside a policy that allows", None)


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
            policy = policy.perhaps(
                (f"it is not known whether the account of the plan is below {render(target)}", None)
            )
        yield from ((kind, as_far_as_certain(policy, plan, attachment)) for kind in kinds)
