"""Waivers in the source, through a run of the suite and into every report."""

from __future__ import annotations

import json

import pytest

from infraspec.reporting.github.annotations import sarif
from infraspec.reporting.run.results import read
from tests.plugin.project import CONTRACT, Project, assert_not_passed, text_of

NAMES = CONTRACT + '[names.patterns]\naws_sqs_queue = "{application}-{environment}-mails"\n'
QUEUE = 'resource "aws_sqs_queue" "jobs" {{\n  name = "jobs"{}\n}}\n'
MODULES = 'module "a" {\n  source = "./m"\n}\nmodule "b" {\n  source = "./m"\n}\n'


def waiver(rule: str = "names", until: str = "2999-12-31") -> str:
    """Return a comment that waives a rule."""
    return f' # infraspec:ignore[{rule}] reason="renamed in spring" until={until}'


def test_a_waiver_in_a_module_covers_its_instances_and_is_in_every_report(pytester: pytest.Pytester) -> None:
    """The test passes; the summary, the results and SARIF say why, until when, and where that stands."""
    files = {"queues.tf": MODULES, "m/main.tf": QUEUE.format(waiver()), "infraspec.toml": NAMES}
    result = Project(files).run(pytester, "--infraspec-results", "results.json", "-n", "2")

    assert_not_passed(result)
    result.stdout.fnmatch_lines(
        [
            "waived * module.a.aws_sqs_queue.jobs (until 2999-12-31 by the comment at *m/main.tf:2: renamed in spring)",
            "waived * names: module.b.aws_sqs_queue.jobs *",
        ]
    )
    results = read(pytester.path / "results.json")
    places = {str(one.waiver.place) for one in results.findings if one.state == "waived" and one.waiver}
    assert places == {"m/main.tf:2"}
    suppressed = [one["suppressions"] for one in json.loads(sarif(results))["runs"][0]["results"]]
    assert ["inSource", "inSource"] == [one["kind"] for (one,) in suppressed]


def test_a_lapsed_or_unused_waiver_is_said(pytester: pytest.Pytester) -> None:
    """A finding counts again after the day, and what covers nothing is to be taken out."""
    text = QUEUE.format(waiver(until="2020-01-31"))
    text += QUEUE.format(waiver()).replace('"jobs"', '"mails"', 1).replace('"jobs"', '"hello-dev-mails"')
    result = Project({"queues.tf": text, "infraspec.toml": NAMES}).run(pytester)

    assert_not_passed(result, failed=1)
    assert "waiver by the comment at infra/queues.tf:2 lapsed on 2020-01-31: renamed in spring" in text_of(result)
    result.stdout.fnmatch_lines(
        ["unused * names at infra/queues.tf:5 covers no finding in lines 5 to 5 in dev: take it out"]
    )


def test_a_waiver_that_is_none_fails_the_run(pytester: pytest.Pytester) -> None:
    """It is a violation of `source` at its line, and what it was meant for counts."""
    result = Project({"queues.tf": QUEUE.format(waiver("nams")), "infraspec.toml": NAMES}).run(pytester)

    assert_not_passed(result, failed=2)
    result.stdout.fnmatch_lines(
        [
            "infra/queues.tf:2: VIOLATED source: *",
            "*did you mean `names`?",
            "infra/queues.tf:2: VIOLATED names: *",
        ]
    )
