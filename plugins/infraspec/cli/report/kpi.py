"""`infraspec report kpi`: what it reads, and the report that it makes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
from msgspec import Struct

from infraspec import contract as contracts
from infraspec.cli.common import INFRA_BRIEF, PATH, reported
from infraspec.contract.models import Contract
from infraspec.contract.paths import display, resolve
from infraspec.core.errors import ContractError, ReportError, writing
from infraspec.process.checklist import read_pull_requests
from infraspec.process.history import deployments_of, read_alerts
from infraspec.process.incidents import Incident, read_incidents
from infraspec.reporting.kpi import Period, Sources, kpi_plot, kpi_text, measured

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
    help="Log of deployments, or what aws ecs list-service-deployments wrote."
    "  [default: deployments.jsonl beside the incidents]",
)
@click.option("--pull-requests", "requests", type=PATH, help="What gh pr list --json … wrote.")
@click.option("--alarms", type=PATH, help="What aws cloudwatch describe-alarm-history wrote.")
@click.option("--plot", type=PATH, help="SVG file to draw the figures by month into.")
@reported
def kpi(  # noqa: PLR0917 - click passes by name
    infra: Path,
    environment: str,
    first: datetime | None,
    last: datetime | None,
    deployments: Path | None,
    requests: Path | None,
    alarms: Path | None,
    plot: Path | None,
) -> None:
    """Write the success figures of a period as Markdown: incidents, recovery, deployments, checklist, false alerts.

    \b
    gh pr list --state merged --limit 500 --json number,body,mergedAt > merged.json
    aws cloudwatch describe-alarm-history --history-item-type StateUpdate > alarms.json
    infraspec report kpi --pull-requests merged.json --alarms alarms.json --plot kpi.svg > kpi.md

    Incidents are the records of [incidents], the checklist is that of [process]. A figure without records is "-".
    """  # noqa: D301 - \b keeps click from wrapping the examples
    begin, end = (moment.date() if moment else None for moment in (first, last))
    click.echo(_report(KpiRequest(infra, environment, begin, end, deployments, requests, alarms, plot)), nl=False)


class KpiRequest(Struct, frozen=True):
    """What was asked for: files, an environment or all, and the period, whose last day is today by default."""

    infra: Path
    environment: str = ""
    first: date | None = None
    last: date | None = None
    deployments: Path | None = None
    requests: Path | None = None
    alarms: Path | None = None
    plot: Path | None = None

    @property
    def period(self) -> Period:
        """The period; 90 days if its first day is not given. Raises ReportError if it ends before it begins."""
        last = self.last or datetime.now(tz=UTC).date()
        first = self.first or last - _DAYS
        if first > last:
            raise ReportError(
                "the period ends before it begins", place="--from", expected=f"a day until {last}", found=str(first)
            )
        return Period(first, last)


def _report(request: KpiRequest) -> str:
    """Return the figures as Markdown and write the plot, if one is wanted. Raises errors of contract and files."""
    contract = contracts.load(request.infra, environments=[])
    if request.environment:
        contracts.environment(contract, request.environment)
    sources = _sources(contract, request)
    if request.environment:
        sources = sources.of(request.environment)
    period = request.period
    found = measured(sources, period)
    name = " ".join(filter(None, [contract.project.application, request.environment]))
    if request.plot:
        _write(request.plot, kpi_plot(name, found, period))
    return kpi_text(name, found, sources, period, request.plot.as_posix() if request.plot else "")


def _sources(contract: Contract, request: KpiRequest) -> Sources:
    names = list(contract.environments)
    checklist = tuple(contract.process.checklist) if contract.process else ()
    if request.requests and not checklist:
        raise ContractError(
            "the contract has no checklist", place=str(contract.path), remedy='[process]\nchecklist = ["…"]'
        )
    log = request.deployments or _log(contract)
    return Sources(
        _incidents(contract),
        deployments_of(log, str(log), names) if log else None,
        read_alerts(request.alarms, str(request.alarms), names) if request.alarms else None,
        read_pull_requests(request.requests, str(request.requests)) if request.requests else None,
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
