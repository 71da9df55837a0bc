"""The pipeline that `.gitlab-ci.yml` describes: includes, templates of jobs, references, defaults.

Sources: GitLab Docs, "CI/CD YAML syntax reference", "Use CI/CD configuration from other files" and "Optimize GitLab
CI/CD configuration files".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Location
from infraspec.process.checkout import CheckedOut
from infraspec.process.expressions import HOLE
from infraspec.process.markdown import line_of, parse_mapping

_NO_JOBS = frozenset(
    {
        "default", "include", "stages", "variables", "workflow", "image", "services", "cache", "before_script",
        "after_script", "spec", "types",
    }
)  # fmt: skip
_DEFAULTS = ("before_script", "after_script", "retry", "timeout", "interruptible", "image", "services", "cache")
_MOST_FILES = 100
_MOST_LEVELS = 11
"""How deep templates may extend each other. Source: GitLab Docs, "extends"."""
_INPUT = re.compile(r"\$\[\[.*?\]\]")


class Written(Struct, frozen=True):
    """A value of the configuration, and where it stands."""

    value: Any
    location: Location


Node: TypeAlias = dict[str, Written]
"""The keys of a job, or of another part of the configuration."""


class GitlabJob(Struct, frozen=True, eq=False):
    """A job with all that it takes from elsewhere."""

    name: str
    keys: Node

    @property
    def location(self) -> Location:
        """Where it begins, or what it has first."""
        return next((one.location for one in self.keys.values()), Location(""))

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value without its place."""
        return self.keys[key].value if key in self.keys else default

    def at(self, key: str) -> Location:
        """Return where a key stands; where the job does, if it has none."""
        return self.keys[key].location if key in self.keys else self.location


class Pipeline(Struct, frozen=True, eq=False):
    """A whole configuration."""

    location: Location
    jobs: Mapping[str, GitlabJob]
    variables: Mapping[str, Any]
    workflow: Written | None
    templates: tuple[Written, ...]
    """Includes of GitLab's own templates, which add jobs."""
    foreign: tuple[Written, ...]
    """Includes that are not in the repository, and may say anything."""


def read_pipeline(repository: CheckedOut, path: str) -> Pipeline:
    """Read a configuration with all that it includes. Raises ProcessFileError."""
    reader = _Reader(repository)
    reader.add(path)
    return reader.pipeline(path)


class _Reader:
    def __init__(self, repository: CheckedOut) -> None:
        self.repository = repository
        self.tree: dict[str, Written] = {}
        self.parts: dict[str, Node] = {}
        self.templates: list[Written] = []
        self.foreign: list[Written] = []
        self.read = 0

    def add(self, path: str, place: Location | None = None) -> None:
        """Take in a file: what it includes first, which it then overrides."""
        self.read += 1
        shown = self.repository.shown(path)
        tree = self.repository.parsed(path, _parse) if self.read <= _MOST_FILES else None
        if tree is None:
            raise ProcessFileError(
                "the pipeline includes a file that does not exist", place=str(place or shown), found=path
            )
        for one in _listed(tree.get("include")):
            self._include(one, Location(shown, line_of(tree, "include")))
        for key, value in tree.items():
            where = Location(shown, line_of(tree, key))
            self.tree[key] = Written(value, where)
            if isinstance(value, Mapping):
                self.parts[key] = _merged(self.parts.get(key, {}), _node(value, shown))

    def _include(self, given: Any, place: Location) -> None:
        if isinstance(given, str):
            given = {"remote" if re.match(r"https?://", given) else "local": given}
        if not isinstance(given, Mapping):
            return
        local = given.get("local")
        if not isinstance(local, str) or "$" in local or "rules" in given:
            kept = self.templates if "template" in given and "Workflows/" not in str(given) else self.foreign
            kept.append(Written(", ".join(f"{key} {value}" for key, value in given.items()), place))
            return
        found = self.repository.matches(local.lstrip("/"), "") if "*" in local else [local.lstrip("/")]
        for path in found or ():
            self.add(path, place)

    def pipeline(self, path: str) -> Pipeline:
        jobs = {
            name: GitlabJob(name, self._complete(name))
            for name in self.parts
            if name not in _NO_JOBS and not name.startswith(".")
        }
        variables = {key: one.value for key, one in self.parts.get("variables", {}).items()}
        rules = self.parts.get("workflow", {}).get("rules")
        workflow = Written(self._resolved(rules.value), rules.location) if rules else None
        shown = Location(self.repository.shown(path), 1)
        return Pipeline(shown, jobs, variables, workflow, tuple(self.templates), tuple(self.foreign))

    def _complete(self, name: str) -> Node:
        """Return a job with what it extends, its references, and the defaults."""
        node = {key: Written(self._resolved(one.value), one.location) for key, one in self._extended(name).items()}
        inherit = node["inherit"].value if "inherit" in node else {}
        wanted = inherit.get("default", True) if isinstance(inherit, Mapping) else True
        defaults = {key: self.tree[key] for key in _DEFAULTS if key in self.tree} | self.parts.get("default", {})
        for key, one in defaults.items():
            if key not in node and (wanted is True or (isinstance(wanted, list) and key in wanted)):
                node[key] = Written(self._resolved(one.value), one.location)
        return node

    def _extended(self, name: str, depth: int = 0) -> Node:
        own = self.parts.get(name, {})
        found: Node = {}
        for base in _listed(own["extends"].value) if "extends" in own and depth < _MOST_LEVELS else ():
            found = _merged(found, self._extended(str(base), depth + 1))
        return _merged(found, {key: one for key, one in own.items() if key != "extends"})

    def _resolved(self, value: Any, depth: int = 0) -> Any:
        """Return a value with what `!reference` stands for."""
        if not isinstance(value, list) or depth > _MOST_LEVELS:
            return value
        if _is_reference(value):
            return self._resolved(self._referred([str(key) for key in value]), depth + 1)
        if not any(isinstance(one, list) for one in value):
            return value
        return [part for one in value for part in _listed(self._resolved(one, depth + 1))]

    def _referred(self, keys: Sequence[str]) -> Any:
        written = self._extended(keys[0]).get(keys[1]) if len(keys) > 1 else None
        found = written.value if written else None
        for key in keys[2:]:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


def _parse(text: str, shown: str) -> Mapping[str, Any]:
    """Read a file; what stands before a line of three hyphens are the inputs that it takes."""
    header, parted, body = text.partition("\n---")
    if parted and re.search(r"^spec:", header, re.MULTILINE):
        text = "\n" * (header.count("\n") + 1) + body.partition("\n")[2]
    return parse_mapping(_INPUT.sub(HOLE, text), shown)


def _is_reference(value: Any) -> bool:
    return isinstance(value, list) and "!reference" in str(getattr(value, "tag", ""))


def _node(value: Mapping[str, Any], shown: str) -> Node:
    return {str(key): Written(one, Location(shown, line_of(value, key))) for key, one in value.items()}


def _merged(under: Node, over: Node) -> Node:
    """Return keys with those of another node over them: mappings key by key, all else as a whole."""
    found = dict(under)
    for key, one in over.items():
        below = found[key].value if key in found else None
        if isinstance(below, Mapping) and isinstance(one.value, Mapping):
            one = Written({**below, **one.value}, one.location)  # noqa: PLW2901 - the same key
        found[key] = one
    return found


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list) and not _is_reference(value) else [value]


def lines_of(written: Written | None) -> Iterator[tuple[int, str]]:
    """Yield the commands of a script with their lines."""
    value = written.value if written else None
    if written is not None and isinstance(value, str):
        yield written.location.line + (1 if "\n" in value else 0), value
    for at, one in enumerate(value if isinstance(value, list) else ()):
        line = line_of(value, at, written.location.line if written else 0)
        yield line + (1 if type(one).__name__ == "LiteralScalarString" else 0), str(one)
