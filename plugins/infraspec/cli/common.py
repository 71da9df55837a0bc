"""What the commands share: groups that import a command when it is asked for, errors of the input, and options."""

from __future__ import annotations

import errno
import os
import sys
from codecs import lookup
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from click.shell_completion import CompletionItem

from infraspec.core.errors import InfraspecError, InputErrorGroup, did_you_mean
from infraspec.core.runtime import keep_to_the_end, paused_collector
from infraspec.core.visible_text import visible

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
INPUT_ERROR = 2
"""Exit code of an error in the input; as click's own for a mistyped option."""

PATH = click.Path(path_type=Path)
"""The type of an option that is a file or folder."""


def repository() -> Path:
    """Return the directory with a contract: this one, the nearest one above that has a contract, or else this one."""
    from infraspec.contract import directory_above  # noqa: PLC0415 - completion and --help do without it

    here = Path()
    return here if (here / "infraspec.toml").is_file() else directory_above(here) or here


INFRA = click.option(
    "--infra",
    type=PATH,
    default=repository,
    help="Infrastructure repository: where infraspec.toml is.  [default: here or above]",
)
INFRA_BRIEF = click.option(
    "--infra", type=PATH, default=repository, help="Infrastructure repository.  [default: here or above]"
)
ONE_ENVIRONMENT = click.option("--env", "environment", help="Environment of the contract.  [default: the only one]")
TEXT_OR_JSON = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
RESULTS = click.argument("results", type=PATH, default=Path("infraspec-results.json"))
DRY_RUN = click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: a list of them imports none.

    `table` has the place of each command, "module:attribute", and the line that the list has of it.
    """

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in order."""
        del ctx
        return sorted(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported when it is first asked for."""
        if cmd_name in self._table and cmd_name not in self.commands:
            place, line = self._table[cmd_name]
            module, _, attribute = place.partition(":")
            command: click.Command = getattr(import_module(module), attribute)
            command.short_help = line
            self.add_command(command, cmd_name)
        if cmd_name not in self._table and not ctx.resilient_parsing:  # click looks among those that are imported
            ctx.fail(f"No such command {cmd_name!r}. {did_you_mean(cmd_name, self._table).capitalize()}".rstrip())
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands by the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._table[name][1]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin with what is typed, by the table."""
        names = (name for name in self.list_commands(ctx) if name.startswith(incomplete))
        own = [CompletionItem(name, help=self._table[name][1]) for name in names]
        return own + click.Command.shell_complete(self, ctx, incomplete)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command that the arguments name, which writes text in any encoding.

        ASCII is taken to be UTF-8, as click does of a pipe; what an encoding lacks is written as an escape.
        """
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                is_ascii = lookup(stream.encoding).name == "ascii"
                stream.reconfigure(encoding="utf-8" if is_ascii else None, errors="backslashreplace")
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written at the end
            click.echo(f"ReportError: the output cannot be written: {error.strerror}", err=True)
            sys.exit(INPUT_ERROR)


def echo(text: str = "", *, nl: bool = True, err: bool = False) -> None:
    """Print text for people; what others have written is shown as it may be shown."""
    click.echo(visible(text), nl=nl, err=err)


P = ParamSpec("P")
R = TypeVar("R")


def reported(function: Callable[P, R]) -> Callable[P, R]:
    """Show an error of the input as its message, without a traceback.

    A command ends with its process, so the collector, which would look at a plan again and again, has no part in it.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with paused_collector():
                try:
                    return function(*args, **kwargs)
                finally:
                    keep_to_the_end()
        except InfraspecError as error:
            title = "" if isinstance(error, InputErrorGroup) else f"{type(error).__name__}: "
            echo(f"{title}{error}", err=True)
            sys.exit(INPUT_ERROR)

    return run
