"""A request for a plan as the command line states it: a root or an environment, variables in order, known data."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from infraspec import contract as contracts
from infraspec.contract.models import Contract
from infraspec.errors import ContractError, TerraformError
from infraspec.terraform.environments import Environments
from infraspec.terraform.evaluation import Library
from infraspec.terraform.forcing import force
from infraspec.terraform.from_source import evaluate
from infraspec.terraform.known_data import KnownData
from infraspec.terraform.plan import Plan
from infraspec.terraform.settings import RootSettings
from infraspec.terraform.variables import Argument, Assignment, VariableFile
from infraspec.unknown import Value


class PlanRequest(Struct, frozen=True):
    """What to evaluate. `arguments` are ("var", "NAME=VALUE") and ("var_file", "FILE") in order."""

    root: Path | None
    infra: Path
    environment: str | None
    arguments: tuple[tuple[str, str], ...]
    workspace: str | None
    known: tuple[str, ...]

    def evaluate(self) -> Plan:
        """Evaluate the source and every value in it; InfraspecError if the input is wrong, with all that is wrong."""
        plan = self._plan()
        force(plan)
        return plan

    def _plan(self) -> Plan:
        arguments = tuple(map(_argument, self.arguments))
        known = dict(map(_known, self.known))
        if self.root is not None:
            return evaluate(
                self.root,
                arguments=arguments,
                environ=os.environ,
                workspace=self.workspace or "default",
                known=KnownData.of(known),
                library=Library(_relative),
            )
        contract = contracts.load(self.infra)
        name = self.environment or _only(contract)
        environment = contracts.environment(contract, name)
        changed = environment.model_copy(
            update={
                "known": {**environment.known, **known},
                "workspace": self.workspace or environment.workspace,
                "account_id": known.get("aws_caller_identity.account_id", environment.account_id),
            }
        )
        contract = contract.model_copy(update={"environments": {**contract.environments, name: changed}})
        return Environments(contract).evaluated(name, arguments)


def environment_plan(
    infra: Path, environment: str | None, plan_file: Path | None = None, snapshots: Sequence[Path] = ()
) -> tuple[Plan, Contract, str]:
    """Return the plan of an environment with its contract and name; without a name, that of the only environment.

    `plan_file` takes the place of the plan that the contract names, `snapshots`, if any, that of its snapshots.
    """
    contract = contracts.load(infra, environments=[environment] if environment else None)
    name = environment or _only(contract)
    environments = Environments(contract, plan_file=plan_file, snapshots=snapshots or None)
    return environments.plan(name), contract, name


def environment_of(infra: Path, environment: str | None) -> tuple[Contract, str, RootSettings | None]:
    """Return a contract, the name of an environment, the only one without a name, and the settings of its source."""
    contract = contracts.load(infra, environments=[environment] if environment else None)
    name = environment or _only(contract)
    return contract, name, Environments(contract).settings().get(name)


def _only(contract: Contract) -> str:
    names: Iterable[str] = contract.environments
    first, *others = names
    if others:
        raise ContractError(
            "which environment?",
            place=str(contract.path),
            expected="--env with one of " + ", ".join(contract.environments),
            remedy=f"--env {first}",
        )
    return first


def _argument(pair: tuple[str, str]) -> Argument:
    kind, text = pair
    if kind == "var_file":
        return VariableFile(Path(text))
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise TerraformError(
            "a variable is given as NAME=VALUE",
            place="--var",
            found="no name before =" if equals else "no =",
            remedy="--var image_tag=v16",
        )
    return Assignment(name.strip(), value)


def _known(text: str) -> tuple[str, Value]:
    """Read KEY=VALUE; a value in brackets or braces is JSON, any other text."""
    key, equals, value = text.partition("=")
    if not equals or "." not in key:
        raise TerraformError(
            "known data is given as TYPE.ATTRIBUTE=VALUE",
            place="--known",
            found="no . before =" if equals else "no =",
            remedy="--known aws_caller_identity.account_id=123456789012",
        )
    if not value.startswith(("[", "{")):
        return key.strip(), value
    try:
        return key.strip(), json.loads(value)
    except ValueError as error:
        raise TerraformError("a value in brackets is JSON", place=f"--known {key}", found=str(error)) from None


def _relative(path: Path) -> str:
    absolute = path.resolve()
    return absolute.relative_to(Path.cwd()).as_posix() if absolute.is_relative_to(Path.cwd()) else str(path)
