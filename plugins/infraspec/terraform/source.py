"""The Plan model from Terraform source, without a terraform binary.

Source: Terraform Language Documentation, "lifecycle" (ignore_changes is a list of attributes, or `all`), "Refactoring",
"Import existing resources", "removed block".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from infraspec.core.errors import ErrorCollector, EvaluationError, TerraformError
from infraspec.core.finding import Location
from infraspec.core.runtime import paused_collector
from infraspec.core.unknown import Unknown, Value
from infraspec.hcl.ast import Tuple
from infraspec.terraform.configuration.declarations import SourceBody
from infraspec.terraform.configuration.evaluation import Evaluation, Library, too_deep
from infraspec.terraform.configuration.instances import ResourceInstance
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.configuration.providers import address_of
from infraspec.terraform.configuration.source_locations import trace
from infraspec.terraform.configuration.static_checks import StaticChecks
from infraspec.terraform.configuration.variables import Argument, collect_variables
from infraspec.terraform.language.conversions import iterate, to_revealed_bool
from infraspec.terraform.language.functions.filesystem import RootFiles, boundary_of
from infraspec.terraform.language.scope import Scope
from infraspec.terraform.plan import Plan, Refactoring, Resource, ValuesOnDemand, uncertainties
from infraspec.terraform.provider.known_data import KnownData


def ignored_changes(body: SourceBody, scope: Scope) -> Iterator[str]:
    """Yield the attributes whose changes Terraform ignores, by their first name: `tags` for `tags["Name"]`."""
    for _, inner in body.nested("lifecycle"):
        if "ignore_changes" in inner.attributes:
            attribute, source = inner.attributes["ignore_changes"]
            entries = attribute.expression.items if isinstance(attribute.expression, Tuple) else [attribute.expression]
            yield from (re.split(r"[.\[]", address_of(entry, source, scope))[0] for entry in entries)


def report_validations(modules: Iterable[ModuleInstance], evaluation: Evaluation) -> None:
    """Evaluate every validation block; one whose condition is not known says nothing."""
    for module in modules:
        for name, body in module.configuration.variables.items():
            for _, inner in body.nested("validation"):
                _report(module, name, inner, evaluation)


def report_unmatched(
    modules: Iterable[ModuleInstance], instances: Iterable[ResourceInstance], evaluation: Evaluation
) -> None:
    """Warn of known data that answers for no data source, which is most likely mistyped.

    Nothing is said if a module has no instance or no source here: it may be the one that has the data source.
    """
    modules = list(modules)
    if not all(any(module.called(name)) for module in modules for name in module.configuration.calls):
        return
    declared = [
        (f"{module.prefix}data.{type_}.{name}", type_, name)
        for module in modules
        for mode, type_, name in module.configuration.resources
        if mode == "data"
    ]
    made = [(instance.address, instance.type, instance.name) for instance in instances if instance.mode == "data"]
    for key, close in evaluation.known.unmatched([*declared, *made]):
        hint = f"did you mean {close}?" if close else "correct it, or keep it to the environment that has one"
        evaluation.warn(f"the known data {key} answers for no data source: {hint}", None)


def _report(module: ModuleInstance, name: str, body: SourceBody, evaluation: Evaluation) -> None:
    if "condition" not in body.attributes:
        evaluation.report(f"a validation of var.{name} has no condition", body.location)
        return
    try:
        holds = to_revealed_bool(body.compiled("condition")(module.scope))
    except EvaluationError as error:
        evaluation.report(
            f"the validation of {module.prefix}var.{name} cannot be evaluated: {error.message}", body.location
        )
        return
    if holds is not True and not isinstance(holds, Unknown):
        where = module.call_body.location_of(name) if module.call_body else None
        _invalid(module, f"{module.prefix}var.{name} is not valid: {_message(module, body)}", where or body.location)


def _invalid(module: ModuleInstance, message: str, place: Location | None) -> None:
    """Report a validation that is false; in a module of which there may be none it may stop nothing."""
    evaluation = module.evaluation
    for why in uncertainties(evaluation.uncertain, module.address).values():
        evaluation.warn(f"{message}; {why}", place, f"make {why.value.address} known, or correct the value")
        return
    evaluation.report(message, place)


def _message(module: ModuleInstance, body: SourceBody) -> str:
    if "error_message" not in body.attributes:
        return "its validation is false"
    try:
        return str(body.compiled("error_message")(module.scope))
    except EvaluationError:
        return "its validation is false"


_KEYS = {"moved": ("from", "to"), "import": ("id", "to"), "removed": ("from", "")}


def refactorings(modules: Sequence[ModuleInstance]) -> Iterator[Refactoring]:
    """Yield what the blocks of all modules say. Raises EvaluationError if an id has no value."""
    for module in modules:
        for kind, body in module.configuration.refactorings:
            for scope in _each(module, body):
                source, target = (_written(module, body, name, scope) for name in _KEYS[kind])
                yield Refactoring(kind, source, target, body.location)


def _each(module: ModuleInstance, body: SourceBody) -> Iterator[Scope]:
    """Yield the scope of each instance of a block; a block that is unknown is one instance.

    Source: Terraform Language Documentation, "Import resources with for_each" (a map, a set, or a list).
    """
    if "for_each" not in body.attributes:
        yield module.scope
        return
    many = body.compiled("for_each")(module.scope)
    unknown = [(Unknown("each.key"), Unknown("each.value"))]
    for key, item in unknown if isinstance(many, Unknown) else iterate(many or {}):
        yield module.scope.bind(each={"key": key, "value": item})


def _written(module: ModuleInstance, body: SourceBody, name: str, scope: Scope) -> str:
    """Return an argument of a moved, import or removed block: an address, or an id as far as it is known."""
    if name not in body.attributes:
        return ""
    if name == "id":
        value = body.compiled(name)(scope)
        return value if isinstance(value, str) else str(Unknown(body.written(name)))
    attribute, source = body.attributes[name]
    return module.prefix + address_of(attribute.expression, source, scope)


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
        outputs=ValuesOnDemand(module.configuration.outputs, partial(_output, module)),
        sensitive_outputs=frozenset(filter(module.is_sensitive_output, module.configuration.outputs)),
        refactorings=tuple(refactorings(modules)),
        account=root_provider.account,
        region=root_provider.region,
        partition=evaluation.known.partition_of(root_provider.region),
        regions={key: provider.region for key, provider in providers.items()},
        accounts={key: provider.account for key, provider in providers.items()},
        ignored_tags={key: ignored for key, provider in providers.items() if (ignored := provider.ignored_tags)},
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
        ignore_changes=tuple(ignored_changes(instance.body, instance.scope)),
    )


def _output(module: ModuleInstance, name: str) -> Value:
    try:
        return module.output(name)
    except RecursionError:
        raise too_deep(f"output {name}") from None


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
