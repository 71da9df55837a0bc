"""Say which part of a Condition does not hold, or on what it depends: what was observed, and what is wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from infraspec.iam.answer import Answer
from infraspec.iam.conditions import Hidden, Test
from infraspec.iam.context import Context
from infraspec.iam.pattern import Form, shown
from infraspec.unknown import render

_LIMIT = 3
_WILD = re.compile(r"[*?]")


def miss(conditions: Sequence[Test | Hidden], context: Context) -> str:
    """Say why a Condition does not hold."""
    failed = [test for test in conditions if test.holds(context) is Answer.NO]
    return "; ".join(_reason(test, context) for test in failed if isinstance(test, Test)) or "its Condition fails"


def doubt(conditions: Sequence[Test | Hidden], context: Context) -> str:
    """Say on which context keys it depends whether a Condition holds."""
    open_tests = [test for test in conditions if test.holds(context) is Answer.MAYBE]
    silent = [test for test in open_tests if isinstance(test, Test) and _is_told(test, context)]
    keys = dict.fromkeys(test.key for test in open_tests if test not in silent)
    reasons = [f"its Condition depends on {', '.join(keys)}"] if keys else []
    reasons += [f"AWS does not document whether {_asked(test)} holds for {_observed(test, context)}" for test in silent]
    mistakes = [_mistake(test) for test in open_tests if isinstance(test, Test)]
    return "; ".join([*reasons, *filter(None, mistakes)])


def _is_told(test: Test, context: Context) -> bool:
    """Tell whether all that a test compares is known."""
    entry = context.get(test.key)
    known = all(isinstance(value, str) for value in entry.values)
    return entry.present is not Answer.MAYBE and known and all(wanted.is_known(context) for wanted in test.wanted)


def _reason(test: Test, context: Context) -> str:
    mistake = _mistake(test)
    if mistake:
        return mistake
    entry = context.get(test.key)
    if entry.present is Answer.NO:
        return f"its Condition {_asked(test)} does not hold: the request has no {test.key}"
    case = " (letter case counts)" if _differs_in_case(test, context) else ""
    return f"its Condition {_asked(test)} does not hold: the request has {_observed(test, context)}{case}"


def _observed(test: Test, context: Context) -> str:
    values = context.get(test.key).values
    return ", ".join(f'"{shown(value)}"' for value in values) or f"a request without {test.key}"


def _mistake(test: Test) -> str:
    """Name what is wrong with a test whatever the request: wildcards where they are plain characters."""
    operator = test.name.operator
    if operator.form is not Form.TEXT or not operator.name.startswith("String") or operator.negated:
        return ""
    if not test.wanted or not all(_WILD.search(render(wanted.value)) for wanted in test.wanted):
        return ""
    return f"{_asked(test)} never matches: {operator.name} takes no wildcards, use StringLike"


def _asked(test: Test) -> str:
    """Write a test as the policy has it: `StringEquals aws:PrincipalTag/team "core"`."""
    listed = [f'"{wanted}"' for wanted in test.wanted[:_LIMIT]]
    more = len(test.wanted) - _LIMIT
    return f"{test.name.written} {test.key} {', '.join(listed)}" + (f" and {more} more" if more > 0 else "")


def _differs_in_case(test: Test, context: Context) -> bool:
    observed = {render(value) for value in context.get(test.key).values}
    wanted = {render(wanted.value) for wanted in test.wanted}
    return not test.name.operator.negated and bool(
        {text.lower() for text in observed} & {text.lower() for text in wanted}
    )
