"""`infraspec report baseline`: the findings of a run as known ones."""

from __future__ import annotations

from pathlib import Path

import click

from infraspec.cli.common import RESULTS, reported
from infraspec.reporting.run.baseline_file import baseline_of, shrunk
from infraspec.reporting.run.results import read


@click.command()
@RESULTS
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
    found = read(results)
    click.echo(shrunk(found, shrink, expires) if shrink else baseline_of(found, expires), nl=False)
