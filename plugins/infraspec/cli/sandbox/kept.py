"""`infraspec sandbox status` and `down`: the sandbox that runs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping

import click

from infraspec.cli.common import reported
from infraspec.sandbox.background_server import Kept, forget

OPERATOR = click.option(
    "--operator",
    is_flag=True,
    help="Print the variables of one who may do everything, not those of the suite's runner.",
)


@click.command()
@OPERATOR
@reported
def status(*, operator: bool) -> None:
    """Print how to ask the sandbox that runs; the exit code is 1 if none does."""
    kept = Kept.read()
    if kept is None or not kept.runs:
        click.echo("no sandbox runs" if kept is None else f"the sandbox of process {kept.pid} is gone", err=True)
        sys.exit(1)
    show(kept, operator=operator)


@click.command()
@reported
def down() -> None:
    """End the sandbox that runs, and nothing else; that none runs is no error."""
    kept = Kept.read()
    if kept is None:
        click.echo("no sandbox runs")
        return
    if kept.runs:
        kept.end()
        click.echo(f"ended process {kept.pid}")
    else:
        click.echo(f"the sandbox of process {kept.pid} was gone already: nothing was ended")
    forget()


def show(kept: Kept, *, operator: bool) -> None:
    """Print the endpoint as a comment and the variables as a shell reads them."""
    click.echo(f"# {kept.endpoint}: {kept.environment} of {kept.infra}, process {kept.pid}")
    variables: Mapping[str, str] = kept.operator if operator else kept.runner
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
