"""What keeps a repository from being known: its contract, its sources, the modules and data they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

from infraspec import contract as contracts
from infraspec.adoption.answers import Ranking, ranking
from infraspec.adoption.roots import WORKLOADS
from infraspec.contract.models import Contract
from infraspec.core.errors import InfraspecError, InputErrorGroup, UnknownEnvironmentError, counted
from infraspec.core.rules import RULES
from infraspec.core.visible_text import Visible
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.environments import Environments, force
from infraspec.terraform.plan import NOT_EVALUATED, Plan


class HealthState(Enum):
    """How it stands: a warning limits what can be known, a problem stops it."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Line(Visible, frozen=True):
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


_MOST_LINES = 12
_MOST_CAUSES = 5
_EACH = "each of them, with the way to know it: infraspec check -- -rx"

_OTHER_ROOT = "name as root the directory that terraform runs in, or that of a unit of Terragrunt"


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
    environments = Environments(contract, lenient=True)
    for name in names:
        yield from _environment(contract, environments, name)
    yield from _ranked(ranking(environments, names))


_COUNTED = frozenset({"aws_ecs_task_definition", "aws_iam_role"})


def _environment(contract: Contract, environments: Environments, name: str) -> Iterator[Line]:
    """Yield what is to be said of an environment."""
    try:
        plan = environments.plan(name)
        wrong = _wrong(plan)
        found = len(task_definitions(plan)) + len(
            contracts.task_definition_files(contract, contract.environments[name])
        )
    except InfraspecError as error:
        yield Line.problem(name, _short(error), _remedy(error))
        return
    if wrong:
        yield Line.problem(name, _short(wrong), _remedy(wrong))
    others = {noun: len(plan.managed(type_)) for type_, noun in WORKLOADS.items() if type_ not in _COUNTED}
    told = (counted(number, noun) for noun, number in others.items() if number)
    there = ", ".join([counted(len(plan.managed()), "resource"), counted(found, "task definition"), *told])
    yield Line.ok(name, f"{there} from {plan.origin}")
    if not plan.managed() and not found and not plan.diagnostics:
        yield Line.warning(name, "there is nothing to check: the root module has no resources", _OTHER_ROOT)
    yield from _modules(plan, name)


def _wrong(plan: Plan) -> InfraspecError | None:
    """Evaluate all of a plan; return what is wrong with it, None if nothing is."""
    try:
        force(plan)
    except InfraspecError as error:
        return error
    return None


def _modules(plan: Plan, name: str) -> Iterator[Line]:
    missing = [each for each in plan.diagnostics if each.remedy and NOT_EVALUATED in each.message]
    if missing:
        sources = "\n".join(
            f"#   {each.message.split(':')[0].removesuffix(f' {NOT_EVALUATED}')}" for each in missing[:_MOST_LINES]
        )
        whose = "its" if len(missing) == 1 else "their"
        yield Line.warning(
            name,
            f"{counted(len(missing), 'module')} not downloaded; {whose} resources are unchecked",
            f"{missing[0].remedy}\n{sources}",
        )
    for each in plan.diagnostics:
        if each not in missing:
            line = Line.problem if each.severity == "error" else Line.warning
            message = f"{each.location}: {each.message}" if each.location else each.message
            yield line(name, message, each.remedy or "correct the value, or the condition that it does not meet")


def _ranked(found: Ranking) -> Iterator[Line]:
    """Yield the lines of the contract that settle most, and why the rest is not known."""
    if not found.unknown:
        if found.total:
            yield Line.ok("unknown", f"nothing: all {counted(found.total, 'verdict')} of the static suite are decided")
        return
    if found.steps:
        yield Line.warning("unknown", str(found), found.lines())
    causes = Counter(
        f"{finding.rule}: {finding.found}; {finding.reason.partition(chr(10))[0]}" for finding in found.left
    )
    if causes:
        shown = [f"{count} times {cause}" for cause, count in causes.most_common(_MOST_CAUSES)]
        rest = [f"and {len(causes) - _MOST_CAUSES} more"] if len(causes) > _MOST_CAUSES else []
        message = f"{counted(sum(causes.values()), 'verdict')} that no line of the contract settles"
        yield Line.warning("unknown", message, "\n".join([*shown, *rest, _EACH]))


def _short(error: InfraspecError) -> str:
    first = error.errors[0] if isinstance(error, InputErrorGroup) else error
    more = f" (the first of {len(error.errors)} errors)" if isinstance(error, InputErrorGroup) else ""
    return str(first).splitlines()[0] + more


def _remedy(error: InfraspecError) -> str:
    first = error.errors[0] if isinstance(error, InputErrorGroup) else error
    expected = f"expected {first.expected}" + (f", found {first.found}" if first.found else "")
    return first.remedy or (expected if first.expected else "correct it as the message says")
