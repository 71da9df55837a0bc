"""What keeps a repository from being known: its contract, its sources, the modules and data they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from infraspec import contract as contracts
from infraspec.checks.common.roles import role_index
from infraspec.checks.common.roles_in_snapshots import statements_of
from infraspec.contract.document import notation
from infraspec.contract.models import Contract
from infraspec.core.errors import InfraspecError, InputErrorGroup, UnknownEnvironmentError, counted
from infraspec.core.rules import RULES
from infraspec.core.unknown import (
    MissingVariable,
    OtherStack,
    Sensitive,
    Unknown,
    UnreadData,
    Value,
    render,
    sources,
    unknowns,
)
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.environments import Environments, force
from infraspec.terraform.plan import EXPORT, NOT_EVALUATED, Plan
from infraspec.terraform.provider.known_data import data_source_key


class HealthState(Enum):
    """How it stands: a warning limits what can be known, a problem stops it."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Line(Struct, frozen=True):
    """One thing that was looked at. `remedy` is what to do, of several lines; empty if all is well."""

    topic: str
    state: HealthState
    message: str
    remedy: str = ""

    @classmethod
    def ok(cls, topic: str, message: str) -> Line:
        """Say that all is well."""
        return cls(topic, HealthState.OK, message)

    @classmethod
    def warning(cls, topic: str, message: str, remedy: str) -> Line:
        """Say that something limits what can be known."""
        return cls(topic, HealthState.WARNING, message, remedy)

    @classmethod
    def problem(cls, topic: str, message: str, remedy: str) -> Line:
        """Say that something cannot work."""
        return cls(topic, HealthState.PROBLEM, message, remedy)


def worst(lines: Iterable[Line]) -> HealthState:
    """Return the worst state of some lines."""
    states = {line.state for line in lines}
    return next((state for state in (HealthState.PROBLEM, HealthState.WARNING) if state in states), HealthState.OK)


_PLACEHOLDERS = {
    "ids": '["…"]',
    "names": '["…"]',
    "outputs": "{ … }",
    "policy": """'{"Version": "2012-10-17", "Statement": […]}'""",
    "assume_role_policy": """'{"Version": "2012-10-17", "Statement": […]}'""",
}
_WANTED = {"aws_iam_policy.arn": "policy", "aws_iam_role.arn": "assume_role_policy"}
"""What decides where a resource names a policy or a role: its documents, not its ARN."""


def _known(key: str) -> str:
    """Return the line to put in `[known]`."""
    return f'"{key}" = {_PLACEHOLDERS.get(key.rpartition(".")[2], chr(34) + "…" + chr(34))}'


def _most_used(uses: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """Return what resources depend on, given with the address of each, with how many do, most used first."""
    counts = Counter(name for name, _ in set(uses))
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def unknown_data(plan: Plan) -> list[tuple[str, int]]:
    """Return the attributes of data sources that are not known, with how many resources depend on each.

    Data sources that answer from the account, the region, their own configuration or a snapshot are not among them, nor
    are those of AWS's own policies whose content infraspec has.
    """
    told, attributes = _told(plan), plan.derived(AwsAttributes)
    uses: list[tuple[str, str]] = []
    for address, unknown in _unknowns(plan):
        if isinstance(attributes.narrow(unknown), str):
            continue
        for each in sources(unknown):
            match each.cause:
                case UnreadData(read, attribute) | OtherStack(read, attribute):
                    source = data_source_key(read)
                    wanted = _WANTED.get(f"{source.split('.')[-2]}.{attribute}", attribute)
                    uses += [(f"{source}.{wanted}", address)] if source not in told else []
    return _most_used(uses)


def _told(plan: Plan) -> set[str]:
    """Return the data sources, without their keys, all instances of which are policies of AWS that are known."""
    of_policies = plan.data("aws_iam_policy")
    others = {data_source_key(each.address) for each in of_policies if statements_of(each) is None}
    return {data_source_key(each.address) for each in of_policies} - others


def unknown_variables(plan: Plan) -> list[tuple[str, int]]:
    """Return the root variables without a value, with how many resources depend on each."""
    causes = ((each.cause, address) for address, unknown in _unknowns(plan) for each in sources(unknown))
    return _most_used(
        (cause.name, address) for cause, address in causes if isinstance(cause, MissingVariable) and not cause.module
    )


def _unknowns(plan: Plan) -> Iterator[tuple[str, Unknown]]:
    """Yield the unknowns of every resource with its address; an attribute that has no value is passed over."""
    for resource in plan.resources:
        for attribute in resource.values:
            try:
                found = list(unknowns(resource.values[attribute]))
            except InfraspecError:
                continue
            yield from ((resource.address, unknown) for unknown in found if not isinstance(unknown, Sensitive))


def unknown_roles(plan: Plan, definitions: Iterable[TaskDefinition]) -> list[tuple[str, str, str]]:
    """Return the roles that task definitions name and that neither the plan nor a snapshot has, each once.

    Each is an ARN or attribute, why it is not known, and what to do about it, which is empty where a snapshot does.
    """
    attributes = plan.derived(AwsAttributes)
    roles = plan.derived(role_index)
    found: dict[Value, tuple[str, str, str]] = {}
    for definition in definitions:
        account = attributes.account_of(definition.resource) if definition.resource else plan.account
        for value in (definition.execution_role, definition.task_role):
            if value is None or value in found:
                continue
            sought = roles.sought(value, account)
            if sought.resource is None or (sought.resource.mode == "data" and not sought.resource.stated(_TRUST)):
                remedy = sought.remedy if sought.settled or EXPORT not in sought.remedy else ""
                found[value] = render(attributes.narrow(value)), sought.why, remedy
    return list(found.values())


_TRUST = "assume_role_policy"
_MOST_LINES = 12

_OTHER_ROOT = "name as root the directory that terraform runs in, or that of a unit of Terragrunt"


_Alike: TypeAlias = dict[tuple[str, ...], dict[str, list[tuple[str, int]]]]
"""What is not known of data, by its keys and by environment: with how many resources depend on each key."""


def checkup(directory: Path, environment: str | None = None) -> Iterator[Line]:
    """Yield what is to be said of the contract in a directory and of its environments, or of one of them.

    Raises UnknownEnvironmentError for an environment that the contract does not have.
    """
    try:
        contract = contracts.load(directory, rules=RULES, environments=[])
        names = [environment] if environment else list(contract.environments)
        contracts.load(directory, rules=RULES, environments=names)
    except UnknownEnvironmentError:
        raise
    except InfraspecError as error:
        yield Line.problem("contract", _short(error), _remedy(error))
        return
    shown = contracts.display(contract, contract.path)
    yield Line.ok("contract", f"{shown} is valid: {', '.join(contract.environments)}")
    environments = Environments(contract)
    unknown: _Alike = {}
    for name in names:
        yield from _environment(contract, environments, name, unknown)
    for alike in unknown.values():
        yield _data(alike)


def _environment(contract: Contract, environments: Environments, name: str, unknown: _Alike) -> Iterator[Line]:
    """Yield what is to be said of an environment, and note its data that is not known, by what data that is."""
    try:
        plan = environments.plan(name)
        force(plan)
        definitions = task_definitions(plan)
        found = len(definitions) + len(contracts.task_definition_files(contract, contract.environments[name]))
    except InfraspecError as error:
        yield Line.problem(name, _short(error), _remedy(error))
        return
    yield Line.ok(
        name, f"{counted(len(plan.managed()), 'resource')}, {counted(found, 'task definition')} from {plan.origin}"
    )
    if not plan.managed() and not found and not plan.diagnostics:
        yield Line.warning(name, "nothing is there to be judged: the root module makes no resources", _OTHER_ROOT)
    yield from _modules(plan, name)
    yield from _place(contract, plan, name)
    yield from _variables(plan, name)
    yield from _roles(plan, definitions, name)
    if data := unknown_data(plan):
        unknown.setdefault(tuple(sorted(key for key, _ in data)), {})[name] = data


def _modules(plan: Plan, name: str) -> Iterator[Line]:
    missing = [each for each in plan.diagnostics if each.remedy and NOT_EVALUATED in each.message]
    if missing:
        sources = "\n".join(
            f"#   {each.message.split(':')[0].removesuffix(f' {NOT_EVALUATED}')}" for each in missing[:_MOST_LINES]
        )
        yield Line.warning(
            name,
            f"{counted(len(missing), 'module')} not here, whose resources are not seen",
            f"{missing[0].remedy}\n{sources}",
        )
    for each in plan.diagnostics:
        if each not in missing:
            line = Line.problem if each.severity == "error" else Line.warning
            message = f"{each.location}: {each.message}" if each.location else each.message
            yield line(name, message, each.remedy or "correct the value, or the condition that it does not meet")


def _place(contract: Contract, plan: Plan, name: str) -> Iterator[Line]:
    environment = contract.environments[name]
    table = f"[environments.{notation((name,))}]"
    for key, value, example in (
        ("account_id", environment.account_id, "111122223333"),
        ("region", plan.region if isinstance(plan.region, str) else None, "eu-west-1"),
    ):
        if value is None and any(resource.type.startswith("aws") for resource in plan.managed()):
            what = "account" if key == "account_id" else key
            yield Line.warning(
                name, f"the {what} is not known, nor are the ARNs that hold it", f'{table}\n{key} = "{example}"'
            )


def _variables(plan: Plan, name: str) -> Iterator[Line]:
    variables = unknown_variables(plan)
    if variables:
        lines = [f'{variable} = "…"  # {counted(uses, "resource")}' for variable, uses in variables]
        table = f"[environments.{notation((name, 'variables'))}]  # or var_files, or TF_VAR_…; no secrets"
        yield Line.warning(name, f"{counted(len(variables), 'variable')} without a value", _shortened(table, lines))


def _roles(plan: Plan, definitions: list[TaskDefinition], name: str) -> Iterator[Line]:
    roles = unknown_roles(plan, definitions)
    exported = [role for role, _, remedy in roles if not remedy]
    if exported:
        table = f"[environments.{notation((name,))}]"
        names = "\n".join(f"#   {role}" for role in exported[:_MOST_LINES])
        yield Line.warning(
            name,
            f"{counted(len(exported), 'role')} of task definitions not known: neither in the plan nor in a snapshot",
            f'{EXPORT}  # in their account\n{table}\nsnapshots = ["iam.json"]\n{names}',
        )
    yield from (Line.warning(name, why, remedy) for _, why, remedy in roles if remedy)


def _data(alike: dict[str, list[tuple[str, int]]]) -> Line:
    """Say what environments do not know of their data: once for all that do not know the same."""
    data = next(iter(alike.values()))
    names = list(alike)
    tables = [f"[environments.{notation((name, 'known'))}]" for name in names]
    table = tables[0] if len(tables) == 1 else f"[known]  # what is the same in all; else {', '.join(tables)}"
    lines = [f"{_known(key)}  # {counted(uses, 'resource')}" for key, uses in data]
    return Line.warning(
        ", ".join(names),
        f"{counted(len(data), 'attribute')} of data sources not known",
        _shortened(table, lines),
    )


def _shortened(table: str, lines: list[str]) -> str:
    rest = [f"# and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return "\n".join([table, *lines[:_MOST_LINES], *rest])


def _short(error: InfraspecError) -> str:
    first = error.errors[0] if isinstance(error, InputErrorGroup) else error
    more = f" (the first of {len(error.errors)} errors)" if isinstance(error, InputErrorGroup) else ""
    return str(first).splitlines()[0] + more


def _remedy(error: InfraspecError) -> str:
    first = error.errors[0] if isinstance(error, InputErrorGroup) else error
    expected = f"expected {first.expected}" + (f", found {first.found}" if first.found else "")
    return first.remedy or (expected if first.expected else "correct it as the message says")
