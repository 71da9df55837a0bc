"""A module instance: its variables, locals, calls, resources and outputs, evaluated on first use.

Source: Terraform Language Documentation, "Module Sources", "Modules" (Calling a Child Module) and "Input Variables"
(Type Constraints, Default values).
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from infraspec.contract.paths import holds_terraform
from infraspec.core.errors import (
    CycleError,
    EvaluationError,
    FileAccessError,
    InfraspecError,
    LimitError,
    RootMissingError,
    TerraformError,
    UndeclaredError,
)
from infraspec.core.finding import Location
from infraspec.core.limits import MOST_MODULES
from infraspec.core.unknown import (
    AbsentModule,
    AtRunTime,
    Ephemeral,
    MissingVariable,
    Sensitive,
    Text,
    Unknown,
    Value,
    computed_from,
    shows,
)
from infraspec.hcl.ast import Literal
from infraspec.terraform.configuration.declarations import Configuration, SourceBody, is_local
from infraspec.terraform.configuration.evaluation import (
    Evaluation,
    Key,
    expand,
    leaves,
    place_error,
    placed,
    unreadable_value,
)
from infraspec.terraform.configuration.instances import ResourceInstance
from infraspec.terraform.configuration.module_cache import GET, fetched, submodule_of
from infraspec.terraform.configuration.providers import (
    Provider,
    configuration_aliases,
    instance_of,
    local_name,
    missing_provider,
    passed_providers,
    provider_not_passed,
    provider_reference,
)
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.scope import EvaluatedObject, Scope, located
from infraspec.terraform.language.types import AnyType, TypeConstraint


class CalledSource(Struct, frozen=True):
    """Where the source of a call is: `directory` is None if it is not here, and `command` fetches it then."""

    source: Value
    version: str = ""
    directory: Path | None = None
    command: str = ""


def locate_source(
    directory: Path, evaluation: Evaluation, source: Value, version: Value, path: tuple[str, ...]
) -> CalledSource:
    """Look for the source of a call: in the repository, where Terraform has installed it, among what was fetched.

    `directory` is that of the calling module, `path` the names of the calls from the root.
    """
    given = version if isinstance(version, str) else ""
    if isinstance(source, str) and is_local(source):
        place = Path(os.path.normpath(directory / source))
        submodule = "" if holds_terraform(place) else submodule_of(place)
        command = f"git submodule update --init -- {shlex.quote(submodule)}"
        return CalledSource(source, given, None if submodule else place, command)
    found = evaluation.installed.get(".".join(path)) if isinstance(source, str) else None
    if found is None and isinstance(source, str) and (kept := fetched(source, given)):
        evaluation.files.allow(kept[0])
        found = kept[1]
    return CalledSource(source, given, found, GET)


def source_of(call: SourceBody, name: str, scope: Scope) -> Value:
    """Return the source of a call, which may be made of variables and local values; TerraformError if there is none.

    Source: OpenTofu documentation, "Module Sources", and Terraform's on variables with `const`.
    """
    source = call.compiled("source")(scope) if "source" in call.attributes else None
    if isinstance(source, (str, Text, Unknown)):
        return source
    raise TerraformError(
        f'module "{name}" has no source',
        place=call.place("source"),
        expected='source = "./modules/…" or a registry address',
    )


def refused_inputs(called: Configuration, call: SourceBody, name: str) -> Iterator[TerraformError]:
    """Yield the errors of arguments that are no variables, and of variables neither set nor with a default."""
    arguments = list(call.inputs())
    for argument in arguments:
        if argument not in called.variables and not called.errors:
            yield UndeclaredError(
                f'module "{name}" has no input variable "{argument}"',
                place=call.place(argument),
                expected=", ".join(sorted(called.variables)) or "no arguments",
                remedy=f'declare variable "{argument}" in {called.shown}, or remove the argument',
            )
    missing = [v for v, b in called.variables.items() if v not in arguments and "default" not in b.attributes]
    if missing:
        yield TerraformError(
            f'module "{name}" is called without {", ".join(missing)}',
            place=call.place(),
            expected="an argument for every variable without a default",
            remedy="\n".join(f"{variable} = …" for variable in missing),
        )


def type_of(body: SourceBody, scope: Scope) -> TypeConstraint:
    """Return the type that a variable block states, any if it states none. Raises EvaluationError if it is no type."""
    if "type" not in body.attributes:
        return AnyType()
    attribute, source = body.attributes["type"]
    with located(source, attribute.expression.at):
        return TypeConstraint.from_expression(
            attribute.expression, lambda node: compile_expression(node, source)(scope)
        )


def check_default(body: SourceBody, scope: Scope, address: str, *, hidden: bool) -> None:
    """Raise EvaluationError if the type of a variable is none, or its default no constant of that type.

    What the value is does not show in the error if it is `hidden`.
    """
    value: Value = None
    if "default" in body.attributes:
        attribute, source = body.attributes["default"]
        value = compile_expression(attribute.expression, source, isolated=True)(scope)
    with placed(body, "type", address):
        constraint = type_of(body, scope)
    with placed(body, "default", address):
        constraint.convert(value, hidden=hidden)


_MISSING = object()
_BUSY = object()


class OpaqueModule(EvaluatedObject):
    """A module whose source is not here: every output is unknown, and whether there is one."""

    __slots__ = ("called",)
    certain = False

    def __init__(self, address: str, called: CalledSource) -> None:
        super().__init__(address)
        self.called = called

    def attribute(self, name: str) -> Value:
        """Return the Unknown that names an output."""
        source = self.called.source
        absent = AbsentModule(self.address, self.called.command)
        return Unknown(f"{self.address}.{name}", absent if isinstance(source, str) else computed_from(source))


class ModuleObject(EvaluatedObject):
    """`module.NAME` as an expression sees it."""

    __slots__ = ("instance",)

    def __init__(self, instance: ModuleInstance) -> None:
        super().__init__(instance.address)
        self.instance = instance

    def attribute(self, name: str) -> Value:
        """Return an output."""
        return self.instance.output(name)

    def whole(self) -> Value:
        """Return all outputs."""
        return {name: self.instance.output(name) for name in self.instance.configuration.outputs}


class ModuleInstance:
    """One instance of a module; `address` is empty for the root.

    `inputs` gives the values of variables, each evaluated on first use. It satisfies the Module protocol of scopes.
    """

    def __init__(
        self,
        configuration: Configuration,
        evaluation: Evaluation,
        *,
        address: str = "",
        inputs: Mapping[str, Callable[[], Value]] | None = None,
        parent: ModuleInstance | None = None,
        call: SourceBody | None = None,
        call_path: tuple[str, ...] = (),
        passed: Mapping[str, str] | None = None,
    ) -> None:
        self.configuration = configuration
        self.evaluation = evaluation
        self.address = address
        self.parent = parent
        self.call_body = call
        self.call_path = call_path
        self.files = evaluation.files
        self.scope = Scope(self)
        self._inputs = inputs or {}
        self._memo: dict[object, Value] = {}
        self._providers: dict[str, Provider] = {}
        self.passed = passed or {}

    @property
    def prefix(self) -> str:
        """The address with a dot, empty in the root."""
        return f"{self.address}." if self.address else ""

    @property
    def given(self) -> AbstractSet[str]:
        """The variables that have a value from outside."""
        return self._inputs.keys() & self.configuration.variables.keys()

    def remember(
        self, key: object, compute: Callable[[], Value], place: Callable[[], str], *, keep: bool = True
    ) -> Value:
        """Evaluate once; CycleError if the value depends on itself."""
        found = self._memo.get(key, _MISSING)
        if found is _BUSY:
            raise self._cycle(key, place())
        if found is not _MISSING:
            return found
        stack = self.evaluation.stack
        try:
            self._memo[key] = _BUSY
            stack.append(str(key))
            try:
                value = compute()
            finally:
                stack.pop()
                del self._memo[key]
        except TerraformError as error:
            if not keep:
                raise
            value = self.evaluation.refused(str(key), error)
        if keep:
            self._memo[key] = value
        return value

    def _cycle(self, key: object, place: str) -> CycleError:
        stack = self.evaluation.stack
        chain = [*stack[stack.index(str(key)) :], str(key)]
        return CycleError(
            f"{key} depends on itself",
            place=place,
            found=" → ".join(chain),
            remedy="break the cycle: let one of these not refer to the next",
        )

    # References

    def variable(self, name: str) -> Value:
        """Return `var.name`, converted to its type; Unknown if a root variable is not set."""
        body = self.configuration.variables.get(name)
        if body is None:
            return self._undeclared("input variable", f'variable "{name}" {{}}', self.configuration.variables, name)
        return self.remember(f"{self.prefix}var.{name}", lambda: self._variable(name, body), body.place)

    def _variable(self, name: str, body: SourceBody) -> Value:
        if body.error:
            return unreadable_value(f"{self.prefix}var.{name}", body.error)
        value = self._inputs[name]() if name in self._inputs else _MISSING
        if value is _MISSING or (value is None and self._takes_no_null(body)):
            if "default" not in body.attributes:
                return Unknown(f"{self.prefix}var.{name}", MissingVariable(name, self.address))
            value = body.compiled("default")(self.scope)
        if self._is_ephemeral(body):
            value = Ephemeral(f"{self.prefix}var.{name}", value)
        elif self._is_hidden(body) and shows(value):
            value = Sensitive(f"{self.prefix}var.{name}", value)
        try:
            constraint = type_of(body, self.scope)
            return constraint.convert(value, hidden=self.parent is None and name in self._inputs)
        except EvaluationError as error:
            where = self.call_body.place(name) if self.call_body and name in self._inputs else body.place("type")
            place_error(error, where, f"{self.prefix}var.{name}")
            raise

    def without_value(self, name: str) -> tuple[str, Location] | None:
        """Return the name and place of a variable without a default, unless it is a secret, which no file has."""
        body = self.configuration.variables[name]
        return None if "default" in body.attributes or self._is_hidden(body) else (name, body.location)

    def check_variable(self, name: str) -> None:
        """Raise EvaluationError if the type of a variable is none, or its default no constant of that type."""
        body, address = self.configuration.variables[name], f"{self.prefix}var.{name}"
        check_default(body, self.scope, address, hidden=self._is_hidden(body))
        default = body.attributes["default"][0].expression if "default" in body.attributes else None
        if isinstance(default, Literal) and default.value is None and self._takes_no_null(body):
            with placed(body, "default", address):
                raise EvaluationError("the default is null, which nullable = false does not take", found="null")

    def _takes_no_null(self, body: SourceBody) -> bool:
        return self._option(body, "nullable", default=True) is False

    def _is_ephemeral(self, body: SourceBody) -> bool:
        return self._option(body, "ephemeral", default=False) is True

    def _is_hidden(self, body: SourceBody) -> bool:
        """Tell whether a variable or output is declared sensitive, or ephemeral, which is no less."""
        return self._option(body, "sensitive", default=False) not in (False, None) or self._is_ephemeral(body)

    def _option(self, body: SourceBody, name: str, *, default: bool) -> Value:
        return body.compiled(name)(self.scope) if name in body.attributes else default

    def local(self, name: str) -> Value:
        """Return `local.name`."""
        if name not in self.configuration.locals:
            return self._undeclared("local value", f"locals {{ {name} = … }}", self.configuration.locals, name)
        attribute, source = self.configuration.locals[name]
        evaluate = self.configuration.compiled_local(name)
        return self.remember(
            f"{self.prefix}local.{name}", lambda: evaluate(self.scope), lambda: source.place(attribute.at)
        )

    def call(self, name: str) -> Value:
        """Return `module.name`: an object, or a list or dict of them."""
        body = self.configuration.calls.get(name)
        if body is None:
            return self._undeclared("module", f'module "{name}" {{}}', self.configuration.calls, name)
        address = f"{self.prefix}module.{name}"
        if body.error:
            return OpaqueModule(address, CalledSource(unreadable_value(address, body.error)))
        return self.remember(
            address,
            lambda: expand(self.evaluation, body, self.scope, address, lambda a, s, _: self._called(name, body, a, s)),
            body.place,
        )

    def reference(self, mode: str, type_: str, name: str) -> Value:
        """Return a resource or data source: an object, or a list or dict of them."""
        declared = (mode, type_, name)
        body = self.configuration.resources.get(declared)
        shown = f"{'data.' if mode == 'data' else ''}{type_}.{name}"
        if body is None:
            if mode == "ephemeral":
                at = f"{self.prefix}ephemeral.{type_}.{name}"
                return Ephemeral(at, Unknown(at, AtRunTime(f"the ephemeral {type_}.{name}")))
            if mode == "data" and self.configuration.is_of_check(type_, name):
                return Unknown(f"{self.prefix}{shown}")
            names = {".".join(key[1:]): None for key in self.configuration.resources if key[0] == mode}
            keyword = "data" if mode == "data" else "resource"
            return self._undeclared("resource", f'{keyword} "{type_}" "{name}" {{}}', names, f"{type_}.{name}")
        address = f"{self.prefix}{shown}"

        def make(instance: str, scope: Scope, key: Key) -> ResourceInstance:
            return ResourceInstance(instance, declared, body=body, scope=scope, module=self, key=key)

        return self.remember(address, lambda: expand(self.evaluation, body, self.scope, address, make), body.place)

    def output(self, name: str) -> Value:
        """Return an output; the known leaves of a sensitive one are masked."""
        body = self.configuration.outputs.get(name)
        if body is None:
            return self._undeclared("output", f'output "{name}" {{}}', self.configuration.outputs, name)
        return self.remember(f"{self.prefix}output.{name}", lambda: self._output(name, body), body.place)

    def _output(self, name: str, body: SourceBody) -> Value:
        if body.error:
            return unreadable_value(f"{self.prefix}output.{name}", body.error)
        if "value" not in body.attributes:
            raise EvaluationError(f'output "{name}" has no value', place=body.place(), expected="value = …")
        value = body.compiled("value")(self.scope)
        if "type" in body.attributes:
            with placed(body, "type", f"{self.prefix}output.{name}"):
                value = type_of(body, self.scope).convert(value, hidden=self._is_hidden(body))
        if self.is_sensitive_output(name):
            mark = Ephemeral if self._is_ephemeral(body) else Sensitive
            return _masked(value, f"{self.prefix}output.{name}", mark)
        return value

    def is_sensitive_output(self, name: str) -> bool:
        """Tell whether an output is declared sensitive or ephemeral."""
        return self._is_hidden(self.configuration.outputs[name])

    def path(self, name: str) -> str:
        """Return `path.module` and the like, as Terraform run in the root directory would."""
        match name:
            case "root":
                return "."
            case "cwd":
                return str(self.evaluation.root.resolve())
            case "module":
                return os.path.relpath(self.configuration.directory, self.evaluation.root)
        raise EvaluationError(f"there is no path.{name}", expected="path.module, path.root or path.cwd")

    def workspace(self) -> str:
        """Return `terraform.workspace`."""
        return self.evaluation.workspace

    def _undeclared(self, kind: str, declaration: str, known: Mapping[str, object], name: str) -> Value:
        """Raise UndeclaredError, unless what cannot be read of the directory may declare it: that is not known."""
        if self.configuration.errors:
            return unreadable_value(f'{self.prefix}{kind} "{name}"', self.configuration.errors[0])
        close = get_close_matches(name, map(str, known), 1)
        where = f"module {self.address}" if self.address else "the root module"
        hint = f"did you mean {close[0]}? Else " if close else ""
        raise UndeclaredError(f'{where} has no {kind} "{name}"', remedy=f"{hint}declare it: {declaration}")

    # Module calls

    def _called(self, name: str, body: SourceBody, address: str, scope: Scope) -> EvaluatedObject:
        called = CalledSource("")
        try:
            found = self._instance(name, body, address, scope)
        except LimitError as error:
            self.scope.beyond(error)
        except InfraspecError as error:
            called = CalledSource(self.evaluation.refused(address, error))
        else:
            if isinstance(found, ModuleObject):
                return found
            called = found
        self.evaluation.unseen_inputs[address] = [_input(body, argument, scope) for argument in body.inputs()]
        return OpaqueModule(address, called)

    def _instance(self, name: str, body: SourceBody, address: str, scope: Scope) -> ModuleObject | CalledSource:
        """Return the object of a called module, or the source of one that is not here."""
        source = source_of(body, name, self.scope)
        version = body.compiled("version")(self.scope) if "version" in body.attributes else None
        path = (*self.call_path, name)
        found = locate_source(self.configuration.directory, self.evaluation, source, version, path)
        if found.directory is None:
            self.evaluation.opaque(address, source, body.location, found.command, found.version)
            return found
        if self.evaluation.module_calls >= MOST_MODULES:
            raise LimitError(f"there are more than {MOST_MODULES:,} module instances", place=body.place())
        self.evaluation.module_calls += 1
        instance = ModuleInstance(
            self._configuration(body, address, found.directory),
            self.evaluation,
            address=address,
            inputs={argument: _input(body, argument, scope) for argument in body.inputs()},
            parent=self,
            call=body,
            call_path=path,
            passed=passed_providers(body, scope),
        )
        for error in refused_inputs(instance.configuration, body, name):
            self.evaluation.refuse(error)
        return ModuleObject(instance)

    def _configuration(self, body: SourceBody, address: str, directory: Path) -> Configuration:
        configuration = self._read(body, address, directory)
        ancestor: ModuleInstance | None = self
        while ancestor is not None:
            if ancestor.configuration is configuration:
                raise CycleError(
                    f"{address} calls its own directory, directly or through other modules",
                    place=body.place("source"),
                    found=self.evaluation.library.show(directory),
                    remedy="a module cannot contain itself: correct the source",
                )
            ancestor = ancestor.parent
        return configuration

    def _read(self, body: SourceBody, address: str, directory: Path) -> Configuration:
        if not self.evaluation.files.holds(directory):
            raise FileAccessError(
                f"the source of {address} is outside the infrastructure repository",
                place=body.place("source"),
                expected="a module in the repository",
                found=self.evaluation.library.show(directory),
                remedy="copy the module into the repository, or name it by a registry address or a git URL",
            )
        try:
            return self.evaluation.read(directory)
        except RootMissingError as error:
            error.message = f"the source of {address} is no module: {error.message}"
            error.found, error.place = error.place, body.place("source")
            raise

    # Providers

    def provider_of(self, body: SourceBody, type_: str, scope: Scope) -> Provider:
        """Return the provider configuration of a resource, an instance of which is in a scope."""
        return self.provider(provider_reference(body, scope) or local_name(type_), body.place("provider"))

    def provider(self, key: str, place: str = "") -> Provider:
        """Return a provider configuration by its name in this module: passed in, own, or the caller's.

        Nothing is known of one that nobody configures: Terraform refuses what uses it, at `place`.
        """
        if key not in self._providers:
            try:
                self._providers[key] = self._find_provider(key, place)
            except UndeclaredError as error:
                self.evaluation.refuse(error)
                self._providers[key] = Provider(key, self.evaluation, refused=self.scope.refused(error))
            except TerraformError as error:
                self._providers[key] = Provider(key, self.evaluation, refused=self.evaluation.refused(key, error))
        return self._providers[key]

    def _find_provider(self, key: str, place: str) -> Provider:
        if self.parent is not None and self.call_body is not None and key in self.passed:
            return self.parent.provider(self.passed[key], self.call_body.place("providers"))
        configured = self.configuration.providers
        name, bracket, index = key.partition("[")
        body = configured.get(name)
        if body is not None and ("for_each" in body.attributes or not bracket):
            many = "for_each" in body.attributes
            scope = instance_of(body, self.scope, index.removesuffix("]"), key) if many else self.scope
            shown = f"{self.address}:{key}" if self.address else key
            return Provider(shown, self.evaluation, body, scope, self._main_provider(key))
        if "." not in key:
            return self.parent.provider(key) if self.parent else Provider(key, self.evaluation)
        expected = configuration_aliases(self.configuration.terraform)
        if self.parent is None and key in expected:
            return Provider(key, self.evaluation)
        if self.call_body is not None and key in expected:
            raise provider_not_passed(key, self.address, self.call_body.place("providers"))
        raise missing_provider(key, {*configured, *self.passed}, place)

    def _main_provider(self, key: str) -> Provider | None:
        """Return the configuration that an alias, or one of a called module, is beside."""
        name, dot, _ = key.partition(".")
        if dot:
            return self.provider(name)
        return self.parent.provider(name) if self.parent else None

    # What is below this instance

    def instances(self, declared: tuple[str, str, str]) -> Iterator[ResourceInstance]:
        """Yield the instances of one resource or data block."""
        return leaves(self.reference(*declared), ResourceInstance)

    def called(self, name: str) -> Iterator[ModuleInstance]:
        """Yield the module instances of one module call."""
        return (found.instance for found in leaves(self.call(name), ModuleObject))


def _input(body: SourceBody, argument: str, scope: Scope) -> Callable[[], Value]:
    evaluate = body.compiled(argument)
    return lambda: evaluate(scope)


def _masked(value: Value, address: str, mark: type[Sensitive]) -> Value:
    """Mask the known leaves; unknown ones keep their identity."""
    if isinstance(value, dict):
        return {key: _masked(item, f"{address}.{key}", mark) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, f"{address}[{position}]", mark) for position, item in enumerate(value)]
    return mark(address, value) if value is not None and shows(value) else value
