"""What may fail: `try`, `can` and templates over what is not known, where an answer must hold whatever that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.unknown import Text, Unknown, Value
from infraspec.terraform.language.values import SetValue
from tests.terraform.sources import output_of

DECLARED = """
variable "any" {}
variable "count_of_queues" { type = number }
data "aws_ssm_parameter" "mode" { name = "/mode" }
data "aws_subnets" "all" {}
resource "aws_sqs_queue" "main" { name = "main" }
resource "aws_sqs_queue" "several" { count = var.count_of_queues }
resource "aws_kms_key" "main" {}
module "elsewhere" { source = "example.com/network/aws" }
locals {
  mode   = data.aws_ssm_parameter.mode.value
  choice = var.any.choice
  known  = { a = "x", b = [1, 2] }
  none   = tostring(null)
  empty  = tolist([])
  hidden = sensitive(var.any)
}
output "value" {
  value = %s
}
"""
OPEN = [
    'can(regex("^dev", data.aws_ssm_parameter.mode.value))',
    'can(regex("^dev", local.mode))',
    'can(regex("^dev", "${local.mode}-x"))',
    "can(tonumber(local.mode))",
    "can(local.mode + 1)",
    "can(-local.mode)",
    "can(local.mode ? 1 : 2)",
    "can(!local.mode)",
    "can(local.mode && true)",
    "can(local.known[local.mode])",
    "can(local.known.b[local.mode])",
    "can(jsondecode(local.mode).a)",
    "can(cidrsubnet(local.mode, 4, 1))",
    "can({ (local.mode) = 1, (upper(local.mode)) = 2 })",
    "can([for item in local.mode : item])",
    "can({ for item in data.aws_subnets.all.ids : item => 1 })",
    "can(data.aws_subnets.all.ids[0])",
    "can(element(data.aws_subnets.all.ids, 0))",
    "can(one(data.aws_subnets.all.ids))",
    'can("a${var.any}")',
    "can(var.any.part)",
    "can(var.any[*].part)",
    "can(aws_sqs_queue.several[0].arn)",
    'can(coalesce(setproduct(toset([]), ["a"]), ["a"]))',
    'can(setunion(setproduct(toset([]), ["a"]), ["a"]))',
    'can(regex("[^,]*", local.mode))',
    'can(regex("[^,]*", sensitive(local.mode)))',
    "can(module.elsewhere.name)",
    'can("%{ for item in var.any }${item}%{ endfor }")',
    'can(templatestring("$${x + 1}", { x = local.mode }))',
    "can(templatestring(local.mode, {}))",
    "can(max(var.any...))",
    "can(true ? [1] : var.any)",
    'can(true ? "a" : var.any)',
    "can(true ? var.any : 1)",
    "can(true ? [var.any] : local.empty)",
    'can(true ? "a" : { a = tobool("x") })',
    "can(true ? local.none : [])",
    "can(false ? [1] : [for item in var.any : item])",
    "try(true ? [var.any] : var.any, [])",
    'try(length(true ? true : var.any), "x")',
    "can((true ? 1 : var.any) == 1) ? 1 : 0",
    "can(null || tobool(local.mode))",
    'nonsensitive(local.hidden ? "a" : "b")',
    "nonsensitive([for item in local.hidden : item])",
    "nonsensitive({ for key, item in local.hidden : key => item })",
    "nonsensitive(local.hidden[*])",
    "length([for item in nonsensitive(local.hidden) : item])",
    'length(nonsensitive("%{ if local.hidden }a%{ else }b%{ endif }"))',
    'length(nonsensitive("%{ for item in local.hidden }a%{ endfor }"))',
    "nonsensitive(can([for item in local.hidden : item]))",
    "nonsensitive(can(local.hidden ? 1 : 1))",
    'nonsensitive([for item in sensitive(toset(["b", local.mode])) : item][0])',
    'can(tobool("x") || (local.hidden ? true : true))',
    'can(tolist([var.any, "x"]) || true)',
    "can([for item in [1] : item if tobool(local.mode)])",
    'can({ for item in [1, 2] : "${local.mode}" => item })',
    "can(try(tonumber(local.mode), tobool(local.mode)))",
    'can(regex("^dev", local.mode)) ? 1 : 0',
    "try(tonumber(local.mode), 0)",
    'try(regex("^dev", local.mode), "prod")',
    "try(aws_sqs_queue.several[0].arn, null)",
    "try(var.any.part, [])",
    "try(length(var.any) >= 0, false)",
    '!can(regex("^dev", local.mode))',
    '[for item in ["a"] : can(regex(item, local.mode))][0]',
    'can(chomp(["a", local.mode]))',
    'can(trim("a", [local.mode]))',
    'coalescelist(try(null, var.any), ["x"])',
]


@pytest.mark.parametrize("expression", OPEN)
def test_what_may_fail_is_not_known(tmp_path: Path, expression: str) -> None:
    """A step on something unknown that may have no result leaves open whether there is one."""
    assert isinstance(output_of(tmp_path, DECLARED % expression), Unknown)


SETTLED: list[tuple[str, Value]] = [
    ("can(aws_sqs_queue.main.arn)", True),
    ('can("${aws_sqs_queue.main.arn}/*")', True),
    ("can(local.mode)", True),
    ("can(local.choice)", True),
    ("can([local.mode, var.any])", True),
    ("can(aws_sqs_queue.several[*].arn)", True),
    ("can(upper(aws_kms_key.main.arn))", True),
    ('can(format("%s/x", aws_kms_key.main.arn))', True),
    ('can(join("-", ["a", aws_kms_key.main.arn]))', True),
    ("can(merge(local.known, { c = var.any }))", True),
    ("can(jsonencode(var.any))", True),
    ("can(timestamp())", True),
    ('can(local.mode == "dev")', True),
    ("can(local.known.c == local.mode)", False),
    ('can([regex("x", "y"), local.mode])', False),
    ("can(try(tonumber(local.mode), 0))", True),
    ("can(can(tonumber(local.mode)))", True),
    ('try(local.known.c, "x")', "x"),
    ('try(tonumber("x"), 5)', 5),
    ('try(lookup(local.known, "a"), local.mode)', "x"),
    ("can(1 / 0)", True),
    ("try(0 / 0, 5)", 5),
    ('tobool("x") && false', False),
    ("null || true", True),
    ("null && true", False),
    ("true && null", False),
    ("can(null || false)", False),
    ('can(true ? [1] : "x")', False),
    ("can(true ? 1 : false)", False),
    ("can(true ? 1 : null)", True),
    ('can(true ? "a" : local.known.c)', True),
    ('can(true ? ["a", aws_kms_key.main.arn] : [])', True),
    ("can([for item in [] : item if null])", False),
]


@pytest.mark.parametrize(("expression", "expected"), SETTLED)
def test_what_cannot_fail_is_known(tmp_path: Path, expression: str, expected: Value) -> None:
    """What has a result, or none, whatever the unknown is, is answered."""
    assert expected == output_of(tmp_path, DECLARED % expression)


@pytest.mark.parametrize("expression", ["aws_sqs_queue.main.arn", '"${aws_sqs_queue.main.arn}/*"'])
def test_what_cannot_fail_keeps_its_name(tmp_path: Path, expression: str) -> None:
    """`try` of what is certain to be there is the same unknown, so that it is known to equal itself."""
    value = output_of(tmp_path, DECLARED % f'try({expression}, "")')

    assert isinstance(value, Unknown | Text)
    assert value == output_of(tmp_path, DECLARED % expression)


def test_an_operand_that_fails_beside_an_unknown_one_is_not_known(tmp_path: Path) -> None:
    """`&&` has a value if the operand that is not known turns out false."""
    assert isinstance(output_of(tmp_path, DECLARED % 'tobool("x") && tobool(local.mode)'), Unknown)


TEMPLATES: list[tuple[str, Value]] = [
    ("[1, 2]", [1, 2]),
    ("5", 5),
    ("{ a = true }", {"a": True}),
    ('"text"', "text"),
    ("aws_kms_key.main.arn", Unknown("aws_kms_key.main.arn")),
]


@pytest.mark.parametrize(("argument", "expected"), TEMPLATES)
def test_a_template_file_of_one_value_alone_is_that_value(tmp_path: Path, argument: str, expected: Value) -> None:
    """`templatefile` of `${x}` alone has the value of x, of whatever type; `templatestring` makes text of it."""
    (tmp_path / "lone.tftpl").write_text("${x}", encoding="utf-8")

    assert expected == output_of(tmp_path, DECLARED % f'templatefile("lone.tftpl", {{ x = {argument} }})')


def test_a_template_of_one_value_alone(tmp_path: Path) -> None:
    """Null is no result of a template, and a collection no text."""
    (tmp_path / "lone.tftpl").write_text("${x}", encoding="utf-8")
    expressions = {
        'try(templatefile("lone.tftpl", { x = null }), "none")': "none",
        'templatestring("$${x}", { x = 5 })': "5",
        'try(templatestring("$${x}", { x = [1] }), "none")': "none",
    }

    for expression, expected in expressions.items():
        assert expected == output_of(tmp_path, DECLARED % expression)


UNORDERED: list[str] = [
    '[for item in toset(["a", local.mode]) : item][0]',
    'length([for item in toset(["a", local.mode]) : item])',
    'length([for item in toset(["a", local.mode]) : "same"])',
    'can([for item in toset(["a", local.mode]) : item][1])',
    '[for item in toset(["a", local.mode]) : "same"]',
    'length(toset(["a", local.mode])[*])',
    '{ for item in toset(["a", local.mode]) : "same" => item }',
]


@pytest.mark.parametrize("expression", UNORDERED)
def test_the_order_and_number_of_what_comes_from_an_open_set_is_not_known(tmp_path: Path, expression: str) -> None:
    """A set with an unknown element may have it at any place, or once more than it seems: so may a tuple made of it."""
    assert isinstance(output_of(tmp_path, DECLARED % expression), Unknown)


def test_the_order_of_a_template_over_an_open_set_is_not_known(tmp_path: Path) -> None:
    """What stands in it at which place depends on the element that is not known."""
    value = output_of(tmp_path, DECLARED % '"<%{ for item in toset(["b", local.mode]) }${item}%{ endfor }>"')

    assert isinstance(value, Text)
    assert ("<", ">") == (value.parts[0], value.parts[-1])
    assert 3 == len(value.parts)


def test_what_comes_from_an_open_set_is_in_it(tmp_path: Path) -> None:
    """Its elements are known, apart from their order."""
    value = output_of(tmp_path, DECLARED % '[for item in toset(["a", local.mode]) : "${item}/x"]')

    assert isinstance(value, SetValue)
    assert "a/x" in value
