"""Which files of a repository an environment of the contract rests on, told without evaluating anything.

Every file that may decide a verdict is among them, and some that do not: a path that is not written out may lead
anywhere. Sources: Terraform Language Documentation, "Module Sources", "Filesystem Functions"; Terragrunt documentation,
"Configuration Blocks and Attributes".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from infraspec.contract.models import Contract, Environment
from infraspec.contract.paths import SUFFIXES, UNIT_FILE, names_in
from infraspec.core.runtime import repository_of

_TEXTS = (*SUFFIXES, ".tfvars", ".tfvars.json", ".hcl")
_MANIFEST = Path(".terraform", "modules", "modules.json")
_SETTINGS = frozenset({"pytest.ini", "pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg"})
"""The files that may add rules, or change how a suite runs, with all of Python."""
_LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_BASE = re.compile(r"\$\{path\.(module|root)\}")
_TEMPLATE = re.compile(r"[$%]\{")
_OPEN = re.compile(
    r"""
    \b(?:file\w*|templatefile)\s*\(\s*(?!"(?:[^"$%\\]|\$\{path\.(?:module|root)\})) # a path that an expression makes
    | \bpath\.cwd\b | \babspath\s*\( | \bpathexpand\s*\(
    | \bbackend"?\s*[=:]\s*"local" | "(?:archive_file|local_file|local_sensitive_file|external)"
    """,
    re.VERBOSE,
)
"""What reads files that need not be written out."""
_LEFT_OUT = frozenset({".git", "providers", "node_modules", "__pycache__"})


class _Reach(Struct, frozen=True):
    """What an environment reads: all at and below some places, and, if `is_open`, what lies in no other root."""

    places: frozenset[str]
    is_open: bool
    is_unit: bool


class EnvironmentFiles:
    """The files that the environments of a contract rest on; what is read of the file system is read once."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._directory = Path(os.path.realpath(contract.directory))
        self.repository = repository_of(contract.directory)
        self._texts: dict[str, tuple[list[str], bool]] = {}
        self._reaches: dict[str, _Reach] = {}
        self._whole: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._below: dict[str, list[str]] = {}

    def affects(self, path: str, name: str) -> bool:
        """Tell whether a file may decide a verdict of an environment; `path` is absolute, and may be gone."""
        reach = self._reach(name)
        if self._is_shared(path) or _is_at_or_below(path, reach.places):
            return True
        folder, _, file = path.rpartition("/")
        if file.startswith(".") and _is_at_or_below(self._roots[name], (folder,)):  # such as .terraform-version
            return True
        if not reach.is_open or (file.endswith(SUFFIXES) and not reach.is_unit):
            return False
        return not _is_at_or_below(path, self._other_roots(name))

    def belongs_to_none(self, path: str) -> bool:
        """Tell whether a file is Terraform's, and no environment rests on it."""
        return path.endswith(SUFFIXES) and not any(self.affects(path, name) for name in self._contract.environments)

    def digest(self, name: str) -> str:
        """Return a digest of the names and contents of all files that may decide a verdict of an environment.

        Python is not among them: what adds rules is for the caller to know.
        """
        if name not in self._whole:
            self._whole[name] = self.digest_of(self._files_of(name))
        return self._whole[name]

    def _files_of(self, name: str) -> set[str]:
        reach = self._reach(name)
        found = {path for place in reach.places for path in self._files_below(place)}
        if reach.is_open:
            found |= {path for path in self.everything if self.affects(path, name)}
        found |= {path for place in self._of_contract for path in self._files_below(place)}
        found |= {path for folder in Path(self._roots[name]).parents for path in self._hidden_in(folder)}
        return found

    def digest_of_terraform(self) -> str:
        """Return a digest of all Terraform files of the repository."""
        return self.digest_of(path for path in self.everything if path.endswith(SUFFIXES))

    def digest_of(self, paths: Iterable[str]) -> str:
        """Return a digest of the names and contents of files."""
        whole = sha256()
        for path in sorted(set(paths)):
            whole.update(f"{os.path.relpath(path, self.repository)}\0{self._digest(path)}\0".encode("utf-8", "replace"))
        return whole.hexdigest()

    @cached_property
    def everything(self) -> list[str]:
        """The files of the repository."""
        return self._files_below(str(self.repository))

    def _hidden_in(self, folder: Path) -> list[str]:
        if not folder.is_relative_to(self.repository):
            return []
        paths = (str(folder / name) for name in names_in(folder) if name.startswith("."))
        return [path for path in paths if os.path.isfile(path)]  # noqa: PTH113 - never raises

    def _is_shared(self, path: str) -> bool:
        """Tell whether a file has a say in every environment: the contract, what it names for all, and Python."""
        name = path.rpartition("/")[2]
        return name.endswith(".py") or name in _SETTINGS or _is_at_or_below(path, self._of_contract)

    @cached_property
    def _of_contract(self) -> frozenset[str]:
        named = _paths_of(self._contract.model_dump(exclude={"environments"}))
        found = [self._directory / self._contract.path.name, *(self._directory / path for path in named)]
        return frozenset(spelling for path in found for spelling in _spellings(path))

    @cached_property
    def _roots(self) -> dict[str, str]:
        environments = self._contract.environments.items()
        return {name: os.path.normpath(self._directory / each.root) for name, each in environments}

    def _other_roots(self, name: str) -> set[str]:
        own = self._roots[name]
        return {root for root in self._roots.values() if not _is_at_or_below(own, (root,))}

    def _reach(self, name: str) -> _Reach:
        if name not in self._reaches:
            self._reaches[name] = self._reach_of(self._contract.environments[name], self._roots[name])
        return self._reaches[name]

    def _reach_of(self, environment: Environment, root: str) -> _Reach:
        named = (environment.plan, environment.state, *environment.snapshots, *environment.scps, *environment.rcps)
        given = [str(self._directory / path) for path in (*named, *environment.var_files) if path]
        given += [_fixed_part(str(self._directory / pattern)) for pattern in environment.task_definitions]
        is_unit = os.path.lexists(os.path.join(root, UNIT_FILE))  # noqa: PTH118 - never raises
        pending, places, is_open = [root, *given], set[str](), is_unit
        while pending:
            place = os.path.normpath(pending.pop())
            if place not in places and _is_at_or_below(place, (str(self.repository), *map(os.path.normpath, given))):
                places.update(_spellings(Path(place)))
                named_there, opens = self._named_in(place, root)
                pending += named_there
                is_open = is_open or opens
        return _Reach(frozenset(places), is_open, is_unit)

    def _named_in(self, place: str, root: str) -> tuple[list[str], bool]:
        """Return the paths that the files of a place name, and whether they read what they do not name."""
        key = f"{place}\0{root}"
        if key not in self._texts:
            texts = list(_texts_of(place))
            found = [path for text in texts for path in _paths_in(text, place, root)]
            self._texts[key] = found, any(_OPEN.search(text) for text in texts)
        return self._texts[key]

    def _files_below(self, place: str) -> list[str]:
        if place not in self._below:
            self._below[place] = list(_walk(place))
        return self._below[place]

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            try:
                self._digests[path] = sha256(Path(path).read_bytes()).hexdigest()
            except OSError as error:
                self._digests[path] = f"not read: {error.errno}"
        return self._digests[path]


def _paths_of(value: object) -> Iterator[Path]:
    """Yield the paths in the tables of a contract."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _paths_of(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _paths_of(one)


def _is_at_or_below(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(place.rstrip("/") + "/") for place in places)


def _spellings(path: Path) -> set[str]:
    """Return a path as it is written, and where it leads."""
    return {os.path.normpath(path), os.path.realpath(path)}


def _fixed_part(pattern: str) -> str:
    """Return the directory that all matches of a pattern lie in, or the file that it names."""
    parts = pattern.split("/")
    plain = next((number for number, part in enumerate(parts) if re.search(r"[*?\[]", part)), len(parts))
    return "/".join(parts[:plain]) or "/"


def _texts_of(place: str) -> Iterator[str]:
    """Yield the texts in which a place may name others: a file, or the configuration in a directory."""
    if os.path.isfile(place):  # noqa: PTH113 - never raises
        yield from _text_of(place)
        return
    for name in names_in(Path(place)):
        if name.endswith(_TEXTS):
            yield from _text_of(os.path.join(place, name))  # noqa: PTH118 - likewise
    yield from _text_of(os.path.join(place, _MANIFEST))  # noqa: PTH118 - likewise


def _text_of(path: str) -> Iterator[str]:
    if path.endswith((*_TEXTS, ".json")) and os.path.isfile(path):  # noqa: PTH113 - likewise
        try:
            yield Path(path).read_text("utf-8", "replace")
        except OSError:
            return


def _paths_in(text: str, place: str, root: str) -> Iterator[str]:
    """Yield the paths that the literals of a text name from its directory, or from that of the root module."""
    directory = place if os.path.isdir(place) else os.path.dirname(place)  # noqa: PTH112, PTH120 - likewise
    for match in _LITERAL.finditer(text):
        literal, is_based = match[1], False
        if base := _BASE.match(literal):
            literal, is_based = ((directory if base[1] == "module" else root) + literal[base.end() :]), True
        cut = _TEMPLATE.search(literal)
        if cut:
            literal = literal[: cut.start()].rpartition("/")[0]
        if is_based:
            yield literal
        elif literal.startswith(("./", "../")) or literal == "..":
            literal = literal.partition("//")[0].partition("?")[0] if "://" in literal else literal
            yield from (os.path.join(start, literal) for start in {directory, root})  # noqa: PTH118 - a text


def _walk(place: str) -> Iterator[str]:
    """Yield the files at and below a place, links as they are, but for what no verdict rests on."""
    if not os.path.isdir(place):  # noqa: PTH112 - never raises
        if os.path.lexists(place):
            yield place
        return
    for folder, folders, files in os.walk(place):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(one for one in folders if one not in _LEFT_OUT)
        yield from (f"{folder}/{name}" for name in files)
        yield from (f"{folder}/{name}" for name in folders if os.path.islink(f"{folder}/{name}"))  # noqa: PTH114
