"""`infraspec doctor`: what keeps infraspec from knowing all, and what to do about it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infraspec.command import reported
from infraspec.terminal.console import is_terminal, show, waiting

if TYPE_CHECKING:
    from infraspec.adoption.health import Line

PROBLEM = 1
"""Exit code if there is a problem."""

_WIDEST_TOPIC = 24


@click.command(short_help="Say what keeps infraspec from knowing all.")
@click.option(
    "--infra",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Infrastructure repository: where infraspec.toml is.  [default: .]",
)
@click.option("--env", "environment", help="Environment to look at.  [default: all]")
@click.option("--live", is_flag=True, help="Ask AWS too: credentials, account, clock, endpoints, permissions.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@reported
def doctor(infra: Path, environment: str | None, live: bool, form: str) -> None:  # noqa: FBT001 - click passes by name
    """Say what keeps infraspec from knowing all: tools, contract, sources, modules, data.

    \b
    infraspec doctor
    infraspec doctor --infra ../my-infrastructure --env prod --format json
    infraspec doctor --env staging --live

    Each line is ok, a warning, which limits what can be known, or a problem, which stops it; warnings and problems
    come with what to do, lines for infraspec.toml ready to paste. Only with --live AWS is asked: who calls, what time
    it is, and one read of each service that the live suite looks at. Nothing is changed, no secret read.

    \b
    exit code  0  no problem
               1  a problem
               2  wrong input: no such environment
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.adoption.checkup import checkup  # noqa: PLC0415 - other commands start faster without
    from infraspec.adoption.health import State, worst  # noqa: PLC0415 - likewise
    from infraspec.tool_health import tool_lines  # noqa: PLC0415 - likewise

    with waiting("evaluating the source") as say:
        lines = [*tool_lines(), *checkup(infra, environment)]
        if live:
            from infraspec.live_health import live_lines  # noqa: PLC0415 - likewise

            say("asking AWS")
            lines += live_lines(infra, environment)
    if form == "json":
        click.echo(json.dumps([_as_json(line) for line in lines], indent=2, ensure_ascii=False))
    else:
        _show(lines)
    if worst(lines) is State.PROBLEM:
        sys.exit(PROBLEM)


def _as_json(line: Line) -> dict[str, str]:
    return {"topic": line.topic, "state": line.state.value, "message": line.message, "remedy": line.remedy}


def _show(lines: list[Line]) -> None:
    width = min(max(len(line.topic) for line in lines), _WIDEST_TOPIC)
    if is_terminal():
        from infraspec.terminal.health import view  # noqa: PLC0415 - a pipe does without

        show(*view(lines, _counts(lines), width))
        return
    for line in lines:
        click.echo(f"{line.state.value:9}{line.topic:{width}}  {line.message}")
        for remedy in line.remedy.splitlines():
            click.echo(f"{'':{width + 11}}{remedy}")
    click.echo(f"\n{_counts(lines)}")


def _counts(lines: list[Line]) -> str:
    counts = Counter(line.state.value for line in lines)
    numbers = [f"{counts[state]} {state}{'' if counts[state] == 1 else 's'}" for state in ("warning", "problem")]
    return f"{counts['ok']} ok, {', '.join(numbers)}"
