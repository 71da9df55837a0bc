"""A unit of Terragrunt as the root module that it makes: its source, its inputs and the files that it generates.

Nothing is run: what a command, a decrypted file or the state of another unit would give is unknown.

Source: Terragrunt documentation, "Blocks", "Attributes", "Functions" and "Includes".
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.contract.paths import SUFFIXES, UNIT_FILE, names_in
from infraspec.core.errors import CycleError, EvaluationError, RootMissingError, TerraformError
from infraspec.core.runtime import repository_of
from infraspec.core.unknown import JsonText, OtherStack, Text, Unknown, UnreadData, Value, parts_of
from infraspec.hcl.ast import Attribute, Block, Body, File, Literal
from infraspec.hcl.files import parse_variables
from infraspec.hcl.json_syntax import parse_json
from infraspec.hcl.parser import parse
from infraspec.terraform.configuration.declarations import Configuration, SourceBody
from infraspec.terraform.configuration.evaluation import Library, placed
from infraspec.terraform.configuration.module import ModuleInstance, type_of
from infraspec.terraform.configuration.module_cache import copied_by_terragrunt, fetched, submodule_of
from infraspec.terraform.configuration.variables import Argument, Assignment, VariableFile, automatic_files
from infraspec.terraform.language import functions
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.language.functions.parameters import Function, known_text
from infraspec.terraform.language.partial_values import Undetermined, named, operand
from infraspec.terraform.language.scope import EvaluatedObject, Scope, located
from infraspec.terraform.language.types import PrimitiveType
from infraspec.terraform.provider.known_data import KnownData, account_unknown

_VALUES = "terragrunt.values.hcl"
_ELSEWHERE = re.compile(
    r"[A-Za-z0-9+.-]+::|[A-Za-z][A-Za-z0-9+.-]*://|git@|(?:github\.com|gitlab\.com|bitbucket\.org)/"
)
"""How a source begins that is no path. Source: Terraform Language Documentation, "Module Sources"."""
_STRATEGIES = ("shallow", "deep", "no_merge")
_OF_BACKEND = ("bucket", "key", "region", "encrypt", "dynamodb_table", "use_lockfile")
_PLANNING = frozenset({"plan", "apply"})
_VARIABLE_FILES = re.compile(r"(?:terraform\.tfvars|.*\.auto\.tfvars)(?:\.json)?")
_ROLE = re.compile(r"arn:[^:]*:iam::(\d{12}):")


class UnitRoot(Struct, frozen=True):
    """The root module of a directory: itself, or that of the unit which is described there.

    `inputs` are values for variables, weaker than any other; `rest` is what the others have where not all of the
    inputs are known. `arguments` and `environ` are what Terragrunt gives to Terraform beside them, `included` the files
    that the unit includes, `package` what was fetched for its source.
    """

    configuration: Configuration
    known: KnownData
    inputs: Mapping[str, Value] = field(default_factory=dict)
    rest: Unknown | None = None
    arguments: tuple[Argument, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    included: tuple[Path, ...] = ()
    package: Path | None = None

    def values(self, module: ModuleInstance) -> dict[str, Value]:
        """Return what the inputs set of a module's variables; a variable that is text takes the JSON of anything else.

        Source: Terragrunt documentation, "Attributes" (inputs: TF_VAR_ in JSON, the type decides how it is read).
        """
        found: dict[str, Value] = {}
        for name, body in module.configuration.variables.items():
            if name in self.inputs:
                value = self.inputs[name]
                is_text = "type" not in body.attributes or isinstance(type_of(body, module.scope), PrimitiveType)
                is_many = is_text and isinstance(value, list | dict)
                found[name] = functions.call("jsonencode", [value], module.files) if is_many else value
            elif self.rest is not None:
                found[name] = named(f"inputs.{name}", self.rest)
        return found


class _Reading(Struct, frozen=True):
    """What the files of a unit share: `origin` is the file that is read first, `parsed` each file by path and child."""

    origin: Path
    library: Library
    boundary: Path
    environ: Mapping[str, str]
    known: KnownData
    parsed: dict[tuple[Path, Path], ConfigurationFile] = field(default_factory=dict)

    def file(self, path: Path, child: ConfigurationFile | None = None) -> ConfigurationFile:
        """Return a file that is read by itself, or that a child includes."""
        key = (path, child.location if child else path)
        if key not in self.parsed:
            self.parsed[key] = ConfigurationFile(path, self, child)
        return self.parsed[key]

    def answer(self, function: str, *arguments: str) -> Value:
        """Return what the contract says of a call, else an unknown that can be named there."""
        source, attribute = f"terragrunt.{function}", " ".join(arguments) or "value"
        unknown = Unknown(f"{function}({', '.join(map(json.dumps, arguments))})", UnreadData(source, attribute))
        return self.known.values.get(f"{source}.{attribute}", unknown)


_BUSY = object()


class Include(Struct, frozen=True):
    """An included file: `name` is empty for a block without a label."""

    name: str
    file: ConfigurationFile
    strategy: str


class ConfigurationFile:
    """A file of Terragrunt's configuration, in which expressions can be evaluated: a Module of scopes.

    An included file is evaluated in the place of its child, but for the files that its functions read.
    """

    address = ""

    def __init__(self, path: Path, reading: _Reading, child: ConfigurationFile | None) -> None:
        self.location = path
        self.reading = reading
        self.child = child
        tree = reading.library.file(path)
        self.body = SourceBody.of(Block("", (), tree.body, 0, 0), tree.source)
        self.files = RootFiles(path.parent, reading.boundary)
        self.files.further = self.function
        self.scope = Scope(self)
        self._locals: dict[str, Value] = {}

    @property
    def directory(self) -> Path:
        """The directory of the configuration that is read: the child's, for a file that it includes."""
        return (self.child or self).location.parent

    @cached_property
    def includes(self) -> tuple[Include, ...]:
        """The files that are included, in order. Raises TerraformError for what Terragrunt refuses."""
        found = []
        for block, body in self.body.nested("include"):
            if self.child is not None:
                raise TerraformError("a file that is included includes another", place=body.place())
            with placed(body, "path", "include"):
                name = self.value(body, "path")
                if not isinstance(name, str):
                    raise EvaluationError("which file is included is unknown", found=operand(name))
                path = self._path(name)
            strategy = self.value(body, "merge_strategy") or "shallow"
            if strategy not in _STRATEGIES:
                place, expected = body.place("merge_strategy"), ", ".join(_STRATEGIES)
                raise EvaluationError("this is no strategy of merging", place=place, expected=expected)
            found.append(Include("".join(block.labels), self.reading.file(path, self), strategy))
        return tuple(found)

    def _path(self, text: str) -> Path:
        """Return a path that is relative to the directory of the configuration."""
        path = self.files.resolve(os.path.join(self.directory, text))  # noqa: PTH118 - the text may be absolute
        return path / UNIT_FILE if path.is_dir() else path

    def included(self, name: str = "") -> ConfigurationFile | None:
        """Return the included file of a name, that of the only include without one; None if there is none."""
        if self.child is not None:
            return self
        found = [each.file for each in self.includes if each.name == name or (not name and len(self.includes) == 1)]
        return found[0] if found else None

    def value(self, body: SourceBody, name: str) -> Value:
        """Return an attribute of a body, None if it is not set."""
        return body.compiled(name)(self.scope) if name in body.attributes else None

    def texts(self, body: SourceBody, name: str) -> list[str]:
        """Return an attribute that is a list of texts, those that are no text left out, none if it is not set.

        Raises EvaluationError if one is not known that may be about variables.
        """
        value = self.value(body, name)
        for each in value if isinstance(value, list) else [value]:
            first = parts_of(each)[0]
            if isinstance(first, Unknown) or (isinstance(each, Text) and (name != "arguments" or "-var" in first)):
                raise EvaluationError(f"{name} is unknown", place=body.place(name), found=operand(each))
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

    def merged(self, name: str) -> Iterator[tuple[ConfigurationFile, Block, SourceBody]]:
        """Yield the blocks of a type with the file they stand in, those of this file last.

        Later includes come before earlier ones in Terragrunt's order of merging, the child's own last of all.
        """
        for each in self.includes:
            if each.strategy != "no_merge":
                yield from each.file.merged(name)
        yield from ((self, block, body) for block, body in self.body.nested(name))

    # What scopes ask for

    def function(self, name: str) -> Function:
        """Return a function of Terragrunt's; what would run something, or is not known here, is never called."""
        own = _OWN.get(name) or Function(name, lambda file, *texts: file.reading.answer(name, *texts), (), rest=_text)
        return replace(own, compute=lambda *arguments: own.compute(self, *arguments), structural=True)

    def local(self, name: str) -> Value:
        """Return `local.name`. Raises CycleError if it depends on itself."""
        bodies = {each: body for _, body in self.body.nested("locals") for each in body.attributes}
        if name not in bodies:
            raise EvaluationError(f'{self.body.source.name} has no local value "{name}"', expected=", ".join(bodies))
        if self._locals.get(name) is _BUSY:
            raise CycleError(f"local.{name} depends on itself", place=bodies[name].place(name))
        if name not in self._locals:
            self._locals[name] = _BUSY
            try:
                self._locals[name] = self.value(bodies[name], name)
            finally:
                self._locals = {each: value for each, value in self._locals.items() if value is not _BUSY}
        return self._locals[name]

    def reference(self, mode: str, type_: str, name: str) -> Value:
        """Return what an expression names beside local values: an include, a dependency, a feature, a value."""
        match type_:
            case "include" if mode == "managed":
                named_so = [each.file for each in self.includes if each.name == name]
                bare = self.included()
                if named_so or bare:
                    return ExposedFile(named_so[0]) if named_so else ExposedFile(bare or self).attribute(name)
            case "dependency":
                return {"outputs": Outputs(name, self)}
            case "feature":
                for file, block, body in self.merged("feature"):
                    if block.labels == (name,):
                        return {"value": file.value(body, "default")}
            case "values":
                return self._given(name)
        raise EvaluationError(f"{self.body.source.name} has no {type_}.{name}")

    def _given(self, name: str) -> Value:
        """Return a value that the stack gives to the unit. Source: Terragrunt documentation, "Explicit Stacks"."""
        path = self.directory / _VALUES
        file = self.reading.file(path) if path.is_file() else None
        given = file is not None and name in file.body.attributes
        return file.value(file.body, name) if file and given else self.reading.answer("values", name)

    def variable(self, name: str) -> Value:
        """Refuse what only configuration of Terraform has: variables, modules, paths."""
        raise EvaluationError(f"{name} of Terraform's configuration cannot be used in a file of Terragrunt")

    call = path = variable

    def workspace(self) -> str:
        """Return the workspace, which Terragrunt does not use."""
        return "default"

    # What the file says of the root module

    def inputs(self) -> tuple[dict[str, Value], Unknown | None]:
        """Return the inputs as far as they are known, and an unknown for the others if there may be others."""
        values, rest = _inputs(self.value(self.body, "inputs"))
        for each in reversed(self.includes):
            if each.strategy == "no_merge":
                continue
            given, others = each.file.inputs()
            if each.strategy == "deep" and others is not None:  # it may add to an object or a list
                values = {name: value for name, value in values.items() if not isinstance(value, dict | list)}
            if rest is None:
                values = _deep(given, values) if each.strategy == "deep" else {**given, **values}
            rest = rest or others
        return values, rest

    def attribute(self, name: str) -> Value:
        """Return an attribute of the whole file, that of an included one if it is not set here."""
        if name in self.body.attributes:
            return self.value(self.body, name)
        merged = [each.file for each in self.includes if each.strategy != "no_merge"]
        return next((found for file in reversed(merged) if (found := file.attribute(name)) is not None), None)

    def generated(self) -> dict[str, tuple[ConfigurationFile, SourceBody | None, Mapping[str, Value]]]:
        """Return what is generated by label: where it stands, the block, and its values."""
        found: dict[str, tuple[ConfigurationFile, SourceBody | None, Mapping[str, Value]]] = {}
        given = self.attribute("generate")
        for name, each in given.items() if isinstance(given, dict) else ():
            found[name] = (self, None, each)
        for file, block, body in self.merged("generate"):
            found["".join(block.labels)] = (file, body, {key: file.value(body, key) for key in body.attributes})
        return found


def _inputs(value: Value) -> tuple[dict[str, Value], Unknown | None]:
    """Return inputs, and an unknown for those that they may have beside."""
    value = value.whole() if isinstance(value, EvaluatedObject) else value
    if isinstance(value, dict) or value is None:
        return value or {}, None
    return {}, value if isinstance(value, Unknown) else named("inputs", value)


def _deep(parent: Value, child: Value) -> Value:
    """Merge deeply: objects by key, lists one behind the other, anything else the child's."""
    if isinstance(parent, dict) and isinstance(child, dict):
        return {**parent, **{key: _deep(parent[key], item) if key in parent else item for key, item in child.items()}}
    if isinstance(parent, list) and isinstance(child, list):
        return [*parent, *child]
    return (
        named("a deep merge", parent, child)
        if isinstance(parent, Unknown) and isinstance(child, dict | list)
        else child
    )


class ExposedFile(EvaluatedObject):
    """A configuration as `include.NAME` and `read_terragrunt_config` give it."""

    __slots__ = ("file",)

    def __init__(self, file: ConfigurationFile) -> None:
        super().__init__(file.body.source.name)
        self.file = file

    def attribute(self, name: str) -> Value:
        """Return what the file has of a name: local values, inputs, a block."""
        match name:
            case "locals":
                names = (name for _, body in self.file.body.nested("locals") for name in body.attributes)
                return {each: self.file.local(each) for each in names}
            case "inputs":
                values, rest = self.file.inputs()
                return rest or values
            case "dependency":
                labels = ("".join(block.labels) for _, block, _ in self.file.merged(name))
                return {each: {"outputs": Outputs(each, self.file)} for each in labels}
            case "generate":
                return {label: dict(values) for label, (_, _, values) in self.file.generated().items()}
            case "terraform" | "remote_state":
                bodies = [(file, body) for file, _, body in self.file.merged(name)]
                return {key: file.value(body, key) for file, body in bodies for key in body.attributes}
        if name in self.file.body.attributes:
            return self.file.value(self.file.body, name)
        raise EvaluationError(f'{self.address} has no "{name}"', expected="locals, inputs, or a name in the file")


class Outputs(EvaluatedObject):
    """`dependency.NAME.outputs`: what the state of that unit says, of which nothing is known.

    Mock outputs stand in where there is no state yet: they are no facts. Where outputs are skipped they are what is
    used always. Source: Terragrunt documentation, "Blocks" (dependency: mock_outputs, skip_outputs).
    """

    __slots__ = ("file", "name")
    certain = False

    def __init__(self, name: str, file: ConfigurationFile) -> None:
        super().__init__(f"dependency.{name}.outputs")
        self.name = name
        self.file = file
        self.cause = OtherStack(f"dependency.{name}", "outputs")

    def attribute(self, name: str) -> Value:
        """Return an output: what the contract says of it, or an unknown."""
        known, key = self.whole(), f"{self.address}.{name}"
        if isinstance(known, dict) and name in known:
            return known[name]
        return Unknown(key, OtherStack(f"dependency.{self.name}", "outputs", name))

    def whole(self) -> Value:
        """Return all outputs, if they are given or skipped, else an unknown."""
        if self.address in self.file.reading.known.values:
            return self.file.reading.known.values[self.address]
        for file, block, body in (self.file.child or self.file).merged("dependency"):
            if block.labels == (self.name,) and file.value(body, "skip_outputs") is True:
                return file.value(body, "mock_outputs") or {}
        return Unknown(self.address, self.cause)


# Functions


def find_above(file: ConfigurationFile, name: str = UNIT_FILE, fallback: str | None = None) -> str:
    """Return the path of the first file or folder of a name above the directory of the configuration."""
    for above in file.directory.parents:
        if not file.files.holds(above):
            break
        if (above / name).exists():
            return str(above / name)
    if fallback is not None:
        return fallback
    raise EvaluationError(f"no folder above {file.directory.name} has {name}", remedy="correct the name")


def _between(file: ConfigurationFile, name: str, *, back: bool = False) -> str:
    """Return the path from the included file to the configuration, or back."""
    ends = file.directory, (file.included(name) or file).location.parent
    return os.path.relpath(*reversed(ends)) if back else os.path.relpath(*ends)


def environment_variable(file: ConfigurationFile, name: str, default: str | None = None) -> Value:
    """Return an environment variable: what the contract says of it, or the default where it is not set.

    What is set may be a secret, so it is not read, but for the variables of Terraform.
    """
    reading = file.reading
    told = reading.answer("get_env", name)
    if isinstance(told, Unknown) and name in reading.environ:
        return reading.environ[name] if name.startswith("TF_VAR_") else told
    return default if isinstance(told, Unknown) and default is not None else told


def read_configuration(file: ConfigurationFile, path: str, *default: Value) -> Value:
    """Return another configuration, or the default if there is no such file."""
    found = file._path(path)  # noqa: SLF001 - a method of the language
    if not found.is_file() and default:
        return default[0]
    return ExposedFile(file.reading.file(found))


def read_variables(file: ConfigurationFile, path: str) -> Value:
    """Return the JSON of the values of a variable file."""
    found = file._path(path)  # noqa: SLF001 - a method of the language
    tree = parse_variables(found, file.reading.library.show(found))
    body = SourceBody.of(Block("", (), tree.body, 0, 0), tree.source)
    values = {name: file.value(body, name) for name in body.attributes}
    return functions.call("jsonencode", [values], file.files)


_BOTH = [known_text, known_text]
_OWN: dict[str, Function] = {
    name: Function(name, compute, _BOTH[:least], _BOTH[least:most], structural=True)
    for name, compute, least, most in (
        ("find_in_parent_folders", find_above, 0, 2),
        ("get_aws_account_id", lambda file, _alias="": file.reading.known.account or account_unknown("aws"), 0, 1),
        ("get_env", environment_variable, 1, 2),
        ("get_original_terragrunt_dir", lambda file: str(file.reading.origin.parent), 0, 0),
        ("get_parent_terragrunt_dir", lambda file, name="": str((file.included(name) or file).location.parent), 0, 1),
        ("get_path_from_repo_root", lambda file: os.path.relpath(file.directory, _repository(file)), 0, 0),
        ("get_path_to_repo_root", lambda file: os.path.relpath(_repository(file), file.directory), 0, 0),
        ("get_repo_root", lambda file: str(_repository(file)), 0, 0),
        ("get_terragrunt_dir", lambda file: str(file.directory), 0, 0),
        ("mark_as_read", lambda _file, path: path, 1, 1),
        ("path_relative_from_include", lambda file, name="": _between(file, name, back=True), 0, 1),
        ("path_relative_to_include", lambda file, name="": _between(file, name), 0, 1),
        ("read_tfvars_file", read_variables, 1, 1),
    )
}
_OWN["read_terragrunt_config"] = Function(
    "read_terragrunt_config", read_configuration, [known_text], [lambda value: value], structural=True
)


def _repository(file: ConfigurationFile) -> Path:
    return repository_of(file.reading.boundary)


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    raise Undetermined


# The root module


def read_root(
    directory: Path, library: Library, known: KnownData, environ: Mapping[str, str], boundary: Path | None = None
) -> UnitRoot:
    """Return the root module of a directory, that of a unit as Terragrunt makes it.

    Raises RootMissingError for a file of Terragrunt that has no source and no configuration beside it: others include
    it. Raises other errors as the evaluation of a module does.
    """
    path = directory / UNIT_FILE
    if not path.is_file():
        return UnitRoot(library.readable(directory), known)
    path = path.parent.resolve() / path.name  # a link stays one, so that it is seen where it leads
    file = _Reading(path, library, (boundary or directory).resolve(), environ, known).file(path)
    account = _ROLE.match(str(file.attribute("iam_role") or ""))
    known = known if known.account or not account else replace(known, account=account[1])
    inputs, rest = file.inputs()
    arguments, variables = _extra_arguments(file)
    given = {name: value for name, value in variables.items() if isinstance(value, str)}
    inputs |= {name.removeprefix("TF_VAR_"): value for name, value in variables.items() if name not in given}
    configuration, written, package = _configuration(file, library)
    beside = () if configuration.directory == path.parent else map(VariableFile, automatic_files(path.parent))
    included = tuple(each.file.location for each in file.includes)
    return UnitRoot(configuration, known, inputs, rest, (*beside, *written, *arguments), given, included, package)


def _configuration(file: ConfigurationFile, library: Library) -> tuple[Configuration, list[Assignment], Path | None]:
    """Return the configuration of a unit, the values in files that it generates, and what was fetched for its source.

    The files beside the unit are copied to those of its source. Source: Terragrunt documentation, "Blocks" (terraform).
    """
    own = file.location.parent
    module, package = own, None
    for where, _, body in reversed([each for each in file.merged("terraform") if "source" in each[2].attributes]):
        if (source := where.value(body, "source")) is not None:
            found = _module_of(where, body, source)
            if found is None:
                return _absent(own, library, body, source), [], None
            module, package = found
            break
    beside = [] if module == own else [name for name in names_in(own) if name.endswith(SUFFIXES)]
    files = {name: library.file(own / name) for name in beside}
    written = _Written()
    for where, block, given in file.generated().values():
        if not isinstance(given.get("path"), str) or isinstance(given.get("disable"), Unknown):
            raise EvaluationError("which file is generated is unknown", place=block.place() if block else "")
        path = os.path.join(module, given["path"])  # noqa: PTH118 - the text may be absolute
        name = os.path.basename(path) if Path(path).parent in (module, own) else ""  # noqa: PTH119 - likewise
        kept = given.get("if_exists") == "skip" and (name in files or (module / name).is_file())
        if given.get("disable") is not True and not kept:
            written.add(where, block, name, given.get("contents"))
    files |= written.files
    if not files and not any(name.endswith(SUFFIXES) for name in names_in(module)):
        raise RootMissingError(
            "what Terragrunt runs has no configuration",
            place=library.show(file.location),
            expected='terraform { source = "…" }, or .tf files beside it',
        )
    configuration = library.assembled(module, files)
    for name, value in written.holes.items():
        configuration.locals[name] = (Attribute(name, Literal(value, 0), 0, 0), file.body.source)
    if backend := _backend(file):
        configuration.terraform.append(backend)
    return configuration, [each for each in written.values if each.name in configuration.variables], package


def _module_of(file: ConfigurationFile, body: SourceBody, source: Value) -> tuple[Path, Path | None] | None:
    """Return the directory of a source, and that of what was fetched for it; None if it is not here."""
    if not isinstance(source, str):
        return None
    if _ELSEWHERE.match(source):
        kept = fetched(source, str(file.value(body, "version") or ""))
        kept = kept or copied_by_terragrunt(file.directory, source)
        return kept and (kept[1], kept[0])
    path = Path(os.path.normpath(file.directory / source.partition("?")[0].replace("//", "/")))
    attribute, text = body.attributes["source"]
    with located(text, attribute.at):
        found = file.files.resolve(str(path))
    if any(name.endswith(SUFFIXES) for name in names_in(found)):
        return found, None
    if submodule_of(found):
        return None
    raise RootMissingError(
        "the source of the unit is no directory with configuration",
        place=body.place("source"),
        found=file.reading.library.show(found),
        remedy="correct the path",
    )


def _absent(directory: Path, library: Library, body: SourceBody, source: Value) -> Configuration:
    """Return the configuration of a unit whose source is not here: a call of it, of which nothing is known."""
    attribute, text = body.attributes["source"]
    call = {name: body.attributes[name] for name in ("version",) if name in body.attributes}
    if isinstance(source, str) and not _ELSEWHERE.match(source):
        path = directory / source.partition("?")[0].replace("//", "/")
        source = f"./{os.path.relpath(path, directory)}"
    call["source"] = (Attribute("source", Literal(source, attribute.at), attribute.at, attribute.end), text)
    return Configuration(directory, library.show(directory), calls={"unit": SourceBody(call, [], text, attribute.at)})


class _Written(Struct):
    """The files that are generated: configuration, values of variables, and what is not known in them by its name."""

    files: dict[str, File] = field(default_factory=dict)
    values: list[Assignment] = field(default_factory=list)
    holes: dict[str, Value] = field(default_factory=dict)

    def add(self, file: ConfigurationFile, body: SourceBody | None, name: str, contents: Value) -> None:
        """Add a file; one that neither holds configuration nor values is passed over."""
        if name.endswith((".tf", ".tofu")):
            self.files[name] = self._parsed(*_shown(file, body, name), contents)
        elif _VARIABLE_FILES.fullmatch(name):
            tree = contents.tree if isinstance(contents, JsonText) else None
            if tree is None:
                text = "".join(map(str, parts_of(contents)))
                parsed = parse_json(text, name, "variables") if name.endswith(".json") else parse(text, name)
                each = SourceBody.of(Block("", (), parsed.body, 0, 0), parsed.source)
                tree = {key: file.value(each, key) for key in each.attributes}
            self.values += [Assignment(key, value, parsed=True) for key, value in tree.items()]

    def _parsed(self, shown: str, before: str, contents: Value) -> File:
        """Parse a text; what is not known in it is a local value, in a template or where an expression stands."""
        text = before
        for part in parts_of(contents):
            if isinstance(part, Unknown):
                name = f"terragrunt_unknown_{len(self.holes)}"
                self.holes[name] = part
                is_quoted = text[text.rfind("\n") + 1 :].replace('\\"', "").count('"') % 2 or "<<" in text
                text += f"${{local.{name}}}" if is_quoted else f"local.{name}"
            else:
                text += str(part)
        return parse(text, shown)


def _shown(file: ConfigurationFile, body: SourceBody | None, name: str) -> tuple[str, str]:
    """Return where a generated text is shown to stand, and the lines before it there: a heredoc has its own place."""
    if body is not None and "contents" in body.attributes:
        attribute, source = body.attributes["contents"]
        at = attribute.expression.at
        if source.text.startswith("<<", at):
            return source.name, "\n" * source.line(at)
    return file.reading.library.show(file.reading.origin.parent / name), ""


def _backend(file: ConfigurationFile) -> SourceBody | None:
    """Return the `terraform` block with the backend that the remote state has, None if there is none.

    Source: Terragrunt documentation, "Blocks" (remote_state).
    """
    found = list(file.merged("remote_state"))
    if not found:
        return None
    where, block, body = found[-1]
    kind, settings = where.value(body, "backend"), where.value(body, "config")
    unknown = dict.fromkeys(_OF_BACKEND, settings)
    given = settings if isinstance(settings, dict) else unknown if isinstance(settings, Unknown) else {}
    at = block.at
    attributes = {name: Attribute(name, Literal(value, at), at, at) for name, value in given.items()}
    inner = Block("backend", (str(kind),), Body(attributes, ()), at, at)
    return SourceBody({}, [(inner, body.source)], body.source, at)


def _extra_arguments(file: ConfigurationFile) -> tuple[list[Argument], dict[str, Value]]:
    """Return the -var and -var-file arguments of a plan, and the environment variables beside them.

    Raises EvaluationError if it is not known which they are. Source: Terragrunt documentation, "Extra Arguments".
    """
    blocks = {
        inner.labels: (where, body)
        for where, _, terraform in file.merged("terraform")
        for inner, body in terraform.nested("extra_arguments")
    }
    arguments: list[Argument] = []
    environ: dict[str, Value] = {}
    for where, body in blocks.values():
        commands = where.value(body, "commands")
        if isinstance(commands, list) and not _PLANNING & set(map(str, commands)):
            continue
        arguments += _given(where.texts(body, "arguments"), file)
        for name in ("required_var_files", "optional_var_files"):
            paths = map(file.files.resolve, where.texts(body, name))
            arguments += [VariableFile(path) for path in paths if name.startswith("required") or path.is_file()]
        given = where.value(body, "env_vars")
        environ |= given if isinstance(given, dict) else {}
    return arguments, environ


def _given(texts: Sequence[str], file: ConfigurationFile) -> Iterator[Argument]:
    """Yield what -var and -var-file give, the value of which may be an argument of its own."""
    for name, value in re.findall(r"(?m)^--?(var(?:-file)?)[=\n](.*)$", "\n".join(texts)):
        if name == "var-file":
            yield VariableFile(file.files.resolve(value))
        else:
            key, _, text = value.partition("=")
            yield Assignment(key.strip(), text)
