"""Why a role may or may not do one thing: the decision, the statement behind it, and what to write to allow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from msgspec import Struct

from infraspec.checks.access.access_decisions import Keys, RequestTags, request_context, rests_on, unseen
from infraspec.checks.access.surroundings import Organization
from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE, ArnIndex, arn_index
from infraspec.checks.common.roles import Role, RoleIndex, role_index
from infraspec.checks.common.statement_hcl import grantable, json_statement, policy_to_extend, statement_to_add
from infraspec.core.errors import RequestError, closest, listing
from infraspec.core.finding import Location
from infraspec.core.truth import Truth
from infraspec.core.unknown import AtRunTime, Text, Unknown, Value, concatenate, render
from infraspec.ecs.access_table import NAMED_ROLES
from infraspec.iam.evaluation.decision import Decision, Outcome, decide, why
from infraspec.iam.lint.actions import expand, mistake
from infraspec.iam.lint.document import document_faults
from infraspec.iam.lint.faults import PolicyFault
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields, shown
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import Hit
from infraspec.resource_types import Policy, PolicyKind
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.workloads.access_table import workload_roles
from infraspec.workloads.named_roles import NamedRoles

_ROLE = "aws_iam_role"
_READ = "secretsmanager:GetSecretValue"
_FEW = 3


class Addition(Struct, frozen=True):
    """The least statement that would allow it: where it belongs, as HCL and as JSON."""

    target: str
    location: Location | None
    hcl: str
    json: Mapping[str, Value]


class Explanation(Struct, frozen=True):
    """The answer to one question, with everything that shows it.

    `hit` is the statement that decides, or else the one that came closest; `listed` is what it has where the request
    has `asked` and they differ.
    """

    role: Role
    action: str
    resource: Value
    decision: Decision
    reason: str
    hit: Hit | None
    listed: str
    asked: str
    addition: Addition | None
    warnings: tuple[PolicyFault, ...]
    key: str
    """The customer managed KMS key that reading the resource needs as well, if there is one."""
    rests_on: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """What IAM answers."""
        return self.decision.outcome


_AROUND = ("the policies of VPC endpoints", "the state of the key")
"""What is around a request of which it is not known from where it is made, the last for those about keys."""


def explain(
    plan: Plan, role: str, action: str, resource: str, context: Mapping[str, Value] | None = None
) -> Explanation:
    """Decide whether a role of the plan may do an action on a resource, and say why.

    `role` is a Terraform address, a name or an ARN, of the plan or else of a snapshot, or the address of a workload
    with one role; `resource` an ARN, `*`, or the Terraform address of what has one.
    `context` gives condition keys of the request. Raises RequestError for what does not exist, PolicyError for a policy
    that is malformed.
    """
    attributes = plan.derived(AwsAttributes)
    roles, owners = plan.derived(role_index), plan.derived(arn_index)
    found = _role(roles, role)
    name = _action(action)
    named = _resource(plan, name, resource)
    target = attributes.narrow(named)
    principal, organization = Principal.role(attributes.narrow(found.arn)), Organization.of(owners)
    context_of_plan = RequestTags(owners).told(request_context(principal.value, target), found, name, target)
    decision = decide(
        found.policies,
        name,
        PartialArn.of(named, attributes.narrow),
        boundary=found.boundary,
        resource_policies=owners.policies(target, principal.account, name),
        scps=organization.limits(principal.account, plan).scps,
        rcps=organization.limits(arn_fields(target).get("account"), plan).rcps,
        principal=principal,
        context=context_of_plan.updated(context or {}),
    )
    doubtful = next((doubt.hit for doubt in decision.doubts), None)
    hit = decision.deciding or (decision.nearest.hit if decision.nearest else doubtful)
    listed, asked = _difference(decision)
    key = Keys(owners).of("secretsmanager", target) if name == _READ else None
    return Explanation(
        found,
        name,
        named,
        decision,
        "; ".join(dict.fromkeys([why(decision), *_detached(found, decision)])),
        hit,
        listed,
        asked,
        _addition(found, decision, target, named, owners),
        tuple(_warnings(hit, attributes)) if hit else (),
        shown(key.arn) if key is not None and key.doubt is None else "",
        rests_on(decision),
        unseen(owners, found, name, target, organization, around=_AROUND[: 2 if name.startswith("kms:") else 1]),
    )


def _role(roles: RoleIndex, wanted: str) -> Role:
    """Return the role that an address, a name or an ARN means."""
    names: dict[str, Resource] = {}
    for resource in roles.plan.managed(_ROLE):
        arn = roles.attributes.narrow(resource.reference("arn"))
        for name in (resource.address, render(roles.attributes.name(resource)), render(arn)):
            names.setdefault(name, resource)
    here = roles.plan.by_address.get(wanted)
    of_workload = _roles_of(roles, here) if here is not None and here.type != _ROLE else []
    if of_workload[1:]:
        raise RequestError(
            f"{wanted} has {len(of_workload)} roles",
            place="--role",
            expected="one role",
            found=listing([render(roles.attributes.narrow(one)) for one in of_workload]),
            remedy="name the role that is asked about",
        )
    value = of_workload[0] if of_workload else here.reference("arn") if here else wanted
    of_plan = names.get(render(roles.attributes.narrow(value)) if of_workload else wanted)
    if of_plan is not None:
        return roles.role(of_plan.reference("arn"))
    sought = roles.elsewhere.role(value)
    if sought.resource is not None:
        return roles.role(value)
    addresses = [resource.address for resource in names.values()]
    raise RequestError(
        f"there is no role {wanted} in {roles.plan.origin}",
        place="--role",
        expected="the address, name or ARN of a role",
        found=listing(list(dict.fromkeys(addresses))) or "no roles",
        remedy=_meant(wanted, list(names)) if sought.settled is None else f"{sought.why}\n{sought.remedy}",
    )


def _roles_of(roles: RoleIndex, workload: Resource) -> list[Value]:
    """Return the roles that a function, schedule or other workload names, each once."""
    rows = (*NAMED_ROLES, *chain.from_iterable(workload_roles().values()))
    named = NamedRoles(roles.attributes, rows, roles.plan.derived(arn_index).find)
    found = [one.value for one in named if one.owner.address == workload.address]
    if workload.type == "aws_ecs_task_definition":
        found = [workload.stated(f"{role}_role_arn") for role in ("execution", "task")]
    return list(dict.fromkeys(filter(None, found)))


def _action(wanted: str) -> str:
    """Return an action as AWS writes it."""
    wrong = mistake(wanted)
    if wrong is None and "*" not in wanted and "?" not in wanted:
        known = expand(wanted)
        return known[0].name if known else wanted
    raise RequestError(
        wrong.reason if wrong else "a request is about one action",
        place="--action",
        expected=wrong.expected if wrong else "an action without wildcards",
        found=wanted,
        remedy=wrong.remedy if wrong else f"choose one, such as {expand(wanted)[0].name}",
    )


def _resource(plan: Plan, action: str, wanted: str) -> Value:
    """Return the resource that an ARN or an address means; of a log group its streams, of a bucket its objects."""
    if wanted == "*" or wanted.startswith("arn:"):
        return wanted
    address = wanted.removesuffix(".arn")
    found = plan.by_address.get(address)
    if found is None:
        raise RequestError(
            f"there is no resource {wanted} in {plan.origin}",
            place="--resource",
            expected='an ARN, "*", or the address of a resource',
            found=f"{len(plan.resources)} resources",
            remedy=_meant(address, list(plan.by_address)),
        )
    arn = found.reference("arn")
    types = {kind.name for known in expand(action) for kind in known.types}
    if found.type == "aws_cloudwatch_log_group" and "log-stream" in types:
        return concatenate([arn, ":log-stream:", Unknown("any stream", AtRunTime("the stream"))])
    if found.type == "aws_s3_bucket" and "object" in types:
        return concatenate([arn, "/", Unknown("any key", AtRunTime("the key of the object"))])
    return arn


def _meant(word: str, known: list[str]) -> str:
    """Ask for what the word is a part of, or else for what is most like it."""
    near = [name for name in known if word and word in name][:_FEW]
    like = closest(word, known)
    names = near or [name for name in (like,) if name]
    return f"did you mean {' or '.join(names)}?" if names else "infraspec plan prints the addresses there are"


def _difference(decision: Decision) -> tuple[str, str]:
    """Return what the closest statement has and what is asked for, where they differ."""
    miss = decision.nearest
    if miss is None or decision.deciding is not None:
        return "", ""
    clause, request = miss.hit.clause, decision.request
    if miss.part == "action":
        return ", ".join(map(str, clause.actions)), request.action
    if miss.part == "resource":
        return ", ".join(map(str, clause.resources.entries)), str(request.subject)
    return "", ""


def _detached(role: Role, decision: Decision) -> Iterator[str]:
    """Yield which policies of a role that is denied IAM does not attach to it, and what attaches them."""
    if decision.outcome is Outcome.IMPLICITLY_DENIED:
        for policy in (*role.policies, *(role.boundary or ())):
            if policy.absent:
                reason, meant = policy.absent
                yield f"{reason}: name {meant} instead" if meant else reason


def _addition(role: Role, decision: Decision, target: Value, named: Value, owners: ArnIndex) -> Addition | None:
    """Return the statement that would allow it, unless it is allowed already or a statement denies it."""
    if decision.allowed is Truth.YES or decision.outcome is Outcome.EXPLICITLY_DENIED:
        return None
    policy = policy_to_extend(role, decision, owners)
    module = policy.module if policy else role.resource.module if role.resource else ""
    resource = grantable(decision.request.action, target, named, owners)
    narrowed, as_block = owners.attributes.narrow(resource), policy is not None and policy.type == DOCUMENT_TYPE
    return Addition(
        policy.address if policy else f"a policy of {role.address}",
        policy.location if policy else None,
        statement_to_add((decision.request.action,), resource, module=module, as_block=as_block),
        json_statement(decision.request.action, narrowed if isinstance(narrowed, str | Text) else target),
    )


def _warnings(hit: Hit, attributes: AwsAttributes) -> Iterator[PolicyFault]:
    """Yield what is wrong with a statement of an identity policy in itself."""
    statement = hit.clause.statement
    if statement.principal is None and statement.not_principal is None:
        yield from document_faults(PolicyDocument((statement,)), Policy(PolicyKind.IDENTITY), attributes.narrow)
