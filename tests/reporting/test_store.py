from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec.core.errors import InputErrorGroup, ReportError
from infraspec.reporting.run.results import Results, encode, read
from infraspec.reporting.trends.history import in_order, keep, kept
from tests.reporting.history import QUEUE, at
from tests.reporting.results import RESULTS, RUN, WAIVER, entry


def test_runs_come_back_in_order(tmp_path: Path) -> None:
    """Whatever the order in which they are added, and the files beside them."""
    store = tmp_path / "new" / "store"
    names = [keep(at(day), store) for day in (3, 1, 2)]
    (store / "readme.json").write_text("{", encoding="utf-8")

    assert [at(1), at(2), at(3)] == kept(store)
    assert {*names, "readme.json"} == {path.name for path in store.iterdir()}
    assert names[0].startswith("2026-11-03T080000Z-")


def test_a_run_is_there_once(tmp_path: Path) -> None:
    """Added again it is the same file; two runs of one second are two."""
    for run in (at(1), at(1), at(1, QUEUE)):
        keep(run, tmp_path)

    assert 2 == len(kept(tmp_path))
    assert [at(1), at(2)] == in_order([at(2), at(1), at(2)])


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """The first run has none before it."""
    assert [] == kept(tmp_path / "none")


def test_what_is_no_results_file_is_named(tmp_path: Path) -> None:
    """All of them at once."""
    for day in (1, 2):
        (tmp_path / keep(at(day), tmp_path)).write_text("{", encoding="utf-8")

    with pytest.raises(InputErrorGroup, match=r"(?s)2026-11-01T.*2026-11-02T"):
        kept(tmp_path)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """The error says which option named it."""
    (tmp_path / "store").touch()

    with pytest.raises(ReportError, match=r"--store .*store: the results cannot be stored"):
        keep(RESULTS, tmp_path / "store")


@pytest.mark.parametrize(
    "results",
    [
        replace(RESULTS, run=replace(RUN, time="yesterday")),
        replace(RESULTS, run=replace(RUN, time="2026-11-01T08:00:00")),
        replace(RESULTS, run=replace(RUN, time="../../2026-11-01T08:00:00+00:00")),
        replace(RESULTS, findings=(entry(waiver=replace(WAIVER, expires="soon")),)),
    ],
)
def test_days_and_times_are_checked(tmp_path: Path, results: Results) -> None:
    """Reports reckon with them."""
    path = tmp_path / "results.json"
    path.write_bytes(encode(results))

    with pytest.raises(ReportError, match="no results file of this release"):
        read(path)
