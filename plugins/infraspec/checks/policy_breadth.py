"""Grants to an execution role that are wider than what its task definitions need, where that is known.

Source: IAM User Guide, "Apply least-privilege permissions".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from infraspec.checks.owners import Owners
from infraspec.checks.policy_documents import Held
from infraspec.checks.roles import RoleIndex
from infraspec.ecs.access_table import EXECUTION
from infraspec.ecs.required_access import required_access
from infraspec.ecs.requirement import AccessContext, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.errors import PolicyError
from infraspec.iam.answer import Answer
from infraspec.iam.document import PolicyDocument, Statement
from infraspec.iam.lint.fault import Fault
from infraspec.iam.matching import match, match_action
from infraspec.iam.pattern import Pattern, Subject
from infraspec.iam.pattern import shown as shown_value
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.unknown import AtRunTime, Text, Unknown, Value, concatenate, render

_SHAPES = {
    "secretsmanager:GetSecretValue": "secretsmanager:{}:{}:secret:",
    "ssm:GetParameters": "ssm:{}:{}:parameter/",
}
"""Actions whose resources a task definition names one by one, with the ARN of any of them."""
_Documents = Sequence[tuple[Held, PolicyDocument]]


def broad_grants(
    documents: _Documents, attributes: AwsAttributes, task_definitions: Iterable[TaskDefinition]
) -> Iterator[tuple[int, Fault]]:
    """Yield the statements that let an execution role read every secret or parameter, where its needs are known."""
    needs = _needs(attributes, task_definitions)
    holders = {(held.resource.address, held.attribute): position for position, (held, _) in enumerate(documents)}
    for policies, action, resources in needs:
        for policy in policies:
            position = holders.get((policy, "policy"))
            for statement in documents[position][1].statements if position is not None else ():
                if position is not None and _allows_any(statement, action, attributes):
                    yield position, _fault(statement, action, resources)


def _needs(
    attributes: AwsAttributes, task_definitions: Iterable[TaskDefinition]
) -> Iterator[tuple[list[str], str, list[Value]]]:
    """Yield the policies of each execution role with an action and the resources it needs it for, if all are known."""
    roles, owners = RoleIndex(attributes), Owners(attributes)
    by_role: dict[Value, list[Requirement]] = {}
    unclear: set[Value] = set()
    for definition in task_definitions:
        role = definition.execution_role
        if role is None:
            continue
        context = AccessContext(
            attributes,
            attributes.account_of(definition.resource) if definition.resource else attributes.plan.account,
            attributes.region_of(definition.resource) if definition.resource else attributes.plan.region,
            secret_named=owners.secret_named,
            secret_read=owners.secret_read,
        )
        if definition.unknown_containers is not None or any(c.unknown_parts for c in definition.containers):
            unclear.add(role)
        by_role.setdefault(role, []).extend(required_access(definition, context))
    for role, requirements in by_role.items():
        if role in unclear:
            continue
        policies = _policies(roles, role)
        for action in _SHAPES:
            wanted = [need for need in requirements if need.action == action and need.access.role == EXECUTION]
            if wanted and not any(need.doubt or need.undecidable for need in wanted):
                yield policies, action, list(dict.fromkeys(need.need.named for need in wanted))


def _policies(roles: RoleIndex, role: Value) -> list[str]:
    try:
        return [policy.name for policy in roles.role(role).policies]
    except PolicyError:  # the rule about access reports it
        return []


def _allows_any(statement: Statement, action: str, attributes: AwsAttributes) -> bool:
    """Tell whether a statement for certain allows an action on every resource there is."""
    if statement.effect != "Allow" or statement.condition is not None or statement.actions is None:
        return False
    if not any(match_action(Pattern.action(entry), action) is Answer.YES for entry in statement.actions):
        return False
    wild = [entry for entry in statement.resources or () if isinstance(entry, str | Text) and "*" in render(entry)]
    if not wild:
        return False
    region, account = attributes.plan.region, attributes.plan.account
    head, middle, tail = _SHAPES[action].split("{}")
    parts = [
        "arn:",
        attributes.plan.partition,
        f":{head}",
        region,
        middle,
        account,
        tail,
        Unknown("any name", AtRunTime("the name")),
    ]
    anything = Subject.of(concatenate(part for part in parts if part))
    return any(match(Pattern.arn(entry, attributes.narrow), anything) is Answer.YES for entry in wild)


def _fault(statement: Statement, action: str, resources: list[Value]) -> Fault:
    listed = ", ".join(map(shown_value, resources))
    noun = "secret" if "secret" in action else "parameter"
    return Fault.of(
        "broader-than-needed",
        statement,
        "Resource",
        about=action,
        expected=f"{action} on {listed}",
        found=f"{action} on every {noun}",
        reason=f"the task definitions of this execution role name {len(resources)} of them",
        remedy=f"resources = [{listed}]",
    )
