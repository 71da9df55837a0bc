"""The Plan of an environment of the contract: source evaluated, completed by its plan or state file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from infraspec import contract as contracts
from infraspec.contract.models import Contract
from infraspec.terraform.completion import complete
from infraspec.terraform.documents import load
from infraspec.terraform.evaluation import Library
from infraspec.terraform.from_source import evaluate
from infraspec.terraform.known_data import KnownData
from infraspec.terraform.plan import Plan
from infraspec.terraform.variables import Argument, Assignment, VariableFile


class Environments:
    """The plans of a contract's environments, each made once; the parsed modules are shared among them.

    `plan_file` takes the place of the plan that the contract names; `environ` holds TF_VAR_* (default: the process's).
    """

    def __init__(
        self, contract: Contract, *, plan_file: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.contract = contract
        self._plan_file = plan_file
        self._environ = os.environ if environ is None else environ
        self._library = Library(lambda path: contracts.display(contract, path))
        self._plans: dict[str, Plan] = {}

    def plan(self, name: str) -> Plan:
        """Return the plan of an environment; InfraspecError if its input is wrong."""
        if name not in self._plans:
            self._plans[name] = self._build(name)
        return self._plans[name]

    def _build(self, name: str) -> Plan:
        environment = contracts.environment(self.contract, name)
        source = self.evaluated(name)
        document = self._plan_file or environment.plan or environment.state
        if document is None:
            return source
        path = document if document is self._plan_file else contracts.resolve(self.contract, document)
        return complete(load(path, name=contracts.display(self.contract, path)), source)

    def evaluated(self, name: str, arguments: tuple[Argument, ...] = ()) -> Plan:
        """Return the plan of the source alone, with further -var and -var-file arguments."""
        environment = contracts.environment(self.contract, name)
        files = [VariableFile(contracts.resolve(self.contract, path)) for path in environment.var_files]
        values = [Assignment(key, value, parsed=True) for key, value in environment.variables.items()]
        known = KnownData.of(
            {**self.contract.known, **environment.known},
            account=environment.account_id,
            region=environment.region,
            partition=None if environment.partition == "aws" else environment.partition,
        )
        return evaluate(
            contracts.resolve(self.contract, environment.root),
            arguments=(*files, *values, *arguments),
            environ=self._environ,
            workspace=environment.workspace,
            known=known,
            library=self._library,
            boundary=self.contract.directory,
        )
