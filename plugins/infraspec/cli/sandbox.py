"""`infraspec sandbox up` and `apply`: what Terraform source says, put into a sandbox."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

import click
from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.cli.common import INFRA_BRIEF, TEXT_OR_JSON, LazyGroup, echo, reported
from infraspec.core.errors import SandboxError
from infraspec.core.runtime import require
from infraspec.reporting.document import as_json
from infraspec.sandbox.applying import NotApplied
from infraspec.sandbox.background_server import Kept, forget, log_file
from infraspec.sandbox.running import Running, place_of, start
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan

_COMMANDS = {
    "apply": ("infraspec.cli.sandbox:apply", "Update the running sandbox to the current source."),
    "down": ("infraspec.cli.sandbox:down", "Stop the running sandbox."),
    "inbox": ("infraspec.cli.sandbox:inbox", "List what the sandbox would have sent to people and other systems."),
    "status": ("infraspec.cli.sandbox:status", "Print the variables for the running sandbox."),
    "up": ("infraspec.cli.sandbox:up", "Start the sandbox with one environment."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def sandbox() -> None:
    """Run a local AWS emulator that contains what the Terraform source declares.

    \b
    infraspec sandbox up --infra . --env prod --detach
    eval "$(infraspec sandbox status)"
    aws ecs list-clusters
    infraspec sandbox apply --infra .
    infraspec sandbox down

    It listens on the loopback address only, and only one runs at a time. docs/sandbox.md describes what it
    contains and how it differs from AWS. It needs moto: install the extra `sandbox` of pytest-infraspec.
    """  # noqa: D301 - \b keeps click from wrapping the examples


OPERATOR = click.option(
    "--operator",
    is_flag=True,
    help="Print the credentials of an administrator, not those of the suite's runner.",
)


@click.command()
@OPERATOR
@reported
def status(*, operator: bool) -> None:
    """Print the variables for the running sandbox; the exit code is 1 if none is running."""
    kept = Kept.read()
    if kept is None or not kept.runs:
        echo("no sandbox is running" if kept is None else f"the sandbox of process {kept.pid} is gone", err=True)
        sys.exit(1)
    show(kept, operator=operator)


@click.command()
@TEXT_OR_JSON
@reported
def inbox(*, form: str) -> None:
    """List what the sandbox would have sent to people and other systems, oldest first. It sends nothing."""
    found = _running(Kept.read()).inbox()
    if form == "json":
        click.echo(as_json(found))
        return
    for one in found:
        echo(f"{one['topic'].rpartition(':')[2]} to {one['protocol']} {one['endpoint']}: {one['subject']}".rstrip(": "))
        echo(indent(one["message"], "    "))


@click.command()
@reported
def down() -> None:
    """Stop the running sandbox. If none is running, that is not an error."""
    kept = Kept.read()
    if kept is None:
        echo("no sandbox is running")
        return
    if kept.runs:
        kept.end()
        echo(f"stopped process {kept.pid}")
    else:
        echo(f"the sandbox of process {kept.pid} was already gone: nothing to stop")
    forget()


def show(kept: Kept, *, operator: bool) -> None:
    """Print the endpoint as a comment and the variables as a shell reads them."""
    echo(f"# {kept.endpoint}: {kept.environment} of {kept.infra}, process {kept.pid}")
    variables: Mapping[str, str] = kept.operator if operator else kept.runner
    for name, value in variables.items():
        echo(f"export {name}={shlex.quote(value)}")


@click.command()
@INFRA_BRIEF
@click.option("--env", "environment", help="Environment to apply.  [default: as in [sandbox], or the first]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on.  [default: any free one]")
@click.option("--detach", is_flag=True, help="Run in the background until infraspec sandbox down.")
@OPERATOR
@reported
def up(*, infra: Path, environment: str | None, port: int, detach: bool, operator: bool) -> None:
    """Start the sandbox, apply the plan of an environment, and print its variables.

    Without --detach it runs until you press Ctrl-C. Resources of the plan that it lacks are listed with the reason.
    """
    require("sandbox", "infraspec sandbox")
    _refuse_second(Kept.read())
    running, name = _started(infra, environment, port, detach=detach)
    try:
        _end_as_interrupted()
        kept = Kept(
            running.pid,
            running.token,
            running.endpoint,
            str(infra.resolve()),
            name,
            running.account.account,
            running.account.partition,
            running.environment,
            running.operator,
        )
        kept.write()
        kept.remember(running.deployment)
        _tell(running.not_applied)
        show(kept, operator=operator)
        if detach:
            running.release()
            return
        echo("running; press Ctrl-C to stop", err=True)
        _wait(running)
    except KeyboardInterrupt:  # wherever it comes: the address is printed before it waits
        running.stop()
    except BaseException:
        running.stop()
        forget()
        raise
    forget()


@click.command()
@INFRA_BRIEF
@click.option("--env", "environment", help="Environment to apply.  [default: the current one]")
@reported
def apply(*, infra: Path, environment: str | None) -> None:
    """Update the running sandbox to the current source.

    \b
    infraspec sandbox up --infra . --detach
    infraspec sandbox apply --infra .       # after a change, as terraform apply would

    New resources are created, changed ones updated and removed ones deleted. A service that its circuit breaker rolled
    back is deployed again. --infra may be another repository, such as a worktree of a branch.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    require("sandbox", "infraspec sandbox")
    kept = _running(Kept.read())
    name = environment or kept.environment
    plan = _plan(infra, name, kept)
    deployment = kept.deployment()
    before = dict(deployment.values)
    try:
        _tell(deployment.apply(plan))
    finally:
        kept.remember(deployment)
        replace(kept, infra=str(infra.resolve()), environment=name).write()
    after = deployment.values
    created, deleted = after.keys() - before.keys(), before.keys() - after.keys()
    changed = [address for address in before.keys() & after.keys() if before[address] != after[address]]
    echo(f"applied {name} of {infra}: {len(created)} created, {len(changed)} changed, {len(deleted)} deleted")


def _refuse_second(kept: Kept | None) -> None:
    if kept is not None and kept.runs:
        raise SandboxError(
            "a sandbox is already running",
            place=kept.endpoint,
            found=f"process {kept.pid} with {kept.environment} of {kept.infra}",
            remedy="infraspec sandbox status prints its variables; infraspec sandbox down stops it",
        )


def _running(kept: Kept | None) -> Kept:
    if kept is None or not kept.runs:
        raise SandboxError(
            "no sandbox is running", expected="a running sandbox", remedy="infraspec sandbox up --infra . --detach"
        )
    return kept


def _plan(infra: Path, name: str, kept: Kept) -> Plan:
    """Return the plan of an environment, which has to be of the account and region that the sandbox is."""
    contract = contracts.load(infra, environments=[name])
    plan = Environments(contract).plan(name)
    wanted, held = place_of(plan, contracts.environment(contract, name)), (kept.account, kept.operator["AWS_REGION"])
    if wanted != held:
        raise SandboxError(
            "the sandbox has another account or region",
            place=f"{name} of {infra}",
            expected=" in ".join(held),
            found=" in ".join(wanted),
            remedy=f"infraspec sandbox down && infraspec sandbox up --infra {infra} --env {name} --detach",
        )
    return plan


def _tell(not_applied: Iterable[NotApplied]) -> None:
    for item in not_applied:
        echo(f"not applied: {item}", err=True)


def _started(infra: Path, environment: str | None, port: int, *, detach: bool) -> tuple[Running, str]:
    contract = contracts.load(infra, environments=[environment] if environment else None)
    name = environment or contract.sandbox.environment or next(iter(contract.environments))
    log = log_file() if detach else None
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return start(contract, name, port=port, log=log), name


def _end_as_interrupted() -> None:
    """Let the end of the terminal or of the process end the sandbox as Ctrl-C does; nohup keeps it from the first."""

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, interrupted)


def _wait(running: Running) -> None:
    """Wait until the process ends by itself, or is interrupted."""
    try:
        running.wait()
        echo("the sandbox has stopped", err=True)
    except KeyboardInterrupt:
        running.stop()
