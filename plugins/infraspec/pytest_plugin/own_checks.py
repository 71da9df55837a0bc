"""What a repository's own plugins add through the hooks of `infraspec.pytest_plugin.hookspecs`, and how it is run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pluggy import HookRelay

from infraspec import contract as contracts
from infraspec.checks.access.explanation import Explanation, explain
from infraspec.checks.access.secret_access import placed
from infraspec.contract.models import Contract
from infraspec.core.errors import HookError
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.core.unknown import Value
from infraspec.ecs.requirement import AccessContext, Requirement
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.pytest_plugin.rule_tests import NothingOfThatNameError, judged
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Additions, Plan


class Hooks:
    """The answers of the hooks, each asked for once."""

    def __init__(self, caller: HookRelay) -> None:
        self._caller = caller

    def checks(self) -> dict[str, Callable[..., Sequence[Finding]]]:
        """Return the own checks by the id of their rule. Raises HookError if two have one id."""
        return self._merged("pytest_infraspec_checks", taken=RULES)

    def named(self, contract: Contract) -> Contract:
        """Return the contract with the name attributes of own plugins."""
        own = self._merged("pytest_infraspec_name_attributes")
        if not own:
            return contract
        names = contract.names.model_copy(update={"attributes": {**own, **contract.names.attributes}})
        return contract.model_copy(update={"names": names})

    def extended(self, environment: str, plan: Plan, contract: Contract) -> Plan:
        """Return the plan with what own plugins add. Raises HookError if an address is there already."""
        answers = self._caller.pytest_infraspec_resources(environment=environment, plan=plan, contract=contract)
        resources = [resource for answer in answers for resource in answer or ()]
        addresses = set(plan.by_address) if resources else set()
        for resource in resources:
            if resource.address in addresses:
                raise HookError(
                    "a hook adds a resource whose address the plan has already",
                    place="pytest_infraspec_resources",
                    found=f"{resource.address} in {environment}",
                    remedy="give it a unique address, such as one that begins with the name of its source",
                )
            addresses.add(resource.address)
        additions = self._additions()
        if not resources and additions == Additions():
            return plan
        return plan.replaced(resources=(*plan.resources, *resources), additions=additions)

    def _additions(self) -> Additions:
        hook = self._caller.pytest_infraspec_required_access
        access = (self._required_access,) if hook.get_hookimpls() else ()
        return Additions(self._merged("pytest_infraspec_arn_shapes"), access, tuple(self.checks()))

    def _required_access(self, task_definition: TaskDefinition, context: AccessContext) -> Iterable[Requirement]:
        answers = self._caller.pytest_infraspec_required_access(task_definition=task_definition, context=context)
        return [requirement for answer in answers for requirement in answer or ()]

    def _merged(self, name: str, taken: Collection[str] = ()) -> dict[Any, Any]:
        merged: dict[Any, Any] = {}
        for answer in getattr(self._caller, name)():
            if not isinstance(answer, Mapping):
                raise HookError(
                    "a hook returned something else than a mapping",
                    place=name,
                    expected="a dict",
                    found=type(answer).__name__,
                    remedy="see what infraspec.pytest_plugin.hookspecs says of it",
                )
            for key, value in answer.items():
                if key in merged or key in taken:
                    raise HookError(
                        "a hook returned a key that is taken",
                        place=name,
                        found=str(key),
                        remedy="choose another one" if key in taken else "let one plugin alone return it",
                    )
                merged[key] = value
        return merged


def run_on_source(directory: Path, check: Callable[..., Sequence[Finding]], files: Mapping[str, str]) -> list[Finding]:
    """Write files into a directory, a contract among them, and run a check on its first environment."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    contract = contracts.load(directory)
    name = next(iter(contract.environments))
    plan = Environments(contract, environ={}).plan(name)
    offered = {"plan": plan, "task_definitions": task_definitions(plan), "contract": contract, "environment": name}

    def value(wanted: str) -> Any:
        if wanted not in offered:
            raise NothingOfThatNameError(wanted)
        return offered[wanted]

    return list(judged(check, value))


def explaining(plan: Plan, contract: Contract, environment: str) -> Callable[..., Explanation]:
    """Return a function that tells whether a role is allowed to perform an action on a resource, and why."""
    whole = placed(plan, contract, environment)

    def ask(role: str, action: str, resource: str, context: Mapping[str, Value] | None = None) -> Explanation:
        return explain(whole, role, action, resource, context)

    return ask
