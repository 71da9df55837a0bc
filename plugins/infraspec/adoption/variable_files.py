"""Variable files that Terraform does not load by itself, and the environments they make.

Source: Terraform Language Documentation, "Variable Definitions (.tfvars) Files".

Where the values of an environment are in no file, as those of `*.tfvars` that git ignores, the file of its state is
what names it. Source: Terraform Language Documentation, "Backend block configuration overview", "Partial
configuration": the file of an environment is called `*.BACKEND.tfbackend` by convention.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct

from infraspec.adoption.roots import ENVIRONMENT_WORDS, Root, constant, environment_word, valid_name
from infraspec.contract.paths import SUFFIXES
from infraspec.core.errors import InfraspecError
from infraspec.hcl.ast import Literal
from infraspec.hcl.files import parse_variables
from infraspec.terraform.configuration.declarations import SourceBody

_SHARED = frozenset({"common", "global", "shared", "base", "secret", "secrets", "defaults"})
_NAMELESS = frozenset({"terraform", "variables", "vars", "main", "default", "inputs", "tfvars"})
_DEPTH = 8
_OF_BACKENDS = frozenset(
    {"access_key", "acl", "assume_role", "bucket", "dynamodb_table", "encrypt", "endpoints", "key", "kms_key_id",
     "profile", "region", "role_arn", "session_name", "use_lockfile", "workspace_key_prefix"}
)  # fmt: skip
"""Arguments of the backend "s3"."""


class EnvironmentFile(Struct, frozen=True):
    """A file of values. `path` is relative to the repository, `constants` what is text in it, by name."""

    path: str
    names: frozenset[str]
    constants: dict[str, str]

    @property
    def directory(self) -> str:
        """The path of the directory that it lies in."""
        return self.path.rpartition("/")[0]

    @property
    def stem(self) -> str:
        """Its name without the ending; that of its directory if the name says nothing."""
        name = self.path.rsplit("/", 1)[-1].removesuffix(".json").removesuffix(".tfvars")
        parent = self.path.split("/")[-2] if "/" in self.path else name
        return parent if name.lower() in _NAMELESS else name

    @property
    def environment(self) -> str | None:
        """The word that names an environment, in its name or else in a directory it lies in."""
        directories = reversed(self.path.split("/")[:-1])
        words = (environment_word(self.stem), *(part for part in directories if part.lower() in ENVIRONMENT_WORDS))
        return next((word for word in words if word), None)

    @property
    def shared(self) -> bool:
        """Whether its name says that it is for every environment."""
        return bool(_SHARED & set(self.stem.lower().replace("_", "-").replace(".", "-").split("-")))


def find_variable_files(directory: Path) -> list[EnvironmentFile]:
    """Return the readable files of values below a directory, but for those that are loaded by themselves."""
    found: list[EnvironmentFile] = []
    for path in files_below(directory, (".tfvars", ".tfvars.json")):
        if _is_automatic(path):
            continue
        shown = path.relative_to(directory).as_posix()
        try:
            attributes = parse_variables(path, shown).body.attributes
        except InfraspecError:
            continue
        constants = {
            name: attribute.expression.value
            for name, attribute in attributes.items()
            if isinstance(attribute.expression, Literal) and isinstance(attribute.expression.value, str)
        }
        found.append(EnvironmentFile(shown, frozenset(attributes), constants))
    return found


File = TypeVar("File", "EnvironmentFile", "BackendFile")


class FilesByRoot(Generic[File]):
    """Files by the root that each lies in: the deepest above it."""

    def __init__(self, roots: Iterable[Root], files: Iterable[File]) -> None:
        paths = {root.path for root in roots}
        self._files: dict[str | None, list[tuple[int, File]]] = {}
        for position, file in enumerate(files):
            self._files.setdefault(_owner(paths, file.path), []).append((position, file))

    def below(self, root: Root) -> list[File]:
        """Return the files that lie in a root."""
        return [file for _, file in self._files.get(root.path, ())]

    def around(self, root: Root) -> list[tuple[File, bool]]:
        """Return those, and the files in no root but the topmost, in order, each with whether it lies in the root."""
        near = [
            (position, file, owner == root.path)
            for owner in dict.fromkeys((root.path, None, "."))
            for position, file in self._files.get(owner, ())
        ]
        return [(file, is_own) for _, file, is_own in sorted(near, key=itemgetter(0))]


def files_of(root: Root, files: FilesByRoot[EnvironmentFile]) -> list[EnvironmentFile]:
    """Return the files whose values are for a root: they lie below it or in no root, and name its variables."""
    return [file for file, is_own in files.around(root) if _belongs(root, file, is_own=is_own)]


def by_environment(files: Sequence[EnvironmentFile]) -> dict[str, list[EnvironmentFile]]:
    """Group the files of a root: by environment, those for every one in front.

    An environment is named by its word (`dev` of `variables-dev.tfvars` and `dev/app.tfvars`), by the whole name where
    no file has such a word. Files that set the same variables are no layers but alternatives, such as one for each
    region, and make an environment each: `dev-eu-west-1`.
    """
    shared = [file for file in shared_of(files) if not file.environment]
    own = [file for file in files if file not in shared]
    worded = [file for file in own if file.environment]
    groups: dict[str, list[EnvironmentFile]] = {}
    for file in worded or own:
        name = valid_name(file.environment or file.stem)
        if name:
            groups.setdefault(name, []).append(file)
    return {
        valid_name(f"{name}-{part}"): [*shared, *profile]
        for name, group in groups.items()
        for part, profile in _profiles(sorted(group, key=lambda file: not file.shared))
    }


def _profiles(files: Sequence[EnvironmentFile]) -> list[tuple[str, list[EnvironmentFile]]]:
    """Part files of one environment into those that belong together, each with what names it; files for all in front.

    Alternatives lie in directories of their own, or are files of their own beside each other.
    """
    pairs = [
        (one, other) for one in files for other in files if one.path < other.path and _are_alternatives(one, other)
    ]
    if not pairs:
        return [("", list(files))]
    beside = any(one.directory == other.directory for one, other in pairs)
    places = {file.path: file.path if beside else file.directory for pair in pairs for file in pair}
    common = os.path.commonpath([os.path.dirname(place) for place in places.values()])  # noqa: PTH120 - texts
    found = []
    for place in dict.fromkeys(places.values()):
        named = next(file for file in files if places.get(file.path) == place).stem if beside else place
        others = tuple(f"{other}/" for other in places.values() if other != place)
        mine = [file for file in files if places.get(file.path, place) == place and not file.path.startswith(others)]
        found.append((os.path.relpath(named, common) if not beside else named, mine))
    return found


def _are_alternatives(one: EnvironmentFile, other: EnvironmentFile) -> bool:
    return 2 * len(one.names & other.names) >= len(one.names | other.names)


def shared_of(files: Sequence[EnvironmentFile]) -> list[EnvironmentFile]:
    """Return the files that are for every environment."""
    return [file for file in files if file.shared and not environment_word(file.stem)]


def configures_backend(file: EnvironmentFile) -> bool:
    """Tell whether a file is for `terraform init -backend-config`, by its name, or its directory and content."""
    *directories, name = file.path.split("/")
    beside = any("backend" in directory for directory in directories)
    return "backend" in name or (beside and file.names <= _OF_BACKENDS)


def is_of_s3(names: Iterable[str]) -> bool:
    """Tell whether names are arguments of the backend "s3", with one that says where the state lies."""
    given = set(names)
    return given <= _OF_BACKENDS and bool(given & {"bucket", "key"})


def files_below(directory: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files below a directory whose names end so, but for those of hidden directories."""
    for here, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if name[0] != "." and name != "node_modules")
        if len(Path(here).relative_to(directory).parts) >= _DEPTH:
            directories.clear()
        yield from (Path(here) / name for name in sorted(names) if name.endswith(endings))


def _belongs(root: Root, file: EnvironmentFile, *, is_own: bool) -> bool:
    variables = root.configuration.variables.keys()
    if not file.names or configures_backend(file):
        return False
    return 2 * len(file.names & variables) >= len(file.names) if is_own else file.names <= variables


def _owner(roots: Collection[str], path: str) -> str | None:
    """Return the path of the root that a file lies in."""
    while "/" in path:
        path = path.rpartition("/")[0]
        if path in roots:
            return path
    return "." if "." in roots else None


def _is_automatic(path: Path) -> bool:
    """Tell whether a file is loaded by itself: it lies beside Terraform, and is called so."""
    automatic = ".auto.tfvars" in path.name or path.name in ("terraform.tfvars", "terraform.tfvars.json")
    return automatic and any(each.name.endswith(SUFFIXES) for each in path.parent.iterdir())


_OWN = ".tfbackend"
_ENDINGS = (_OWN, ".hcl", ".conf", ".config")
VARIABLES = ("environment", "env", "stage", "environment_name", "env_name")
"""What a variable is called that takes the name of the environment."""


class BackendFile(Struct, frozen=True):
    """A file of a backend's arguments, and the word of its path that names an environment."""

    path: str
    environment: str


def find_backend_files(directory: Path, files: Sequence[EnvironmentFile]) -> list[BackendFile]:
    """Return the files for backends that name an environment; some are among those that end as files of values do."""
    of_values = (file.path for file in files if configures_backend(file) and is_of_s3(file.names))
    paths = [*_paths(directory), *of_values]
    return [BackendFile(path, word) for path in paths if (word := _environment(path))]


def backends_of(root: Root, files: FilesByRoot[BackendFile], *, alone: bool) -> dict[str, str]:
    """Return the files for the backend of a root by environment, the first of each.

    They lie below it, or in no root but the topmost where it `alone` is told its backend from outside.
    """
    if not is_partial(root):
        return {}
    found: dict[str, str] = {}
    for file in [file for file, _ in files.around(root)] if alone else files.below(root):
        found.setdefault(file.environment, file.path)
    return found


def named_by(root: Root, word: str, files: Sequence[EnvironmentFile]) -> Mapping[str, str] | None:
    """Return the variable that takes an environment's name, with the name; None if there is none to be set.

    One that a file sets is none, nor one that is no text. One whose validation lists other names is left without a
    value; that of its default would be another environment's.
    """
    for name in VARIABLES:
        body = root.configuration.variables.get(name)
        if body is None or not _is_text(body) or any(name in file.names for file in files):
            continue
        listed = re.search(rf"contains\(\s*\[([^\]]*)\]\s*,\s*var\.{name}\s*\)", body.source.text)
        if listed is None or word in re.findall(r'"([^"]*)"', listed[1]):
            return {name: word}
        return None if "default" in body.attributes else {}
    return None


def _is_text(variable: SourceBody) -> bool:
    if "type" not in variable.attributes:
        return True
    attribute, source = variable.attributes["type"]
    return re.fullmatch(r"""type\s*=\s*"?string"?""", source.text[attribute.at : attribute.end]) is not None


def is_partial(root: Root) -> bool:
    """Tell whether the backend of a root is told where its state lies by `terraform init`."""
    for body in root.configuration.terraform:
        for position, (block, _) in enumerate(body.blocks):
            if block.type == "backend":
                return constant(body.inner(position), "bucket") is None or constant(body.inner(position), "key") is None
    return False


def _paths(directory: Path) -> Iterator[str]:
    for path in files_below(directory, _ENDINGS):
        shown = path.relative_to(directory).as_posix()
        if path.name.endswith(_OWN) or ("backend" in shown and _is_of_s3(path)):
            yield shown


def _is_of_s3(path: Path) -> bool:
    try:
        return is_of_s3(parse_variables(path, path.name).body.attributes)
    except InfraspecError:
        return False


def _environment(path: str) -> str | None:
    """Return the word that names an environment: in the name, or else the directory that it lies in."""
    *directories, name = path.split("/")
    stem = name.removesuffix(_OWN) if name.endswith(_OWN) else name.rpartition(".")[0]
    parent = directories[-1] if directories and directories[-1].lower() in ENVIRONMENT_WORDS else None
    return environment_word(stem) or parent
