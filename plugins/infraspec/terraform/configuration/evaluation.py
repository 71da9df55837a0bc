"""What all module instances of one evaluation share: files read, data known, limits, diagnostics.

Source: Terraform Language Documentation, "The count Meta-Argument" and "The for_each Meta-Argument".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

from msgspec import Struct, field

from infraspec.contract.paths import names_in
from infraspec.core.errors import (
    CycleError,
    DivisionByZeroError,
    ErrorCollector,
    EvaluationError,
    InfraspecError,
    InputErrorGroup,
    LimitError,
    TerraformError,
)
from infraspec.core.finding import Location
from infraspec.core.limits import MOST_INSTANCES, MOST_PER_BLOCK
from infraspec.core.unknown import Erroneous, Sensitive, Text, Unknown, Value
from infraspec.hcl.ast import File, SourceText
from infraspec.hcl.files import parse_file
from infraspec.hcl.parser import parse
from infraspec.terraform.configuration.declarations import (
    Configuration,
    SourceBody,
    configuration_files,
    is_configuration,
    read_configuration,
)
from infraspec.terraform.configuration.module_cache import GET, without_credentials
from infraspec.terraform.configuration.tools import OPENTOFU, TERRAFORM, files_of, for_either, holds_tofu, tool_of
from infraspec.terraform.language.conversions import to_bool, to_number
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.language.partial_values import named, operand
from infraspec.terraform.language.scope import EvaluatedObject, Scope
from infraspec.terraform.language.values import SetValue, type_name
from infraspec.terraform.plan import NOT_EVALUATED, Diagnostic, Fault, Uncertain
from infraspec.terraform.provider.known_data import KnownData


class Library:
    """Configurations by directory, each read once; shared by the environments of a session.

    `within` is the directory of the repository, in which a link may lead to a file.
    """

    def __init__(self, show: Callable[[Path], str] = str, within: Path | None = None) -> None:
        self.show = show
        self._within = within and within.absolute()
        self._known: dict[tuple[Path, str], Configuration] = {}
        self._for_opentofu: set[Path] = set()
        self._tools: dict[Path, str] = {}
        self._places: dict[str, Path] = {}
        self._files: dict[str, tuple[File, list[InfraspecError]]] = {}
        self._texts: Mapping[Path, str] = {}

    def edited(self, texts: Mapping[Path, str]) -> Library:
        """Return a library in which some files, by resolved path, have other texts; all else is shared."""
        result = Library(self.show, self._within)
        changed = {path.parent for path in texts}
        result._texts = {**self._texts, **texts}
        result._known = {key: known for key, known in self._known.items() if key[0] not in changed}
        result._files = {key: file for key, file in self._files.items() if Path(key).resolve() not in texts}
        result._for_opentofu, result._tools = self._for_opentofu, self._tools
        return result

    @property
    def edits(self) -> Mapping[Path, str]:
        """The texts that files have in place of their own, by resolved path."""
        return self._texts

    def file(self, path: Path, errors: list[InfraspecError] | None = None) -> File:
        """Return the tree of a file, parsed once. Syntax errors go to `errors`, or are raised if that is not given."""
        key = str(path)
        known = self._files.get(key)
        if known is None:
            is_link = self._within is not None and path.is_symlink() and path.absolute().is_relative_to(self._within)
            problems: list[InfraspecError] = []
            text = self._texts.get(path.resolve()) if self._texts else None
            if text is not None:
                tree = parse(text, self.show(path), problems)
            else:
                tree = parse_file(path, self.show(path), problems, self._within if is_link else None)
            known = self._files[key] = (tree, problems)
        tree, found = known
        if errors is None:
            ErrorCollector([*found]).finalize()
        else:
            errors += found
        return tree

    def texts(self) -> Iterator[tuple[str, SourceText]]:
        """Yield the texts of the files that were parsed, by their paths."""
        return ((path, file.source) for path, (file, _) in self._files.items())

    def parsed(self) -> dict[Path, Configuration]:
        """Return the configurations that were read, by directory."""
        return {each.directory: each for each in self._known.values()}

    def assembled(self, directory: Path, given: Mapping[str, File]) -> Configuration:
        """Return the configuration of a directory with further files, which take the place of those of their names."""
        names = sorted({*(name for name in names_in(directory) if is_configuration(name)), *given})
        shown = self.show(directory)
        return read_configuration(directory, shown, self.file, files_of(names, self.tool(directory)), given)

    def tool(self, root: Path) -> str:
        """Return the tool that a root module is for, empty if it cannot be decided."""
        if root not in self._tools:
            self._tools[root] = tool_of(root)
        return self._tools[root]

    def read(self, directory: Path, root: Path | None = None) -> Configuration:
        """Return the configuration of a directory; raise the errors of what cannot be read of it."""
        configuration = self.readable(directory, root)
        ErrorCollector([*configuration.errors]).finalize()
        return configuration

    def readable(self, directory: Path, root: Path | None = None) -> Configuration:
        """Return what can be read of a directory, as the tool of a root module does: of itself if none is given."""
        place = self._places.get(path := str(directory))
        if place is None:
            place = self._places[path] = directory.resolve()
        tool = self.tool(root or directory) if place in self._for_opentofu else ""
        if (place, tool) in self._known:
            return self._known[place, tool]
        shown = self.show(directory)
        names = configuration_files(directory, shown)
        if place not in self._for_opentofu and holds_tofu(names):
            self._for_opentofu.add(place)
            return self.readable(directory, root)
        tools = [OPENTOFU, TERRAFORM] if place in self._for_opentofu and not tool else [tool]
        found = [read_configuration(directory, shown, self.file, files_of(names, each)) for each in tools]
        self._known[place, tool] = found[0] if len(found) == 1 else for_either(*found)
        return self._known[place, tool]


class Evaluation(Struct):
    """The shared state of one evaluation of a root module."""

    library: Library
    root: Path
    files: RootFiles
    known: KnownData
    workspace: str = "default"
    installed: Mapping[str, Path] = field(default_factory=dict)
    """Directories of modules that `terraform init` has downloaded, by dotted call path."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    """What is being evaluated, outermost first."""
    uncertain: dict[str, Uncertain] = field(default_factory=dict)
    """Why it is not known whether there is an instance, by the address of the one that stands for any."""
    absent: dict[tuple[str, str], None] = field(default_factory=dict)
    """The sources of modules that are not here, each with the version that is demanded."""
    instances: int = 0
    too_many: LimitError | None = None
    module_calls: int = 0
    unseen_inputs: dict[str, list[Callable[[], Value]]] = field(default_factory=dict)
    """What modules are given whose source is not here, by their addresses."""
    misplaced_waivers: list[Fault] = field(default_factory=list)
    """Comments of variable files that are meant for waivers."""
    problems: list[InfraspecError] | None = None
    """The errors that leave something without a value; None where the first one is to be raised."""

    @contextmanager
    def evaluating(self, what: str) -> Iterator[None]:
        """Note what is evaluated inside the block."""
        self.stack.append(what)
        try:
            yield
        finally:
            self.stack.pop()

    def note(self, error: InfraspecError) -> None:
        """Keep an error that leaves something out; raise it where nothing may be left out."""
        if self.problems is None:
            raise error
        self.problems += error.errors if isinstance(error, InputErrorGroup) else (error,)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Keep an error that is raised inside the block."""
        try:
            yield
        except InfraspecError as error:
            self.note(error)

    def read(self, directory: Path) -> Configuration:
        """Return the configuration of a directory, as far as it can be read."""
        configuration = self.library.readable(directory, self.root)
        self.accept(configuration)
        return configuration

    def accept(self, configuration: Configuration) -> None:
        """Keep the errors of what cannot be read of a configuration; raise them where nothing may be left out."""
        if self.problems is None:
            ErrorCollector([*configuration.errors]).finalize()
        else:
            self.problems += configuration.errors

    def refused(self, address: str, error: InfraspecError) -> Unknown:
        """Return what stands for a value that there is none of, because of an error, which is kept.

        A limit that is passed is no error of a value; a cycle is one of what is evaluated first.
        """
        is_limit = isinstance(error, LimitError) and not isinstance(error, DivisionByZeroError)
        if is_limit or (isinstance(error, CycleError) and self.stack):
            raise error
        self.note(error)
        return unreadable_value(address, error)

    def count(self, number: int, address: str, place: str) -> None:
        """Count new instances; LimitError past a bound, always the same one where it is that of the root."""
        instances = self.instances + number
        if number > MOST_PER_BLOCK or instances > MOST_INSTANCES:
            error = LimitError(
                f"{address} would make {number} instances, {instances} in all",
                place=place,
                expected=f"at most {MOST_PER_BLOCK} instances of one block and {MOST_INSTANCES} of a root",
                remedy="correct count or for_each",
            )
            if number <= MOST_PER_BLOCK:
                error = self.too_many = self.too_many or error
            raise error
        self.instances = instances

    def opaque(self, address: str, source: Value, location: Location | None, command: str, version: str = "") -> None:
        """Note a module whose source is not here, or not known; `command` fetches it."""
        if not isinstance(source, str):
            what = f"{address} {NOT_EVALUATED}: its source {operand(source)} is unknown; its resources are unchecked"
            self.warn(what, location, "give the variables that it is made of a value")
            return
        if command == GET:
            self.absent[source, version] = None
        self.warn(
            f"{address} {NOT_EVALUATED}: its source {without_credentials(source)} is not downloaded; its resources are "
            "not seen and its outputs are unknown",
            location,
            f"run `{command}`, which fetches it",
        )

    def warn(self, message: str, location: Location | None, remedy: str = "") -> None:
        """Note something that limits what can be said."""
        self.diagnostics.append(Diagnostic("warning", message, location, remedy))

    def refuse(self, error: TerraformError) -> None:
        """Note what Terraform refuses where it stands, which need not end the run: what uses it is not known."""
        self.diagnostics.append(Diagnostic("error", error.message, located_at(error), error.remedy))

    def report(self, message: str, location: Location | None) -> None:
        """Note something that would stop Terraform."""
        self.diagnostics.append(Diagnostic("error", message, location))


def unreadable_value(address: str, error: InfraspecError) -> Unknown:
    """Return what stands for what an error leaves without a value."""
    return Unknown(address, Erroneous(f"{error.place}: {error.message}" if error.place else error.message))


def located_at(error: TerraformError) -> Location | None:
    """Return the file and line of an error, None if it has no place."""
    file, _, line = error.place.rpartition(":")[0].rpartition(":")
    return Location(file, int(line)) if line.isdecimal() else None


def place_error(error: TerraformError, place: str, address: str) -> None:
    """Complete an evaluation error with the place and the address it arose at."""
    if not error.place:
        error.place = place
    if address and address not in error.message:
        error.message = f"{error.message} (in {address})"
        error.args = (error.message,)


@contextmanager
def placed(body: SourceBody, name: str, address: str) -> Iterator[None]:
    """Complete an evaluation error with the place of an argument and the address it arose at."""
    try:
        yield
    except EvaluationError as error:
        place_error(error, body.place(name), address)
        raise


Key: TypeAlias = int | str | None
Make: TypeAlias = Callable[[str, Scope, Key], EvaluatedObject]
Kind = TypeVar("Kind", bound=EvaluatedObject)


class UncertainObjects(EvaluatedObject):
    """The instances of a block whose count or for_each is not known: one stands for any."""

    __slots__ = ("instance",)
    single = certain = False

    def __init__(self, address: str, instance: EvaluatedObject) -> None:
        super().__init__(address)
        self.instance = instance

    def attribute(self, _name: str) -> Value:
        """Return an element of the map that for_each makes."""
        return self.instance

    def element(self, _key: Value) -> Value:
        """Return the instance that stands for any."""
        return self.instance


class PossibleObject(UncertainObjects):
    """An object that is there or not, as `enabled` says, which is not known."""

    __slots__ = ()

    def attribute(self, name: str) -> Value:
        """Return an attribute of the object; where there is none, Terraform stops."""
        return self.instance.attribute(name)


def expand(evaluation: Evaluation, body: SourceBody, scope: Scope, address: str, make: Make) -> Value:
    """Make the instances of a block: one object or null, a list by count, a dict by for_each, or UncertainObjects."""
    if body.error:
        unread = unreadable_value(f"count of {address}", body.error)
        return _one_of_any(evaluation, Uncertain("count", address, unread), unread, scope, make)
    told = [each for _, each in body.nested("lifecycle") if "enabled" in each.attributes] if body.blocks else []
    if "count" in body.attributes and "for_each" in body.attributes:
        raise EvaluationError("a block has either count or for_each", place=body.place("for_each"), found="both")
    for name, by in (("count", _by_count), ("for_each", _by_for_each)):
        if name in body.attributes:
            if told:
                raise EvaluationError(f"a block has either {name} or enabled", place=body.place(name), found="both")
            try:
                with placed(body, name, f"{name} of {address}"):
                    return by(evaluation, body, scope, address, make)
            except TerraformError as error:
                value = evaluation.refused(f"{name} of {address}", error)
                return _one_of_any(evaluation, Uncertain(name, address, value), value, scope, make)
    enabled = _enabled(told[-1], scope, address) if told else True
    if enabled is False:
        return None
    evaluation.count(1, address, body.place())
    if enabled is True:
        return make(address, scope, None)
    evaluation.uncertain[f"{address}[?]"] = _uncertain("enabled", address, enabled)
    return PossibleObject(address, make(f"{address}[?]", scope, "?"))


def _enabled(lifecycle: SourceBody, scope: Scope, address: str) -> Value:
    """Return whether there is an object of a block: true, false or what is not known.

    Source: OpenTofu documentation, "The enabled Meta-Argument".
    """
    with placed(lifecycle, "enabled", f"enabled of {address}"):
        value = lifecycle.compiled("enabled")(scope)
        _refuse_sensitive(value, "enabled")
        return to_bool(value)


def _by_count(evaluation: Evaluation, body: SourceBody, scope: Scope, address: str, make: Make) -> Value:
    value = body.compiled("count")(scope)
    if not isinstance(value, (Unknown, Text)):
        number = to_number(value)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            found = "null" if value is None else str(value)
            raise EvaluationError("count is no whole number of at least 0", found=found)
        value = _within_limits(evaluation, scope, number, address, body.place("count"))
    if isinstance(value, (Unknown, Text)):
        _refuse_sensitive(value, "count")
        return _one_of_any(evaluation, _uncertain("count", address, value), value, scope, make)
    return [make(f"{address}[{index}]", scope.bind(count={"index": index}), index) for index in range(value)]


def _within_limits(evaluation: Evaluation, scope: Scope, number: int, address: str, place: str) -> Value:
    """Return a number of instances, or an unknown if there would be too many."""
    try:
        evaluation.count(number, address, place)
    except LimitError as error:
        return scope.beyond(error)
    return number


def _by_for_each(evaluation: Evaluation, body: SourceBody, scope: Scope, address: str, make: Make) -> Value:
    value = body.compiled("for_each")(scope)
    pairs = [] if isinstance(value, (Unknown, Text)) else list(_pairs(value))
    number = _within_limits(evaluation, scope, len(pairs), address, body.place("for_each"))
    value = number if isinstance(number, Unknown) else value
    if isinstance(value, (Unknown, Text)):
        _refuse_sensitive(value, "for_each")
        return _one_of_any(evaluation, _uncertain("for_each", address, value), value, scope, make)
    result: dict[str, Value] = {}
    for key, item in pairs:
        if isinstance(key, str):
            bound = scope.bind(each={"key": key, "value": item})
            result[key] = make(f"{address}[{json.dumps(key, ensure_ascii=False)}]", bound, key)
    if len(result) < len(pairs):
        return _one_of_any(evaluation, _uncertain("for_each", address, value), value, scope, make)
    return result


_BOUND = {"count": ("count", "[?]", ("index",)), "for_each": ("each", '["?"]', ("key", "value"))}


def _uncertain(argument: str, address: str, value: Value) -> Uncertain:
    return Uncertain(argument, address, named(operand(value), value))


def _one_of_any(
    evaluation: Evaluation, uncertain: Uncertain, value: Value, scope: Scope, make: Make
) -> UncertainObjects:
    """Make the one instance that stands for any, where count or for_each is not known."""
    name, key, parts = _BOUND[uncertain.argument]
    address = f"{uncertain.address}{key}"
    evaluation.uncertain[address] = uncertain
    bound = {name: {part: named(f"{uncertain.address}.{name}.{part}", value) for part in parts}}
    return UncertainObjects(uncertain.address, make(address, scope.bind(**bound), "?"))


def _pairs(value: Value) -> Iterator[tuple[Value, Value]]:
    if isinstance(value, dict):
        yield from sorted(value.items())
        return
    if not isinstance(value, SetValue):
        raise EvaluationError(
            "for_each takes a map or a set of strings",
            found="null" if value is None else type_name(value),
            remedy="for_each = toset(…)" if isinstance(value, list) else "",
        )
    for item in value:
        if item is None:
            raise EvaluationError(
                "for_each takes a set of strings without null",
                found="null among them",
                remedy="give a value to the variables that it is made of, or leave null out: toset(compact([…]))",
            )
        if not isinstance(item, (str, Unknown, Text)):
            raise EvaluationError("for_each takes a set of strings", found=f"a set with a {type_name(item)} in it")
        yield item, item


def _refuse_sensitive(value: Value, argument: str) -> None:
    if isinstance(value, Sensitive):
        raise EvaluationError(
            f"a sensitive value cannot be used as {argument}, since it would show in addresses",
            found=value.address,
            remedy=f"{argument} = nonsensitive(…), if the keys are no secret",
        )


def leaves(value: Value, kind: type[Kind]) -> Iterator[Kind]:
    """Yield the objects of one kind that an expansion gave."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, UncertainObjects):
        yield from leaves(value.instance, kind)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item, kind)
