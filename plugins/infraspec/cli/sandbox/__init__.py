"""`infraspec sandbox`: an AWS on this machine, kept running for a developer."""

from __future__ import annotations

import click

from infraspec.cli.common import LazyGroup

_COMMANDS = {
    "apply": ("infraspec.cli.sandbox.applying:apply", "Bring the sandbox that runs to what the source says now."),
    "down": (
        "infraspec.cli.sandbox.kept:down",
        "End the sandbox that runs, and nothing else.",
    ),
    "status": (
        "infraspec.cli.sandbox.kept:status",
        "Print how to ask the sandbox that runs.",
    ),
    "up": ("infraspec.cli.sandbox.applying:up", "Start it with what an environment says."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def sandbox() -> None:
    """Keep an AWS running on this machine that holds what Terraform source says.

    \b
    infraspec sandbox up --infra . --env prod --detach
    eval "$(infraspec sandbox status)"
    aws ecs list-clusters
    infraspec sandbox apply --infra .
    infraspec sandbox down

    It listens on the loopback address alone, and one runs at a time. docs/sandbox.md says what is in it and where it
    differs from AWS. It needs pip install 'pytest-infraspec[sandbox]'.
    """  # noqa: D301 - \b keeps click from wrapping the examples
