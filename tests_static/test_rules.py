"""Each rule of the static suite holds, in each environment or of the repository as a whole.

What a test asks for, and when it is skipped, is said where the rule is: in infraspec.core.rules and in its check.
"""

from collections.abc import Callable

import pytest

from infraspec.core.rule import Rule
from infraspec.core.rules import RULES
from infraspec.pytest_plugin.rule_tests import RuleCheck, prove


def _test_of(rule: Rule) -> Callable[[pytest.FixtureRequest], None]:
    check = RuleCheck.of(rule, "static")

    @pytest.mark.usefixtures(*check.fixtures(rule))
    def test(request: pytest.FixtureRequest) -> None:
        prove(rule, check, request)

    test.__doc__ = rule.sentence
    setattr(test, rule.id, rule)  # so that -k takes the id as it is
    return test


globals().update({rule.test: _test_of(rule) for rule in RULES.values() if "static" in rule.suites})
