"""`infraspec report`: the results of a run, for people and other tools."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec.reporting.run.results import encode
from tests.reporting.results import PROVEN, RESULTS

GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/infra", "GITHUB_SHA": "f" * 40}


def report(directory: Path, *arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, outside of any CI system."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    return subprocess.run(
        [sys.executable, "-m", "infraspec", "report", *arguments],
        cwd=directory,
        env={**inherited, "PYTHONPATH": os.pathsep.join(sys.path), **(environ or {})},
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a folder with the results of a run and of its base."""
    (tmp_path / "infraspec-results.json").write_bytes(encode(RESULTS))
    (tmp_path / "base.json").write_bytes(encode(PROVEN))
    return tmp_path


def test_comment_and_summary(directory: Path) -> None:
    """Both are the same text; the results of this folder are the default, and places are links where GitHub is."""
    ran = report(directory, "comment", "infraspec-results.json", environ=GITHUB)
    summary = report(directory, "summary", environ=GITHUB)

    assert (0, "") == (ran.returncode, ran.stderr)
    assert ran.stdout == summary.stdout
    assert ran.stdout.startswith("<!-- infraspec-report -->\n")
    assert f"](https://github.com/shop/infra/blob/{RESULTS.run.commit}/modules/jobs/main.tf#L7)" in ran.stdout
    assert "](" not in report(directory, "comment").stdout


def test_comparison_with_a_base(directory: Path) -> None:
    """What the base does not have is new."""
    assert "#### New: violated" in report(directory, "comment", "--base", "base.json").stdout


@pytest.mark.parametrize(("command", "start"), [("annotations", "::error "), ("sarif", '{\n "$schema": "https:')])
def test_for_other_tools(directory: Path, command: str, start: str) -> None:
    """Annotations and SARIF go to standard output, and the exit code says nothing of the results."""
    ran = report(directory, command)

    assert (0, "") == (ran.returncode, ran.stderr)
    assert ran.stdout.startswith(start)


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        (None, ["ReportError: other.json: the results cannot be read", "pytest --infraspec-results"]),
        (b"{", ["no results file of this release", "write it again"]),
        (b"\xff", ["no results file of this release"]),
        (b"[" * 100_000, ["no results file of this release"]),
        (b'{"version": 2}', ["no results file of this release", "version"]),
        (encode(RESULTS).replace(b'"violated"', b'"bad"'), ["no results file of this release"]),
    ],
)
def test_what_is_no_results_file(tmp_path: Path, content: bytes | None, fragments: list[str]) -> None:
    """The error names the file and what to do, without a traceback."""
    if content is not None:
        (tmp_path / "other.json").write_bytes(content)
    ran = report(tmp_path, "comment", "other.json")

    assert (2, "") == (ran.returncode, ran.stdout)
    assert "Traceback" not in ran.stderr
    for fragment in fragments:
        assert fragment in ran.stderr


def test_merge(directory: Path) -> None:
    """Files of one run are one; those of several, and none at all, are an error that says so."""
    other = replace(RESULTS, run=replace(RESULTS.run, commit="f" * 40))
    (directory / "other.json").write_bytes(encode(other))
    merged = report(directory, "merge", "infraspec-results.json", "infraspec-results.json")
    wrong = report(directory, "merge", "infraspec-results.json", "other.json")
    nothing = report(directory, "merge")

    assert (0, "") == (merged.returncode, merged.stderr)
    assert merged.stdout.startswith('{\n "version": 1,')
    assert (2, "") == (wrong.returncode, wrong.stdout)
    assert "ReportError: other.json: the results are not of one run" in wrong.stderr
    assert 2 == nothing.returncode
    assert "Missing argument 'RESULTS...'" in nothing.stderr
