"""The six lines that a contract starts with."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from infraspec.contract.paths import display
from infraspec.contract.positions import notation
from infraspec.contract.roots import roots_below
from infraspec.contract.suggestion import did_you_mean
from infraspec.errors import ContractError

FILE_NAME = "infraspec.toml"
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PRODUCTION = ("prod", "production", "prd")


def starter(directory: Path) -> str:
    """Return a contract of six lines for a directory: its name, and the first environment found in it.

    The account stays a comment: a number that is not true would prove what does not hold.
    """
    application = Path(os.path.abspath(directory)).name or "my-application"  # noqa: PTH100 - links keep their name
    root, environment = _first_environment(directory)
    return "\n".join(
        [
            "[project]",
            f"application = {_quoted(application)}",
            "",
            f"[environments.{notation((environment,))}]",
            f"root = {_quoted(root)}",
            '# account_id = "111122223333"  # the AWS account, which makes ARNs known before apply',
        ]
    )


def missing(directory: Path, name: str = FILE_NAME) -> ContractError:
    """Say that a directory has no contract, where there is one, or what to paste to begin with one."""
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
    parents = directory.absolute().parents
    above = next((parent for parent in parents if os.path.isfile(parent / FILE_NAME)), None)  # noqa: PTH113 - likewise
    like = did_you_mean(name, [entry.name for entry in directory.iterdir() if entry.is_file()])
    hints = [like] if like else []
    if above:
        hints.append(f"there is {display(Path(), above / FILE_NAME)}: name its directory, or")
    hints.append(f"save this as {place}:\n{starter(directory)}")
    return ContractError(
        "there is no contract",
        place=place,
        expected=f"the file {name}, which says what the infrastructure has to be",
        remedy="\n".join(hints),
    )


def _first_environment(directory: Path) -> tuple[str, str]:
    """Return root and name of production if it is found, else of the first root that is no module."""
    roots = [root for root in roots_below(directory) if "modules" not in root.split("/")]
    ordered = sorted(roots, key=lambda root: (Path(root).name not in _PRODUCTION, root != ".", root))
    root = ordered[0] if ordered else "."
    name = Path(root).name
    return root, name if _ENVIRONMENT_NAME.fullmatch(name) else "prod"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON allows it as it is, TOML does not
