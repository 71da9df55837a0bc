"""Variable files that Terraform does not load by itself, and the environments they make.

Source: Terraform Language Documentation, "Variable Definitions (.tfvars) Files".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from infraspec.adoption.roots import Root
from infraspec.adoption.words import ENVIRONMENT_WORDS, environment_word, valid_name
from infraspec.errors import InfraspecError
from infraspec.hcl.files import parse_variables
from infraspec.hcl.nodes import Literal

_SHARED = frozenset({"common", "global", "shared", "base", "secret", "secrets", "defaults"})
_NAMELESS = frozenset({"terraform", "variables", "vars", "main", "default", "inputs", "tfvars"})
_DEPTH = 8
_OF_BACKENDS = frozenset(
    {"access_key", "acl", "assume_role", "bucket", "dynamodb_table", "encrypt", "endpoints", "key", "kms_key_id",
     "profile", "region", "role_arn", "session_name", "use_lockfile", "workspace_key_prefix"}
)  # fmt: skip
"""Arguments of the backend "s3"."""


class VariableFile(Struct, frozen=True):
    """A file of values. `path` is relative to the repository, `constants` what is text in it, by name."""

    path: str
    names: frozenset[str]
    constants: dict[str, str]

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


def find_variable_files(directory: Path) -> list[VariableFile]:
    """Return the readable files of values below a directory, but for those that are loaded by themselves."""
    found: list[VariableFile] = []
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
        found.append(VariableFile(shown, frozenset(attributes), constants))
    return found


def files_of(root: Root, roots: Sequence[Root], files: Sequence[VariableFile]) -> list[VariableFile]:
    """Return the files whose values are for a root: they lie below it or in no root, and name its variables."""
    return [file for file in files if _belongs(root, roots, file)]


def by_environment(files: Sequence[VariableFile]) -> dict[str, list[VariableFile]]:
    """Group the files of a root: by environment, those for every one in front.

    An environment is named by its word (`dev` of `variables-dev.tfvars` and `dev/app.tfvars`), by the whole name where
    no file has such a word.
    """
    shared = shared_of(files)
    own = [file for file in files if file not in shared]
    worded = [file for file in own if file.environment]
    groups: dict[str, list[VariableFile]] = {}
    for file in worded or own:
        name = valid_name(file.environment or file.stem)
        if name:
            groups.setdefault(name, [*shared]).append(file)
    return groups


def shared_of(files: Sequence[VariableFile]) -> list[VariableFile]:
    """Return the files that are for every environment."""
    return [file for file in files if file.shared and not environment_word(file.stem)]


def configures_backend(file: VariableFile) -> bool:
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


def _belongs(root: Root, roots: Sequence[Root], file: VariableFile) -> bool:
    variables = set(root.configuration.variables)
    if not file.names or configures_backend(file):
        return False
    owner = max((other.path for other in roots if other.holds(file.path)), key=len, default=None)
    if owner == root.path:
        return 2 * len(file.names & variables) >= len(file.names)
    return owner in (None, ".") and file.names <= variables


def _is_automatic(path: Path) -> bool:
    """Tell whether a file is loaded by itself: it lies beside Terraform, and is called so."""
    automatic = ".auto.tfvars" in path.name or path.name in ("terraform.tfvars", "terraform.tfvars.json")
    return automatic and any(each.name.endswith((".tf", ".tf.json")) for each in path.parent.iterdir())
