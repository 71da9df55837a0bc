"""The Plan of an environment of the contract: source evaluated, completed by its plan or state file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from infraspec import contract as contracts
from infraspec.contract.models import Contract, Environment
from infraspec.contract.paths import holds_terraform
from infraspec.core.errors import ContractError, ErrorCollector, PolicyError, TerraformError
from infraspec.core.runtime import paused_collector, read_regular
from infraspec.core.unknown import Value
from infraspec.resource_types import PolicyKind
from infraspec.terraform.configuration.declarations import Configuration
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.configuration.settings import RootSettings, read_settings
from infraspec.terraform.configuration.variables import Argument, Assignment, VariableFile
from infraspec.terraform.pairing import demand_account, demand_environment, demand_source
from infraspec.terraform.plan import IamSnapshot, Plan
from infraspec.terraform.planfile import plan, state
from infraspec.terraform.planfile.document import FileKind, open_document
from infraspec.terraform.planfile.iam_snapshot import load_all
from infraspec.terraform.planfile.merge import complete
from infraspec.terraform.planfile.records import read
from infraspec.terraform.provider.known_data import KnownData
from infraspec.terraform.source import evaluate
from infraspec.terraform.terragrunt import read_root

T = TypeVar("T")


def load(path: Path, *, name: str | None = None) -> Plan:
    """Load a plan, a state as `terraform show -json` prints it, or a raw state.

    Raises PlanError if the file cannot be read, is none of these, or is of a version this release does not know.
    """
    return from_bytes(read(path), name or str(path))


def from_bytes(data: bytes, name: str) -> Plan:
    """Build the Plan from the bytes of such a file."""
    with paused_collector():
        document, kind = open_document(data, name)
        if kind is FileKind.PLAN:
            return plan.from_document(document, name)
        return state.from_document(document, kind, name)


def force(plan: Plan) -> None:
    """Evaluate all attributes and outputs; raise the one error, or an InputErrorGroup of all of them.

    What one place of the source does wrong is said once, however many instances it goes wrong in. So do the problems
    of a plan of which all that can be evaluated is wanted.
    """
    collector = ErrorCollector()
    for values in (*(resource.values for resource in plan.resources), plan.outputs):
        names: list[str] = []
        with collector.collect():
            names.extend(values)
        for name in names:
            with collector.collect():
                values.get(name)
    collector.errors[:0] = plan.problems
    collector.finalize_distinct()


class Environments:
    """The plans of a contract's environments, each made once; the parsed modules are shared among them.

    `plan_file` takes the place of the plan that the contract names, `snapshots` that of the snapshots of IAM, if not
    None; `environ` holds TF_VAR_* (default: the process's). `extend` adds to a plan, by the environment's name. With
    `lenient` an error of the source is a problem of its plan, and ends nothing.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        plan_file: Path | None = None,
        snapshots: Sequence[Path] | None = None,
        environ: Mapping[str, str] | None = None,
        extend: Callable[[str, Plan], Plan] = lambda _name, plan: plan,
        lenient: bool = False,
    ) -> None:
        self.contract = contract
        self._lenient = lenient
        self._extend = extend
        self._plan_file = plan_file
        self._snapshot_files = snapshots
        self._snapshots: dict[tuple[Path, ...], tuple[IamSnapshot, ...]] = {}
        self._environ = os.environ if environ is None else environ
        self._library = Library(lambda path: contracts.display(contract, path), contract.directory)
        self._plans: dict[str, Plan] = {}
        self._sources = _EachWithSource(contract, self.evaluated)
        self._settings = _EachWithSource(contract, self._settings_of)

    def edited(self, texts: Mapping[Path, str]) -> Environments:
        """Return the same environments with other texts of some files, by resolved path."""
        result = Environments(self.contract, snapshots=self._snapshot_files, environ=self._environ)
        result._extend, result._lenient, result._plan_file = self._extend, self._lenient, self._plan_file
        result._library, result._snapshots = self._library.edited(texts), self._snapshots
        return result

    def plan(self, name: str) -> Plan:
        """Return the plan of an environment; InfraspecError if its input is wrong."""
        if name not in self._plans:
            snapshots = self._snapshots_of(contracts.environment(self.contract, name))
            demand_account(snapshots, self.contract, name)
            plan, organization = self._build(name), self._organization_of(name)
            given = plan.replaced(snapshots=snapshots, organization=organization)
            self._plans[name] = self._extend(name, given if snapshots or organization else plan)
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

    def _organization_of(self, name: str) -> tuple[tuple[PolicyKind, str, Value], ...]:
        """Return the policies of the organization that an environment is given. Raises PolicyError."""
        environment = contracts.environment(self.contract, name)
        given = ((PolicyKind.ORGANIZATION, environment.scps), (PolicyKind.RESOURCE_CONTROL, environment.rcps))
        return tuple((kind, *self._policy_file(path)) for kind, paths in given for path in paths)

    def _policy_file(self, path: Path) -> tuple[str, Value]:
        found = contracts.resolve(self.contract, path)
        name = contracts.display(self.contract, found)
        try:
            return name, json.loads(read_regular(found, name, within=self.contract.directory))
        except (OSError, ValueError) as error:
            raise PolicyError(
                "the policies of the organization cannot be read",
                place=name,
                expected="a policy document, or a list of those of one level",
                found=str(error),
                remedy="aws organizations describe-policy --policy-id ID --query Policy.Content --output text > FILE",
            ) from None

    def has(self, name: str) -> bool:
        """Tell whether the plan of an environment was made already."""
        return name in self._plans

    def _build(self, name: str) -> Plan:
        environment = contracts.environment(self.contract, name)
        document = self._plan_file or environment.plan or environment.state
        if document is None:
            return self._source_of(name) if self._has_source(environment) else _without_source(environment)
        path = document.absolute() if document is self._plan_file else contracts.resolve(self.contract, document)
        shown = contracts.display(self.contract, path)
        planned = load(path, name=shown)
        demand_environment(planned, self.contract, name, shown)
        return complete(planned, self._source_of(name)) if self._has_source(environment) else planned

    def _source_of(self, name: str) -> Plan:
        source = self._sources.made(name)
        demand_source(source, self.contract, name)
        return source

    def settings(self) -> Mapping[str, RootSettings]:
        """Return the settings of the root modules by environment, of those that have source; each is read if asked."""
        return self._settings

    def _settings_of(self, name: str) -> RootSettings:
        environment = contracts.environment(self.contract, name)
        root, known = contracts.resolve(self.contract, environment.root), self._known(environment)
        unit = read_root(root, self._library, known, self._environ, self.contract.directory)
        return read_settings(root, self._library, unit.configuration)

    def parsed(self) -> dict[Path, Configuration]:
        """Return the configurations that were read so far, by directory."""
        return self._library.parsed()

    def sources(self) -> Mapping[str, Plan]:
        """Return the plans of the source alone by environment, of those that have source; each is made if asked."""
        return self._sources

    def _has_source(self, environment: Environment) -> bool:
        """Tell whether there is source: a contract may give a plan, a state or task definitions without a root."""
        directory = contracts.resolve(self.contract, environment.root)
        return "root" in environment.model_fields_set or holds_terraform(directory)

    def evaluated(self, name: str, arguments: tuple[Argument, ...] = ()) -> Plan:
        """Return the plan of the source alone, with further -var and -var-file arguments."""
        environment = contracts.environment(self.contract, name)
        files = [VariableFile(contracts.resolve(self.contract, path)) for path in environment.var_files]
        values = [Assignment(key, value, parsed=True) for key, value in environment.variables.items()]
        return evaluate(
            contracts.resolve(self.contract, environment.root),
            arguments=(*files, *values, *arguments),
            environ=self._environ,
            workspace=environment.workspace,
            known=self._known(environment),
            library=self._library,
            boundary=self.contract.directory,
            lenient=self._lenient,
        )

    def _known(self, environment: Environment) -> KnownData:
        return KnownData.of(
            {**self.contract.known, **environment.known},
            account=environment.account_id,
            region=environment.region,
            partition=environment.partition if environment.region else None,
            shared=() if self._has_one_root else self.contract.known.keys() - environment.known.keys(),
        )

    @cached_property
    def _has_one_root(self) -> bool:
        return len({each.root for each in self.contract.environments.values()}) == 1


class _EachWithSource(Mapping[str, T]):
    """What is made of each environment that has source: one by one, when it is asked for."""

    def __init__(self, contract: Contract, make: Callable[[str], T]) -> None:
        self._contract, self._make = contract, make
        self._made: dict[str, T] = {}

    def made(self, name: str) -> T:
        """Return what is made of an environment, whether or not there is a file in its root."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __getitem__(self, name: str) -> T:
        if name not in self:
            raise KeyError(name)
        return self.made(name)

    def __contains__(self, name: object) -> bool:
        environment = self._contract.environments.get(str(name))
        return environment is not None and holds_terraform(contracts.resolve(self._contract, environment.root))

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._contract.environments if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _without_source(environment: Environment) -> Plan:
    """Return the plan of an environment that has only task definition files: no resources, account and region."""
    plan = Plan(origin="no Terraform", resources=(), partition=environment.partition)
    placed = {"account": environment.account_id, "region": environment.region}
    return plan.replaced(**{name: value for name, value in placed.items() if value is not None})


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
        name = self.environment or only_environment(contract)
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
    name = environment or only_environment(contract)
    environments = Environments(contract, plan_file=plan_file, snapshots=snapshots or None)
    return environments.plan(name), contract, name


def environment_of(infra: Path, environment: str | None) -> tuple[Contract, str, RootSettings | None]:
    """Return a contract, the name of an environment, the only one without a name, and the settings of its source."""
    contract = contracts.load(infra, environments=[environment] if environment else None)
    name = environment or only_environment(contract)
    return contract, name, Environments(contract).settings().get(name)


def only_environment(contract: Contract) -> str:
    """Return the only environment of a contract. Raises ContractError if there are several."""
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
