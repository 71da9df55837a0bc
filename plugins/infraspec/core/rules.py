"""The rules of infraspec: all that is known of each, in the order in which reports show them.

The facts are data, in rules.json beside, whose fields are those of `Rule`. The check of a rule is in the module of
`infraspec.checks` that is named as it, which is imported where the rule is judged: reports, completion and the contract
ask for what is here, and start without the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from infraspec.core.rule import Rule

RULES: Mapping[str, Rule] = {
    rule.id: rule for rule in msgspec.json.decode(Path(__file__).with_name("rules.json").read_bytes(), type=list[Rule])
}
"""The rules by their ids."""

SOURCE = RULES["source"]
NAMES = RULES["names"]
TAGS = RULES["tags"]
TAG_POLICY = RULES["tag-policy"]
TASK_DEFINITIONS = RULES["task-definitions"]
SECRET_ACCESS = RULES["secret-access"]
TASK_ACCESS = RULES["task-access"]
FUNCTION_ACCESS = RULES["function-access"]
WORKLOAD_ACCESS = RULES["workload-access"]
OF_ROLES = frozenset(rule.id for rule in (SECRET_ACCESS, TASK_ACCESS, FUNCTION_ACCESS, WORKLOAD_ACCESS))
"""The rules whose findings are about what a role may do: the actions are the end of their subjects."""
POLICIES = RULES["policies"]
SECRET_READERS = RULES["secret-readers"]
PLAN_REVIEW = RULES["plan-review"]
STATE_BACKEND = RULES["state-backend"]
VERSIONS = RULES["versions"]
MODULES = RULES["modules"]
ALARM_DELIVERY = RULES["alarm-delivery"]
DRIFT = RULES["drift"]
HOSTS = RULES["hosts"]


def rule_named(test: str) -> str:
    """Return the id of the rule that a function or a module of tests is named after: `test_secret_access`."""
    return test.removeprefix("test_").replace("_", "-")


def rule_of(id_: str) -> Rule:
    """Return a rule; one that infraspec does not have is a repository's own."""
    return RULES.get(id_) or Rule.own(id_)
