"""What the commands of the command line share: how an error of the input is shown, and text in any encoding."""

from __future__ import annotations

import sys
from codecs import lookup
from collections.abc import Callable
from functools import wraps
from io import TextIOWrapper
from typing import Any, ParamSpec, TypeVar

import click

from infraspec.errors import InfraspecError, InputErrorGroup

INPUT_ERROR = 2
"""Exit code of an error in the input; as click's own for a mistyped option."""


class Main(click.Group):
    """The command line, which writes text in any encoding: ASCII is taken to be UTF-8, as click does of a pipe."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command that the arguments name; what an encoding lacks is written as an escape."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                is_ascii = lookup(stream.encoding).name == "ascii"
                stream.reconfigure(encoding="utf-8" if is_ascii else None, errors="backslashreplace")
        return super().main(*args, **kwargs)


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
