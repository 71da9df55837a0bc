"""What a repository holds, before anything is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from infraspec.adoption.backend_files import find_backend_files
from infraspec.adoption.environments import Candidate, find_environments
from infraspec.adoption.places import workflow_regions
from infraspec.adoption.roots import Root, find_roots
from infraspec.adoption.task_definition_files import find_task_definition_files
from infraspec.adoption.variable_files import find_variable_files
from infraspec.errors import RootMissingError
from infraspec.terraform.evaluation import Library

WORKFLOWS = ".github/workflows"
GITLAB = ".gitlab-ci.yml"


class Repository(Struct, frozen=True):
    """A directory with its root modules, environments and task definition files; paths are relative to it.

    `aside` are root modules below examples and tests, `broken` directories that cannot be parsed with the reason,
    `malformed` JSON files that look like task definitions and are none.
    """

    directory: Path
    roots: tuple[Root, ...]
    candidates: tuple[Candidate, ...]
    task_definitions: tuple[str, ...]
    malformed: tuple[str, ...]
    aside: tuple[str, ...]
    broken: tuple[tuple[str, str], ...]
    workflows: tuple[str, ...]
    gitlab: bool
    terragrunt: bool

    @classmethod
    def read(cls, directory: Path) -> Repository:
        """Look through a directory; RootMissingError if there is none, or neither Terraform nor task definitions."""
        if not directory.is_dir():
            raise RootMissingError(
                "there is no such directory",
                place=str(directory),
                expected="the directory of an infrastructure repository",
                remedy="check the path",
            )
        found = find_roots(directory, Library(lambda path: path.relative_to(directory).as_posix() or "."))
        good, malformed = find_task_definition_files(directory)
        texts = dict(_pipelines(directory))
        files = find_variable_files(directory)
        candidates = find_environments(
            found.roots,
            files,
            find_backend_files(directory, files),
            [*texts.values(), *_makefile(directory)],
            workflow_regions(texts.values()),
        )
        terragrunt = _has_terragrunt(directory)
        if not candidates and not good:
            raise _nothing_there(directory, found.broken, terragrunt=terragrunt)
        return cls(
            directory,
            found.roots,
            tuple(candidates),
            tuple(good),
            tuple(malformed),
            found.aside,
            found.broken,
            tuple(name for name in texts if name != GITLAB),
            (directory / GITLAB).is_file(),
            terragrunt,
        )


def _nothing_there(directory: Path, broken: tuple[tuple[str, str], ...], *, terragrunt: bool) -> RootMissingError:
    if broken:
        remedy = f"correct what cannot be parsed, first {broken[0][1]}"
    elif terragrunt:
        remedy = "Terragrunt generates its root modules: run `terragrunt init` and name .terragrunt-cache/… as root"
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
        if path.is_file():
            yield path.relative_to(directory).as_posix(), path.read_text(encoding="utf-8", errors="replace")


def _makefile(directory: Path) -> Iterator[str]:
    path = directory / "Makefile"
    if path.is_file():
        yield path.read_text(encoding="utf-8", errors="replace")


def _has_terragrunt(directory: Path) -> bool:
    patterns = ("terragrunt.hcl", "*/terragrunt.hcl", "*/*/terragrunt.hcl", "*/*/*/terragrunt.hcl")
    return any(next(directory.glob(pattern), None) for pattern in patterns)
