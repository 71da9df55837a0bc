"""The Plan of an environment of the contract: source evaluated, completed by its plan or state file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infraspec import contract as contracts
from infraspec.contract.models import Contract, Environment
from infraspec.contract.roots import holds_terraform
from infraspec.terraform.completion import complete
from infraspec.terraform.documents import load
from infraspec.terraform.evaluation import Library
from infraspec.terraform.from_iam_snapshot import load_all
from infraspec.terraform.from_source import evaluate
from infraspec.terraform.iam_snapshot import IamSnapshot
from infraspec.terraform.known_data import KnownData
from infraspec.terraform.plan import Plan
from infraspec.terraform.settings import RootSettings, read_settings
from infraspec.terraform.variables import Argument, Assignment, VariableFile


class Environments:
    """The plans of a contract's environments, each made once; the parsed modules are shared among them.

    `plan_file` takes the place of the plan that the contract names, `snapshots` that of the snapshots of IAM, if not
    None; `environ` holds TF_VAR_* (default: the process's). `extend` adds to a plan, by the environment's name.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        plan_file: Path | None = None,
        snapshots: Sequence[Path] | None = None,
        environ: Mapping[str, str] | None = None,
        extend: Callable[[str, Plan], Plan] = lambda _name, plan: plan,
    ) -> None:
        self.contract = contract
        self._extend = extend
        self._plan_file = plan_file
        self._snapshot_files = snapshots
        self._snapshots: dict[tuple[Path, ...], tuple[IamSnapshot, ...]] = {}
        self._environ = os.environ if environ is None else environ
        self._library = Library(lambda path: contracts.display(contract, path))
        self._plans: dict[str, Plan] = {}
        self._sources: dict[str, Plan] = {}
        self._settings: dict[str, RootSettings] | None = None

    def plan(self, name: str) -> Plan:
        """Return the plan of an environment; InfraspecError if its input is wrong."""
        if name not in self._plans:
            snapshots = self._snapshots_of(contracts.environment(self.contract, name))
            plan = self._build(name)
            self._plans[name] = self._extend(name, plan.replaced(snapshots=snapshots) if snapshots else plan)
        return self._plans[name]

    def _snapshots_of(self, environment: Environment) -> tuple[IamSnapshot, ...]:
        """Return the snapshots of IAM that an environment is given; each set of files is read once."""
        given = self._snapshot_files
        if given is None:
            paths = tuple(contracts.resolve(self.contract, path) for path in environment.snapshots)
        else:
            paths = tuple(path.absolute() for path in given)
        if paths not in self._snapshots:
            self._snapshots[paths] = load_all((path, contracts.display(self.contract, path)) for path in paths)
        return self._snapshots[paths]

    def has(self, name: str) -> bool:
        """Tell whether the plan of an environment was made already."""
        return name in self._plans

    def _build(self, name: str) -> Plan:
        environment = contracts.environment(self.contract, name)
        document = self._plan_file or environment.plan or environment.state
        if document is None:
            return self._source(name) if self._has_source(environment) else _without_source(environment)
        path = document.absolute() if document is self._plan_file else contracts.resolve(self.contract, document)
        planned = load(path, name=contracts.display(self.contract, path))
        return complete(planned, self._source(name)) if self._has_source(environment) else planned

    def _have_one_root(self) -> bool:
        return len({environment.root for environment in self.contract.environments.values()}) == 1

    def settings(self) -> dict[str, RootSettings]:
        """Return the settings of the root modules by environment, of those that have source."""
        if self._settings is None:
            self._settings = {
                name: read_settings(contracts.resolve(self.contract, environment.root), self._library)
                for name, environment in self.contract.environments.items()
                if holds_terraform(contracts.resolve(self.contract, environment.root))
            }
        return self._settings

    def sources(self) -> dict[str, Plan]:
        """Return the plans of the source alone by environment, of those that have source."""
        for name, environment in self.contract.environments.items():
            if holds_terraform(contracts.resolve(self.contract, environment.root)):
                self._source(name)
        return self._sources

    def _has_source(self, environment: Environment) -> bool:
        """Tell whether there is source: a contract may give a plan, a state or task definitions without a root."""
        directory = contracts.resolve(self.contract, environment.root)
        return "root" in environment.model_fields_set or holds_terraform(directory)

    def _source(self, name: str) -> Plan:
        if name not in self._sources:
            self._sources[name] = self.evaluated(name)
        return self._sources[name]

    def evaluated(self, name: str, arguments: tuple[Argument, ...] = ()) -> Plan:
        """Return the plan of the source alone, with further -var and -var-file arguments."""
        environment = contracts.environment(self.contract, name)
        files = [VariableFile(contracts.resolve(self.contract, path)) for path in environment.var_files]
        values = [Assignment(key, value, parsed=True) for key, value in environment.variables.items()]
        known = KnownData.of(
            {**self.contract.known, **environment.known},
            account=environment.account_id,
            region=environment.region,
            partition=environment.partition if environment.region else None,
            shared=() if self._have_one_root() else self.contract.known.keys() - environment.known.keys(),
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


def _without_source(environment: Environment) -> Plan:
    """Return the plan of an environment that has only task definition files: no resources, account and region."""
    plan = Plan(origin="no Terraform", resources=(), partition=environment.partition)
    placed = {"account": environment.account_id, "region": environment.region}
    return plan.replaced(**{name: value for name, value in placed.items() if value is not None})
