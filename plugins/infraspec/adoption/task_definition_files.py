"""Task definition files that lie outside of Terraform."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from infraspec.adoption.words import ENVIRONMENT_WORDS
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.errors import InfraspecError

_LARGEST = 1_000_000
_SKIPPED = frozenset({"node_modules", "vendor"})


def find_task_definition_files(directory: Path) -> tuple[list[str], list[str]]:
    """Return the JSON files that are task definitions, and those that look like one and cannot be read as one."""
    good: list[str] = []
    bad: list[str] = []
    for path in _json_files(directory):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue
        if '"containerDefinitions"' not in text:
            continue
        shown = path.relative_to(directory).as_posix()
        try:
            TaskDefinition.from_json(text, shown)
        except InfraspecError:
            bad.append(shown)
        else:
            good.append(shown)
    return good, bad


def files_by_environment(paths: list[str], environments: list[str]) -> dict[str, list[str]]:
    """Return the files of each environment.

    A file whose path names environments is theirs. Any other is of all that are called by a word such as `prod`, of the
    first if none is.
    """
    worded = [name for name in environments if name.lower() in ENVIRONMENT_WORDS] or environments[:1]
    found: dict[str, list[str]] = {name: [] for name in environments}
    for path in paths:
        for name in [name for name in environments if _names(path, name)] or worded:
            found[name].append(path)
    return found


def _names(path: str, environment: str) -> bool:
    return environment.lower() in re.split(r"[-_./]", path.lower())


def _json_files(directory: Path) -> Iterator[Path]:
    for here, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if name not in _SKIPPED and name[0] != ".")
        for name in sorted(names):
            path = Path(here) / name
            if name.endswith(".json") and not name.endswith(".tf.json") and _is_small(path):
                yield path


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= _LARGEST
