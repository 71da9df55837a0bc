"""`infraspec report kpi`: what it reads, and the report that it makes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from infraspec import contract as contracts
from infraspec.cli.common import INFRA_BRIEF, PATH, echo, reported
from infraspec.contract.alarms import Alarms
from infraspec.contract.models import Contract
from infraspec.contract.paths import display, resolve
from infraspec.core.errors import ContractError, ReportError, writing
from infraspec.monitoring.levels import levels_of_alarms
from infraspec.process.checklist import read_pull_requests
from infraspec.process.history import Alert, deployments_of, read_alerts
from infraspec.process.incidents import Incident, read_incidents
from infraspec.reporting.kpi import Period, Sources, kpi_plot, kpi_text, measured
from infraspec.reporting.language import chosen, speaking
from infraspec.reporting.level_usage import level_usage_text
from infraspec.terraform.environments import Environments

_DAYS = timedelta(days=89)
_LOG = "deployments.jsonl"
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@INFRA_BRIEF
@click.option("--env", "environment", default="", help="Environment of the contract.  [default: all]")
@click.option("--from", "first", type=_DAY, metavar="YYYY-MM-DD", help="First day.  [default: 90 days]")
@click.option("--to", "last", type=_DAY, metavar="YYYY-MM-DD", help="Last day.  [default: today]")
@click.option(
    "--deployments",
    type=PATH,
    help="Log of deployments, or the output of aws ecs list-service-deployments."
    "  [default: deployments.jsonl next to the incidents]",
)
@click.option("--pull-requests", "requests", type=PATH, help="Output of gh pr list --json ….")
@click.option("--alarms", type=PATH, help="Output of aws cloudwatch describe-alarm-history.")
@click.option("--levels", is_flag=True, help="Say how often each level rang as well: evaluates the source.")
@click.option("--plot", type=PATH, help="SVG file for a chart of the figures by month.")
@reported
def kpi(  # noqa: PLR0917 - click passes by name
    infra: Path,
    environment: str,
    first: datetime | None,
    last: datetime | None,
    deployments: Path | None,
    requests: Path | None,
    alarms: Path | None,
    levels: bool,  # noqa: FBT001 - a flag
    plot: Path | None,
) -> None:
    """Write the success figures of a period as Markdown: incidents, recovery, deployments, checklist, false alerts.

    \b
    gh pr list --state merged --limit 500 --json number,body,mergedAt,commits,files > merged.json
    aws cloudwatch describe-alarm-history --history-item-type StateUpdate > alarms.json
    infraspec report kpi --pull-requests merged.json --alarms alarms.json --plot kpi.svg > kpi.md

    Incidents are read from the records of [incidents], the checklist from [process]. Pull requests and deployments
    also give the time from the first commit of a change to its deployment. A figure without data is "-".
    """  # noqa: D301 - \b keeps click from wrapping the examples
    contract = contracts.load(infra, environments=[])
    if environment:
        contracts.environment(contract, environment)
    everything = _sources(contract, deployments, requests, alarms)
    sources = everything.of(environment) if environment else everything
    period = _period(first.date() if first else None, last.date() if last else None)
    usage = _level_usage(contract, environment, everything.within(period)) if levels else None
    found = measured(sources, period)
    name = " ".join(filter(None, [contract.project.application, environment]))
    with speaking(chosen("", contract.project.language, os.environ)):
        if plot:
            _write(plot, kpi_plot(name, found, period))
        echo(kpi_text(name, found, sources, period, plot.as_posix() if plot else ""), nl=False)
        if usage:
            echo("\n" + level_usage_text(*usage, period), nl=False)


def _level_usage(
    contract: Contract, environment: str, chosen: Sources
) -> tuple[Sequence[Alert], Mapping[str, Mapping[str, str]], Sequence[str]]:
    """Return the alerts of a period, the level of each alarm by environment, and the levels."""
    if chosen.alerts is None:
        raise ReportError(
            "no history of alarms is given",
            place="--levels",
            expected="--alarms with the output of aws cloudwatch describe-alarm-history",
            remedy="add --alarms, or leave --levels out",
        )
    alarms = contract.alarms or Alarms()
    names = [environment] if environment else list(contract.environments)
    loaded = contracts.load(contract.directory, environments=names)
    environments = Environments(loaded)
    by_environment = {name: levels_of_alarms(environments.plan(name), alarms) for name in names}
    known = {alarm for named in by_environment.values() for alarm in named}
    alerts = [one for one in chosen.alerts if one.alarm in known or one.environment in {"", *names}]
    return alerts, by_environment, list(alarms.levels)


def _period(first: date | None, last: date | None) -> Period:
    """Return the period; 90 days until today by default. Raises ReportError if it ends before it begins."""
    last = last or datetime.now(tz=UTC).date()
    first = first or last - _DAYS
    if first > last:
        raise ReportError(
            "the period ends before it begins", place="--from", expected=f"a day until {last}", found=str(first)
        )
    return Period(first, last)


def _sources(contract: Contract, deployments: Path | None, requests: Path | None, alarms: Path | None) -> Sources:
    names = list(contract.environments)
    checklist = tuple(contract.process.checklist) if contract.process else ()
    if requests and not checklist:
        raise ContractError(
            "the contract has no checklist", place=str(contract.path), remedy='[process]\nchecklist = ["…"]'
        )
    log = deployments or _log(contract)
    return Sources(
        _incidents(contract),
        deployments_of(log, str(log), names) if log else None,
        read_alerts(alarms, str(alarms), names) if alarms else None,
        read_pull_requests(requests, str(requests)) if requests else None,
        checklist,
    )


def _incidents(contract: Contract) -> tuple[Incident, ...] | None:
    table = contract.incidents
    if table is None:
        return None
    template = resolve(contract, table.template) if table.template else None
    return read_incidents(resolve(contract, table.directory), display(contract, table.directory), template=template)


def _log(contract: Contract) -> Path | None:
    """Return the log of deployments that lies beside the records of incidents, if there is one."""
    path = resolve(contract, contract.incidents.directory) / _LOG if contract.incidents else None
    return path if path and path.is_file() else None


def _write(path: Path, text: str) -> None:
    with writing("the plot cannot be written", f"--plot {path}", "a file in a folder that the user may write to"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
