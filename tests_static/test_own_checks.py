"""The checks that a repository's own plugins add; left out where there are none."""

from collections.abc import Callable, Sequence

import pytest

from infraspec.core.finding import Finding
from infraspec.core.rule import Rule
from infraspec.pytest_plugin.rule_tests import OFFERED, RuleCheck, prove


@pytest.mark.usefixtures(*OFFERED, "assert_proven")
def test_own_checks(own_check: tuple[str, Callable[..., Sequence[Finding]]], request: pytest.FixtureRequest) -> None:
    """Each check of the hook `pytest_infraspec_checks` holds."""
    rule, check = own_check
    prove(Rule.own(rule), RuleCheck(check), request)
