"""`infraspec report`: the results of a run for people and for other tools."""

from __future__ import annotations

import click

from infraspec.cli.common import LazyGroup

_COMMANDS = {
    "annotations": ("infraspec.cli.report.results:annotate", "Show findings beside the lines of a pull request."),
    "baseline": ("infraspec.cli.report.results:baseline", "Write the findings of a run as known ones."),
    "comment": ("infraspec.cli.report.results:comment", "Write a Markdown comment for a pull request."),
    "kpi": ("infraspec.cli.report.kpi:kpi", "Write the success figures of a period."),
    "merge": ("infraspec.cli.report.results:merge", "Write one results file of several."),
    "metrics": ("infraspec.cli.report.notify:metrics", "Publish the numbers of a run to CloudWatch."),
    "notify": ("infraspec.cli.report.notify:notify", "Tell channels what has changed."),
    "sarif": ("infraspec.cli.report.results:sarif", "Write SARIF for code scanning and editors."),
    "site": ("infraspec.cli.report.site:site", "Write a page of how results develop."),
    "summary": ("infraspec.cli.report.results:summary", "Write the same for the summary of a workflow's step."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def report() -> None:
    """Write the results of runs as a comment, a summary, annotations, SARIF, a baseline or a page, and tell of them.

    \b
    infraspec check --results infraspec-results.json
    infraspec report comment infraspec-results.json > comment.md

    The exit code is 0 whatever the results are: pytest's says whether they are good.
    """  # noqa: D301 - \b keeps click from wrapping the examples
