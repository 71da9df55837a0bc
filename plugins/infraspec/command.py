"""What the commands of the command line share: how an error of the input is shown, and colours."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from infraspec.errors import InfraspecError, InputErrorGroup

INPUT_ERROR = 2
"""Exit code of an error in the input; as click's own for a mistyped option."""

P = ParamSpec("P")
R = TypeVar("R")


def reported(function: Callable[P, R]) -> Callable[P, R]:
    """Show an error of the input as its message, without a traceback."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except InfraspecError as error:
            title = "" if isinstance(error, InputErrorGroup) else f"{type(error).__name__}: "
            click.echo(f"{title}{error}", err=True)
            sys.exit(INPUT_ERROR)

    return run


def coloured(text: str, colour: str) -> str:
    """Return text in a colour; plain where NO_COLOR says so (https://no-color.org). Pipes get it plain from click."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)
