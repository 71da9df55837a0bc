"""Paths of the contract: where they point to, and how they are shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import SequenceMatcher
from glob import iglob
from pathlib import Path

from infraspec.contract.models import Contract, Environment
from infraspec.core.errors import ContractError
from infraspec.core.runtime import repository_of

SUFFIXES = (".tf", ".tf.json", ".tofu", ".tofu.json")
"""How the names of configuration files end. Source: OpenTofu documentation, "Files and Directories"."""
UNIT_FILE = "terragrunt.hcl"
"""The file of a unit of Terragrunt, which makes a root module. Source: Terragrunt documentation, "Units"."""
_GENERATED_UNITS = ".terragrunt-stack"
_DEPTH = 6
_DIRECTORIES = 3000


def holds_terraform(directory: Path) -> bool:
    """Tell whether a directory has a file of Terraform or OpenTofu of its own, or that of a unit of Terragrunt."""
    return any(name.endswith(SUFFIXES) or name == UNIT_FILE for name in names_in(directory))


def roots_below(directory: Path) -> list[str]:
    """Return the directories at and below one that hold Terraform, from there, sorted.

    Hidden directories, `.terraform` among them, are left out, and so is what lies deeper than six levels.
    """
    found = (path for path in _walk(directory) if holds_terraform(directory / path))
    return sorted(path.as_posix() for path in found)


def nearest_roots(directory: Path, wanted: str) -> list[str]:
    """Return the directories that hold Terraform, the one most like the wanted path first, modules last."""
    return sorted(
        roots_below(directory),
        key=lambda path: ("modules" in path.split("/"), -SequenceMatcher(None, path, wanted).ratio(), path),
    )


def _walk(directory: Path) -> Iterator[Path]:
    pending, seen = [Path()], 0
    while pending and seen < _DIRECTORIES:
        path = pending.pop(0)
        seen += 1
        yield path
        if len(path.parts) < _DEPTH:
            pending += [path / name for name in _folders(directory / path)]


def _folders(directory: Path) -> list[str]:
    """Return the names of the folders in a directory, but for hidden ones and links, sorted."""
    try:
        with os.scandir(directory) as entries:
            plain = (one for one in entries if one.name[0] != "." and one.name != "node_modules")
            return sorted(one.name for one in plain if one.is_dir(follow_symlinks=False))
    except (OSError, ValueError):
        return []


def names_in(directory: Path) -> list[str]:
    """Return the names of what is in a directory, sorted; none if it cannot be read."""
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 - names, not paths
    except (OSError, ValueError):
        return []


def absolute(contract: Contract, path: Path) -> Path:
    """Return a path of the contract as an absolute one, which is not read: it may lead anywhere."""
    return Path(os.path.abspath(contract.directory)) / path  # noqa: PTH100 - resolve() would follow links


class GivenPath(type(Path())):  # type: ignore[misc]
    """A path that infraspec puts into a contract by itself: unlike one that stands there, it may lead anywhere."""


def resolve(contract: Contract, path: Path) -> Path:
    """Return a path of the contract as an absolute one. Raises ContractError if it leads out of the repository."""
    found = absolute(contract, path)
    if isinstance(path, GivenPath):
        return found
    repository, really = repository_of(contract.directory), Path(os.path.realpath(found))
    if not really.is_relative_to(repository) or ".git" in really.relative_to(repository).parts:
        raise ContractError(
            "a path of the contract is outside the repository",
            place=f"{contract.path.name}: {path}",
            expected=f"a path inside {repository}",
            found=str(really),
            remedy="name a path in the repository, or give it as an option: --infraspec-plan, --infraspec-snapshot",
        )
    return found


def display(origin: Contract | Path, path: Path) -> str:
    """Return a path as people see it: from the current directory, else from the contract's, else absolute.

    `origin` is the contract or its directory; a relative `path` starts there.
    """
    directory = origin.directory if isinstance(origin, Contract) else origin
    absolute = os.path.abspath(directory / path)  # noqa: PTH100 - a name to show, links are not followed
    for base in (os.path.abspath(os.curdir), os.path.abspath(directory)):  # noqa: PTH100 - likewise
        beginning = base.rstrip(os.sep) + os.sep
        if absolute == base or absolute.startswith(beginning):
            return absolute[len(beginning) :].replace(os.sep, "/") or "."
    return Path(absolute).as_posix()


def task_definition_files(contract: Contract, environment: Environment) -> tuple[Path, ...]:
    """Return the files that an environment's `task_definitions` patterns match, sorted, each once."""
    found = {path for pattern in environment.task_definitions for path in matches(contract.directory, pattern)}
    return tuple(sorted(found))


def matches(directory: Path, pattern: str) -> list[Path]:
    """Return the files a glob pattern matches; `**` stands for any number of directories."""
    return [
        path
        for name in iglob(pattern, root_dir=directory, recursive=True)  # noqa: PTH207 - takes absolute patterns too
        if (path := directory / name).is_file()
    ]
