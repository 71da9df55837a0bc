"""Paths of the contract: where they point to, and how they are shown."""

from __future__ import annotations

import os
from glob import iglob
from pathlib import Path

from infraspec.contract.models import Contract, Environment


def resolve(contract: Contract, path: Path) -> Path:
    """Return a path of the contract as an absolute one."""
    return Path(os.path.abspath(contract.directory)) / path  # noqa: PTH100 - resolve() would follow links


def display(origin: Contract | Path, path: Path) -> str:
    """Return a path as people see it: from the current directory, else from the contract's, else absolute.

    `origin` is the contract or its directory; a relative `path` starts there.
    """
    directory = origin.directory if isinstance(origin, Contract) else origin
    absolute = os.path.abspath(directory / path)  # noqa: PTH100 - a name to show, links are not followed
    for base in (os.path.abspath(os.curdir), os.path.abspath(directory)):  # noqa: PTH100 - likewise
        if absolute == base or absolute.startswith(base.rstrip(os.sep) + os.sep):
            return Path(os.path.relpath(absolute, base)).as_posix()
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
