"""The Plan model from Terraform source, without a terraform binary.

Source: Terraform Language Documentation, "lifecycle" (ignore_changes is a list of attributes, or `all`), "Refactoring",
"Import existing resources", "removed block".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec import Struct

from infraspec.core.errors import ErrorCollector, EvaluationError, InfraspecError, TerraformError, listing
from infraspec.core.finding import Location
from infraspec.core.runtime import paused_collector, read_regular
from infraspec.core.unknown import Unknown, Value
from infraspec.hcl.ast import Literal, Tuple
from infraspec.terraform.configuration.declarations import SourceBody
from infraspec.terraform.configuration.evaluation import Evaluation, Library, located_at
from infraspec.terraform.configuration.inline_waivers import waivers_of
from infraspec.terraform.configuration.instances import DeclaringModule, ResourceInstance
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.configuration.providers import address_of
from infraspec.terraform.configuration.source_locations import trace
from infraspec.terraform.configuration.static_checks import StaticChecks
from infraspec.terraform.configuration.variables import (
    Argument,
    Assignment,
    VariableFile,
    automatic_files,
    collect_variables,
)
from infraspec.terraform.language.conversions import iterate, to_revealed_bool
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.language.scope import Scope, too_deep
from infraspec.terraform.plan import Fault, Plan, Refactoring, Resource, ValuesOnDemand, uncertainties
from infraspec.terraform.provider.known_data import KnownData
from infraspec.terraform.terragrunt import read_root


def ignored_changes(body: SourceBody, scope: Scope) -> Iterator[str]:
    """Yield the attributes whose changes Terraform ignores, by their first name: `tags` for `tags["Name"]`."""
    for _, inner in body.nested("lifecycle"):
        if "ignore_changes" in inner.attributes:
            attribute, source = inner.attributes["ignore_changes"]
            entries = attribute.expression.items if isinstance(attribute.expression, Tuple) else [attribute.expression]
            for entry in entries:
                if isinstance(entry, Literal) and entry.value == "*":
                    raise TerraformError(
                        "this is no attribute", place=source.place(entry.at), found='"*"', expected="all"
                    )
            yield from (re.split(r"[.\[]", address_of(entry, source, scope))[0] for entry in entries)


def report_conditions(
    modules: Iterable[ModuleInstance], instances: Iterable[ResourceInstance], evaluation: Evaluation
) -> None:
    """Evaluate what the source asserts of itself; a condition that is not known says nothing.

    Source: Terraform Language Documentation, "Custom Conditions" and "check". What a data source inside of a check
    returns is not known.
    """
    for module in modules:
        configuration = module.configuration
        for name, body in configuration.variables.items():
            for _, inner in body.nested("validation"):
                _report(module, name, inner, evaluation)
        for kind, type_, bodies in (
            ("the precondition of output", "precondition", configuration.outputs),
            ("the check", "assert", configuration.checks),
        ):
            for name, body in bodies.items():
                for _, inner in body.nested(type_):
                    _assert(f"{kind} {module.prefix}{name}", module, inner, module.scope)
    for instance in instances:
        for _, lifecycle in instance.body.nested("lifecycle"):
            for block, inner in lifecycle.nested("precondition", "postcondition"):
                scope = instance.scope.within({**instance.scope.locals, "self": instance})
                _assert(f"the {block.type} of {instance.address}", instance.module, inner, scope)


def _assert(subject: str, module: DeclaringModule, body: SourceBody, scope: Scope) -> None:
    """Report a condition that is certainly false; what cannot be evaluated is said where it is asked for."""
    try:
        holds = to_revealed_bool(body.compiled("condition")(scope)) if "condition" in body.attributes else True
    except TerraformError:
        return
    if holds is not True and not isinstance(holds, Unknown):
        _invalid(subject.rpartition(" ")[2], module, f"{subject} does not hold: {_message(scope, body)}", body.location)


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
        hint = f"did you mean {close}?" if close else "correct it, or define it only in the environment that has one"
        evaluation.warn(f"the known data {key} answers for no data source: {hint}", None)


def _report(module: ModuleInstance, name: str, body: SourceBody, evaluation: Evaluation) -> None:
    if "condition" not in body.attributes:
        evaluation.report(f"a validation of var.{name} has no condition", body.location)
        return
    try:
        holds = to_revealed_bool(body.compiled("condition")(module.scope))
    except TerraformError as error:
        evaluation.report(
            f"the validation of {module.prefix}var.{name} cannot be evaluated: {error.message}", body.location
        )
        return
    if holds is not True and not isinstance(holds, Unknown):
        where = module.call_body.location_of(name) if module.call_body else None
        message = f"{module.prefix}var.{name} is not valid: {_message(module.scope, body)}"
        _invalid(module.address, module, message, where or body.location)


def _invalid(address: str, module: DeclaringModule, message: str, place: Location | None) -> None:
    """Report a condition that is false; of what there may be none it may stop nothing."""
    evaluation = module.evaluation
    for why in uncertainties(evaluation.uncertain, address).values():
        evaluation.warn(f"{message}; {why}", place, f"make {why.value.address} known, or correct the value")
        return
    evaluation.report(message, place)


def _message(scope: Scope, body: SourceBody) -> str:
    if "error_message" not in body.attributes:
        return "its condition is false"
    try:
        return str(body.compiled("error_message")(scope))
    except EvaluationError:
        return "its condition is false"


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
    lenient: bool = False,
) -> Plan:
    """Evaluate a root module and everything it calls.

    `arguments` are -var and -var-file in order, `environ` the environment that TF_VAR_* are taken from, `known` what
    data sources return, `library` a shared cache of parsed directories, `boundary` the directory that expressions may
    read files in (default: the repository the root lies in). Errors of the input raise InfraspecError, several of
    them InputErrorGroup; attributes are evaluated on first use and may raise EvaluationError then. With `lenient` such
    an error goes to the `problems` of the plan, and what it leaves without a value is unknown; without a root that can
    be read there is nothing to evaluate.
    """
    with paused_collector():
        try:
            library = library or Library()
            environ = environ or {}
            unit = read_root(root, library, known or KnownData(), environ, boundary)
            root, configuration = unit.configuration.directory, unit.configuration
            files = RootFiles(root, boundary or root, library.edits)
            if unit.package:
                files.allow(unit.package)
            evaluation = Evaluation(library, root, files, unit.known, workspace)
            evaluation.problems = [] if lenient else None
            evaluation.accept(configuration)
            with evaluation.noting():
                evaluation.installed = _installed_modules(root)
            bare = ModuleInstance(configuration, evaluation)
            variables = collect_variables(bare, (*unit.arguments, *arguments), {**unit.environ, **environ})
            inputs = {name: _constant(value) for name, value in {**unit.values(bare), **variables}.items()}
            files_given = [one.path for one in arguments if isinstance(one, VariableFile)]
            file = library.show(files_given[-1] if files_given else root / "terraform.tfvars")
            # What the contract gives under [variables] is what its rules have to know, and need not be all.
            whole = any(not (isinstance(one, Assignment) and one.parsed) for one in arguments)
            stated = Stated(inputs, file, is_whole=whole or bool(unit.inputs) or any(automatic_files(root)))
            return _plan(ModuleInstance(configuration, evaluation, inputs=inputs), stated)
        except RecursionError:
            raise too_deep(str(root)) from None


class Stated(Struct, frozen=True):
    """The variables that have a value: `is_whole` if files or arguments are there for all, `file` is one for more."""

    names: Collection[str]
    file: str
    is_whole: bool


def _plan(module: ModuleInstance, stated: Stated) -> Plan:
    evaluation = module.evaluation
    modules, instances, statically = _expand(module)
    report_conditions(modules, instances, evaluation)
    report_unmatched(modules, instances, evaluation)
    for error in {error.place: error for error in evaluation.files.allowance.exceeded}.values():
        evaluation.warn(f"{error.message}: what uses it is unknown", located_at(error), error.remedy)
    moved: list[Refactoring] = []
    with evaluation.noting():
        moved.extend(refactorings(modules))
    problems = [] if evaluation.problems is None else evaluation.problems
    directories = {each.configuration.directory for each in modules}
    waivers, refused = waivers_of(evaluation.library.texts(), directories)
    root_provider = module.provider("aws")
    providers = {instance.provider.key: instance.provider for instance in instances}
    return Plan(
        origin=f"source {module.configuration.shown}",
        resources=tuple(map(_resource, instances)),
        diagnostics=tuple(dict.fromkeys(evaluation.diagnostics)),
        examine=partial(_faults, modules, instances, statically, stated, problems),
        outputs=ValuesOnDemand(module.configuration.outputs, module.output),
        sensitive_outputs=frozenset(filter(module.is_sensitive_output, module.configuration.outputs)),
        refactorings=tuple(moved),
        account=root_provider.account,
        region=root_provider.region,
        partition=evaluation.known.partition_of(root_provider.region),
        regions={key: provider.region for key, provider in providers.items()},
        accounts={key: provider.account for key, provider in providers.items()},
        ignored_tags={key: ignored for key, provider in providers.items() if (ignored := provider.ignored_tags)},
        unseen_inputs=evaluation.unseen_inputs,
        problems=problems,
        fetched=_fetched(modules),
        waivers=waivers,
        refused_waivers=(*refused, *evaluation.misplaced_waivers),
        module_calls=evaluation.module_calls,
        absent=tuple(evaluation.absent),
        uncertain=evaluation.uncertain,
        modules={each.address: each for each in modules},
    )


def _fetched(modules: Iterable[ModuleInstance]) -> dict[str, Location]:
    """Return where the modules below `.terraform` are called from outside of it, by address, callers first."""
    found: dict[str, Location] = {}
    for module in modules:
        place = found.get(module.parent.address) if module.parent else None
        if place is None and module.call_body is not None and ".terraform" in module.configuration.directory.parts:
            place = module.call_body.location
        if place is not None:
            found[module.address] = place
    return found


def _constant(value: Value) -> Callable[[], Value]:
    return lambda: value


def _faults(
    modules: Sequence[ModuleInstance],
    instances: Sequence[ResourceInstance],
    statically: StaticChecks,
    stated: Stated,
    problems: list[InfraspecError],
) -> tuple[Fault, ...]:
    """Compare the source with the schemas of its providers, and its variables with those that have a value.

    What may have no value is evaluated; `problems` gets the errors.
    """
    from infraspec.terraform.configuration.schema_checks import faults  # noqa: PLC0415 - the rule `source` alone asks

    root = modules[0]
    with paused_collector():
        unset = (root.without_value(name) for name in root.configuration.variables if name not in stated.names)
        missing = dict(filter(None, unset))
        found: list[Fault] = []
        with root.evaluation.noting():
            found.extend(faults(modules, statically.references, root.evaluation.root))
        found.extend(_late(modules, instances, statically))
        _evaluate(modules, instances, statically, ErrorCollector(problems))
        if not missing:
            return tuple(found)
        values = {
            "names": listing([f"var.{name}" for name in missing]),
            "first": next(iter(missing)),
            "file": stated.file,
        }
        values["lines"] = "\n".join(f"{name} = …" for name in missing)
        place = next(iter(missing.values()))
        kind = "no-value" if stated.is_whole else "no-value-yet"
        return (Fault(kind, f"source {root.configuration.shown}", "variables", place, values), *found)


def _evaluate(
    modules: Sequence[ModuleInstance],
    instances: Iterable[ResourceInstance],
    statically: StaticChecks,
    collector: ErrorCollector,
) -> None:
    """Evaluate what may have no value: of the instances, of local values, and of the outputs of the root."""
    for instance in instances:
        doubtful = statically.references[id(instance.module.configuration)].doubtful
        for name in doubtful.get(id(instance.body), ()):
            try:
                instance.values.get(name)
            except InfraspecError as error:
                collector.keep(error)
    for module in modules:
        for name in module.configuration.locals:
            with collector.collect():
                module.local(name)
    root = modules[0]
    for name, body in root.configuration.outputs.items():
        if id(body) in statically.references[id(root.configuration)].doubtful:
            with collector.collect():
                root.output(name)


def _late(
    modules: Sequence[ModuleInstance], instances: Sequence[ResourceInstance], statically: StaticChecks
) -> Iterator[Fault]:
    """Yield what is found not to be declared where it is evaluated, if the source looks like it."""
    suspect = {key for key, references in statically.references.items() if references.is_suspect}
    values = [instance.values for instance in instances if id(instance.module.configuration) in suspect]
    values += [
        ValuesOnDemand(names, look_up)
        for module in modules
        if id(module.configuration) in suspect
        for names, look_up in (
            (module.configuration.outputs, module.output),
            (module.configuration.locals, module.local),
        )
    ]
    for each in values:
        for name in each:
            with suppress(TerraformError):
                each.get(name)
    evaluation, origin = modules[0].evaluation, f"source {modules[0].configuration.shown}"
    said = {one.location for one in evaluation.diagnostics}
    late = {located_at(error): error for error in reversed(evaluation.files.allowance.refused)}
    for place, error in late.items():
        if place is not None and place not in said:
            yield Fault("undeclared", origin, error.message, place, {"remedy": error.remedy})


def _expand(root: ModuleInstance) -> tuple[list[ModuleInstance], list[ResourceInstance], StaticChecks]:
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
    with root.evaluation.noting():
        collector.finalize_distinct()
    return modules, instances, statically


def _resource(instance: ResourceInstance) -> Resource:
    ignored: list[str] = []
    if any(block.type == "lifecycle" for block, _ in instance.body.blocks):
        with instance.module.evaluation.noting():
            ignored.extend(ignored_changes(instance.body, instance.scope))
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
        ignore_changes=tuple(ignored),
    )


def _installed_modules(root: Path) -> Mapping[str, Path]:
    """Read `.terraform/modules/modules.json`: where `terraform init` has put the modules, by call path."""
    manifest = root / ".terraform" / "modules" / "modules.json"
    if not manifest.is_file():
        return {}
    try:
        entries = json.loads(read_regular(manifest))["Modules"]
        return {entry["Key"]: root / entry["Dir"] for entry in entries if entry["Key"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TerraformError(
            "the list of installed modules cannot be read",
            place=str(manifest),
            found=f"{type(error).__name__}: {error}",
            remedy="remove .terraform and run `terraform init` again",
        ) from None
