"""`infraspec report site`: how the results develop."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec.reporting.run.results import encode
from tests.cli.test_report import report
from tests.reporting.history import QUEUE, at


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a folder with the results of two days."""
    (tmp_path / "infraspec-results.json").write_bytes(encode(at(2, QUEUE)))
    (tmp_path / "before.json").write_bytes(encode(at(1)))
    return tmp_path


def test_a_store_grows(directory: Path) -> None:
    """Each run is added to the folder, and the page is of all."""
    first = report(directory, "site", "--store", "history", "before.json")
    second = report(directory, "site", "--store", "history", "infraspec-results.json")
    again = report(directory, "site", "--store", "history")

    assert (0, "") == (first.returncode, first.stderr)
    assert "1 run, 2026-11-01 to 2026-11-01" in first.stdout
    assert "2 runs, 2026-11-01 to 2026-11-02" in second.stdout
    assert second.stdout == again.stdout
    assert 2 == len(list((directory / "history").iterdir()))


def test_files_without_a_store(directory: Path) -> None:
    """In any order; without any, the results of this folder are the default; nothing is written."""
    both = report(directory, "site", "infraspec-results.json", "before.json").stdout

    assert "1 open finding, 1 new since the run before" in both
    assert "1 run, 2026-11-02 to 2026-11-02" in report(directory, "site").stdout
    assert 2 == len(list(directory.iterdir()))


def test_links_and_columns(directory: Path) -> None:
    """Places are links where GitHub is, and the heat map has as many runs as asked for."""
    github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/infra"}
    ran = report(directory, "site", "--runs", "1", "before.json", "infraspec-results.json", environ=github)

    assert f"https://github.com/shop/infra/blob/{'02' * 20}/modules/jobs/main.tf#L7" in ran.stdout
    assert 1 == ran.stdout.count("<time ")


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (
            ("--store", "empty"),
            ["ReportError: --store empty", "there is no run", "infraspec report site --store empty"],
        ),
        (("none.json",), ["none.json: the results cannot be read"]),
        (("--store", "before.json", "before.json"), ["--store before.json", "cannot be stored"]),
        (("infraspec-results.json", "other.json"), ["several applications", "blog, shop"]),
        (("--runs", "0"), ["0 is not in the range"]),
    ],
)
def test_bad_input(directory: Path, arguments: tuple[str, ...], fragments: list[str]) -> None:
    """The error says what is wrong and what to do."""
    other = at(1)
    (directory / "other.json").write_bytes(encode(replace(other, run=replace(other.run, application="blog"))))
    ran = report(directory, "site", *arguments)

    assert (2, "") == (ran.returncode, ran.stdout)
    assert "Traceback" not in ran.stderr
    for fragment in fragments:
        assert fragment in ran.stderr
