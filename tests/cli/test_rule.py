"""`infraspec rule`: every rule, one rule, and a name that there is not."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from infraspec.cli import main
from infraspec.core.rules import RULES


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["rule", *arguments])


def test_the_rules_are_listed_one_a_line() -> None:
    """Each line begins with the id, so that a shell can cut it off."""
    assert list(RULES) == [line.split()[0] for line in run().output.splitlines()]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_told(name: str) -> None:
    """What it asks for, why, and what the contract can switch; JSON has the same."""
    rule, text = RULES[name], run(name).output
    data = json.loads(run(name, "--format", "json").output)

    assert [] == [
        part for part in (rule.sentence, rule.why, rule.severity, *rule.tables, *rule.checks) if part not in text
    ]
    assert (name, rule.why, list(rule.suites)) == (data["id"], data["why"], data["suites"])


def test_an_example_has_its_finding_and_fix() -> None:
    """It shows Terraform that breaks the rule, and what is said of it."""
    output = run("names").output

    assert all(text in output for text in ("[names.patterns]", 'resource "aws_', "VIOLATED names", "fix:"))


def test_a_mistyped_name_suggests_the_nearest() -> None:
    """The exit code is that of wrong input."""
    result = run("secret-acess")

    assert (2, True) == (result.exit_code, "did you mean `secret-access`?" in result.output)
