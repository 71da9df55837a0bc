"""Whether each task definition is complete: roles, log configuration, and every `valueFrom` well-formed.

ECS itself does not ask for a task role; this rule does, because a specification says which role the application has.
Sources: Amazon ECS Developer Guide, "Amazon ECS task definition parameters for Fargate", "Specifying sensitive data".

ECS reads parameters and secrets of other regions by their ARN, and secrets of other accounts whose policies let the
role in. Sources: Amazon ECS API Reference, "Secret"; AWS Secrets Manager User Guide, "Access AWS Secrets Manager
secrets from a different account"; AWS Systems Manager User Guide, "Working with shared parameters in Parameter Store".
What belongs to another environment of the contract is taken for a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.access.secret_access import placed
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent
from infraspec.contract.models import Contract, partition_of
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import TASK_DEFINITIONS as RULE
from infraspec.core.unknown import MissingVariable, Unknown, Value, computed_from, render
from infraspec.ecs.access_table import EXECUTION
from infraspec.ecs.container import Container, SecretReference
from infraspec.ecs.references import ValueFrom, ValueStore
from infraspec.ecs.required_access import required_access
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan


class ValuePlace(Struct, frozen=True):
    """What is to be said of where a value is; `expected` and `remedy` are empty if nothing is wrong with it."""

    verdict: Verdict
    reason: str
    expected: str = ""
    remedy: str = ""


def place_of_value(parsed: ValueFrom, context: AccessContext, contract: Contract, environment: str) -> ValuePlace:
    """Compare region and account of an ARN with those of the task, and with those of the other environments."""
    compared = {"account": (parsed.account, context.account), "region": (parsed.region, context.region)}
    differing = {what: pair for what, pair in compared.items() if _differ(*pair)}
    if not differing:
        return ValuePlace(Verdict.PROVEN, parsed.store.value)
    there = " and ".join(f"{what} {given}" for what, (given, _) in differing.items())
    here = " and ".join(f"{what} {own}" for what, (_, own) in differing.items())
    given, own = (partition_of(str(region)) for region in differing.get("region", ("", "")))
    if given != own:
        reason = f"{there} is of the partition {given}, where no role of the partition {own} is valid"
        return ValuePlace(Verdict.VIOLATED, reason, f"an ARN of {here}, where the task runs", f"name the one of {here}")
    other = _environment_at(parsed, context.account, contract, environment)
    if other:
        return ValuePlace(
            Verdict.VIOLATED,
            f"{there} is that of the environment {other}",
            f"an ARN of {here}, where {environment} runs",
            f"name the one of {environment}, or waive the finding if that of {other} is meant",
        )
    if "account" in differing and parsed.store is ValueStore.PARAMETER_STORE:
        return ValuePlace(
            Verdict.UNDETERMINED,
            "a parameter of another account can be read only if AWS Resource Access Manager shares it; "
            "AWS does not document that ECS reads shared parameters",
            f"a parameter of {here}, where the task runs",
            f"keep the parameter in {here}, or waive the finding once a task has started with it",
        )
    return ValuePlace(Verdict.PROVEN, f"{parsed.store.value}, of {there}; the task runs in {here}")


def _environment_at(parsed: ValueFrom, own_account: Value, contract: Contract, environment: str) -> str:
    """Return the other environment of the contract that an ARN belongs to, if there is one."""
    for name, other in contract.environments.items():
        is_theirs = parsed.account != own_account or other.region == parsed.region
        if name != environment and other.account_id is not None and other.account_id == parsed.account and is_theirs:
            return name
    return ""


def _differ(given: Value, own: Value) -> bool:
    return isinstance(given, str) and isinstance(own, str) and given not in ("", own)


_AWSLOGS_OPTIONS = ("awslogs-group", "awslogs-region")
_PREFIX = "awslogs-stream-prefix"
_CONTAINER = 'containerDefinitions = [{ name = "app", image = "…" }]'
_FARGATE_DRIVERS = ("awslogs", "splunk", "awsfirelens")


@of_what_may_be_absent
def check_task_definitions(
    plan: Plan, task_definitions: Iterable[TaskDefinition], contract: Contract, environment: str
) -> list[Finding]:
    """Judge the roles of every task definition, and the logs and secrets of every container: one finding each."""
    check = _Check(placed(plan, contract, environment), contract, environment)
    return [finding for definition in task_definitions for finding in check.findings(definition)]


class _Report(Struct, frozen=True):
    """Makes the findings about one place of a task definition."""

    definition: TaskDefinition
    subject: str
    path: str

    def proven(self, reason: str) -> Finding:
        place = self.definition.locate(self.path)
        return Finding(RULE.id, Verdict.PROVEN, self.definition.address, self.subject, place, reason=reason)

    def violated(self, expected: str, found: str, reason: str, remedy: str) -> Finding:
        place = self.definition.locate(self.path)
        address = self.definition.address
        return Finding(RULE.id, Verdict.VIOLATED, address, self.subject, place, expected, found, reason, remedy)

    def undetermined(self, expected: str, unknown: Unknown) -> Finding:
        return Finding(
            RULE.id,
            Verdict.UNDETERMINED,
            self.definition.address,
            self.subject,
            self.definition.locate(self.path),
            expected,
            f"{unknown.address} is not known",
            "it depends on what is not known",
            how_to_know(unknown),
        )


@dataclass
class _Check:
    plan: Plan
    contract: Contract
    environment: str
    attributes: AwsAttributes = field(init=False)
    owners: ArnIndex = field(init=False)

    def __post_init__(self) -> None:
        self.attributes = AwsAttributes(self.plan)
        self.owners = ArnIndex(self.attributes)

    def findings(self, definition: TaskDefinition) -> Iterator[Finding]:
        yield self._execution_role(definition)
        yield self._task_role(definition)
        unknown = definition.unknown_containers
        if unknown is not None:
            report = _Report(definition, "container definitions", "containerDefinitions")
            yield report.undetermined("known container definitions", unknown)
        elif not definition.containers:
            report = _Report(definition, "container definitions", "containerDefinitions")
            yield report.violated("a container", "none", "ECS registers no task definition without one", _CONTAINER)
        for container in definition.containers:
            yield self._logs(definition, container)
            yield from self._unknown_secrets(definition, container)
            for reference in container.secrets:
                yield self._value_from(definition, container, reference)

    def _execution_role(self, definition: TaskDefinition) -> Finding:
        report = _Report(
            definition, "execution role", "execution_role_arn" if definition.resource else "executionRoleArn"
        )
        role = definition.execution_role
        if role is not None:
            return self._given(report, role)
        found = required_access(definition, self._context(definition))
        needs = [need for need in found if need.access.role == EXECUTION]
        expected = "an execution role: " + ", ".join(dict.fromkeys(str(need.need) for need in needs[:3]))
        if not needs:
            hidden = definition.unknown_containers
            if hidden is not None:
                return report.undetermined("an execution role, if a container needs one", hidden)
            return report.proven("no container needs one")
        by_instance = all(need.action.startswith(("ecr:", "logs:")) for need in needs)
        fargate = definition.runs_on("FARGATE")
        if by_instance and fargate is False and definition.runs_on("EXTERNAL") is False:
            return report.proven("on EC2 the role of the container instance pulls images and writes logs")
        doubts = [need.doubt for need in needs]
        hidden = next((doubt.unknown for doubt in doubts if doubt and doubt.unknown), None)
        if all(doubts) and hidden is not None:
            return report.undetermined(expected, hidden)
        if by_instance and fargate is None:
            return report.undetermined(expected, Unknown("requires_compatibilities"))
        return report.violated(
            expected,
            "the task definition has none",
            "ECS pulls images, writes logs and reads secrets with the execution role",
            f"set {report.path} to a role that ecs-tasks.amazonaws.com may assume",
        )

    def _task_role(self, definition: TaskDefinition) -> Finding:
        report = _Report(definition, "task role", "task_role_arn" if definition.resource else "taskRoleArn")
        if definition.task_role is not None:
            return self._given(report, definition.task_role)
        return report.violated(
            "a task role",
            "the task definition has none",
            "without one the application has no credentials of its own, or on EC2 those of the container instance",
            f"set {report.path} to a role of the application, without policies if it calls no AWS API",
        )

    def _given(self, report: _Report, role: Value) -> Finding:
        """A variable without a value may be null; an attribute of a role is not."""  # noqa: D401 - states the rule
        if isinstance(role, Unknown) and isinstance(role.cause, MissingVariable):
            return report.undetermined("a role", role)
        return report.proven(render(role))

    def _logs(self, definition: TaskDefinition, container: Container) -> Finding:
        path = f"{container.path}.logConfiguration"
        report = _Report(definition, f'container "{container.name}", log configuration', path)
        hidden = next((part for place, part in container.unknown_parts if place in _hiding(container)), None)
        if hidden is not None:
            return report.undetermined("a log configuration", hidden)
        driver = container.log_driver
        fargate = definition.runs_on("FARGATE") is True
        if driver is None:
            return report.violated(
                "a log configuration",
                "the container has none",
                "what the container writes is lost" if fargate else "what the container writes stays on the instance",
                'set logConfiguration: logDriver "awslogs" with awslogs-group, awslogs-region, awslogs-stream-prefix',
            )
        if fargate and driver not in _FARGATE_DRIVERS:
            return report.violated(
                f"a log driver that Fargate has: {', '.join(_FARGATE_DRIVERS)}",
                render(driver),
                "Fargate refuses the task definition",
                'use logDriver "awslogs" or "awsfirelens"',
            )
        wanted = (*_AWSLOGS_OPTIONS, *([_PREFIX] if fargate else [])) if driver == "awslogs" else ()
        missing = [option for option in wanted if container.log_options.get(option) in (None, "")]
        if missing:
            return report.violated(
                f"the options {', '.join(wanted)}",
                f"no {', '.join(missing)}",
                "the awslogs driver does not start without them",
                f"set {', '.join(missing)} in logConfiguration.options",
            )
        return report.proven(f"log driver {render(driver)}")

    def _unknown_secrets(self, definition: TaskDefinition, container: Container) -> Iterator[Finding]:
        for path, part in container.unknown_parts:
            if ".secrets" in path or ".secretOptions" in path:
                place = path.removeprefix(f"{container.path}.")
                report = _Report(definition, f'container "{container.name}", {place}', path)
                yield report.undetermined("entries with name and a well-formed valueFrom", part)

    def _value_from(self, definition: TaskDefinition, container: Container, reference: SecretReference) -> Finding:
        subject = f'container "{container.name}", {reference.kind} "{reference.name}"'
        report = _Report(definition, subject, f"{reference.path}.valueFrom")
        narrowed = self.attributes.narrow(reference.value_from)
        parsed = ValueFrom.parse(narrowed)
        expected = "the full ARN of a secret, or the name or ARN of a parameter"
        shown = render(reference.value_from)
        if parsed.problem:
            return report.violated(expected, shown, parsed.problem, parsed.remedy)
        if parsed.store is ValueStore.UNKNOWN:
            return report.undetermined(expected, parsed.unknown or Unknown(shown, computed_from(narrowed)))
        name = parsed.target
        if parsed.store is ValueStore.PARAMETER_STORE and not parsed.is_arn and isinstance(name, str):
            if self.owners.secret_or_parameter(name) == "secret":
                return self._bare_name(report, name)
        elif parsed.store is ValueStore.SECRETS_MANAGER and isinstance(name, str):
            resource = self.owners.secret_named(name.partition(":secret:")[2])
            if resource is not None:
                reason = "the ARN ends with the secret's name and lacks its suffix of a hyphen and six characters"
                return report.violated(expected, shown, reason, f"use {resource.address}")
        return self._placed(report, definition, parsed, shown)

    def _bare_name(self, report: _Report, name: str) -> Finding:
        arn = self.owners.secret_named(name)
        return report.violated(
            "the full ARN of the secret",
            name,
            "ECS takes a name for that of a parameter; a secret of Secrets Manager has to be given by its ARN",
            f"use {arn.address}",
        )

    def _placed(self, report: _Report, definition: TaskDefinition, parsed: ValueFrom, shown: str) -> Finding:
        place = place_of_value(parsed, self._context(definition), self.contract, self.environment)
        if place.verdict is Verdict.PROVEN:
            return report.proven(place.reason)
        found = report.violated(place.expected, shown, place.reason, place.remedy)
        return replace(found, verdict=place.verdict)

    def _context(self, definition: TaskDefinition) -> AccessContext:
        resource = definition.resource
        account = self.attributes.account_of(resource) if resource else self.plan.account
        region = self.attributes.region_of(resource) if resource else self.plan.region
        return AccessContext(self.attributes, account, region)


def _hiding(container: Container) -> tuple[str, ...]:
    """Return the paths whose being unknown hides the log configuration."""
    log = f"{container.path}.logConfiguration"
    return (container.path, log, f"{log}.logDriver", f"{log}.options")
