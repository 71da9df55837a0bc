"""Whether each task definition is complete: roles, log configuration, and every `valueFrom` well-formed.

ECS does not ask for a task role, so that one that is missing is advice: a specification says which role an application
has.
Sources: Amazon ECS Developer Guide, "Amazon ECS task definition parameters for Fargate", "Specifying sensitive data".

ECS reads parameters and secrets of other regions by their ARN, and secrets of other accounts whose policies let the
role in. Sources: Amazon ECS API Reference, "Secret"; AWS Secrets Manager User Guide, "Access AWS Secrets Manager
secrets from a different account"; AWS Systems Manager User Guide, "Working with shared parameters in Parameter Store".
What belongs to another environment of the contract is taken for a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from infraspec.checks.access.deployment_room import deployments
from infraspec.checks.access.secret_access import placed
from infraspec.checks.access.task_start_fixes import log_groups, role_changes
from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent
from infraspec.contract.models import Contract, partition_of
from infraspec.core.finding import Finding, SourceChange, Verdict
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.unknown import MissingVariable, Unknown, Value, computed_from, render
from infraspec.core.visible_text import hcl_string
from infraspec.ecs.access_table import EXECUTION
from infraspec.ecs.container import Container, SecretReference
from infraspec.ecs.references import ValueFrom, ValueStore
from infraspec.ecs.required_access import required_access
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.task_definition import EXPRESS, TaskDefinition
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["task-definitions"]

_AWSLOGS_OPTIONS = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix")
"""What the driver needs, the last on Fargate alone."""
_PREFIX = "ecs"
"""The prefix of log streams that the console sets; the name of the container follows it."""
_CONTAINER = 'containerDefinitions = [{ name = "app", image = "…" }]'
_FARGATE_DRIVERS = ("awslogs", "splunk", "awsfirelens")


@of_what_may_be_absent
def check_task_definitions(
    plan: Plan, task_definitions: Iterable[TaskDefinition], contract: Contract, environment: str
) -> list[Finding]:
    """Judge the roles of every task definition, logs and secrets of every container, and the room of deployments."""
    check = _Check(placed(plan, contract, environment), contract, environment)
    found = [finding for definition in task_definitions for finding in check.findings(definition)]
    return [*found, *deployments(plan)]


class _Check:
    def __init__(self, plan: Plan, contract: Contract, environment: str) -> None:
        self.contract, self.environment = contract, environment
        self.attributes = plan.derived(AwsAttributes)
        self.owners = plan.derived(arn_index)

    def findings(self, definition: TaskDefinition) -> Iterator[Finding]:
        yield self._judge_execution_role(definition)
        yield _judge_task_role(definition)
        unknown = definition.unknown_containers
        subject = _about(definition, "container definitions", "containerDefinitions")
        if definition.error is not None:
            error = definition.error
            reason = "\n".join(filter(None, (f"{error.place}: {error.message}", error.excerpt)))
            yield subject.violated(expected=error.expected, found=error.found, reason=reason, remedy=error.remedy)
        elif unknown is not None:
            yield _leave_open(subject, "known container definitions", unknown)
        elif not definition.containers:
            reason = "ECS registers no task definition without one"
            yield subject.violated(expected="a container", found="none", reason=reason, remedy=_CONTAINER)
        for container in definition.containers:
            yield self._with_logs(_judge_logs(definition, container), definition, container)
            for path, part in container.unknown_parts:
                if ".secrets" in path or ".secretOptions" in path:
                    named = f'container "{container.name}", {path.removeprefix(f"{container.path}.")}'
                    expected = "entries with name and a well-formed valueFrom"
                    yield _leave_open(_about(definition, named, path), expected, part)
            for reference in container.secrets:
                named = f'container "{container.name}", {reference.kind} "{reference.name}"'
                subject = _about(definition, named, f"{reference.path}.valueFrom")
                yield self._judge_value(subject, definition, reference)

    def _with_logs(self, finding: Finding, definition: TaskDefinition, container: Container) -> Finding:
        """Return a finding about logs with the change that sends them to the log group of the module."""
        resource = definition.resource
        if finding.verdict is not Verdict.VIOLATED or resource is None:
            return finding
        groups = [
            one for one in self.attributes.plan.managed("aws_cloudwatch_log_group") if one.module == resource.module
        ]
        words = (str(container.name), render(definition.family or ""))
        named = [one for word in words for one in groups if word and word in render(self.attributes.name(one))]
        group = next(iter(groups if len(groups) == 1 else named), None)
        region, source = _region(self.attributes, resource)
        ways = log_groups(resource, definition.family) if group is None else (("", f"{group.address}.name"),)
        changes = []
        references = ((f"{group.address}.name", f"{group.address}.name"),) if group else ()
        for block, name in ways:
            path, entries = _log_entries(container, name, region)
            blocks = ((block, name), (source, region))
            beside = "\n\n".join(text for text, own in blocks if text and any(own in one for _, one in entries))
            changes.append(
                SourceChange("arguments", resource.address, path, entries=entries, references=references, beside=beside)
            )
        return replace(finding, changes=tuple(changes))

    def _judge_execution_role(self, definition: TaskDefinition) -> Finding:
        path = "execution_role_arn" if definition.resource else "executionRoleArn"
        subject = _about(definition, "execution role", path)
        if definition.execution_role is not None:
            return _judge_given(subject, definition.execution_role)
        required = required_access(definition, AccessContext.of(self.attributes, definition.resource))
        needs = [need for need in required if need.access.role == EXECUTION]
        if not needs:
            if definition.unknown_containers is not None:
                expected = "an execution role, if a container needs one"
                return _leave_open(subject, expected, definition.unknown_containers)
            return subject.proven("no container needs one")
        expected = "an execution role: " + ", ".join(dict.fromkeys(str(need.need) for need in needs[:3]))
        by_instance = all(need.action.startswith(("ecr:", "logs:")) for need in needs)
        fargate = definition.runs_on("FARGATE")
        if by_instance and fargate is False and definition.runs_on("EXTERNAL") is False:
            return subject.proven("on EC2 the role of the container instance pulls images and writes logs")
        doubts = [need.doubt for need in needs]
        hidden = next((doubt.unknown for doubt in doubts if doubt and doubt.unknown), None)
        if all(doubts) and hidden is not None:
            return _leave_open(subject, expected, hidden)
        if by_instance and fargate is None:
            return _leave_open(subject, expected, Unknown("requires_compatibilities"))
        found = subject.violated(
            expected=expected,
            found="the task definition has none",
            reason="ECS pulls images, writes logs and reads secrets with the execution role",
            remedy=f"set {path} to a role that ecs-tasks.amazonaws.com is allowed to assume",
        )
        resource = definition.resource
        changes = self.attributes.plan.derived(role_changes).of(resource, EXECUTION) if resource else ()
        return replace(found, changes=changes)

    def _judge_value(self, subject: Subject, definition: TaskDefinition, reference: SecretReference) -> Finding:
        narrowed, shown = self.attributes.narrow(reference.value_from), render(reference.value_from)
        parsed = ValueFrom.parse(narrowed)
        name, expected = parsed.target, "the full ARN of a secret, or the name or ARN of a parameter"
        if parsed.problem:
            whole = self.owners.secret_named(render(name).partition(":secret:")[2]) if parsed.partial else None
            remedy = f"use {whole.address}" if whole else parsed.remedy
            finding = subject.violated(expected=expected, found=shown, reason=parsed.problem, remedy=remedy)
            return _naming(finding, definition, reference, whole, parsed.suffix)
        if parsed.store is ValueStore.UNKNOWN:
            return _leave_open(subject, expected, parsed.unknown or Unknown(shown, computed_from(narrowed)))
        if isinstance(name, str) and parsed.store is ValueStore.SECRETS_MANAGER:
            secret = self.owners.secret_named(name.partition(":secret:")[2])
            if secret is not None:
                reason = "the ARN ends with the secret's name and lacks its suffix of a hyphen and six characters"
                remedy = f"use {secret.address}"
                finding = subject.violated(expected=expected, found=shown, reason=reason, remedy=remedy)
                return _naming(finding, definition, reference, secret, parsed.suffix)
        elif isinstance(name, str) and not parsed.is_arn and self.owners.secret_or_parameter(name) == "secret":
            secret = self.owners.secret_named(name)
            finding = subject.violated(
                expected="the full ARN of the secret",
                found=name,
                reason="ECS treats a bare name as the name of a parameter; "
                "a secret of Secrets Manager must be given by its ARN",
                remedy=f"use {secret.address}",
            )
            return _naming(finding, definition, reference, secret, parsed.suffix)
        return self._judge_place(subject, AccessContext.of(self.attributes, definition.resource), parsed, shown)

    def _judge_place(self, subject: Subject, context: AccessContext, parsed: ValueFrom, shown: str) -> Finding:
        """Compare region and account of an ARN with those of the task, and with those of the other environments."""
        compared = {"account": (parsed.account, context.account), "region": (parsed.region, context.region)}
        differing = {
            what: (given, own)
            for what, (given, own) in compared.items()
            if isinstance(given, str) and isinstance(own, str) and given not in ("", own)
        }
        if not differing:
            return subject.proven(parsed.store.value)
        there = " and ".join(f"{what} {given}" for what, (given, _) in differing.items())
        here = " and ".join(f"{what} {own}" for what, (_, own) in differing.items())
        given, own = map(partition_of, differing.get("region", ("", "")))
        if given != own:
            return subject.violated(
                expected=f"an ARN of {here}, where the task runs",
                found=shown,
                reason=f"{there} is of the partition {given}, where no role of the partition {own} is valid",
                remedy=f"name the one of {here}",
            )
        other = _environment_at(parsed, context.account, self.contract, self.environment)
        if other:
            return subject.violated(
                expected=f"an ARN of {here}, where {self.environment} runs",
                found=shown,
                reason=f"{there} is that of the environment {other}",
                remedy=f"name the one of {self.environment}, or waive the finding if the one of {other} is intended",
            )
        if "account" in differing and parsed.store is ValueStore.PARAMETER_STORE:
            return subject.undetermined(
                expected=f"a parameter of {here}, where the task runs",
                found=shown,
                reason="a parameter of another account can be read only if AWS Resource Access Manager shares it; "
                "AWS does not document that ECS reads shared parameters",
                remedy=f"keep the parameter in {here}, or waive the finding once a task has started with it",
            )
        return subject.proven(f"{parsed.store.value}, of {there}; the task runs in {here}")


def _region(attributes: AwsAttributes, definition: Resource) -> tuple[str, str]:
    """Return the expression for the region of a task definition, and the data source that it needs, if it needs one."""
    region = attributes.region_of(definition)
    if isinstance(region, str):
        return hcl_string(region), ""
    plan, there = attributes.plan, f"{definition.module}." if definition.module else ""
    known = [one for one in plan.data("aws_region") if one.module == definition.module and one.key is None]
    source = next((one.address.removeprefix(there) for one in known), "")
    return (f"{source}.id", "") if source else ("data.aws_region.current.id", 'data "aws_region" "current" {}')


def _log_entries(container: Container, group: str, region: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return where the log configuration of a container goes, and what is set there; the group is an expression."""
    path = f"{_argument(container.path)}.logConfiguration"
    options = {"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": hcl_string(_PREFIX)}
    if container.log_driver == "awslogs" and container.log_options:
        missing = ((key, one) for key, one in options.items() if container.log_options.get(key) in (None, ""))
        return f"{path}.options", tuple(missing)
    indent = "" if container.log_driver is not None else "  "
    lines = "\n".join(f"{indent}  {key:21} = {one}" for key, one in options.items())
    written = f"{{\n{lines}\n{indent}}}"
    if container.log_driver is not None:
        return path, (("logDriver", '"awslogs"'), ("options", written))
    whole = f'{{\n  logDriver = "awslogs"\n  options = {written}\n}}'
    return _argument(container.path), (("logConfiguration", whole),)


def _naming(
    finding: Finding, definition: TaskDefinition, reference: SecretReference, secret: Value, suffix: tuple[str, ...]
) -> Finding:
    """Return a finding with the change that names a secret of the plan by its ARN."""
    if definition.resource is None or not isinstance(secret, Unknown):
        return finding
    tail = f":{':'.join(suffix)}" if any(suffix) else ""
    expression = f'"${{{secret.address}}}{tail}"' if tail else secret.address
    named = ((secret.address, secret.address),)
    path = _argument(reference.path)
    entries = (("valueFrom", expression),)
    change = SourceChange("arguments", definition.resource.address, path, entries=entries, references=named)
    return replace(finding, changes=(change,))


def _argument(path: str) -> str:
    """Return the path of a part of a task definition in its resource."""
    return path.replace("containerDefinitions", "container_definitions", 1)


def _about(definition: TaskDefinition, name: str, path: str) -> Subject:
    return RULE.about(definition.address, name, definition.locate(path))


def _leave_open(subject: Subject, expected: str, unknown: Unknown) -> Finding:
    found, remedy = f"cannot be decided: {unknown.address} is unknown", how_to_know(unknown)
    return subject.undetermined(
        expected=expected, found=found, reason="the value is needed to decide it", remedy=remedy
    )


def _judge_task_role(definition: TaskDefinition) -> Finding:
    path = "task_role_arn" if definition.resource else "taskRoleArn"
    subject = _about(definition, "task role", path)
    if definition.task_role is not None:
        return _judge_given(subject, definition.task_role)
    return subject.advice(
        expected="a task role",
        found="the task definition has none",
        reason="without one the application has no credentials, or on EC2 those of the container instance",
        remedy=f"set {path} to a role of the application, without policies if it calls no AWS API",
    )


def _judge_given(subject: Subject, role: Value) -> Finding:
    # A variable without a value may be null, so that there is no role; any other unknown is that of a role.
    if isinstance(role, Unknown) and isinstance(role.cause, MissingVariable):
        return _leave_open(subject, "a role", role)
    return subject.proven(render(role))


def _judge_logs(definition: TaskDefinition, container: Container) -> Finding:
    path = f"{container.path}.logConfiguration"
    subject = _about(definition, f'container "{container.name}", log configuration', path)
    hiding = (container.path, path, f"{path}.logDriver", f"{path}.options")
    hidden = next((part for place, part in container.unknown_parts if place in hiding), None)
    if hidden is not None:
        return _leave_open(subject, "a log configuration", hidden)
    driver = container.log_driver
    fargate = definition.runs_on("FARGATE") is True
    if driver is None:
        return subject.violated(
            expected="a log configuration",
            found="the container has none",
            reason=f"the container's output {'is lost' if fargate else 'stays on the instance'}",
            remedy=f'set logConfiguration: logDriver "awslogs" with {", ".join(_AWSLOGS_OPTIONS)}',
        )
    if fargate and driver not in _FARGATE_DRIVERS:
        return subject.violated(
            expected=f"a log driver that Fargate supports: {', '.join(_FARGATE_DRIVERS)}",
            found=render(driver),
            reason="Fargate rejects the task definition",
            remedy='use logDriver "awslogs" or "awsfirelens"',
        )
    if definition.resource is not None and definition.resource.type == EXPRESS:
        return subject.proven("ECS sends it to CloudWatch Logs")
    wanted = _AWSLOGS_OPTIONS[: 3 if fargate else 2] if driver == "awslogs" else ()
    missing = [option for option in wanted if container.log_options.get(option) in (None, "")]
    if missing:
        return subject.violated(
            expected=f"the options {', '.join(wanted)}",
            found=f"no {', '.join(missing)}",
            reason="the awslogs driver does not start without them",
            remedy=f"set {', '.join(missing)} in logConfiguration.options",
        )
    return subject.proven(f"log driver {render(driver)}")


def _environment_at(parsed: ValueFrom, own_account: Value, contract: Contract, environment: str) -> str:
    """Return the other environment of the contract that an ARN belongs to, if there is one."""
    for name, other in contract.environments.items():
        is_theirs = parsed.account != own_account or other.region == parsed.region
        if name != environment and other.account_id is not None and other.account_id == parsed.account and is_theirs:
            return name
    return ""
