"""infraspec.toml, read and checked as a whole."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infraspec.contract.document import ContractDocument, notation, too_deep
from infraspec.contract.models import Contract, Environment
from infraspec.contract.paths import display, roots_below
from infraspec.contract.references import check_references
from infraspec.contract.validation_errors import keys_of, violations
from infraspec.core.errors import (
    LOCAL,
    ContractError,
    InfraspecError,
    InputErrorGroup,
    UnknownEnvironmentError,
    did_you_mean,
    listing,
)

FILE_NAME = "infraspec.toml"


def missing(directory: Path, name: str = FILE_NAME) -> ContractError:
    """Say that a directory has no contract, where there is one, or what writes one."""
    place = display(Path(), directory / name)
    if not os.path.isdir(directory):  # noqa: PTH112 - never raises
        return ContractError(
            "there is no such directory",
            place=display(Path(), directory),
            expected=f"the directory of an infrastructure repository, with its {FILE_NAME}",
            remedy="check the path",
        )
    if not os.access(directory, os.R_OK | os.X_OK):
        return ContractError(
            "the directory cannot be read",
            place=display(Path(), directory),
            expected="a directory that the user running the tests may read",
            remedy="check its owner and its mode",
        )
    above = directory_above(directory)
    like = did_you_mean(name, [entry.name for entry in directory.iterdir() if entry.is_file()])
    hints = [like] if like else []
    if above:
        hints.append(f"there is {display(Path(), above / FILE_NAME)}: name its directory, or")
    if not above and not roots_below(directory):
        hints.append("there is no Terraform either, in this directory or below it: name the repository's directory")
    else:
        hints.append("run `infraspec init` in the repository's directory, which reads it and writes its contract")
    return ContractError(
        "there is no contract",
        place=place,
        expected=f"the file {name}, which says what the infrastructure has to be",
        remedy="\n".join(hints),
    )


def directory_above(directory: Path) -> Path | None:
    """Return the nearest directory above one that has a contract."""
    parents = directory.absolute().parents
    return next((parent for parent in parents if os.path.isfile(parent / FILE_NAME)), None)  # noqa: PTH113 - never raises


def load(
    place: Path,
    *,
    rules: Collection[str] | None = None,
    environments: Collection[str] | None = None,
) -> Contract:
    """Read, validate and cross-check a contract.

    `place` is the file, or the directory with an infraspec.toml. `rules` are the ids of the rules there are; without
    them, those that waivers and `allow_empty` name are not checked. Files are looked for in the given `environments`,
    or in all: a pipeline that deploys one has no plan of the others.

    Raises ContractError (WaiverError for waivers, PlanError for a plan or state that is not there, RootMissingError
    for a root), or InputErrorGroup with all of them.
    """
    document = ContractDocument.read(_file(place))
    contract = _validated(document)
    selected = list(contract.environments if environments is None else environments)
    for name in selected:
        environment(contract, name)
    check_references(contract, document, rules=rules, environments=selected)
    return contract


def environment(contract: Contract, name: str) -> Environment:
    """Return an environment by name; UnknownEnvironmentError says which there are."""
    if name in contract.environments:
        return contract.environments[name]
    names = sorted(contract.environments)
    raise UnknownEnvironmentError(
        f"there is no environment `{name}`",
        place=display(Path(), contract.path),
        expected=f"one of {listing(names, limit=30)}",
        found=name or "an empty name",
        remedy=f"`{LOCAL}` is the sandbox, which only the live suite has: infraspec check --live"
        if name == LOCAL
        else did_you_mean(name, names)
        or "name one of them" + (f", or add [environments.{notation((name,))}]" if name else ""),
    )


def place_of(contract: Contract, *key: str | int) -> str:
    """Return `file:line` of a key of the contract, for an error about its value found later on.

    Without the file, as for a contract made in memory, return the key as TOML writes it.
    """
    try:
        return ContractDocument.read(contract.path).place(key)
    except ContractError:
        return notation(key)


@contextmanager
def located(contract: Contract) -> Iterator[None]:
    """Put the line in front of the key that an error of a value is about, where that was found when it was used."""
    try:
        yield
    except InfraspecError as error:
        for one in error.errors if isinstance(error, InputErrorGroup) else (error,):
            key = tuple(one.place.split("."))
            if isinstance(one, ContractError) and key[0] in keys_of(Contract):
                place = place_of(contract, *key)
                one.place = one.place if place == notation(key) else f"{place}: {one.place}"
        raise


def _file(place: Path) -> Path:
    path = Path(os.path.abspath(place))  # noqa: PTH100 - resolve() would follow links
    if os.path.isdir(path):  # noqa: PTH112 - never raises
        path /= FILE_NAME
    elif path.suffix != ".toml" and not os.path.lexists(path):
        raise missing(path)
    if not os.path.lexists(path):
        raise missing(path.parent, path.name)
    return path


def _validated(document: ContractDocument) -> Contract:
    data = {key: value for key, value in document.data.items() if key != "path"}
    # `path` is a field of the model, but no key of the file.
    errors: list[ErrorDetails] = []
    if "path" in document.data:
        errors.append({"type": "extra_forbidden", "loc": ("path",), "msg": "", "input": None})
    try:
        contract = Contract.model_validate(data)
    except ValidationError as error:
        errors += error.errors(include_url=False)
    except RecursionError:
        raise too_deep(document.name) from None
    else:
        if not errors:
            return contract.model_copy(update={"path": document.path})
    found = violations(errors, document)
    raise found[0] if len(found) == 1 else InputErrorGroup(found)
