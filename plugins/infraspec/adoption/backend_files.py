"""Files for `terraform init -backend-config`, and the environments that they are named by.

Where the values of an environment are in no file, as those of `*.tfvars` that git ignores, the file of its state is
what names it. Source: Terraform Language Documentation, "Backend block configuration overview", "Partial
configuration": the file of an environment is called `*.BACKEND.tfbackend` by convention.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from infraspec.adoption.roots import Root, constant
from infraspec.adoption.variable_files import VariableFile, configures_backend, files_below, is_of_s3
from infraspec.adoption.words import ENVIRONMENT_WORDS, environment_word
from infraspec.errors import InfraspecError
from infraspec.hcl.files import parse_variables
from infraspec.terraform.body import Body

_OWN = ".tfbackend"
_ENDINGS = (_OWN, ".hcl", ".conf", ".config")
VARIABLES = ("environment", "env", "stage", "environment_name", "env_name")
"""What a variable is called that takes the name of the environment."""


class BackendFile(Struct, frozen=True):
    """A file of a backend's arguments, and the word of its path that names an environment."""

    path: str
    environment: str


def find_backend_files(directory: Path, files: Sequence[VariableFile]) -> list[BackendFile]:
    """Return the files for backends that name an environment; some are among those that end as files of values do."""
    of_values = (file.path for file in files if configures_backend(file) and is_of_s3(file.names))
    paths = [*_paths(directory), *of_values]
    return [BackendFile(path, word) for path in paths if (word := _environment(path))]


def backends_of(root: Root, roots: Sequence[Root], files: Sequence[BackendFile]) -> dict[str, str]:
    """Return the files for the backend of a root by environment, the first of each.

    They lie below it, or in no root but the topmost where it alone is told its backend from outside.
    """
    if not _is_partial(root):
        return {}
    alone = sum(map(_is_partial, roots)) == 1
    found: dict[str, str] = {}
    for file in files:
        owner = max((other.path for other in roots if other.holds(file.path)), key=len, default=None)
        if owner == root.path or (alone and owner in (None, ".")):
            found.setdefault(file.environment, file.path)
    return found


def named_by(root: Root, word: str, files: Sequence[VariableFile]) -> Mapping[str, str] | None:
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


def _is_text(variable: Body) -> bool:
    if "type" not in variable.attributes:
        return True
    attribute, source = variable.attributes["type"]
    return re.fullmatch(r"""type\s*=\s*"?string"?""", source.text[attribute.at : attribute.end]) is not None


def _is_partial(root: Root) -> bool:
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
