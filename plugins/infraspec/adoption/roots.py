"""The root modules of a repository: directories that have a backend or a provider and that no other one calls.

Source: Terraform Language Documentation, "Backend Configuration" (only a root module has one) and "Providers Within
Modules" (provider configurations belong to the root module).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from msgspec import Struct

from infraspec.contract.roots import roots_below
from infraspec.errors import InfraspecError
from infraspec.hcl.nodes import Literal
from infraspec.terraform.body import Body
from infraspec.terraform.configuration import Configuration
from infraspec.terraform.evaluation import Library
from infraspec.unknown import Value

_MODULES = frozenset({"module", "modules", "_module", "_modules"})
_ASIDE = _MODULES | {"example", "examples", "test", "tests", "fixture", "fixtures", "testdata", "vendor"}


class Root(Struct, frozen=True):
    """A root module. `path` is relative to the repository, `.` for its top; `modules` are the local ones in it."""

    path: str
    configuration: Configuration
    modules: tuple[Configuration, ...] = ()

    @property
    def directory(self) -> Path:
        """Where it lies."""
        return self.configuration.directory

    @property
    def uses_workspaces(self) -> bool:
        """Whether its files, or those of its modules, mention `terraform.workspace`."""
        texts = (text for configuration in (self.configuration, *self.modules) for text in _texts(configuration))
        return any("terraform.workspace" in text for text in texts)

    def holds(self, path: str) -> bool:
        """Tell whether a path of the repository lies below it."""
        return self.path == "." or path.startswith(f"{self.path}/")

    def texts(self) -> Iterator[str]:
        """Yield the text of each of its own files."""
        yield from _texts(self.configuration)


class Roots(Struct, frozen=True):
    """What was found: `roots`; `aside`, paths of roots below examples and tests; `broken`, what cannot be parsed."""

    roots: tuple[Root, ...]
    aside: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()


def find_roots(directory: Path, library: Library) -> Roots:
    """Read every directory of Terraform and tell the root modules from the others.

    Roots below `examples`, `tests`, `modules` and the like count only if there is no other: a repository of modules is
    known by its examples. Where nothing has a backend or a provider, what nobody calls is a root.
    """
    read: dict[str, Configuration] = {}
    broken: list[tuple[str, str]] = []
    for path in roots_below(directory):
        try:
            read[path] = library.read(directory / path)
        except InfraspecError as error:
            broken.append((path, str(error).splitlines()[0]))
    by_directory = {os.path.normpath(configuration.directory): configuration for configuration in read.values()}
    called = {target for configuration in read.values() for target in _called(configuration)}
    alone = {path: each for path, each in read.items() if _is_alone(path, each, called)}
    found = {path: each for path, each in alone.items() if each.providers or has_backend(each)}
    if not found:
        found = {path: each for path, each in alone.items() if each.resources or each.calls}
    aside = [path for path in found if _ASIDE & set(path.lower().split("/"))]
    chosen = [path for path in found if path not in aside] or list(found)
    return Roots(
        tuple(Root(path, found[path], tuple(_reached(found[path], by_directory))) for path in chosen),
        tuple(path for path in aside if path not in chosen),
        tuple(broken),
    )


def _is_alone(path: str, configuration: Configuration, called: AbstractSet[str]) -> bool:
    """Tell whether nobody calls a directory; what has a backend may be called by its examples all the same."""
    is_called = os.path.normpath(configuration.directory) in called
    return not is_called or (has_backend(configuration) and not _MODULES & set(path.lower().split("/")))


def _reached(configuration: Configuration, by_directory: Mapping[str, Configuration]) -> Iterator[Configuration]:
    """Yield the local modules that a root module is made of, each once."""
    pending, seen = [configuration], set[str]()
    while pending:
        for target in _called(pending.pop()):
            if target in by_directory and target not in seen:
                seen.add(target)
                pending.append(by_directory[target])
                yield by_directory[target]


def has_backend(configuration: Configuration) -> bool:
    """Tell whether there is a `backend` or `cloud` block."""
    return any(block.type in ("backend", "cloud") for body in configuration.terraform for block, _ in body.blocks)


def constant(body: Body, name: str) -> Value:
    """Return the value of an attribute that is written as a constant, else None."""
    if name not in body.attributes:
        return None
    expression = body.attributes[name][0].expression
    return expression.value if isinstance(expression, Literal) else None


def _called(configuration: Configuration) -> Iterator[str]:
    for body in configuration.calls.values():
        source = constant(body, "source")
        if isinstance(source, str) and source.startswith("."):
            yield os.path.normpath(configuration.directory / source)


def _texts(configuration: Configuration) -> Iterator[str]:
    """Yield the text of each file of a directory."""
    tables = (configuration.providers, configuration.calls, configuration.variables, configuration.outputs)
    bodies = [*configuration.terraform, *configuration.resources.values(), *(b for t in tables for b in t.values())]
    sources = [body.source for body in bodies] + [source for _, source in configuration.locals.values()]
    yield from {source.name: source.text for source in sources}.values()
