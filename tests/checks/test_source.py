"""What a plan says of its own source: how much was looked at, and what of it is wrong or not seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.state.source import check_source
from infraspec.core.finding import Location, Verdict
from infraspec.terraform.plan import Diagnostic, Plan
from tests.terraform.sources import plan_of

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
QUEUE = 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n'
READ = 'data "aws_caller_identity" "me" {}\n'
CASES = {
    "complete": (QUEUE + READ, [PROVEN]),
    "nothing": ("", []),
    "no such argument": (QUEUE.replace("name", "nam"), [VIOLATED]),
    "no such block": (QUEUE.replace('name = "jobs"', "timeout {}"), [VIOLATED]),
    "no such type": (QUEUE.replace("sqs_queue", "sqs_queu"), [VIOLATED]),
    "no such attribute": (QUEUE + 'output "arn" { value = aws_sqs_queue.jobs.ar }\n', [VIOLATED]),
    "a variable without a value": (QUEUE + 'variable "size" { type = number }\n', [PROVEN]),
    "a module that is not here": (
        QUEUE + 'module "m" {\n  source = "git::https://example.com/m.git"\n}\n',
        [UNDETERMINED],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_source_is_judged(case: str, tmp_path: Path) -> None:
    """What Terraform refuses is VIOLATED, what is not seen UNDETERMINED; else it is PROVEN, with what it has."""
    text, expected = CASES[case]
    assert expected == [one.verdict for one in check_source(plan_of(tmp_path, text)) if not one.advice]


def test_what_many_places_have_in_common_is_one_mistake() -> None:
    """A function that is gone is one finding of its root, with the other places in its reason."""
    message = 'there is no function "map"'
    places = [Location("a.tf", 3), Location("a.tf", 3), Location("b.tf", 9)]
    plan = Plan("source app", (), diagnostics=tuple(Diagnostic("error", message, place) for place in places))
    (finding,) = check_source(plan)

    assert (Location("a.tf", 3), message, "and at b.tf:9") == (finding.location, finding.subject, finding.reason)


def test_variables_that_a_module_lacks_are_one_mistake(tmp_path: Path) -> None:
    """Arguments of one call, and references of one root, that are no variables are a finding each."""
    source = 'module "m" {\n  source = "./m"\n  a = 1\n  b = 2\n}\noutput "x" {\n  value = [var.c,\n    var.d]\n}\n'
    findings = check_source(plan_of(tmp_path, {"main.tf": source + QUEUE, "m/main.tf": QUEUE}, lenient=True))

    assert [VIOLATED, VIOLATED] == [finding.verdict for finding in findings]
    reasons = [finding.reason.splitlines()[-1] for finding in findings]
    assert [True, True] == ['nor "d" at ' in reasons[0], 'nor "b" at ' in reasons[1]]
