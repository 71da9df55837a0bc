"""The root modules of a repository: directories that have a backend or a provider and that no other one calls.

Source: Terraform Language Documentation, "Backend Configuration" (only a root module has one) and "Providers Within
Modules" (provider configurations belong to the root module).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infraspec.contract.roots import roots_below
from infraspec.errors import InfraspecError
from infraspec.hcl.nodes import Literal
from infraspec.terraform.configuration import Body, Configuration
from infraspec.terraform.evaluation import Library
from infraspec.unknown import Value

_ASIDE = frozenset({"example", "examples", "test", "tests", "fixture", "fixtures", "testdata", "vendor"})


@dataclass(frozen=True, slots=True)
class Root:
    """A root module. `path` is relative to the repository, `.` for its top."""

    path: str
    configuration: Configuration

    @property
    def directory(self) -> Path:
        """Where it lies."""
        return self.configuration.directory

    @property
    def uses_workspaces(self) -> bool:
        """Whether its own files mention `terraform.workspace`."""
        return any("terraform.workspace" in text for text in self.texts())

    def texts(self) -> Iterator[str]:
        """Yield the text of each of its files."""
        config = self.configuration
        bodies = [*config.terraform, *config.providers.values(), *config.calls.values(), *config.variables.values()]
        sources = [body.source for body in (*bodies, *config.resources.values(), *config.outputs.values())]
        sources += [source for _, source in config.locals.values()]
        yield from {source.name: source.text for source in sources}.values()


@dataclass(frozen=True, slots=True)
class Roots:
    """What was found: `roots`; `aside`, paths of roots below examples and tests; `broken`, what cannot be parsed."""

    roots: tuple[Root, ...]
    aside: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()


def find_roots(directory: Path, library: Library) -> Roots:
    """Read every directory of Terraform and tell the root modules from the others.

    Roots below `examples`, `tests` and the like count only if there is no other: a repository of modules is known by
    its examples. Where nothing has a backend or a provider, what nobody calls is a root.
    """
    read: dict[str, Configuration] = {}
    broken: list[tuple[str, str]] = []
    for path in roots_below(directory):
        try:
            read[path] = library.read(directory / path)
        except InfraspecError as error:
            broken.append((path, str(error).splitlines()[0]))
    called = {target for configuration in read.values() for target in _called(configuration)}
    found = {
        path: configuration
        for path, configuration in read.items()
        if has_backend(configuration)
        or (configuration.providers and os.path.normpath(configuration.directory) not in called)
    }
    if not found:
        found = {
            path: configuration
            for path, configuration in read.items()
            if (configuration.resources or configuration.calls)
            and os.path.normpath(configuration.directory) not in called
        }
    aside = [path for path in found if _ASIDE & set(path.lower().split("/"))]
    chosen = [path for path in found if path not in aside] or list(found)
    return Roots(
        tuple(Root(path, found[path]) for path in chosen),
        tuple(path for path in aside if path not in chosen),
        tuple(broken),
    )


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
