"""Lists of which not every element is known: what certainly is in them decides, and what may be does not."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Verdict
from infraspec.core.unknown import OpenList, Unknown, render
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.configuration.variables import Assignment
from tests.terraform.sources import output_of, plan_of

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {}}})
HEAD = "arn:aws:secretsmanager:ap-northeast-1:111122223333:secret"
SOURCE = """
provider "aws" {
  region              = "ap-northeast-1"
  allowed_account_ids = ["111122223333"]
}
variable "on" {
  type = bool
}
variable "text" {
  type = string
}
variable "texts" {
  type = list(string)
}
locals {
  db    = aws_secretsmanager_secret.db.arn
  other = aws_secretsmanager_secret.other.arn
  arns  = LIST
}
resource "aws_secretsmanager_secret" "db" {
  name = "app-db"
}
resource "aws_secretsmanager_secret" "other" {
  name = "app-other"
}
data "aws_iam_policy_document" "d" {
  STATEMENTS
}
resource "aws_iam_role" "execution" {
  name               = "app"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.execution.name
  policy = POLICY
}
resource "aws_ecs_task_definition" "app" {
  family             = "app"
  execution_role_arn = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name = "app", image = "x", secrets = [{ name = "DB", valueFrom = aws_secretsmanager_secret.db.arn }]
  }])
}
"""
LISTS = (
    "LISTED : compact([local.db, var.text])",
    'LISTED : [for one in [var.text, local.db] : one if one != ""]',
    'LISTED : [for one in [var.text, local.db] : one if can(regex("^arn", one))]',
    'LISTED : [for one in compact([local.db, var.text]) : "${one}*"]',
    "LISTED : concat([local.db], var.texts)",
    "LISTED : concat(var.on ? [local.other] : [], [local.db])",
    "LISTED : distinct(concat([local.db], var.texts))",
    "LISTED : flatten([[local.db], var.texts])",
    "LISTED : sort(concat(var.texts, [local.db]))",
    "LISTED : toset(concat([local.db], var.texts))",
    "LISTED : tolist(setunion([local.db], var.texts))",
    "LISTED : reverse(concat([local.db], var.texts))",
    "LISTED : var.on ? [local.db, local.other] : [local.db]",
    f'LISTED : compact(["{HEAD}:app-db-??????", var.text])',
    "MAYBE  : compact([local.other, var.text])",
    "MAYBE  : [for one in [local.db, local.other] : one if var.on]",
    "MAYBE  : [for key, one in compact([var.text, local.db]) : one if key == 0]",
    "MAYBE  : concat([local.other], var.texts)",
    "MAYBE  : var.on ? [local.other, local.db] : [local.other]",
    "MAYBE  : try(compact([var.text, local.other])[1], local.db)",
    "MAYBE  : try(compact([local.db, var.texts[0]]), [local.other])",
    "MAYBE  : setintersection([local.db], var.texts)",
    "MAYBE  : setsubtract([local.db, local.other], var.texts)",
    "MAYBE  : slice(concat([local.other], var.texts, [local.db]), 0, 2)",
)
READ = 'actions = ["secretsmanager:GetSecretValue"]'
JSON = 'jsonencode({Version = "2012-10-17", Statement = [STATEMENTS]})'
ALL = '{Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "*"}'
EACH = f'statement {{\n    {READ}\n    resources = ["*"]\n  }}'
WAYS = {
    "allow": (
        f"statement {{\n    {READ}\n    resources = local.arns\n  }}",
        '{Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = local.arns}',
    ),
    "deny": (
        f'{EACH}\n  statement {{\n    effect = "Deny"\n    {READ}\n    resources = local.arns\n  }}',
        ALL + ', {Effect = "Deny", Action = "secretsmanager:GetSecretValue", Resource = local.arns}',
    ),
    "allow others": (
        f"statement {{\n    {READ}\n    not_resources = local.arns\n  }}",
        '{Effect = "Allow", Action = "secretsmanager:GetSecretValue", NotResource = local.arns}',
    ),
    "deny others": (
        f'{EACH}\n  statement {{\n    effect = "Deny"\n    {READ}\n    not_resources = local.arns\n  }}',
        ALL + ', {Effect = "Deny", Action = "secretsmanager:GetSecretValue", NotResource = local.arns}',
    ),
}
CERTAIN = {"allow": PROVEN, "deny": VIOLATED, "allow others": VIOLATED, "deny others": PROVEN}
VALUES = {
    "on": ("true", "false"),
    "text": ("", f"{HEAD}:app-db-??????", f"{HEAD}:x"),
    "texts": ("[]", f'["{HEAD}:app-db-??????"]', f'["{HEAD}:x", "{HEAD}:y"]'),
}


def verdict(directory: Path, written: str, way: str, form: int, values: dict[str, str]) -> Verdict:
    """Return the verdict on reading the secret, by a policy document or by jsonencode."""
    statements = WAYS[way][form]
    source = SOURCE.replace("LIST", f"tolist({written})" if written.startswith(("set", "toset")) else written, 1)
    source = source.replace("STATEMENTS", statements if form == 0 else "", 1)
    policy = "data.aws_iam_policy_document.d.json" if form == 0 else JSON.replace("STATEMENTS", statements)
    given = [Assignment(name, text) for name, text in values.items()]
    plan = plan_of(directory, source.replace("POLICY", policy), arguments=given)
    found = check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")
    (one,) = (finding for finding in found if finding.subject.endswith("GetSecretValue"))
    return one.verdict


@pytest.mark.parametrize("form", [0, 1], ids=["document", "jsonencode"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("line", LISTS)
def test_what_is_certainly_listed_decides(line: str, way: str, form: int, tmp_path: Path) -> None:
    """An element that is certainly in a list decides; one that may be leaves it open, in Resource and NotResource."""
    kind, _, written = line.partition(":")
    expected = CERTAIN[way] if kind.strip() == "LISTED" else UNDETERMINED
    assert expected is verdict(tmp_path, written.strip(), way, form, {})


@pytest.mark.parametrize("line", [line for line in LISTS if line.startswith("LISTED")])
def test_a_definite_answer_holds_whatever_the_values_are(line: str, tmp_path: Path) -> None:
    """With each value of the variables the answer is the one that was given without."""
    written = line.partition(":")[2].strip()
    for way in WAYS:
        for values in product(*VALUES.values()):
            assert CERTAIN[way] is verdict(tmp_path, written, way, 0, dict(zip(VALUES, values, strict=True)))


def test_what_is_sensitive_is_no_known_element(tmp_path: Path) -> None:
    """A list that is marked as sensitive shows nothing of its elements, whichever way it was marked."""
    source = """
    variable "text" {}
    variable "hidden" {
      default   = "s3cret"
      sensitive = true
    }
    module "m" {
      source = "./m"
      texts  = compact(["plain", var.text])
    }
    output "value" {
      value = [
        compact([var.hidden, var.text]), sensitive(compact(["plain", var.text])), module.m.texts, module.m.shown,
        [for one in sensitive(["plain", var.text]) : one if one != ""],
      ]
    }
    """
    inner = """
    variable "texts" {
      sensitive = true
    }
    output "texts" {
      value = var.texts
    }
    output "shown" {
      value     = compact(["plain", "x", var.texts[0]])
      sensitive = true
    }
    """
    plan = plan_of(tmp_path, {"main.tf": source, "m/main.tf": inner})
    values = plan.outputs["value"]
    assert not [value for value in values if isinstance(value, OpenList)]
    assert all(isinstance(value, Unknown) for value in values)
    assert "s3cret" not in f"{values!r}{render(values)}"


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ('[for key, one in [null, 1, {}, "t", var.a] : one if key < 4 || var.a == "x"]', ["t"]),
        ('[for key, one in [var.hidden, "t", "s-${var.hidden}", var.a] : one if key < 3 || var.a == "x"]', ["t"]),
        ('compact(["", "${var.a}${var.a}", "t-${var.a}", var.a, null])', ["t-${var.a}"]),
        ('concat(["t", var.a, ["u"]], var.a)', ["t"]),
        ('flatten([["t"], [var.a], "u"])', ["t", "u"]),
        ('toset(compact(["t", "", var.a]))', ["t"]),
    ],
)
def test_what_is_certainly_in_a_list(written: str, items: list[str], tmp_path: Path) -> None:
    """It is text, of which nothing is sensitive, and that is there whatever the rest turns out to be."""
    source = f"""
    variable "a" {{}}
    variable "hidden" {{
      default   = "s3cret"
      sensitive = true
    }}
    output "value" {{
      value = {written}
    }}
    """
    found = output_of(tmp_path, source)
    assert isinstance(found, OpenList)
    assert items == [render(item) for item in found.items]
