"""The call of a module: where its source is, and whether its arguments are the variables of the module.

Source: Terraform Language Documentation, "Module Sources" and "Modules" (Calling a Child Module).
"""

from __future__ import annotations

import os
from pathlib import Path

from infraspec.errors import TerraformError
from infraspec.hcl.nodes import Literal
from infraspec.terraform.body import Body
from infraspec.terraform.configuration import Configuration
from infraspec.terraform.evaluation import Evaluation


def called_directory(directory: Path, evaluation: Evaluation, call: Body, path: tuple[str, ...]) -> Path | None:
    """Return the directory of a called module, None if its source is not here.

    `directory` is that of the calling module, `path` the names of the calls from the root. Raises TerraformError if
    the source is no literal.
    """
    source = literal_source(call, path[-1])
    if source.startswith(("./", "../", ".\\", "..\\")) or source in (".", ".."):
        return Path(os.path.normpath(directory / source))
    return evaluation.installed.get(".".join(path))


def literal_source(call: Body, name: str) -> str:
    """Return the source of a call as it is written; TerraformError if it is no literal."""
    attribute = call.attributes.get("source", (None, None))[0]
    value = attribute.expression if attribute else None
    if isinstance(value, Literal) and isinstance(value.value, str):
        return value.value
    raise TerraformError(
        f'module "{name}" has no literal source',
        place=call.place("source"),
        expected='source = "./modules/…" or a registry address',
    )


def check_inputs(called: Configuration, call: Body, name: str) -> None:
    """Raise TerraformError for arguments that are no variables, and for variables neither set nor with a default."""
    arguments = list(call.inputs())
    for argument in arguments:
        if argument not in called.variables:
            raise TerraformError(
                f'module "{name}" has no input variable "{argument}"',
                place=call.place(argument),
                expected=", ".join(sorted(called.variables)) or "no arguments",
                remedy=f'declare variable "{argument}" in {called.shown}, or remove the argument',
            )
    missing = [v for v, b in called.variables.items() if v not in arguments and "default" not in b.attributes]
    if missing:
        raise TerraformError(
            f'module "{name}" is called without {", ".join(missing)}',
            place=call.place(),
            expected="an argument for every variable without a default",
            remedy="\n".join(f"{variable} = …" for variable in missing),
        )
