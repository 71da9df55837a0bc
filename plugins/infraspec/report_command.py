"""`infraspec report`: the results of a run for people and for other tools."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click

from infraspec.command import reported

_RESULTS = click.argument("results", type=click.Path(path_type=Path), default=Path("infraspec-results.json"))
_BASE = click.option(
    "--base", type=click.Path(path_type=Path), help="Results of the base branch: what is not in them is new."
)

_INFRA = click.option(
    "--infra", type=click.Path(path_type=Path), default=Path(), help="Infrastructure repository.  [default: .]"
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be sent.")


@click.group(short_help="Write the results of a run for people and tools.")
def report() -> None:
    """Write the results of runs as a comment, a summary, annotations, SARIF, a baseline or a page, and tell of them.

    \b
    pytest --pyargs infraspec.tests_static --infraspec-results infraspec-results.json
    infraspec report comment infraspec-results.json > comment.md

    The exit code is 0 whatever the results are: pytest's says whether they are good.
    """  # noqa: D301 - \b keeps click from wrapping the examples


@report.command()
@_RESULTS
@_BASE
@reported
def comment(results: Path, base: Path | None) -> None:
    """Write a Markdown comment for a pull request.

    It begins with a line that does not show, <!-- infraspec-report -->, by which a workflow finds the comment of the
    run before and replaces it. It is never longer than GitHub takes.
    """
    from infraspec.reporting.length import COMMENT_LIMIT  # noqa: PLC0415 - other commands start faster without

    _write_markdown(results, base, COMMENT_LIMIT)


@report.command()
@_RESULTS
@_BASE
@reported
def summary(results: Path, base: Path | None) -> None:
    """Write the same for the summary of a workflow's step, which may be longer.

    \b
    infraspec report summary infraspec-results.json >> "$GITHUB_STEP_SUMMARY"
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.length import SUMMARY_LIMIT  # noqa: PLC0415 - likewise

    _write_markdown(results, base, SUMMARY_LIMIT)


def _write_markdown(results: Path, base: Path | None, limit: int) -> None:
    from infraspec.reporting import comment as comments  # noqa: PLC0415 - likewise
    from infraspec.reporting.markdown import Links  # noqa: PLC0415 - likewise
    from infraspec.reporting.results_file import read  # noqa: PLC0415 - likewise

    found = read(results)
    text = comments.comment(found, read(base) if base else None, Links.of(found, os.environ), limit)
    click.echo(text, nl=False)


@report.command("annotations")
@_RESULTS
@_BASE
@reported
def annotate(results: Path, base: Path | None) -> None:
    """Write workflow commands for GitHub Actions, which show findings beside the lines of a pull request.

    GitHub shows ten errors and ten warnings of a step: causes come before their further places, new ones first.
    """
    from infraspec.reporting.annotations import workflow_commands  # noqa: PLC0415 - likewise
    from infraspec.reporting.results_file import read  # noqa: PLC0415 - likewise

    for line in workflow_commands(read(results), read(base) if base else None):
        click.echo(line)


@report.command()
@_RESULTS
@reported
def sarif(results: Path) -> None:
    """Write SARIF 2.1.0, for code scanning and editors. Waived findings are suppressed results.

    \b
    infraspec report sarif infraspec-results.json > infraspec.sarif
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.results_file import read  # noqa: PLC0415 - likewise
    from infraspec.reporting.sarif import sarif as log  # noqa: PLC0415 - likewise

    click.echo(log(read(results)), nl=False)


@report.command()
@_RESULTS
@click.option(
    "--expires", metavar="YYYY-MM-DD", help="The last day that the baseline holds.  [default: 90 days after the run]"
)
@click.option(
    "--shrink", type=click.Path(path_type=Path), help="Write this baseline again, without what is fixed in it."
)
@reported
def baseline(results: Path, expires: str | None, shrink: Path | None) -> None:
    """Write a baseline: the findings of a run as known ones, which do not fail until a day.

    \b
    infraspec report baseline infraspec-results.json > infraspec-baseline.json
    infraspec report baseline --shrink infraspec-baseline.json > smaller.json

    The contract names it: [suite] baseline = "infraspec-baseline.json". With --shrink nothing new comes in, and the
    day stays as it is unless --expires is given.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.baseline_file import baseline_of, shrunk  # noqa: PLC0415 - likewise
    from infraspec.reporting.results_file import read  # noqa: PLC0415 - likewise

    found = read(results)
    click.echo(shrunk(found, shrink, expires) if shrink else baseline_of(found, expires), nl=False)


@report.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@reported
def merge(results: tuple[Path, ...]) -> None:
    """Write one results file of several: of the jobs of a matrix, or of machines that each ran a part.

    \b
    infraspec report merge dev.json staging.json prod.json > infraspec-results.json

    The files have to be of one commit and contract. Environments come in the order of the files.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.merging import merge as merged  # noqa: PLC0415 - likewise
    from infraspec.reporting.results_file import encode, read  # noqa: PLC0415 - likewise

    click.echo(encode(merged([(path, read(path)) for path in results])), nl=False)


@report.command()
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--store", type=click.Path(path_type=Path), help="Folder of earlier runs: the results are added, and all shown."
)
@click.option(
    "--runs", type=click.IntRange(min=1), default=60, show_default=True, help="How many runs a heat map shows at most."
)
@reported
def site(results: tuple[Path, ...], store: Path | None, runs: int) -> None:
    """Write a page of how results develop: rules by run, open findings with their age, waivers that lapse.

    \b
    infraspec report site --store history infraspec-results.json > trends.html

    It is one HTML file that loads nothing. A run that is in the store already is not added again; without results,
    the page is of what is stored.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.site_command import page  # noqa: PLC0415 - likewise

    click.echo(page(results, store, runs, os.environ), nl=False)


_DAY = click.DateTime(["%Y-%m-%d"])


@report.command()
@_INFRA
@click.option("--env", "environment", default="", help="Environment of the contract.  [default: all]")
@click.option("--from", "first", type=_DAY, metavar="YYYY-MM-DD", help="First day.  [default: 90 days]")
@click.option("--to", "last", type=_DAY, metavar="YYYY-MM-DD", help="Last day.  [default: today]")
@click.option(
    "--deployments",
    type=click.Path(path_type=Path),
    help="Log of deployments, or what aws ecs list-service-deployments wrote."
    "  [default: deployments.jsonl beside the incidents]",
)
@click.option("--pull-requests", "requests", type=click.Path(path_type=Path), help="What gh pr list --json … wrote.")
@click.option("--alarms", type=click.Path(path_type=Path), help="What aws cloudwatch describe-alarm-history wrote.")
@click.option("--plot", type=click.Path(path_type=Path), help="SVG file to draw the figures by month into.")
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
    from infraspec.reporting.kpi_command import Request  # noqa: PLC0415 - likewise
    from infraspec.reporting.kpi_command import kpi as figures  # noqa: PLC0415 - likewise

    begin, end = (moment.date() if moment else None for moment in (first, last))
    click.echo(figures(Request(infra, environment, begin, end, deployments, requests, alarms, plot)), nl=False)


@report.command()
@_RESULTS
@_INFRA
@_DRY_RUN
@reported
def metrics(results: Path, infra: Path, dry_run: bool) -> None:  # noqa: FBT001 - click passes by name
    """Publish the numbers of a run as metrics of CloudWatch, as [metrics] of the contract says.

    \b
    infraspec report metrics infraspec-results.json

    A run that is not whole publishes nothing. What AWS refuses is said, and the exit code stays 0.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.metrics_command import metrics as lines  # noqa: PLC0415 - likewise

    for line in lines(results, infra, dry_run=dry_run):
        click.echo(line)


@report.command()
@_RESULTS
@_INFRA
@click.option(
    "--store", type=click.Path(path_type=Path), required=True, help="Folder that remembers what each channel was told."
)
@_DRY_RUN
@reported
def notify(results: Path, infra: Path, store: Path, dry_run: bool) -> None:  # noqa: FBT001 - click passes by name
    """Tell the channels of [notifications] what has changed since they were told last.

    \b
    infraspec report notify --store history infraspec-results.json

    What cannot be delivered is said and told after the next run; the exit code stays 0.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.notify_command import notify as lines  # noqa: PLC0415 - likewise

    for line in lines(results, infra, store, dry_run=dry_run):
        click.echo(line)
