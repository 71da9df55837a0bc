"""`infraspec report site`: what it reads and keeps, and the page that it makes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from infraspec.cli.common import PATH, echo, reported
from infraspec.core.errors import ReportError, collected
from infraspec.reporting.run.results import FILE_NAME, Results, read
from infraspec.reporting.trends import site as pages
from infraspec.reporting.trends.history import in_order, keep, kept


@click.command()
@click.argument("results", nargs=-1, type=PATH)
@click.option("--store", type=PATH, help="Folder of earlier runs: adds the results and shows all runs.")
@click.option(
    "--runs", type=click.IntRange(min=1), default=60, show_default=True, help="Maximum number of runs in a heat map."
)
@reported
def site(results: tuple[Path, ...], store: Path | None, runs: int) -> None:
    """Write an HTML page of results over time: rules by run, open findings with their age, expiring waivers.

    \b
    infraspec report site --store history infraspec-results.json > trends.html

    It is one HTML file that loads nothing else. A run that is already stored is not added again. Without results, the
    page shows what is stored.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    echo(_page(results, store, runs, os.environ), nl=False)


def _page(files: Sequence[Path], directory: Path | None, columns: int, environ: Mapping[str, str]) -> str:
    """Return the page of results files and of a store, which keeps them. Raises ReportError."""
    given = collected(read, files or (() if directory else (Path(FILE_NAME),)))
    runs = _with_stored(given, directory) if directory else in_order(given)
    if not runs:
        raise ReportError(
            "there is no run to show",
            place=f"--store {directory}",
            expected="a folder that infraspec report site --store has added to",
            remedy=f"add a run: infraspec report site --store {directory} {FILE_NAME}",
        )
    _check(runs)
    server, name = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    return pages.site(runs, columns, f"{server}/{name}" if server and name else "")


def _with_stored(given: Sequence[Results], directory: Path) -> list[Results]:
    """Return what is stored, with what is given, once it is sure that they belong together."""
    runs = in_order([*kept(directory), *given])
    _check(runs)
    for results in given:
        keep(results, directory)
    return runs


def _check(runs: Sequence[Results]) -> None:
    """Raise ReportError for runs of several applications; a run whose contract could not be read is of none."""
    names = sorted({run.run.application for run in runs} - {""})
    if len(names) > 1:
        raise ReportError(
            "these results are from several applications",
            expected="runs of one contract",
            found=", ".join(names),
            remedy="keep a store for each",
        )
