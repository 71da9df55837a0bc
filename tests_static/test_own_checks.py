"""The checks that a repository's own plugins add; left out where there are none."""

from collections.abc import Callable, Sequence

from infraspec.contract.models import Contract
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.finding import Finding
from infraspec.fixtures.own_rules import run_check
from infraspec.fixtures.static import AssertProven
from infraspec.terraform.plan import Plan


def test_own_checks(  # noqa: PLR0917 - what a check may ask for
    own_check: tuple[str, Callable[..., Sequence[Finding]]],
    plan: Plan,
    task_definitions: Sequence[TaskDefinition],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """Each check of the hook `pytest_infraspec_checks` holds."""
    rule, check = own_check
    assert_proven(rule, run_check(check, plan, task_definitions, contract, environment))
