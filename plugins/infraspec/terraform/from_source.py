"""The Plan model from Terraform source, without a terraform binary."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from infraspec.core.gc_pause import paused_collector
from infraspec.errors import ErrorCollector, TerraformError
from infraspec.terraform.evaluation import Evaluation, Library, too_deep
from infraspec.terraform.files import RootFiles, boundary_of
from infraspec.terraform.instances import ResourceInstance
from infraspec.terraform.known_data import KnownData
from infraspec.terraform.lifecycle import ignored_changes
from infraspec.terraform.module import ModuleInstance
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.refactorings import refactorings
from infraspec.terraform.static_checks import StaticChecks
from infraspec.terraform.tracing import trace
from infraspec.terraform.validation import report_unmatched, report_validations
from infraspec.terraform.variables import Argument, collect_variables
from infraspec.unknown import Value


def evaluate(
    root: Path,
    *,
    arguments: Sequence[Argument] = (),
    environ: Mapping[str, str] | None = None,
    workspace: str = "default",
    known: KnownData | None = None,
    library: Library | None = None,
    boundary: Path | None = None,
) -> Plan:
    """Evaluate a root module and everything it calls.

    `arguments` are -var and -var-file in order, `environ` the environment that TF_VAR_* are taken from, `known` what
    data sources return, `library` a shared cache of parsed directories, `boundary` the directory that expressions may
    read files in (default: the repository the root lies in). Errors of the input raise InfraspecError, several of
    them InputErrorGroup; attributes are evaluated on first use and may raise EvaluationError then.
    """
    with paused_collector():
        try:
            library = library or Library()
            configuration = library.read(root)
            files = RootFiles(root, boundary or boundary_of(root))
            evaluation = Evaluation(library, root, files, known or KnownData(), workspace, _installed_modules(root))
            bare = ModuleInstance(configuration, evaluation)
            variables = collect_variables(bare, arguments, environ or {})
            inputs = {name: _constant(value) for name, value in variables.items()}
            return _plan(ModuleInstance(configuration, evaluation, inputs=inputs))
        except RecursionError:
            raise too_deep(str(root)) from None


def _plan(module: ModuleInstance) -> Plan:
    evaluation = module.evaluation
    modules, instances = _expand(module)
    report_validations(modules, evaluation)
    report_unmatched(modules, instances, evaluation)
    root_provider = module.provider("aws")
    providers = {instance.provider.key: instance.provider for instance in instances}
    return Plan(
        origin=f"source {module.configuration.shown}",
        resources=tuple(map(_resource, instances)),
        diagnostics=tuple(evaluation.diagnostics),
        outputs=_Outputs(module),
        sensitive_outputs=frozenset(filter(module.is_sensitive_output, module.configuration.outputs)),
        refactorings=tuple(refactorings(modules)),
        account=root_provider.account,
        region=root_provider.region,
        partition=evaluation.known.partition_of(root_provider.region),
        regions={key: provider.region for key, provider in providers.items()},
        accounts={key: provider.account for key, provider in providers.items()},
        module_calls=evaluation.module_calls,
        uncertain=evaluation.uncertain,
    )


def _constant(value: Value) -> Callable[[], Value]:
    return lambda: value


def _expand(root: ModuleInstance) -> tuple[list[ModuleInstance], list[ResourceInstance]]:
    """Expand every module and resource; the errors of all of them are reported together."""
    collector = ErrorCollector()
    modules: list[ModuleInstance] = []
    instances: list[ResourceInstance] = []
    pending = [root]
    statically = StaticChecks(collector)
    while pending:
        module = pending.pop(0)
        modules.append(module)
        statically.check(module)
        for declared in module.configuration.resources:
            with collector.collect():
                instances.extend(module.instances(declared))
        called: list[ModuleInstance] = []
        for name in module.configuration.calls:
            with collector.collect():
                called.extend(module.called(name))
        statically.check_outputs(module, called)
        pending[:0] = called
    collector.finalize_distinct()
    return modules, instances


def _resource(instance: ResourceInstance) -> Resource:
    return Resource(
        address=instance.address,
        mode=instance.mode,
        type=instance.type,
        name=instance.name,
        key=instance.key,
        module=instance.module.address,
        values=instance.values,
        provider=instance.provider.key,
        location=instance.body.location,
        locate=lambda path: trace(instance, path),
        ignore_changes=ignored_changes(instance.body),
    )


class _Outputs(Mapping[str, Value]):
    """The root outputs, evaluated on first use."""

    def __init__(self, module: ModuleInstance) -> None:
        self._module = module

    def __getitem__(self, name: str) -> Value:
        if name not in self._module.configuration.outputs:
            raise KeyError(name)
        try:
            return self._module.output(name)
        except RecursionError:
            raise too_deep(f"output {name}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._module.configuration.outputs)

    def __len__(self) -> int:
        return len(self._module.configuration.outputs)


def _installed_modules(root: Path) -> Mapping[str, Path]:
    """Read `.terraform/modules/modules.json`: where `terraform init` has put the modules, by call path."""
    manifest = root / ".terraform" / "modules" / "modules.json"
    if not manifest.is_file():
        return {}
    try:
        entries = json.loads(manifest.read_text(encoding="utf-8"))["Modules"]
        return {entry["Key"]: root / entry["Dir"] for entry in entries if entry["Key"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TerraformError(
            "the list of installed modules cannot be read",
            place=str(manifest),
            found=f"{type(error).__name__}: {error}",
            remedy="remove .terraform and run `terraform init` again",
        ) from None
