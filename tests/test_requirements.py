"""docs/requirements.md: every row names rules and tests that exist, or a reason; where rows contradict each other."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.conventions.names import check_names
from infraspec.checks.conventions.tags import check_tags
from infraspec.checks.policies.policies import check_policies
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import RULES
from infraspec.terraform.plan import Plan
from tests.terraform.sources import plan_of

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/requirements.md").read_text(encoding="utf-8")
REQUIREMENTS = ROOT / "../shared/requirements/infrastructure-improvements.md"
LISTS = re.compile(r"^#### (?:実装内容|受入条件)\n((?:- \[ \] .*\n)+)", re.MULTILINE)
ROWS = re.findall(r"^\| (?!row|---)(.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
EXAMPLE = """
provider "aws" { region = "ap-northeast-1" }

resource "aws_secretsmanager_secret" "daily_report_db" {
  name = "daily-report-tool/${var.environment}/database"
  tags = {
    Environment = var.environment
    Application = "daily-report-tool"
    ManagedBy   = "terraform"
  }
}

resource "aws_iam_policy" "ecs_secrets_access" {
  name = "DailyReportSecretsManagerAccess-${title(var.environment)}"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = "secretsmanager:GetSecretValue"
        Resource = [
          aws_secretsmanager_secret.daily_report_db.arn,
          "${aws_secretsmanager_secret.daily_report_db.arn}-*"
        ]
      }
    ]
  })
}

variable "environment" { default = "prod" }
"""
"""The resources that the first improvement gives as an example, word for word."""
SECRET = "aws_secretsmanager_secret.daily_report_db"  # noqa: S105 - an address
CONTRACT = contracts.load(ROOT / "fixtures/daily-report-tool", environments=[])


def test_every_row_is_there_once() -> None:
    """The rows of the page are those of the lists of the six improvements, in their order."""
    if not REQUIREMENTS.is_file():
        pytest.skip("the requirements are not part of this repository")
    lists = LISTS.findall(REQUIREMENTS.read_text(encoding="utf-8"))
    rows = [line.removeprefix("- [ ] ").strip() for rows in lists for line in rows.splitlines()]
    assert rows == [row for row, _, _ in ROWS]
    assert len(rows) > 45


@pytest.mark.parametrize(("row", "english", "checked"), ROWS, ids=[row for row, _, _ in ROWS])
def test_every_row_says_what_checks_it(row: str, english: str, checked: str) -> None:
    """A row names a rule or a test, or says why it is not static."""
    assert english
    assert set(re.findall(r"`([a-z-]+)`", checked)) & set(RULES) or "`tests" in checked or "Not static: " in checked, (
        row
    )


def test_every_rule_has_a_row() -> None:
    """No rule is left out; none is there without being asked for."""
    named = {rule for _, _, checked in ROWS for rule in re.findall(r"`([a-z-]+)`", checked)}
    assert set(RULES) == set(RULES) & named


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests[\w/]*/[\w/]+\.py(?:::\w+)?)`", PAGE))))
def test_every_test_exists(name: str) -> None:
    """Each test that the page names is a function of a file."""
    path, _, function = name.partition("::")
    assert (ROOT / path).is_file()
    assert not function or function in functions(ROOT / path)


def test_the_items_that_are_named_exist() -> None:
    """What stands in backticks beside rules and tests is an alarm of the catalogue, or a playbook of the reference."""
    alarms = (ROOT / "docs/alarms.md").read_text(encoding="utf-8")
    assert CONTRACT.playbooks
    for _, _, checked in ROWS:
        for name in re.findall(r"`([a-z]+(?:-[a-z]+)+|escalation)`", checked):
            assert name in RULES or f"| `{name}` |" in alarms or name in CONTRACT.playbooks.required, name


@cache
def functions(path: Path) -> frozenset[str]:
    """Return the names of the functions of a file."""
    return frozenset(
        node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if type(node) is ast.FunctionDef
    )


@pytest.fixture
def example(tmp_path: Path) -> Plan:
    """Return the plan of the example."""
    return plan_of(tmp_path, EXAMPLE)


def of(address: str, findings: list[Finding]) -> Finding:
    """Return the one finding about a resource that is not proven."""
    (found,) = [one for one in findings if one.address == address and one.verdict is not Verdict.PROVEN]
    return found


def test_the_example_is_that_of_the_requirements() -> None:
    """Its resources are copied word for word."""
    if not REQUIREMENTS.is_file():
        pytest.skip("the requirements are not part of this repository")
    start, end = EXAMPLE.index("resource "), EXAMPLE.index("\nvariable ")
    assert EXAMPLE[start:end].strip() in REQUIREMENTS.read_text(encoding="utf-8")


def test_the_name_of_the_example_is_not_that_of_the_rules(example: Plan) -> None:
    """The secret has slashes where the naming rule has hyphens, and no version; the policy is named as it has to be."""
    findings = check_names(example, CONTRACT, "prod")
    found = of(SECRET, findings)
    assert Verdict.VIOLATED is found.verdict
    assert "daily-report-tool/prod/database" == found.found
    assert found.remedy.startswith('name = "daily-report-tool-prod-database-v')
    assert {SECRET: Verdict.VIOLATED, "aws_iam_policy.ecs_secrets_access": Verdict.PROVEN} == {
        one.address: one.verdict for one in findings
    }


def test_the_second_resource_of_the_example_matches_nothing(example: Plan) -> None:
    """A hyphen and a star after the ARN of a secret ask for more than the ARN has."""
    found = of("aws_iam_policy.ecs_secrets_access", check_policies(example, [], CONTRACT, "prod"))
    assert Verdict.VIOLATED is found.verdict
    assert f"resource-mismatch ${{{SECRET}.arn}}-*" in found.subject


def test_the_tags_of_the_example_are_not_all(example: Plan) -> None:
    """The tags that its secret lacks are told: two of all resources, two of secrets."""
    found = of(SECRET, check_tags(example, CONTRACT, "prod"))
    assert ["CostCenter", "Owner", "RotationEnabled", "SecretType"] == sorted(
        re.findall(r"^  (\w+) ", found.remedy, re.MULTILINE)
    )
