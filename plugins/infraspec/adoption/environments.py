"""The environments of a repository: by folder, by variable file or by workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from infraspec.adoption.places import Place, account_of, region_of
from infraspec.adoption.roots import Root, constant
from infraspec.adoption.variable_files import VariableFile, by_environment, files_of
from infraspec.adoption.words import (
    ENVIRONMENT_WORDS,
    environment_word,
    is_production,
    name_of_path,
    unique,
    valid_name,
)
from infraspec.adoption.workspaces import workspaces_of

_VARIABLES = ("environment", "env", "stage", "environment_name", "env_name")


class Candidate(Struct, frozen=True):
    """An environment as it was found. `origin` says by what, for people."""

    name: str
    root: Root
    origin: str
    var_files: tuple[str, ...] = ()
    workspace: str = "default"
    account: Place | None = None
    region: Place | None = None


def find_environments(
    roots: Sequence[Root], files: Sequence[VariableFile], texts: Sequence[str], regions: Sequence[str]
) -> list[Candidate]:
    """Return the environments of the roots, production last.

    `texts` are those of workflows and Makefiles, which select workspaces; `regions` those that workflows set.
    """
    found: list[Candidate] = []
    for root in roots:
        mine = files_of(root, roots, files)
        for name, origin, own, workspace in _of_root(root, mine, texts, alone=len(roots) == 1):
            taken = [candidate.name for candidate in found]
            paths = tuple(file.path for file in own)
            chosen = unique(name, taken, name_of_path(root.path), valid_name(root.path.rpartition("/")[2]))
            account, region = account_of(root, own), region_of(root, own, regions)
            found.append(Candidate(chosen, root, origin, paths, workspace, account, region))
    return sorted(found, key=lambda candidate: _rank(candidate.name))


def _of_root(
    root: Root, files: Sequence[VariableFile], texts: Sequence[str], *, alone: bool
) -> Iterator[tuple[str, str, list[VariableFile], str]]:
    """Yield name, origin, variable files and workspace of each environment of a root."""
    groups = by_environment(files)
    named = name_of_path(root.path)
    if environment_word(named) is None and (len(groups) > 1 or any(map(environment_word, groups))):
        for name, own in groups.items():
            full = name if alone or not named else f"{named}-{name}"
            yield full, f"variable file {own[-1].path}", own, name if root.uses_workspaces else "default"
        return
    own = groups.get(environment_word(named) or "", next(iter(groups.values()), []) if len(groups) == 1 else [])
    workspaces = workspaces_of(root, texts) if root.uses_workspaces and environment_word(named) is None else []
    if workspaces:
        for name in workspaces:
            full = name if alone or not named else f"{named}-{name}"
            yield full, f"workspace {name}", own, name
        return
    unnamed = "default" if root.uses_workspaces else "main"
    name = named if environment_word(named) else (_declared(root) or named or unnamed)
    yield name, f"root module {root.path}", own, "default"


def _declared(root: Root) -> str:
    """Return the value of a variable named `environment`, if the source says one."""
    for name in _VARIABLES:
        body = root.configuration.variables.get(name)
        value = constant(body, "default") if body else None
        if isinstance(value, str) and value.lower() in ENVIRONMENT_WORDS:
            return valid_name(value)
    return ""


def _rank(name: str) -> tuple[bool, bool]:
    return is_production(name), environment_word(name) is None
