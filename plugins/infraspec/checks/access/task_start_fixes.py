"""What a task definition lacks, as changes of the source: an execution role, a task role, or a log group.

Sources: Amazon ECS Developer Guide, "Amazon ECS task execution IAM role"; AWS Managed Policy Reference,
"AmazonECSTaskExecutionRolePolicy".
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from infraspec.checks.access.trust import Trust
from infraspec.checks.common.resources_by_arn import ArnIndex, arn_index
from infraspec.checks.common.statement_hcl import expression_in
from infraspec.core.finding import SourceChange
from infraspec.core.unknown import Value
from infraspec.ecs.access_table import EXECUTION
from infraspec.ecs.requirement import AccessContext
from infraspec.terraform.plan import Plan, Resource

_TASKS = "ecs-tasks.amazonaws.com"
_ROLE = """\
resource "aws_iam_role" "LABEL" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}"""
_STARTING = """

resource "aws_iam_role_policy_attachment" "LABEL" {
  role       = aws_iam_role.LABEL.name
  policy_arn = "arn:PARTITION:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}"""


def role_changes(plan: Plan) -> RoleChanges:
    """Return what gives the task definitions of a plan roles."""
    return RoleChanges(plan.derived(arn_index))


class RoleChanges(Struct):
    """What gives the task definitions of a plan the roles that they lack."""

    owners: ArnIndex
    _known: dict[tuple[str, str], tuple[SourceChange, ...]] = field(default_factory=dict)

    def of(self, definition: Resource, kind: str) -> tuple[SourceChange, ...]:
        """Return the ways to give a task definition a role of a kind, `execution` or `task`, the best first."""
        key = definition.address, kind
        if key not in self._known:
            self._known[key] = tuple(_role_changes(definition, kind, self.owners))
        return self._known[key]


def log_groups(definition: Resource, family: Value) -> tuple[tuple[str, str], ...]:
    """Return new log groups for a task definition, the best first, each with the expression for its name.

    Instances whose families differ share a log group of a name that Terraform completes.
    """
    named = [f'name_prefix = "/ecs/{definition.name}-"']
    if isinstance(family, str):
        named.insert(0, f'name = "/ecs/{family}"')
    head = f'resource "aws_cloudwatch_log_group" "{definition.name}"'
    name = f"aws_cloudwatch_log_group.{definition.name}.name"
    return tuple((f"{head} {{\n  {one}\n}}", name) for one in named)


def _role_changes(definition: Resource, kind: str, owners: ArnIndex) -> Iterator[SourceChange]:
    """Yield what sets the only execution role that there is for a task definition, and what sets a new role."""
    argument, label = f"{kind}_role_arn", f"{definition.name}_{kind}"
    role = _only_role(definition, owners) if kind == EXECUTION else None
    if role is not None:
        named, _, references = expression_in(definition.module, role.reference("arn"))
        yield SourceChange("arguments", definition.address, entries=((argument, named),), references=references)
    blocks = (_ROLE + _STARTING * (kind == EXECUTION)).replace("LABEL", label)
    blocks = blocks.replace("PARTITION", str(owners.plan.partition))
    entries = ((argument, f"aws_iam_role.{label}.arn"),)
    yield SourceChange("arguments", definition.address, entries=entries, beside=blocks)


def _only_role(definition: Resource, owners: ArnIndex) -> Resource | None:
    """Return the role that tasks are started with: the one of other task definitions, or the only one ECS may assume.

    A role that an application acts with is none: what starts its tasks reads their secrets.
    """
    trust, context, plan = Trust(owners), AccessContext.of(owners.attributes, definition), owners.plan
    definitions = plan.managed("aws_ecs_task_definition")
    acting, starting = (
        {repr(one.get(name)) for one in definitions} for name in ("task_role_arn", "execution_role_arn")
    )
    roles = [
        one
        for one in plan.managed("aws_iam_role")
        if repr(one.reference("arn")) not in acting and trust.lets_in(one, _TASKS, context)
    ]
    used = [one for one in roles if repr(one.reference("arn")) in starting]
    return next((found[0] for found in (used, roles) if len(found) == 1), None)
