"""The environments of a repository: by folder, by variable file or by workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.adoption.backend_files import VARIABLES, BackendFile, backends_of, named_by
from infraspec.adoption.places import Place, account_of, region_of
from infraspec.adoption.roots import Root, constant
from infraspec.adoption.variable_files import VariableFile, by_environment, files_of, shared_of
from infraspec.adoption.words import (
    ENVIRONMENT_WORDS,
    environment_word,
    is_production,
    name_of_path,
    unique,
    valid_name,
)
from infraspec.adoption.workspaces import deploys_default, workspaces_of


class Given(Struct, frozen=True):
    """What tells an environment of a root from the others. `origin` says by what it was found, for people."""

    name: str
    origin: str
    files: Sequence[VariableFile] = ()
    workspace: str = "default"
    variables: Mapping[str, str] = field(default_factory=dict)


class Candidate(Struct, frozen=True):
    """An environment as it was found. `origin` says by what, for people; `variables` are named by its name."""

    name: str
    root: Root
    origin: str
    var_files: tuple[str, ...] = ()
    workspace: str = "default"
    account: Place | None = None
    region: Place | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def find_environments(
    roots: Sequence[Root],
    files: Sequence[VariableFile],
    backends: Sequence[BackendFile],
    texts: Sequence[str],
    regions: Sequence[str],
) -> list[Candidate]:
    """Return the environments of the roots, production last.

    `texts` are those of workflows and Makefiles, which select workspaces; `regions` those that workflows set.
    """
    found: list[Candidate] = []
    for root in roots:
        mine, states = files_of(root, roots, files), backends_of(root, roots, backends)
        for given in _of_root(root, mine, states, texts, alone=len(roots) == 1):
            taken = [candidate.name for candidate in found]
            paths = tuple(file.path for file in given.files)
            chosen = unique(given.name, taken, name_of_path(root.path), valid_name(root.path.rpartition("/")[2]))
            account, region = account_of(root, given.files), region_of(root, given.files, regions)
            found.append(
                Candidate(chosen, root, given.origin, paths, given.workspace, account, region, given.variables)
            )
    return sorted(found, key=lambda candidate: _rank(candidate.name))


def _of_root(
    root: Root, files: Sequence[VariableFile], backends: Mapping[str, str], texts: Sequence[str], *, alone: bool
) -> Iterator[Given]:
    """Yield the environments of a root: several if its path names none, and files or workspaces do."""
    groups, named = by_environment(files), name_of_path(root.path)
    worded = environment_word(named)
    own = groups.get(worded or "", next(iter(groups.values()), []) if len(groups) == 1 else [])
    found: list[Given] = []
    if worded is None:
        selected = workspaces_of(root, texts) if root.uses_workspaces else []
        found += _of_values(root, groups)
        if not selected and deploys_default(root) and not (found and root.uses_workspaces):
            found += _of_states(root, groups, shared_of(files), backends)
        found = found or [Given(name, f"workspace {name}", own, name) for name in selected]
    if found:
        prefix = "" if alone or not named else f"{named}-"
        yield from (replace(each, name=prefix + each.name) for each in found)
        return
    unnamed = "default" if root.uses_workspaces else "main"
    name = named if worded else (_declared(root) or named or unnamed)
    yield Given(name, f"root module {root.path}", own)


def _of_values(root: Root, groups: Mapping[str, Sequence[VariableFile]]) -> Iterator[Given]:
    """Yield the environments that variable files are named by."""
    if len(groups) > 1 or any(map(environment_word, groups)):
        for name, own in groups.items():
            yield Given(name, f"variable file {own[-1].path}", own, name if root.uses_workspaces else "default")


def _of_states(
    root: Root,
    groups: Mapping[str, Sequence[VariableFile]],
    shared: Sequence[VariableFile],
    backends: Mapping[str, str],
) -> Iterator[Given]:
    """Yield the environments that have a file for their state and none for their values: the name is their value.

    Where files of values are named otherwise than those of states, it is open what belongs to what.
    """
    for name in backends if groups.keys() <= backends.keys() else ():
        variables = None if name in groups else named_by(root, name, shared)
        if variables is not None:
            yield Given(name, f"backend file {backends[name]}", shared, variables=variables)


def _declared(root: Root) -> str:
    """Return the value of a variable named `environment`, if the source says one."""
    for name in VARIABLES:
        body = root.configuration.variables.get(name)
        value = constant(body, "default") if body else None
        if isinstance(value, str) and value.lower() in ENVIRONMENT_WORDS:
            return valid_name(value)
    return ""


def _rank(name: str) -> tuple[bool, bool]:
    return is_production(name), environment_word(name) is None
