"""Baseline mode: what was there before does not fail, what is new does, and what is fixed is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infraspec.reporting.run.results import read
from tests.plugin.project import CONTRACT, ROOT, Project, text_of

RULES = (
    '[names.patterns]\naws_sqs_queue = "{application}-{environment}-{name}"\n[names.placeholders]\nname = "[a-z]+"\n'
)
USING = '[suite]\nbaseline = "known.json"\n'
ONLY = ("-k", "test_names", "--infraspec-results", "results.json")


def queues(**names: str) -> str:
    """Return the source of queues."""
    return "\n".join(f'resource "aws_sqs_queue" "{label}" {{\n  name = "{name}"\n}}' for label, name in names.items())


def project(source: str, using: str = USING, known: str = "") -> Project:
    """Return a repository with a rule for the names of queues, and with a baseline."""
    files = {"infraspec.toml": CONTRACT + RULES + using, "queues.tf": source}
    return Project(files | ({"known.json": known} if known else {}))


def written(pytester: pytest.Pytester, *arguments: str) -> str:
    """Return what `infraspec report baseline` makes of the results."""
    command = [sys.executable, "-m", "infraspec", "report", "baseline", "results.json", *arguments]
    ran = subprocess.run(
        command,
        cwd=pytester.path,
        env={"PYTHONPATH": str(ROOT / "plugins")},
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout


@pytest.fixture
def known(pytester: pytest.Pytester) -> str:
    """Return the baseline of two queues with wrong names."""
    project(queues(a="x", b="y"), using="").run(pytester, *ONLY).assert_outcomes(failed=1)
    return written(pytester, "--expires", "2999-01-01")


def test_what_was_there_before_does_not_fail(pytester: pytest.Pytester, known: str) -> None:
    """Known findings are counted and in the results; lines may move, and the test passes."""
    result = project("\n\n\n" + queues(a="x", b="y"), known=known).run(pytester, *ONLY)
    results = read(pytester.path / "results.json")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["known    2 findings of the baseline; infra/known.json expires on 2999-01-01"])
    assert ["known", "known"] == [entry.state for entry in results.findings]
    assert (2, 0) == (results.total("known"), results.total("violated"))
    assert json.loads(known) == json.loads(written(pytester, "--expires", "2999-01-01"))


def test_what_is_new_fails(pytester: pytest.Pytester, known: str) -> None:
    """A finding that the baseline does not have fails alone."""
    result = project(queues(a="x", b="y", c="z"), known=known).run(pytester, *ONLY)

    result.assert_outcomes(failed=1)
    assert "1 violated of" in text_of(result)
    assert "VIOLATED names: aws_sqs_queue.c" in text_of(result)
    assert "VIOLATED names: aws_sqs_queue.a" not in text_of(result)


def test_moved_blocks_are_followed(pytester: pytest.Pytester, known: str) -> None:
    """A known finding is known under the address that a moved block gives it."""
    moves = "moved {\n  from = aws_sqs_queue.a\n  to   = aws_sqs_queue.c\n}\n"

    project(queues(c="x", b="y"), known=known).run(pytester, *ONLY).assert_outcomes(failed=1)
    project(moves + queues(c="x", b="y"), known=known).run(pytester, *ONLY).assert_outcomes(passed=1)


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_what_is_fixed_is_said(pytester: pytest.Pytester, known: str, workers: tuple[str, ...]) -> None:
    """The summary names it, and --shrink takes it out and lets nothing new in."""
    result = project(queues(a="hello-dev-a", b="y", c="z"), known=known).run(pytester, *ONLY, *workers)
    (pytester.path / "known.json").write_text(known)
    smaller = json.loads(written(pytester, "--shrink", "known.json"))

    result.stdout.fnmatch_lines(["fixed    dev names: aws_sqs_queue.a*: remove it from the baseline", "* --shrink *"])
    assert ["aws_sqs_queue.b"] == [entry["address"] for entry in smaller["findings"]]
    assert "2999-01-01" == smaller["expires"]


def test_after_its_day_it_fails(pytester: pytest.Pytester, known: str) -> None:
    """A lapsed baseline holds nothing back and says so."""
    result = project(queues(a="x", b="y"), known=known.replace("2999", "2020")).run(pytester, *ONLY)

    result.assert_outcomes(failed=1)
    assert "the baseline infra/known.json lapsed on 2020-01-01" in text_of(result)


@pytest.mark.parametrize(("content", "found"), [("", "does not exist"), ("{}", "this is no baseline")])
def test_a_baseline_that_is_none(pytester: pytest.Pytester, content: str, found: str) -> None:
    """A file that is missing or malformed ends the run with its place."""
    result = project(queues(a="x"), known=content).run(pytester, *ONLY)

    assert 4 == result.ret
    assert "BaselineError: " in text_of(result)
    assert found in text_of(result)


def test_a_waiver_wins_over_the_baseline(pytester: pytest.Pytester, known: str) -> None:
    """A finding that somebody answers for is shown as waived."""
    waiver = '[[waivers]]\nrule = "names"\naddress = "*"\nreason = "r"\nowner = "o"\nexpires = 2999-01-01\n'
    project(queues(a="x", b="y"), using=USING + waiver, known=known).run(pytester, *ONLY)

    assert {"waived"} == {entry.state for entry in read(Path(pytester.path / "results.json")).findings}
