"""With reruns, what a test says at last counts, and that it is flaky is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.project import INCIDENT, MINIMAL, run_suite

FLAKY = """
def test_sometimes(environment, plan, tmp_path_factory):
    \"\"\"Fail when it is run for the first time.\"\"\"
    counter = tmp_path_factory.getbasetemp() / "counter"
    first = not counter.exists()
    counter.touch()
    assert not first
"""


def found(directory: Path) -> dict[str, Any]:
    """Return what a results file has, without times."""
    tree: dict[str, Any] = json.loads((directory / "results.json").read_text(encoding="utf-8"))
    return {key: value for key, value in tree.items() if key != "run"}


def test_a_violation_counts_once(pytester: pytest.Pytester) -> None:
    """A rule that is violated whenever it is run is violated once, in the results and in JUnit XML."""
    given = ("--infraspec-results", "results.json", "-k", "secret_access", "--junitxml", "junit.xml")
    run_suite(pytester, INCIDENT, *given)
    expected, junit = found(pytester.path), (pytester.path / "junit.xml").read_text(encoding="utf-8")
    again = run_suite(pytester, INCIDENT, *given, "--reruns", "2")

    assert "rerun" in again.parseoutcomes()
    assert expected == found(pytester.path)
    assert junit.count("infraspec.rule") == (pytester.path / "junit.xml").read_text("utf-8").count("infraspec.rule")


def test_a_test_that_passes_at_last(pytester: pytest.Pytester) -> None:
    """A test that passes when it is run again is no problem, and is named as flaky."""
    suite = pytester.makepyfile(test_own=FLAKY)
    result = run_suite(pytester, MINIMAL, "--infraspec-results", "results.json", "--reruns", "1", suite=suite)
    tree = found(pytester.path)

    result.stdout.fnmatch_lines(["flaky*test_sometimes: passed at attempt 2"])
    assert [] == tree.get("problems", [])
    assert ["passed at attempt 2"] == [one["reason"] for one in tree["flaky"]]
