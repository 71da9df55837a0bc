"""Whether the execution role of each task definition may do what its containers need: the check of the incident.

A task whose role may not read one of its secrets does not start: "ResourceInitializationError: unable to pull secrets
or registry auth". The permissions needed are those of `ecs.required_access`, the decision that of `iam.decision`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from infraspec.checks.owners import Owners
from infraspec.checks.request_context import request_context
from infraspec.checks.roles import Role, RoleIndex
from infraspec.checks.secret_access_text import conclusion, undetermined, violated
from infraspec.contract.models import Contract
from infraspec.ecs.required_access import AccessContext, Requirement, required_access
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.errors import ErrorCollector
from infraspec.finding import Finding, Verdict
from infraspec.iam.answer import Answer
from infraspec.iam.decision import Decision, decide
from infraspec.iam.fields import arn_fields
from infraspec.iam.pattern import Subject
from infraspec.iam.principal import Principal
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan
from infraspec.unknown import Unknown, Value, render

RULE = "secret-access"


def check_secret_access(
    plan: Plan, task_definitions: Iterable[TaskDefinition], contract: Contract, environment: str
) -> list[Finding]:
    """Judge every permission that every container needs: one finding each.

    Raises PolicyError, or InputErrorGroup with several, if a policy that matters is malformed.
    """
    check = _Check(placed(plan, contract, environment))
    errors = ErrorCollector()
    findings: list[Finding] = []
    for task_definition in task_definitions:
        with errors.collect():
            findings += check.findings(task_definition)
    errors.finalize()
    return findings


def placed(plan: Plan, contract: Contract, environment: str) -> Plan:
    """Return the plan with account and region from the contract where it does not know them itself."""
    given = contract.environments.get(environment)
    changes: dict[str, Value] = {}
    if given and given.account_id and isinstance(plan.account, Unknown):
        changes["account"] = given.account_id
    if given and given.region and isinstance(plan.region, Unknown):
        changes["region"] = given.region
    return plan.replaced(**changes) if changes else plan


@dataclass
class _Check:
    """The check over one plan; remembers subjects and decisions."""

    plan: Plan
    attributes: AwsAttributes = field(init=False)
    roles: RoleIndex = field(init=False)
    owners: Owners = field(init=False)
    _decisions: dict[tuple[str, str, Value, Value], Decision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attributes = AwsAttributes(self.plan)
        self.roles = RoleIndex(self.attributes)
        self.owners = Owners(self.attributes)

    def findings(self, task_definition: TaskDefinition) -> Iterator[Finding]:
        """Yield the findings of one task definition."""
        yield from self._hidden(task_definition)
        requirements = required_access(task_definition, self._context(task_definition))
        if not requirements:
            return
        if task_definition.execution_role is None:
            for requirement in requirements:
                yield self._without_role(task_definition, requirement)
            return
        role = self.roles.role(task_definition.execution_role)
        for requirement in requirements:
            yield self._judge(task_definition, role, requirement)

    def _context(self, task_definition: TaskDefinition) -> AccessContext:
        resource = task_definition.resource
        return AccessContext(
            self.attributes,
            self.attributes.account_of(resource) if resource else self.plan.account,
            self.attributes.region_of(resource) if resource else self.plan.region,
            self.owners.key_of,
            self.owners.secret_named,
        )

    def _hidden(self, task_definition: TaskDefinition) -> Iterator[Finding]:
        """Yield what hides the needs of a task definition."""
        address = task_definition.address
        unknown = task_definition.unknown_containers
        if unknown is not None:
            place = task_definition.locate("containerDefinitions")
            yield undetermined(RULE, address, "container definitions", place, unknown)
        for container in task_definition.containers:
            for path, part in container.unknown_parts:
                subject = f'container "{container.name}", {path.removeprefix(container.path).strip(".") or "all of it"}'
                yield undetermined(RULE, address, subject, task_definition.locate(path), part)

    def _without_role(self, task_definition: TaskDefinition, requirement: Requirement) -> Finding:
        """Judge a need of a task definition that has no execution role."""
        instance_role = requirement.action.startswith(("ecr:", "logs:")) and task_definition.runs_on("FARGATE") is False
        certain = requirement.unknown is None and not instance_role and task_definition.runs_on("EXTERNAL") is not None
        who = "the role of the container instance" if instance_role else "nobody"
        return Finding(
            RULE,
            Verdict.VIOLATED if certain else Verdict.UNDETERMINED,
            task_definition.address,
            f"{requirement.need}: {requirement.action}",
            task_definition.locate(requirement.need.path),
            expected=f"an execution role that may {requirement.action} on {render(requirement.resource)}",
            found="the task definition has no execution role",
            reason=f"without an execution role, {who} is asked to do it ({requirement.source})",
            remedy="set execution_role_arn to a role that ecs-tasks.amazonaws.com may assume",
        )

    def _judge(self, task_definition: TaskDefinition, role: Role, requirement: Requirement) -> Finding:
        decision = self._decide(role, requirement, requirement.resource)
        allowed, caveat = self._tempered(requirement, decision)
        if allowed is Answer.NO and requirement.alternative is not None:
            other = self._decide(role, requirement, requirement.alternative)
            if other.allowed is not Answer.NO:
                shown = render(requirement.alternative)
                allowed, caveat = Answer.MAYBE, f"it is allowed on {shown}, which AWS does not document for policies"
        if allowed is Answer.YES:
            return Finding(
                RULE,
                Verdict.PROVEN,
                task_definition.address,
                f"{requirement.need}: {requirement.action}",
                task_definition.resource.location if task_definition.resource else task_definition.locate(""),
                reason=f"{role.address} is allowed by {decision.deciding}",
            )
        if allowed is Answer.NO:
            text = violated(requirement, role, decision, self.owners)
        else:
            text = conclusion(requirement, role, decision, caveat)
        return replace(
            text,
            rule=RULE,
            address=task_definition.address,
            subject=f"{requirement.need}: {requirement.action}",
            location=task_definition.locate(requirement.need.path),
        )

    def _decide(self, role: Role, requirement: Requirement, resource: Value) -> Decision:
        key = (role.address, requirement.action, resource, requirement.via)
        if key not in self._decisions:
            principal = Principal.role(self.attributes.narrow(role.arn))
            self._decisions[key] = decide(
                role.policies,
                requirement.action,
                self._subject(requirement, resource),
                boundary=role.boundary,
                resource_policies=self.owners.policies(resource, principal.account, requirement.action),
                principal=principal,
                context=request_context(principal.value, resource, requirement.via),
            )
        return self._decisions[key]

    def _subject(self, requirement: Requirement, resource: Value) -> Subject:
        """Name the attribute a resource comes from, if it is one: messages do, and two resources differ by it."""
        named = requirement.need.named
        whole = type(named) is Unknown and self.attributes.narrow(named) == resource
        return Subject.of(named, self.attributes.narrow) if whole else Subject.of(resource)

    @staticmethod
    def _tempered(requirement: Requirement, decision: Decision) -> tuple[Answer, str]:
        """Lower an answer to MAYBE where something beside the role's policies decides too; say what."""
        if requirement.undecidable:
            return Answer.MAYBE, f"it is not known whether {_named(requirement)} is a secret or a parameter"
        if decision.allowed is Answer.NO and requirement.unknown is not None:
            return Answer.MAYBE, f"it is not known whether this is needed: {requirement.unknown.address} is not known"
        if "resource policy" not in decision.blocked_by:
            return decision.allowed, ""
        if requirement.action.startswith("kms:"):
            return Answer.MAYBE, "the key's own policy does not leave the decision to policies of the account"
        account = arn_fields(requirement.resource).get("account")
        return Answer.MAYBE, f"the resource is in account {account}, which has to allow it by a resource policy too"


def _named(requirement: Requirement) -> str:
    return render(requirement.need.named)
