"""What a repository holds, before anything is evaluated."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from infraspec.adoption.environments import EnvironmentCandidate, find_environments, workflow_regions
from infraspec.adoption.roots import ENVIRONMENT_WORDS, Roots, find_roots
from infraspec.adoption.variable_files import files_below, find_backend_files, find_variable_files
from infraspec.core.errors import InfraspecError, RootMissingError
from infraspec.core.runtime import text_or_nothing
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.configuration.evaluation import Library

_LARGEST = 1_000_000
_SKIPPED = frozenset({"node_modules", "vendor"})


def find_task_definition_files(directory: Path) -> tuple[list[str], list[str]]:
    """Return the JSON files that are task definitions, and those that look like one and cannot be read as one."""
    good: list[str] = []
    bad: list[str] = []
    for path in _json_files(directory):
        text = text_or_nothing(path, directory)
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
        for name in [name for name in environments if name.lower() in re.split(r"[-_./]", path.lower())] or worded:
            found[name].append(path)
    return found


def _json_files(directory: Path) -> Iterator[Path]:
    for here, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if name not in _SKIPPED and name[0] != ".")
        paths = (
            Path(here) / name for name in sorted(names) if name.endswith(".json") and not name.endswith(".tf.json")
        )
        yield from (path for path in paths if path.is_file() and path.stat().st_size <= _LARGEST)


WORKFLOWS = ".github/workflows"
GITLAB = ".gitlab-ci.yml"


class RepositoryFiles(Struct, frozen=True):
    """A directory with its root modules, environments and task definition files; paths are relative to it.

    `malformed` are JSON files that look like task definitions and are none.
    """

    directory: Path
    roots: Roots
    candidates: tuple[EnvironmentCandidate, ...]
    task_definitions: tuple[str, ...]
    malformed: tuple[str, ...]
    workflows: tuple[str, ...]
    gitlab: bool
    terragrunt: bool

    @classmethod
    def read(cls, directory: Path) -> RepositoryFiles:
        """Look through a directory; RootMissingError if there is none, or neither Terraform nor task definitions."""
        if not directory.is_dir():
            raise RootMissingError(
                "there is no such directory",
                place=str(directory),
                expected="the directory of an infrastructure repository",
                remedy="check the path",
            )
        found = find_roots(
            directory, Library(lambda path: os.path.relpath(path.resolve(), directory.resolve()), directory)
        )
        good, malformed = find_task_definition_files(directory)
        texts = dict(_pipelines(directory))
        files = find_variable_files(directory)
        candidates = find_environments(
            found.roots,
            files,
            find_backend_files(directory, files),
            workflow_regions(texts.values()),
        )
        terragrunt = _has_terragrunt(directory)
        if not candidates and not good:
            raise _nothing_there(directory, found.broken, terragrunt=terragrunt)
        return cls(
            directory,
            found,
            tuple(candidates),
            tuple(good),
            tuple(malformed),
            tuple(name for name in texts if name != GITLAB),
            (directory / GITLAB).is_file(),
            terragrunt,
        )


def _nothing_there(directory: Path, broken: tuple[tuple[str, str], ...], *, terragrunt: bool) -> RootMissingError:
    if broken:
        remedy = f"correct what cannot be parsed, first {broken[0][1]}"
    elif terragrunt:
        remedy = "let Terragrunt write the units of its stacks: terragrunt stack generate"
    else:
        remedy = "name the directory that the Terraform lies in: infraspec init DIR"
    return RootMissingError(
        "there is neither a root module nor a task definition file",
        place=str(directory),
        expected="a directory with .tf files that has a backend, a provider or resources",
        remedy=remedy,
    )


def _pipelines(directory: Path) -> Iterator[tuple[str, str]]:
    paths = [*sorted((directory / WORKFLOWS).glob("*.y*ml")), directory / GITLAB]
    for path in paths:
        if text := text_or_nothing(path, directory):
            yield path.relative_to(directory).as_posix(), text


def _has_terragrunt(directory: Path) -> bool:
    return any(files_below(directory, ("terragrunt.stack.hcl",)))
