"""The declarations of one module directory: files parsed, override files merged, nothing evaluated.

Source: Terraform Language Documentation, "Files and Directories", "Override Files".
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from infraspec.contract.paths import SUFFIXES
from infraspec.core.errors import ErrorCollector, InfraspecError, RootMissingError, TerraformError
from infraspec.core.finding import Location
from infraspec.hcl.ast import Attribute, Block, Expression, File, GetAttr, Index, Literal, Name, SourceText
from infraspec.hcl.json_syntax import LABELS
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.scope import Evaluate, budgeted

_RESOURCE_META_ARGUMENTS = frozenset({"count", "for_each", "provider", "depends_on", "lifecycle"})
_MODULE_META_ARGUMENTS = frozenset({"count", "for_each", "providers", "depends_on", "source", "version"})


class SourceBody(Struct):
    """A body whose attributes and blocks know the text they stand in; override files may mix texts."""

    attributes: dict[str, tuple[Attribute, SourceText]]
    blocks: list[tuple[Block, SourceText]]
    source: SourceText
    at: int
    error: InfraspecError | None = None
    """Why nothing of what is written in it is known."""
    _compiled: dict[tuple[str, frozenset[str]], Evaluate] = field(default_factory=dict)
    _bodies: dict[int, SourceBody] = field(default_factory=dict)

    @classmethod
    def of(cls, block: Block, source: SourceText) -> SourceBody:
        """Wrap the body of a block."""
        attributes = {name: (attribute, source) for name, attribute in block.body.attributes.items()}
        return cls(attributes, [(inner, source) for inner in block.body.blocks], source, block.at)

    @property
    def location(self) -> Location:
        """Where the block begins."""
        return Location(self.source.name, self.source.line(self.at))

    def place(self, name: str = "") -> str:
        """Return `file:line:column` of an attribute, of the first nested block of a type, or of the block itself."""
        source, at = self._position(name) or (self.source, self.at)
        return source.place(at)

    def location_of(self, name: str) -> Location | None:
        """Return where an attribute is set, or a nested block begins."""
        found = self._position(name)
        return Location(found[0].name, found[0].line(found[1])) if found else None

    def _position(self, name: str) -> tuple[SourceText, int] | None:
        if name in self.attributes:
            attribute, source = self.attributes[name]
            return source, attribute.at
        for block, source in self.blocks:
            if block.type == name or (block.type == "dynamic" and block.labels == (name,)):
                return source, block.at
        return None

    def compiled(self, name: str, bound: frozenset[str] = frozenset()) -> Evaluate:
        """Return the closure of an attribute, compiled on first use."""
        key = (name, bound)
        if key not in self._compiled:
            attribute, source = self.attributes[name]
            self._compiled[key] = _compile(attribute.expression, source, bound)
        return self._compiled[key]

    def inner(self, position: int) -> SourceBody:
        """Return the body of the nested block at a position, made once."""
        if position not in self._bodies:
            self._bodies[position] = SourceBody.of(*self.blocks[position])
        return self._bodies[position]

    def nested(self, *types: str) -> Iterator[tuple[Block, SourceBody]]:
        """Yield the nested blocks of some types, each with its body."""
        for position, (block, _) in enumerate(self.blocks):
            if block.type in types:
                yield block, self.inner(position)

    @property
    def text(self) -> tuple[dict[str, str], list[str]]:
        """What is written in it: each attribute, and the nested blocks in order."""
        return (
            {name: self.written(name) for name in self.attributes},
            [source.text[block.at : block.end] for block, source in self.blocks],
        )

    def written(self, name: str) -> str:
        """Return the expression of an attribute as it is written."""
        attribute, source = self.attributes[name]
        return source.text[attribute.expression.at : attribute.end].strip()

    def arguments(self) -> Iterator[str]:
        """Yield the names of the attributes of a resource or data block that are no meta-arguments."""
        return (name for name in self.attributes if name not in _RESOURCE_META_ARGUMENTS)

    def inputs(self) -> Iterator[str]:
        """Yield the names of the attributes of a module call that set variables of the module."""
        return (name for name in self.attributes if name not in _MODULE_META_ARGUMENTS)


def _compile(expression: Expression, source: SourceText, bound: frozenset[str] = frozenset()) -> Evaluate:
    evaluate = compile_expression(expression, source, bound)
    return evaluate if isinstance(expression, Literal) else budgeted(evaluate, source, expression.at)


_TABLED = frozenset({"resource", "data", "provider", "module", "variable", "output", "check"})
_REFACTORINGS = ("moved", "import", "removed")
_IGNORED = ("ephemeral", "action", "language")
_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_PROVIDER = re.compile(r"[^\W_A-Z]+(?:-[^\W_A-Z]+)*")


class Configuration(Struct):
    """What the files of a module directory declare, by kind and name."""

    directory: Path
    shown: str
    variables: dict[str, SourceBody] = field(default_factory=dict)
    locals: dict[str, tuple[Attribute, SourceText]] = field(default_factory=dict)
    resources: dict[tuple[str, str, str], SourceBody] = field(default_factory=dict)
    calls: dict[str, SourceBody] = field(default_factory=dict)
    outputs: dict[str, SourceBody] = field(default_factory=dict)
    providers: dict[str, SourceBody] = field(default_factory=dict)
    checks: dict[str, SourceBody] = field(default_factory=dict)
    refactorings: list[tuple[str, SourceBody]] = field(default_factory=list)
    others: list[tuple[str, SourceBody]] = field(default_factory=list)
    """The blocks that nothing is evaluated of."""
    terraform: list[SourceBody] = field(default_factory=list)
    is_settled: bool = True
    """Whether the `terraform` blocks are those of whichever tool reads it."""
    errors: list[InfraspecError] = field(default_factory=list)
    """What of the files cannot be read: what is not declared may be declared there."""
    _locals: dict[str, Evaluate] = field(default_factory=dict)

    def is_of_check(self, type_: str, name: str) -> bool:
        """Tell whether a data source stands inside of a check block."""
        blocks = (block for body in self.checks.values() for block, _ in body.blocks)
        return any(block.type == "data" and block.labels == (type_, name) for block in blocks)

    def compiled_local(self, name: str) -> Evaluate:
        """Return the closure of a local value, compiled on first use."""
        if name not in self._locals:
            attribute, source = self.locals[name]
            self._locals[name] = _compile(attribute.expression, source)
        return self._locals[name]


def read_configuration(
    directory: Path,
    shown: str,
    read: Callable[[Path, list[InfraspecError]], File],
    names: Sequence[str],
    given: Mapping[str, File] | None = None,
) -> Configuration:
    """Parse configuration files of a directory; every error in any of them is in its `errors`.

    `shown` is the directory as people see it, `read` parses a file and adds its errors; `given` files are parsed.
    """
    given = given or {}
    result = Configuration(directory, shown)
    collector = ErrorCollector(result.errors)
    files: list[tuple[str, File]] = []
    for name in names:
        with collector.collect():
            files.append((name, given.get(name) or read(directory / name, collector.errors)))
    for is_override, declare in ((False, _declare), (True, _override)):
        for file in (file for name, file in files if _is_override(name) is is_override):
            for name, attribute in () if is_override else file.body.attributes.items():
                collector.errors.append(
                    _error(
                        f'the argument "{name}" stands outside of any block',
                        file.source,
                        attribute.at,
                        expected="blocks such as resource, module, variable, locals",
                        remedy="values of variables belong in a .tfvars file",
                    )
                )
            for block in file.body.blocks:
                with collector.collect():
                    declare(result, block, file.source)
            for block in () if is_override else file.broken:
                _declare_broken(result, block, file.source)
    return result


def _declare_broken(result: Configuration, block: Block, source: SourceText) -> None:
    """Declare what a block with a syntax error has by its head: nothing of it is known."""
    if LABELS.get(block.type) == len(block.labels) and block.type in _TABLED:
        table, key = _slot(result, block)
        error = next(each for each in result.errors if each.place.startswith(f"{source.name}:"))
        table.setdefault(key, SourceBody({}, [], source, block.at, error))


def _error(message: str, source: SourceText, at: int, **details: str) -> TerraformError:
    return TerraformError(message, place=source.place(at), excerpt=source.excerpt(at), **details)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder; a link that leads nowhere is none: reading it says so, as Terraform does."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def configuration_files(directory: Path, shown: str) -> list[str]:
    """Return the names of the files that Terraform or OpenTofu reads in a directory, sorted.

    RootMissingError if there is no such directory or no configuration file in it.
    """
    if not directory.is_dir():
        raise RootMissingError(
            "there is no such directory of Terraform configuration",
            place=shown,
            expected="a directory with .tf files",
            remedy="correct the path",
        )
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries if is_configuration(entry.name) and not _is_folder(entry))
    except OSError as error:
        raise TerraformError(
            "the directory cannot be read",
            place=shown,
            expected="a directory that the user running the tests may read",
            found=error.strerror or type(error).__name__,
            remedy="check its owner and its mode",
        ) from None
    if not names:
        raise RootMissingError(
            "the directory holds no Terraform configuration",
            place=shown,
            expected="at least one .tf, .tofu, .tf.json or .tofu.json file",
            remedy="give the directory of a root module, such as terraform/environments/prod",
        )
    return names


def is_configuration(name: str) -> bool:
    """Tell whether a name is that of a configuration file; editors' backup files are none (as IsIgnoredFile)."""
    return name.endswith(SUFFIXES) and not name.startswith((".", "#"))


def _is_override(name: str) -> bool:
    stem = name.removesuffix(".json").removesuffix(".tf").removesuffix(".tofu")
    return stem == "override" or stem.endswith("_override")


def _declare(result: Configuration, block: Block, source: SourceText) -> None:
    _check_labels(block, source)
    if block.type == "locals":
        for name, attribute in block.body.attributes.items():
            if name in result.locals:
                first, where = result.locals[name]
                raise _twice(f'the local value "{name}"', source, attribute.at, where.place(first.at))
            result.locals[name] = (attribute, source)
    elif block.type == "terraform":
        result.terraform.append(SourceBody.of(block, source))
        _check_settings(result.terraform)
    elif block.type in _REFACTORINGS:
        result.refactorings.append((block.type, SourceBody.of(block, source)))
    elif block.type in _IGNORED:
        result.others.append((block.type, SourceBody.of(block, source)))
    else:
        table, key = _slot(result, block)
        if key in table:
            raise _twice(f"{block.type} {_labels(block)}", source, block.at, table[key].place())
        table[key] = SourceBody.of(block, source)


def _check_settings(blocks: Sequence[SourceBody]) -> None:
    """Raise TerraformError for a second backend or required_providers block, in a directory or an override file.

    Source: Terraform Language Documentation, "terraform block" (a configuration has one backend or cloud block).
    """
    seen: dict[str, str] = {}
    for body in blocks:
        for inner, source in body.blocks:
            kind = "backend" if inner.type == "cloud" else inner.type
            if kind in ("backend", "required_providers") and kind in seen:
                raise _twice(f"the {kind}", source, inner.at, seen[kind])
            seen[kind] = source.place(inner.at)


def _twice(what: str, source: SourceText, at: int, first: str) -> TerraformError:
    return _error(
        f"{what} is declared twice",
        source,
        at,
        found=f"the first at {first}",
        remedy="rename or remove one of them; a file that should change the first must be named *_override.tf",
    )


def _slot(result: Configuration, block: Block) -> tuple[dict[Any, SourceBody], Any]:
    """Return the table and key that a block is declared under, one of `_TABLED`."""
    match block.type:
        case "resource":
            return result.resources, ("managed", *block.labels)
        case "data":
            return result.resources, ("data", *block.labels)
        case "provider":
            alias = block.body.attributes.get("alias")
            name = getattr(alias.expression, "value", None) if alias else None
            return result.providers, f"{block.labels[0]}.{name}" if name else block.labels[0]
        case _:
            tables = {
                "module": result.calls,
                "variable": result.variables,
                "output": result.outputs,
                "check": result.checks,
            }
            return tables[block.type], block.labels[0]


def _labels(block: Block) -> str:
    return " ".join(f'"{label}"' for label in block.labels)


def _check_labels(block: Block, source: SourceText) -> None:
    wanted = LABELS.get(block.type)
    if wanted is None:
        message = f'there is no block type "{block.type}" in Terraform'
        raise _error(message, source, block.at, expected=", ".join(LABELS))
    if len(block.labels) != wanted:
        raise _error(
            f"a {block.type} block has {wanted or 'no'} label{'' if wanted == 1 else 's'}",
            source,
            block.at,
            expected=" ".join([block.type, *['"NAME"'] * wanted, "{ … }"]),
            found=_labels(block) or "none",
        )
    _check_names(block, source)


def _check_names(block: Block, source: SourceText) -> None:
    """Raise TerraformError for what is no name, of what is declared or of a provider.

    Source: Terraform Language Documentation, "Syntax" (Identifiers) and "Provider Requirements" (Local Names).
    """
    declared = [(label, block.at) for label in block.labels if block.type != "provider"]
    named = [(label, at, "name", _IDENTIFIER) for label, at in declared]
    for name, at, what, pattern in (*named, *((*one, "name of a provider", _PROVIDER) for one in _providers(block))):
        if not pattern.fullmatch(name):
            expected = "lower-case letters and digits, with single dashes in between" if what != "name" else "a word"
            raise _error(f'"{name}" is no {what}', source, at, expected=expected, remedy="rename it everywhere")


def _providers(block: Block) -> Iterator[tuple[str, int]]:
    """Yield the local names of providers that a block configures, requires or refers to."""
    if block.type == "provider":
        yield block.labels[0], block.at
    for inner in block.body.blocks if block.type == "terraform" else ():
        named = inner.body.attributes if inner.type == "required_providers" else inner.labels
        yield from ((name, inner.at) for name in named if inner.type in ("required_providers", "provider_meta"))
    if block.type in ("resource", "data", "ephemeral"):
        stated = block.body.attributes.get("provider")
        node = stated.expression if stated else Name(block.labels[0].partition("_")[0].lower(), block.at)
        while isinstance(node, (GetAttr, Index)):
            node = node.target
        if isinstance(node, Name):
            yield node.name, node.at


def _override(result: Configuration, block: Block, source: SourceText) -> None:
    _check_labels(block, source)
    if block.type == "locals":
        result.locals.update({name: (attribute, source) for name, attribute in block.body.attributes.items()})
    elif block.type == "terraform":
        result.terraform.append(SourceBody.of(block, source))
        _check_settings([body for body in result.terraform if body.source is source])
    elif block.type not in (*_REFACTORINGS, *_IGNORED):
        table, key = _slot(result, block)
        if key not in table:
            raise _error(
                f"there is no {block.type} {_labels(block)} to override",
                source,
                block.at,
                remedy="declare it in a file that is no override file",
            )
        _merge(table[key], SourceBody.of(block, source))


def _merge(base: SourceBody, override: SourceBody) -> None:
    """Replace the arguments that the override sets, and all nested blocks of the types that it has.

    `lifecycle` is the exception: its arguments are merged one by one; none of them changes a value.
    """
    base.attributes.update(override.attributes)
    replaced = {block_name(block) for block, _ in override.blocks} - {"lifecycle"}
    base.blocks = [pair for pair in base.blocks if block_name(pair[0]) not in replaced] + override.blocks


def is_local(source: str) -> bool:
    """Tell whether the source of a module is a directory beside it."""
    return source.startswith(("./", "../", ".\\", "..\\")) or source in (".", "..")


def block_name(block: Block) -> str:
    """Return the type of the blocks that a nested block stands for, a dynamic one too."""
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type
