"""Every row of the access table, over a plan that has the feature: allowed, not allowed, and not known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Unknown, Value, concatenate
from infraspec.ecs.access_table import EXECUTION, ROWS, TASK
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.plan import Plan
from tests.checks.access_cases import CASES, Case

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {}}})
by_row = pytest.mark.parametrize("case", CASES, ids=str)


def judged(case: Case, plan: Plan) -> list[Finding]:
    """Return the findings about the actions of a case's row."""
    found = check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")
    return [finding for finding in found if set(finding.subject.rpartition(": ")[2].split(", ")) <= {*case.row.actions}]


def golden(_work: Path) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    """Yield each row covered, not covered and without a statement, for tools/golden.py."""
    for case in CASES:
        plans = {
            "covered": case.plan(case.statement(case.covers)),
            "missed": case.plan(case.statement(case.misses)),
            "nothing": case.plan(),
        }
        for name, plan in plans.items():
            yield f"{case} {name}", partial(judged, case, plan)


def verdicts(found: Iterable[Finding]) -> set[Verdict]:
    """Return the verdicts."""
    return {finding.verdict for finding in found}


def test_every_row_has_a_case() -> None:
    """The cases are about every row of a task definition but those that have tests of their own."""
    other = {"trust_execution", "trust_task", "mount_anonymously", "firelens_role"}
    of_tasks = [row for name, row in ROWS.items() if row.role in {EXECUTION, TASK} and name not in other]
    assert of_tasks == [case.row for case in CASES]


@by_row
def test_a_statement_on_the_right_resource_proves_it(case: Case) -> None:
    """The actions of a row, allowed on its resource, are PROVEN; the reason names the statement."""
    found = judged(case, case.plan(case.statement(case.covers)))
    assert verdicts(found) == {PROVEN}
    assert all("aws_iam_role_policy.own Statement.0" in finding.reason for finding in found)


@by_row
def test_without_the_statement_it_is_violated(case: Case) -> None:
    """Without the statement, or with another resource, every action is VIOLATED, or UNDETERMINED with a reason."""
    expected = VIOLATED if case.row.certain else UNDETERMINED
    for plan in (case.plan(), case.plan(case.statement(case.misses))):
        found = judged(case, plan)
        assert verdicts(found) == {expected}
        for finding in found:
            assert (
                f"the {case.row.role} role aws_iam_role.{case.row.role} must be allowed to perform" in finding.expected
            )
            assert f'required by AWS: "{case.row.source}"' in finding.expected
            assert case.row.certain or case.row.note in finding.reason


@by_row
def test_a_policy_that_is_not_known_leaves_it_open(case: Case) -> None:
    """A policy of unknown content makes it UNDETERMINED, and says what is not known."""
    found = judged(case, case.plan(policy=Unknown("var.policy")))
    assert verdicts(found) == {UNDETERMINED}
    assert all(case.row.certain is False or "var.policy" in finding.reason for finding in found)


@by_row
def test_a_deny_wins(case: Case) -> None:
    """A deny beside the allow is VIOLATED, unless it is not certain that the permission is needed."""
    deny = {**case.statement("*"), "Effect": "Deny"}
    found = judged(case, case.plan(case.statement(case.covers), deny))
    assert verdicts(found) == {VIOLATED if case.row.certain else UNDETERMINED}


def statement_of(remedy: str) -> dict[str, Value]:
    """Read the statement of a fix: action and resource."""
    action, resource = (
        re.findall(r"^ *([^ ].*),$", found[1], re.MULTILINE)
        for found in (re.search(rf"{name} += \[\n(.*?)\n *\]", remedy, re.DOTALL) for name in ("Action", "Resource"))
        if found
    )
    return {"Effect": "Allow", "Action": [one.strip('"') for one in action], "Resource": list(map(value_of, resource))}


def value_of(expression: str) -> Value:
    """Read a reference or a quoted template."""
    if not expression.startswith('"'):
        return Unknown(expression)
    pieces = re.split(r"\$\{([^}]*)\}", expression.strip('"'))
    return concatenate(Unknown(piece) if index % 2 else piece for index, piece in enumerate(pieces))


@by_row
def test_the_fix_mends_it(case: Case) -> None:
    """With the statements of the fixes in the policy, everything is PROVEN."""
    violated = [finding for finding in judged(case, case.plan()) if finding.verdict is VIOLATED]
    assert violated or not case.row.certain
    assert all(finding.remedy.startswith("add to aws_iam_role_policy.own (main.tf:1) the") for finding in violated)
    fixed = judged(case, case.plan(*(statement_of(finding.remedy) for finding in violated)))
    assert verdicts(fixed) == {PROVEN if case.row.certain else UNDETERMINED}


@by_row
def test_every_finding_has_its_place(case: Case) -> None:
    """A violation is located at the feature, and names role and policy with theirs."""
    for finding in judged(case, case.plan(case.statement(case.misses))):
        assert finding.location is not None
        assert finding.related[0].role == "role"
