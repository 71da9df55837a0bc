"""Every policy document that a plan's resources hold, with what it is for and how long it may be.

Source: IAM User Guide, "Apply least-privilege permissions".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.common.roles import role_index
from infraspec.core.errors import PolicyError
from infraspec.core.truth import Truth
from infraspec.core.unknown import AtRunTime, Text, Unknown, Value, concatenate, render
from infraspec.ecs.access_table import EXECUTION
from infraspec.ecs.required_access import required_access
from infraspec.ecs.requirement import AccessContext, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.lint.faults import PolicyFault
from infraspec.iam.policy.document import PolicyDocument, Statement
from infraspec.iam.policy.matching import match, match_action
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.partial_arn import shown as shown_value
from infraspec.iam.policy.pattern import Pattern
from infraspec.resource_types import TYPES, Policy, PolicyKind
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

_HOLDERS = {known.type: known.policies for known in TYPES.values() if known.policies}


class Held(Struct, frozen=True):
    """A document with where it is: `attribute` is its path in the resource.

    Policies of one `owner` share a limit.
    """

    resource: Resource
    attribute: str
    value: Value
    use: Policy
    owner: Value = None

    @property
    def place(self) -> str:
        """The place, for errors."""
        location = self.resource.location_of(self.attribute)
        name = f"{self.resource.address}.{self.attribute}"
        return f"{location}: {name}" if location else name


def held_documents(plan: Plan) -> Iterator[Held]:
    """Yield every policy document of the managed resources, in order of resource types."""
    boundaries = _boundaries(plan)
    for type_, policies in _HOLDERS.items():
        for resource in plan.managed(type_):
            for policy in policies:
                use = replace(policy, kind=_kind(plan, resource, policy, is_boundary=resource.address in boundaries))
                for path, value in policy.documents(resource.values):
                    if value != resource.reference(path):
                        shared = policy.limit is not None and policy.limit.shared
                        owner = resource.attribute(policy.of) if policy.of else resource.reference("name")
                        yield Held(resource, path, value, use, owner if shared else None)


def _kind(plan: Plan, resource: Resource, policy: Policy, *, is_boundary: bool) -> PolicyKind:
    """Return what a policy is for: what is meant for everybody is judged as an endpoint is, which everybody reaches.

    So is that of a search domain, or that may be of one, which is reached from its VPC alone.
    """
    if is_boundary:
        return PolicyKind.BOUNDARY
    everybody = policy.for_everybody
    if policy.attribute == "access_policies":
        domains = plan.managed(*policy.owners) if policy.of else (resource,)
        everybody |= any(domain.stated("vpc_options") for domain in domains)
    return PolicyKind.ENDPOINT if everybody else policy.kind


def _boundaries(plan: Plan) -> set[str]:
    """Return the addresses of policies that are permissions boundaries and attached to nobody."""

    def named(attribute: str, *types: str) -> set[str]:
        arns = (resource.stated(attribute) for resource in plan.managed(*types))
        policies = (plan.find(arn) for arn in arns if isinstance(arn, Unknown))
        return {policy[0].address for policy in policies if policy is not None}

    attachments = [f"aws_iam_{holder}policy_attachment" for holder in ("", "role_", "user_", "group_")]
    return named("permissions_boundary", "aws_iam_role", "aws_iam_user") - named("policy_arn", *attachments)


_SHAPES = {
    "secretsmanager:GetSecretValue": "secretsmanager:{}:{}:secret:",
    "ssm:GetParameters": "ssm:{}:{}:parameter/",
}
"""Actions whose resources a task definition names one by one, with the ARN of any of them."""


def broad_grants(
    documents: Sequence[tuple[Held, PolicyDocument]],
    attributes: AwsAttributes,
    task_definitions: Iterable[TaskDefinition],
) -> Iterator[tuple[int, PolicyFault]]:
    """Yield the statements that let an execution role read every secret or parameter, where its needs are known."""
    holders = {(held.resource.address, held.attribute): position for position, (held, _) in enumerate(documents)}
    for policies, action, resources in _needs(attributes, task_definitions):
        for position in (holders[policy, "policy"] for policy in policies if (policy, "policy") in holders):
            for statement in documents[position][1].statements:
                if _allows_any(statement, action, attributes):
                    yield position, _fault(statement, action, resources)


def _needs(
    attributes: AwsAttributes, task_definitions: Iterable[TaskDefinition]
) -> Iterator[tuple[list[str], str, list[Value]]]:
    """Yield the policies of each execution role with an action and the resources it needs it for, if all are known."""
    roles, owners = attributes.plan.derived(role_index), attributes.plan.derived(arn_index)
    by_role: dict[Value, list[Requirement]] = {}
    unclear: set[Value] = set()
    for definition in task_definitions:
        role = definition.execution_role
        if role is None:
            continue
        given = {"secret_named": owners.secret_named, "secret_read": owners.secret_read}
        context = AccessContext.of(attributes, definition.resource, **given)
        if definition.unknown_containers is not None or any(c.unknown_parts for c in definition.containers):
            unclear.add(role)
        by_role.setdefault(role, []).extend(required_access(definition, context))
    for role, requirements in by_role.items():
        if role in unclear:
            continue
        try:
            policies = [policy.name for policy in roles.role(role).policies]
        except PolicyError:  # the rule about access reports it
            continue
        for action in _SHAPES:
            wanted = [need for need in requirements if need.action == action and need.access.role == EXECUTION]
            if wanted and not any(need.doubt or need.undecidable for need in wanted):
                yield policies, action, list(dict.fromkeys(need.need.named for need in wanted))


def _allows_any(statement: Statement, action: str, attributes: AwsAttributes) -> bool:
    """Tell whether a statement for certain allows an action on every resource there is."""
    if statement.effect != "Allow" or statement.condition is not None or statement.actions is None:
        return False
    if not any(match_action(Pattern.action(entry), action) is Truth.YES for entry in statement.actions):
        return False
    wild = [entry for entry in statement.resources or () if isinstance(entry, str | Text) and "*" in render(entry)]
    if not wild:
        return False
    plan, (head, middle, tail) = attributes.plan, _SHAPES[action].split("{}")
    name = Unknown("any name", AtRunTime("the name"))
    parts = ("arn:", plan.partition, f":{head}", plan.region, middle, plan.account, tail, name)
    anything = PartialArn.of(concatenate(part for part in parts if part))
    return any(match(Pattern.arn(entry, attributes.narrow), anything) is Truth.YES for entry in wild)


def _fault(statement: Statement, action: str, resources: list[Value]) -> PolicyFault:
    listed = ", ".join(map(shown_value, resources))
    noun = "secret" if "secret" in action else "parameter"
    return PolicyFault.of(
        "broader-than-needed",
        statement,
        "Resource",
        about=action,
        expected=f"{action} on {listed}",
        found=f"{action} on every {noun}",
        reason=f"the task definitions of this execution role name {len(resources)} of them",
        remedy=f"resources = [{listed}]",
    )
