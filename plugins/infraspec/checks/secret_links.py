"""The links of the chain from a task to a secret: what its execution role needs, and what our decision says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from msgspec import Struct

from infraspec.aws.simulate import Question
from infraspec.checks.access_decisions import AccessDecisions, Judgement
from infraspec.checks.keys import Keys
from infraspec.checks.owners import Owners
from infraspec.checks.request_context import request_context
from infraspec.checks.roles import Role, RoleIndex
from infraspec.contract.models import Contract
from infraspec.ecs.access_table import EXECUTION
from infraspec.ecs.required_access import required_access
from infraspec.ecs.requirement import AccessContext, Need, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.ecs.value_from import Store, ValueFrom
from infraspec.iam.answer import Answer
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.known_data import KnownData
from infraspec.terraform.plan import Plan
from infraspec.unknown import render

_READS = ("secretsmanager:", "ssm:", "kms:")
_KEYS = (
    "aws:RequestedRegion",
    "kms:CallerAccount",
    "kms:EncryptionContext:PARAMETER_ARN",
    "kms:EncryptionContext:SecretARN",
    "kms:ViaService",
)
"""What the simulator has to be told of a request."""


class Judged(Struct, frozen=True):
    """One permission on the way to a secret, our judgement of it, and the question for IAM's simulator if it can be."""

    requirement: Requirement
    judgement: Judgement
    question: Question | None = None


class Link(Struct, frozen=True):
    """One value that a container of a task definition reads. `role` is None where there is no execution role."""

    definition: TaskDefinition
    need: Need
    value: ValueFrom
    role: Role | None = None
    judged: tuple[Judged, ...] = ()

    @property
    def arn(self) -> str:
        """The ARN of the secret or parameter."""
        return render(self.judged[0].requirement.resource) if self.judged else render(self.value.target)

    @property
    def suffix(self) -> tuple[str, str, str]:
        """The JSON key, version stage and version id that are asked for; empty where not."""
        if self.value.store is not Store.SECRETS_MANAGER:
            return "", "", ""
        rest = render(self.need.named).removeprefix(render(self.value.target)).split(":")[1:]
        key, stage, version = [*rest, "", "", ""][:3]
        return key, stage, version

    @property
    def answer(self) -> Answer:
        """What our decisions say of all permissions together."""
        answers = [one.judgement.answer for one in self.judged]
        return Answer.NO if Answer.NO in answers else Answer.MAYBE if Answer.MAYBE in answers else Answer.YES


@dataclass
class Links:
    """The links of the task definitions of one plan of what exists."""

    plan: Plan
    contract: Contract
    environment: str

    def __post_init__(self) -> None:
        given = self.contract.environments.get(self.environment)
        known = KnownData.of({**self.contract.known, **(given.known if given else {})})
        self.attributes = AwsAttributes(self.plan)
        self.owners = Owners(self.attributes)
        self.roles = RoleIndex(self.attributes)
        self.keys = Keys(self.owners, known)
        self.decisions = AccessDecisions(self.owners)

    def of(self, definitions: Iterable[TaskDefinition]) -> Iterator[Link]:
        """Yield the links of each task definition, one for each value that a container reads."""
        context = AccessContext(
            self.attributes, self.plan.account, self.plan.region, self.keys.of, self.owners.secret_named
        )
        for definition in definitions:
            reads = [need for need in required_access(definition, context) if _is_read(need)]
            for path, group in groupby(reads, key=lambda one: one.need.path):
                if ".secrets." in path or ".secretOptions." in path or path.endswith("credentialsParameter"):
                    yield self._link(definition, list(group))

    def _link(self, definition: TaskDefinition, needs: list[Requirement]) -> Link:
        need = needs[0].need
        value = ValueFrom.parse(self.attributes.narrow(need.named))
        if definition.execution_role is None:
            return Link(definition, need, value)
        role = self.roles.role(definition.execution_role)
        judged = [Judged(one, self.decisions.judge(role, one), self._question(role, one)) for one in needs]
        return Link(definition, need, value, role, tuple(judged))

    def _question(self, role: Role, requirement: Requirement) -> Question | None:
        """Return what to ask the simulator; nothing of what is not wholly known."""
        arn, resource = self.attributes.narrow(role.arn), requirement.resource
        if not (isinstance(arn, str) and isinstance(resource, str) and resource.startswith("arn:")):
            return None
        request = request_context(arn, resource, requirement.via)
        told = ((key, request.get(key)) for key in _KEYS)
        context = {key: entry.values[0] for key, entry in told if entry.present is Answer.YES}
        known = {key: value for key, value in context.items() if isinstance(value, str)}
        return Question(arn, requirement.action, resource, tuple(sorted(known.items())))


def _is_read(requirement: Requirement) -> bool:
    return requirement.access.role == EXECUTION and requirement.action.startswith(_READS)
