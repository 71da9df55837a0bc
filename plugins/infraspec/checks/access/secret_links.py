"""The links of the chain from a task to a secret: what its execution role needs, and what our decision says of it.

Source: IAM User Guide, "Testing IAM policies with the IAM policy simulator": policies of resources are not simulated
for roles. Service control policies are, ours does not see them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from msgspec import Struct

from infraspec.aws.simulate import ALLOWED, EXPLICIT_DENY, Simulated, SimulationQuestion
from infraspec.checks.access.access_decisions import AccessDecisions, AccessJudgement, Keys, request_context
from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.common.roles import Role, role_index
from infraspec.contract.models import Contract
from infraspec.core.truth import Truth
from infraspec.core.unknown import render
from infraspec.ecs.access_table import EXECUTION
from infraspec.ecs.references import ValueFrom
from infraspec.ecs.required_access import required_access
from infraspec.ecs.requirement import AccessContext, Need, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData

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
    judgement: AccessJudgement
    question: SimulationQuestion | None = None


class ChainLink(Struct, frozen=True):
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


class ChainLinks:
    """The links of the task definitions of one plan of what exists."""

    def __init__(self, plan: Plan, contract: Contract, environment: str) -> None:
        given = contract.environments.get(environment)
        known = KnownData.of({**contract.known, **(given.known if given else {})})
        self.plan, self.attributes = plan, plan.derived(AwsAttributes)
        self.owners = plan.derived(arn_index)
        self.roles = plan.derived(role_index)
        self.keys = Keys(self.owners, known)
        self.decisions = AccessDecisions(self.owners)

    def of(self, definitions: Iterable[TaskDefinition]) -> Iterator[ChainLink]:
        """Yield the links of each task definition, one for each value that a container reads."""
        context = AccessContext(
            self.attributes, self.plan.account, self.plan.region, self.keys.of, self.owners.secret_named
        )
        for definition in definitions:
            required = required_access(definition, context)
            execution = [need for need in required if need.access.role == EXECUTION]
            reads = [need for need in execution if need.action.startswith(_READS)]
            for path, group in groupby(reads, key=lambda one: one.need.path):
                if ".secrets." in path or ".secretOptions." in path or path.endswith("credentialsParameter"):
                    yield self._link(definition, list(group))

    def _link(self, definition: TaskDefinition, needs: list[Requirement]) -> ChainLink:
        need = needs[0].need
        value = ValueFrom.parse(self.attributes.narrow(need.named))
        if definition.execution_role is None:
            return ChainLink(definition, need, value)
        role = self.roles.role(definition.execution_role)
        judged = [Judged(one, self.decisions.judge(role, one, definition), self._question(role, one)) for one in needs]
        return ChainLink(definition, need, value, role, tuple(judged))

    def _question(self, role: Role, requirement: Requirement) -> SimulationQuestion | None:
        """Return what to ask the simulator; nothing of what is not wholly known."""
        arn, resource = self.attributes.narrow(role.arn), requirement.resource
        if not (isinstance(arn, str) and isinstance(resource, str) and resource.startswith("arn:")):
            return None
        request = request_context(arn, resource, requirement.via)
        told = ((key, request.get(key)) for key in _KEYS)
        context = {key: entry.values[0] for key, entry in told if entry.present is Truth.YES}
        known = {key: value for key, value in context.items() if isinstance(value, str)}
        return SimulationQuestion(arn, requirement.action, resource, tuple(sorted(known.items())))


class Comparison(Struct, frozen=True):
    """A line for the finding, if the simulator differs. With `opens` the difference leaves it open who is right."""

    allows: bool = False
    text: str = ""
    opens: bool = False
    found: str = ""


def comparison(one: Judged, simulated: Simulated | None) -> Comparison:
    """Compare the simulator's decision on a permission with ours."""
    if simulated is None:
        return Comparison()
    action, ours, allowed = one.requirement.action, one.judgement.answer, simulated.decision == ALLOWED
    if simulated.is_open:
        return Comparison(
            text=f"IAM's simulator cannot decide {action}: it was not given {', '.join(simulated.missing)}"
        )
    if simulated.organization is False and ours is not Truth.NO:
        text = f"IAM's simulator: the service control policies of the organization do not allow {action}; ours cannot"
        return Comparison(
            text=f"{text} see them", opens=True, found=f"an organization's policy may deny {action}, by the simulator"
        )
    if allowed == (ours is Truth.YES) or (ours is Truth.MAYBE and allowed):
        return Comparison(allows=allowed)
    explained = _explained(one, simulated)
    said = f"IAM's simulator says {simulated.decision} of {action}, our decision {_WORDS[ours]}"
    if explained or ours is Truth.MAYBE:
        return Comparison(allowed, f"{said}: {explained}" if explained else said)
    sources = f" by {', '.join(simulated.by)}" if simulated.by else ""
    return Comparison(allowed, f"{said}, and nothing explains it", opens=True, found=f"{said}{sources}")


_WORDS = {Truth.YES: "allowed", Truth.NO: "denied", Truth.MAYBE: "undetermined"}


def _explained(one: Judged, simulated: Simulated) -> str:
    """Say what the simulator cannot see, where that makes the difference."""
    layers = one.judgement.decision.layers
    if layers is None or simulated.decision == EXPLICIT_DENY:
        return ""
    not_simulated = "policies of secrets and keys are not simulated for roles"
    by_key = one.requirement.action.startswith("kms:")
    if one.judgement.answer is Truth.YES and (by_key or one.judgement.reason or layers.own.allowed is not Truth.YES):
        return f"the policy of the resource allows the role, and {not_simulated} (nor are grants of keys)"
    by_resource = layers.shared.denied is Truth.YES or "resource policy" in one.judgement.decision.blocked_by
    if one.judgement.answer is Truth.NO and by_resource:
        return f"the policy of the resource decides, and {not_simulated}"
    return ""
