"""What `infraspec report kpi` reads, and the report that it makes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from infraspec import contract as contracts
from infraspec.contract.models import Contract
from infraspec.contract.paths import display, resolve
from infraspec.errors import ContractError, ReportError
from infraspec.process.alerts import read_alerts
from infraspec.process.checklist import read_pull_requests
from infraspec.process.deployments import deployments_of
from infraspec.process.incidents import Incident, read_incidents
from infraspec.reporting.kpi import Period, Sources, measured
from infraspec.reporting.kpi_plot import kpi_plot
from infraspec.reporting.kpi_text import kpi_text

_DAYS = timedelta(days=89)
_LOG = "deployments.jsonl"


class Request(Struct, frozen=True):
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


def kpi(request: Request) -> str:
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


def _sources(contract: Contract, request: Request) -> Sources:
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ReportError(
            "the plot cannot be written",
            place=f"--plot {path}",
            expected="a file in a folder that the user may write to",
            found=error.strerror or type(error).__name__,
            remedy="choose another place",
        ) from None
