"""What `infraspec report site` reads and keeps, and the page that it makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from infraspec.errors import ErrorCollector, ReportError
from infraspec.reporting.results import FILE_NAME, Results
from infraspec.reporting.results_file import read
from infraspec.reporting.site import site
from infraspec.reporting.store import Store, in_order


def page(files: Sequence[Path], directory: Path | None, columns: int, environ: Mapping[str, str]) -> str:
    """Return the page of results files and of a store, which keeps them. Raises ReportError."""
    collector = ErrorCollector()
    given: list[Results] = []
    for path in files or (() if directory else (Path(FILE_NAME),)):
        with collector.collect():
            given.append(read(path))
    collector.finalize()
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
    return site(runs, columns, f"{server}/{name}" if server and name else "")


def _with_stored(given: Sequence[Results], directory: Path) -> list[Results]:
    """Return what is stored, with what is given, once it is sure that they belong together."""
    store = Store(directory)
    runs = in_order([*(stored.results for stored in store.runs()), *given])
    _check(runs)
    for results in given:
        store.add(results)
    return runs


def _check(runs: Sequence[Results]) -> None:
    """Raise ReportError for runs of several applications; a run whose contract could not be read is of none."""
    names = sorted({run.run.application for run in runs} - {""})
    if len(names) > 1:
        raise ReportError(
            "these are results of several applications",
            expected="runs of one contract",
            found=", ".join(names),
            remedy="keep a store for each",
        )
