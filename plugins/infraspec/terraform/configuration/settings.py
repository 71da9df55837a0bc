"""What a root module says about itself: backend, required versions, the modules it calls, the dependency lock file.

Source: Terraform Language Documentation, "terraform block", "Provider Requirements", "Module Sources" and
"Dependency Lock File".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from infraspec.core.arn import Arn
from infraspec.core.errors import RootMissingError
from infraspec.core.finding import Location
from infraspec.core.unknown import NoConstant, Unknown, Value
from infraspec.hcl.ast import Expression, Literal, Object, Tuple
from infraspec.hcl.files import parse_file
from infraspec.terraform.configuration.declarations import Configuration, SourceBody, is_local
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.configuration.tools import LOCK_FILE, REGISTRIES, TERRAFORM

_REGISTRY = re.compile(r"^(?:[\w.](?:-?[\w.])*\.[\w-]+(?::\d+)?/)?[\w-]+/[\w-]+/[\w-]+(?://.*)?$")


_CLAUSE = re.compile(
    r"^\s*+(?P<operator>=|!=|>=|<=|>|<|~>)?\s*+v?(?P<version>\d++(?:\.\d++)*)(?P<pre>-[0-9A-Za-z.-]+)?\s*$"
)
_FULL = 3
_MANY = 9999
_KNOWN = 4
"""The first major version of hashicorp/aws of which it is known what it took."""
"""How many numbers a whole version has."""


class Backend(Struct, frozen=True):
    """The `backend` or `cloud` block. `type` is "s3", "cloud" and so on, "local" if there is none.

    What `terraform init -backend-config` adds is not in `arguments`; what is no constant is Unknown.
    """

    type: str
    arguments: Mapping[str, Value]
    location: Location | None = None

    @property
    def account(self) -> Value:
        """The account of the role that it assumes: None if it assumes none, Unknown if that does not tell."""
        assumed = self.arguments.get("assume_role")
        role = assumed.get("role_arn") if isinstance(assumed, Mapping) else assumed or self.arguments.get("role_arn")
        if role is None:
            return None
        return (
            Arn.parse(role).account
            if isinstance(role, str) and Arn.is_arn(role)
            else Unknown("role_arn", NoConstant("role_arn"))
        )


class VersionRequirement(Struct, frozen=True):
    """A version that a module directory demands of terraform (`source` is empty) or of a provider.

    `source` is such as `registry.terraform.io/hashicorp/aws`; `version` is empty where none is given.
    """

    directory: str
    name: str
    source: str
    version: str
    location: Location | None = None


class VersionClause(Struct, frozen=True):
    """One comparison. `parts` are the numbers as written, `pre` the pre-release with its hyphen, or empty."""

    operator: str
    parts: tuple[int, ...]
    pre: str = ""

    @property
    def bounds_above(self) -> bool:
        """Whether it keeps a later major version out."""
        return self.operator in ("=", "<", "<=") or (self.operator == "~>" and len(self.parts) > 1)

    @property
    def is_exact(self) -> bool:
        """Whether it allows one version only."""
        return self.operator == "=" and len(self.parts) >= _FULL

    def allows(self, version: tuple[int, ...], pre: str = "") -> bool:
        """Tell whether a version meets it. A pre-release is met by exactly itself."""
        if pre or self.pre:
            return self.operator == "=" and (_padded(version), pre) == (_padded(self.parts), self.pre)
        own, other = _padded(self.parts), _padded(version)
        match self.operator:
            case "=":
                return other == own
            case "!=":
                return other != own
            case ">":
                return other > own
            case ">=":
                return other >= own
            case "<":
                return other < own
            case "<=":
                return other <= own
            case _:
                fixed = max(len(self.parts) - 1, 1)
                return other >= own and other[:fixed] == own[:fixed]


def parse(text: str) -> tuple[VersionClause, ...] | None:
    """Return the clauses of a constraint, all of which have to be met; None if it is not one."""
    clauses = []
    for piece in text.split(","):
        found = _CLAUSE.match(piece)
        if found is None:
            return None
        numbers = tuple(map(int, found["version"].split(".")))
        clauses.append(VersionClause(found["operator"] or "=", numbers, found["pre"] or ""))
    return tuple(clauses)


def allows(clauses: Iterable[VersionClause], version: str) -> bool:
    """Tell whether a version, such as 6.66.0, meets all clauses; False for text that is no version."""
    found = _CLAUSE.match(version)
    if found is None or found["operator"]:
        return False
    numbers = tuple(map(int, found["version"].split(".")))
    return all(clause.allows(numbers, found["pre"] or "") for clause in clauses)


def _padded(parts: tuple[int, ...]) -> tuple[int, ...]:
    return (*parts, *[0] * (_FULL - len(parts)))


class ModuleCall(Struct, frozen=True):
    """A module call. `address` is that of the block (`module.a.module.b`), `kind` local, registry, remote or unknown.

    The source of an unknown one, as it is written, is made of variables or local values.
    """

    address: str
    source: str
    version: str
    kind: str
    location: Location | None = None


class Locked(Struct, frozen=True):
    """A provider of the lock file."""

    source: str
    version: str
    hashes: int
    location: Location | None = None


class RootSettings(Struct, frozen=True):
    """The settings of a root module and of the local modules that it calls; `root` is shown to people.

    `terraform` has one entry for each directory with a required_version, `providers` one for each requirement,
    `without` the directories that require no terraform version. `lock` is None if there is no lock file.
    """

    root: str
    backend: Backend
    terraform: tuple[VersionRequirement, ...] = ()
    providers: tuple[VersionRequirement, ...] = ()
    calls: tuple[ModuleCall, ...] = ()
    directories: tuple[str, ...] = ()
    locations: Mapping[str, Location] = field(default_factory=dict)
    lock: tuple[Locked, ...] | None = None
    implied: Mapping[str, str] = field(default_factory=dict)
    """Providers that are used without being required, by name, with the directory that uses them first."""


def read_settings(root: Path, library: Library, configuration: Configuration | None = None) -> RootSettings:
    """Read the settings of a root module, as far as they can be read; its evaluation says what cannot.

    `configuration` is what Terraform runs with, where that is not the directory as it is.
    """
    configuration = configuration or library.readable(root)
    lock = root / LOCK_FILE
    host = REGISTRIES[library.tool(root) or TERRAFORM]
    terraform: list[VersionRequirement] = []
    providers: list[VersionRequirement] = []
    calls: list[ModuleCall] = []
    directories: dict[str, Configuration] = {}
    for prefix, module in _modules(configuration, library):
        calls += _calls(prefix, module)
        if module.shown not in directories:
            directories[module.shown] = module
            terraform += _required_version(module)
            providers += _required_providers(module, host)
    return RootSettings(
        configuration.shown,
        _backend(configuration),
        tuple(terraform),
        tuple(providers),
        tuple(calls),
        tuple(directories),
        {name: Location(_first_file(module)) for name, module in directories.items()},
        tuple(_locked(lock, library.show(lock))) if lock.is_file() else None,
        dict(_implied(directories, providers)),
    )


def _modules(root: Configuration, library: Library) -> Iterator[tuple[str, Configuration]]:
    """Yield the root and the local modules it calls, each call with the prefix of its address."""
    pending: list[tuple[str, Configuration, tuple[Path, ...]]] = [("", root, ())]
    while pending:
        prefix, module, above = pending.pop(0)
        yield prefix, module
        for name, body in module.calls.items():
            source = _constant(body, "source")
            if not isinstance(source, str) or not is_local(source):
                continue
            directory = Path(os.path.normpath(module.directory / source))
            if directory in above:
                continue
            try:
                pending.append(
                    (f"{prefix}module.{name}.", library.readable(directory, root.directory), (*above, directory))
                )
            except RootMissingError:
                continue  # the evaluation says so, with the place of the call


def is_registry(source: str) -> bool:
    """Tell whether the source of a module is an address in a registry."""
    return _REGISTRY.match(source) is not None


def _calls(prefix: str, module: Configuration) -> Iterator[ModuleCall]:
    for name, body in module.calls.items():
        found = [_constant(body, key) for key in ("source", "version")]
        source, version = (each.address if isinstance(each, Unknown) else _text(each) for each in found)
        kind = "local" if is_local(source) else "registry" if is_registry(source) else "remote"
        kind = "unknown" if any(isinstance(each, Unknown) for each in found) else kind
        yield ModuleCall(f"{prefix}module.{name}", source, version, kind, body.location_of("source") or body.location)


def _backend(module: Configuration) -> Backend:
    for body in reversed(module.terraform):  # those of override files stand last
        for block, inner in body.nested("backend", "cloud"):
            kind = block.labels[0] if block.type == "backend" and block.labels else block.type
            unknown = {} if module.is_settled else {each: Unknown(each, NoConstant(each)) for each in inner.attributes}
            return Backend(kind, {each: _constant(inner, each) for each in inner.attributes} | unknown, inner.location)
    location = module.terraform[0].location if module.terraform else Location(_first_file(module))
    return Backend("local", {}, location)


def _required_version(module: Configuration) -> Iterator[VersionRequirement]:
    for body in module.terraform:
        if "required_version" in body.attributes:
            version = _text(_constant(body, "required_version"))
            yield VersionRequirement(module.shown, "terraform", "", version, body.location_of("required_version"))


def _required_providers(module: Configuration, host: str) -> Iterator[VersionRequirement]:
    for body in module.terraform:
        for _, inner in body.nested("required_providers"):
            for name in inner.attributes:
                value = _constant(inner, name)
                given = value if isinstance(value, dict) else {"version": value}
                source = _text(given.get("source")) or f"hashicorp/{name}"
                source = f"{host}/{source}" if source.count("/") == 1 else source
                version = _text(given.get("version"))
                yield VersionRequirement(module.shown, name, source, version, inner.location_of(name))


def _implied(modules: Mapping[str, Configuration], providers: list[VersionRequirement]) -> Iterator[tuple[str, str]]:
    """Yield the providers that resources of a directory use and that it does not require."""
    for shown, module in modules.items():
        required = {entry.name for entry in providers if entry.directory == shown}
        used = {type_.partition("_")[0] for _, type_, _ in module.resources} - {"terraform"}
        for name in sorted(used - required):
            yield name, shown


def _locked(path: Path, shown: str) -> Iterator[Locked]:
    file = parse_file(path, shown)
    for block in file.body.blocks:
        if block.type == "provider" and block.labels:
            body = SourceBody.of(block, file.source)
            hashes = _constant(body, "hashes")
            count = len(hashes) if isinstance(hashes, list) else 0
            yield Locked(block.labels[0], _text(_constant(body, "version")), count, body.location)


def _constant(body: SourceBody, name: str) -> Value:
    """Return the value of an attribute that is a constant; Unknown for any other, None if it is not there."""
    if name not in body.attributes:
        return None
    return _value(body.attributes[name][0].expression, body.written(name))


def _value(expression: Expression, written: str) -> Value:
    match expression:
        case Literal(value=value):
            return value
        case Tuple(items=items):
            return [_value(item, written) for item in items]
        case Object(items=items):
            return {_text(_value(key, written)): _value(value, written) for key, value in items}
        case _:
            return Unknown(written, NoConstant(written))


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


class SchemaVersions(Struct, frozen=True):
    """How the schema of hashicorp/aws relates to the versions that a root module allows.

    `newer` says that a later version may be taken, `current` that one of its major version or later may. `major` is the
    first major version that may be taken, `earlier` says that all of them are before those that anything is known of.
    """

    newer: bool
    current: bool
    major: int
    earlier: bool


def provider_source(configuration: Configuration, name: str) -> str:
    """Return the source of a provider by its local name in a directory; HashiCorp's if that does not require it."""
    required = {entry.name: entry.source for entry in required_providers(configuration)}
    return required.get(name, f"{REGISTRIES[TERRAFORM]}/hashicorp/{name}")


def required_providers(configuration: Configuration) -> Iterator[VersionRequirement]:
    """Yield the providers that a directory requires, each by its source."""
    return _required_providers(configuration, REGISTRIES[TERRAFORM])


def is_before_version_1(configuration: Configuration) -> bool:
    """Tell whether a directory takes no Terraform of version 1, which refuses what earlier ones took."""
    clauses = [clause for entry in _required_version(configuration) for clause in parse(entry.version) or ()]
    bounds = [(_padded(clause.parts), clause.operator) for clause in clauses if clause.bounds_above]
    return any(bound < (1, 0, 0) or (bound == (1, 0, 0) and operator == "<") for bound, operator in bounds)


def schema_versions(root: Path, configurations: Iterable[Configuration], version: str) -> SchemaVersions:
    """Compare the version of the schema with the lock file of a root module, or else with what its modules require."""
    lock = root / LOCK_FILE
    own = tuple(map(int, version.split(".")))
    for entry in _locked(lock, str(lock)) if lock.is_file() else ():
        if entry.source.endswith("/hashicorp/aws") and (locked := _CLAUSE.match(entry.version)):
            numbers = tuple(map(int, locked["version"].split(".")))
            return SchemaVersions(numbers > own, numbers[0] >= own[0], numbers[0], numbers[0] < _KNOWN)
    required = [entry for each in configurations for entry in required_providers(each)]
    texts = [entry.version for entry in required if entry.source.endswith("/hashicorp/aws")]
    clauses = [clause for text in texts for clause in parse(text) or ()]
    if not clauses:  # terraform init takes the newest version, unless a lock file is kept elsewhere
        return SchemaVersions(newer=False, current=True, major=0, earlier=False)
    named = [_padded(clause.parts) for clause in clauses]
    tried = [*named, *((*one[:2], one[2] + 1) for one in named), (*own[:2], own[2] + 1), (own[0], _MANY), (_MANY,)]
    tried += [(major, _MANY) for major in range(own[0])]
    allowed = [one for one in map(_padded, tried) if all(clause.allows(one) for clause in clauses)]
    majors = [one[0] for one in allowed] or [own[0]]
    return SchemaVersions(any(one > own for one in allowed), max(majors) >= own[0], min(majors), max(majors) < _KNOWN)


def _first_file(module: Configuration) -> str:
    bodies = (*module.terraform, *module.resources.values(), *module.calls.values(), *module.variables.values())
    return next((body.source.name for body in bodies), module.shown)
