"""`infraspec report`: the results of a run for people and for other tools."""

from __future__ import annotations

import click

from infraspec.cli.common import LazyGroup

_COMMANDS = {
    "annotations": ("infraspec.cli.report.results:annotate", "Show findings at the lines of a pull request."),
    "baseline": ("infraspec.cli.report.results:baseline", "Write the findings of a run as a baseline."),
    "comment": ("infraspec.cli.report.results:comment", "Write a Markdown comment for a pull request."),
    "kpi": ("infraspec.cli.report.kpi:kpi", "Write the success figures of a period."),
    "merge": ("infraspec.cli.report.results:merge", "Merge several results files into one."),
    "metrics": ("infraspec.cli.report.notify:metrics", "Publish the numbers of a run to CloudWatch."),
    "notify": ("infraspec.cli.report.notify:notify", "Notify channels of what has changed."),
    "sarif": ("infraspec.cli.report.results:sarif", "Write SARIF for code scanning and editors."),
    "site": ("infraspec.cli.report.site:site", "Write an HTML page of results over time."),
    "summary": ("infraspec.cli.report.results:summary", "Write the same for a GitHub Actions job summary."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def report() -> None:
    """Turn the results of a run into a comment, a summary, annotations, SARIF, a baseline, a page or notifications.

    \b
    infraspec check --results infraspec-results.json
    infraspec report comment infraspec-results.json > comment.md

    The exit code is 0 whatever the results are; the exit code of the run says whether it passed.
    """  # noqa: D301 - \b keeps click from wrapping the examples
