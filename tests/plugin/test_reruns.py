"""With reruns, what a test says at last counts, and that it is flaky is said."""

import json
import shutil
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


JUDGED_AGAIN = """
from infraspec.core.finding import Finding, Verdict

def test_own_rule(environment, plan, contract, assert_proven):
    \"\"\"Find a violation when it is run for the first time, and none when it is run again.\"\"\"
    marker = contract.directory / "marker"
    verdict = Verdict.PROVEN if marker.exists() else Verdict.VIOLATED
    marker.touch()
    assert_proven("own-rule", [Finding("own-rule", verdict, "aws_ecs_service.this", remedy="nothing")])
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_reports_of_a_rule_that_holds_at_last(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """What a rule has found before it held is in no report; Allure has it as a retry of a flaky test."""
    suite, infra = pytester.makepyfile(test_own=JUDGED_AGAIN), pytester.path / "infra"
    shutil.copytree(MINIMAL, infra)
    given = ("--infraspec-results", "results.json", "--alluredir", "allure", "--junitxml", "junit.xml", "--reruns", "2")
    result = run_suite(pytester, infra, *given, *workers, suite=suite)
    tree = found(pytester.path)
    attempts = sorted(
        (json.loads(path.read_text("utf-8")) for path in (pytester.path / "allure").glob("*-result.json")),
        key=lambda one: one["start"],
    )

    assert {"passed": 1, "rerun": 1} == result.parseoutcomes()
    assert ["passed at attempt 2"] == [one["reason"] for one in tree["flaky"]]
    assert [] == tree.get("entries", [])
    assert [("own-rule", 1, 0)] == [(one["rule"], one["proven"], one["violated"]) for one in tree["counts"]]
    assert ["failed", "passed"] == [one["status"] for one in attempts]
    assert 1 == len({one["historyId"] for one in attempts})
    assert {"flaky": True, "message": "passed at attempt 2"} == attempts[-1]["statusDetails"]
    assert 1 == (pytester.path / "junit.xml").read_text("utf-8").count("infraspec.violated")
