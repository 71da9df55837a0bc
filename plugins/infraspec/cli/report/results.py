"""`infraspec report comment`, `summary`, `annotations`, `sarif` and `merge`: a results file in another form."""

from __future__ import annotations

import os
from pathlib import Path

import click

from infraspec.cli.common import PATH, RESULTS, echo, reported
from infraspec.core.visible_text import visible_json
from infraspec.reporting.github import comment as comments
from infraspec.reporting.github.annotations import sarif as log
from infraspec.reporting.github.annotations import workflow_commands
from infraspec.reporting.github.comment import COMMENT_LIMIT, SUMMARY_LIMIT
from infraspec.reporting.language import LANGUAGES, Language
from infraspec.reporting.run.baseline_file import baseline_of, shrunk
from infraspec.reporting.run.repository import Links
from infraspec.reporting.run.results import encode, read
from infraspec.reporting.run.results_builder import merge as merged


@click.command()
@RESULTS
@click.option(
    "--expires", metavar="YYYY-MM-DD", help="Last day on which the baseline is valid.  [default: 90 days after the run]"
)
@click.option("--shrink", type=PATH, help="Rewrite this baseline without the findings that are fixed.")
@reported
def baseline(results: Path, expires: str | None, shrink: Path | None) -> None:
    """Write a baseline: known findings of a run, which do not fail until a date.

    \b
    infraspec report baseline infraspec-results.json > infraspec-baseline.json
    infraspec report baseline --shrink infraspec-baseline.json > smaller.json

    Name it in the contract: [suite] baseline = "infraspec-baseline.json". --shrink only removes findings, and keeps the
    date unless --expires is given.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    found = read(results)
    click.echo(visible_json(shrunk(found, shrink, expires) if shrink else baseline_of(found, expires)), nl=False)


_BASE = click.option("--base", type=PATH, help="Results of the base branch; findings that are not in them are new.")
_LANG = click.option("--lang", type=click.Choice(LANGUAGES), help="Language: en or ja.  [default: as in the run]")


@click.command()
@RESULTS
@_BASE
@_LANG
@reported
def comment(results: Path, base: Path | None, lang: Language | None) -> None:
    """Write a Markdown comment for a pull request.

    The first line is an invisible marker, <!-- infraspec-report -->: a workflow finds the previous comment by it and
    replaces it. The comment is never longer than GitHub allows.
    """
    _write_markdown(results, base, COMMENT_LIMIT, lang)


@click.command()
@RESULTS
@_BASE
@_LANG
@reported
def summary(results: Path, base: Path | None, lang: Language | None) -> None:
    """Write the same for a GitHub Actions job summary, which may be longer than a comment.

    \b
    infraspec report summary infraspec-results.json >> "$GITHUB_STEP_SUMMARY"
    """  # noqa: D301 - \b keeps click from wrapping the examples
    _write_markdown(results, base, SUMMARY_LIMIT, lang)


def _write_markdown(results: Path, base: Path | None, limit: int, lang: Language | None) -> None:
    found = read(results)
    text = comments.comment(found, read(base) if base else None, Links.of(found, os.environ), limit, lang)
    echo(text, nl=False)


@click.command("annotations")
@RESULTS
@_BASE
@reported
def annotate(results: Path, base: Path | None) -> None:
    """Write GitHub Actions workflow commands, which show findings beside the lines of a pull request.

    GitHub shows ten errors and ten warnings per step, so new findings come first, and one place for each cause.
    """
    for line in workflow_commands(read(results), read(base) if base else None):
        click.echo(line)


@click.command()
@RESULTS
@reported
def sarif(results: Path) -> None:
    """Write SARIF 2.1.0, for code scanning and editors. Waived findings are suppressed results.

    \b
    infraspec report sarif infraspec-results.json > infraspec.sarif
    """  # noqa: D301 - \b keeps click from wrapping the examples
    click.echo(log(read(results)), nl=False)


@click.command()
@click.argument("results", nargs=-1, required=True, type=PATH)
@reported
def merge(results: tuple[Path, ...]) -> None:
    """Merge several results files into one: of the jobs of a matrix, or of machines that each ran a part.

    \b
    infraspec report merge dev.json staging.json prod.json > infraspec-results.json

    The files must be from one commit and contract. Environments are in the order of the files.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    click.echo(encode(merged([(path, read(path)) for path in results])), nl=False)
