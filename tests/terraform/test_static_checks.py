"""What Terraform refuses whether or not anything reads it: found at once, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.state.source import check_source
from infraspec.core.errors import InfraspecError, InputErrorGroup
from infraspec.core.finding import Verdict
from infraspec.core.unknown import is_known
from tests.terraform.sources import plan_of

REFUSED = {
    "a type that is none": ('variable "a" { type = strin }', "1:23", "this is no type"),
    "a default that does not fit its type": (
        'variable "a" {\n  type = number\n  default = "ten"\n}',
        "3:3",
        "is not of its type",
    ),
    "a default that refers to something": ('variable "a" { default = local.x }\nlocals { x = 1 }', "1:26", '"local"'),
    "an argument that a variable has not": ('variable "a" { tpye = string }', "1:16", "did you mean type?"),
    "a block that a variable has not": ('variable "a" {\n  validaton {}\n}', "2:3", "did you mean validation?"),
    "an argument that an output has not": ('output "a" { valu = 1 }', "1:14", "did you mean value?"),
    "a second backend": ('terraform {\n  backend "s3" {}\n  cloud {}\n}', "3:3", "the backend is declared twice"),
    "required providers twice": (
        "terraform {\n  required_providers {}\n}\nterraform {\n  required_providers {}\n}",
        "5:3",
        "the required_providers is declared twice",
    ),
    "a name with a dot": ('locals {}\noutput "a.b" { value = 1 }', "2:1", '"a.b" is no name'),
    "a provider with an underscore": (
        "terraform {\n  required_providers {\n    a_b = {}\n  }\n}",
        "2:3",
        '"a_b" is no name of a provider',
    ),
    "a reference to a provider in upper case": (
        'resource "aws_x" "y" {\n  provider = AWS.b\n}',
        "2:14",
        '"AWS" is no name of a provider',
    ),
    "null for what takes no null": (
        'variable "a" {\n  nullable = false\n  default = null\n}',
        "3:3",
        "which nullable = false does not take",
    ),
    "locals with a label": ('locals "x" {}', "1:1", "a locals block has no labels"),
    "an unknown function": ('locals { a = uper("x") }', "1:14", "did you mean upper?"),
    "a function that Terraform no longer has": ('locals { a = map("x", 1) }', "1:14", "did you mean tomap({…})?"),
    "an unknown function in a text": ('locals { a = "-${uper(1)}" }', "1:18", 'no function "uper"'),
    "an undeclared variable inside try": ("locals { a = try(var.x, 1) }", "1:18", 'no input variable "x"'),
    "an undeclared variable in text": ('locals { a = "-${var.x}" }', "1:18", 'no input variable "x"'),
    "an undeclared local value": ("locals { a = [for x in local.b : x] }", "1:24", 'no local value "b"'),
    "an undeclared module": ("locals { a = module.m.x }", "1:14", 'no module "m"'),
    "an undeclared resource": ("locals { a = aws_x.y[0].arn }", "1:14", 'no resource "aws_x.y"'),
    "an undeclared data source": ("locals { a = data.aws_x.y.arn }", "1:14", 'no resource "aws_x.y"'),
    "an undeclared resource by its long name": ("locals { a = resource.aws_x.y.arn }", "1:14", 'no resource "aws_x.y"'),
    "an undeclared dependency": ('resource "aws_x" "y" { depends_on = [aws_x.z] }', "1:38", 'no resource "aws_x.z"'),
    "each without for_each": ('resource "aws_x" "y" { a = each.key }', "1:28", '"each" cannot be used here'),
    "a condition": (
        'resource "aws_x" "y" {\n  lifecycle {\n    precondition {\n      condition = var.x\n    }\n  }\n}',
        "4:19",
        'no input variable "x"',
    ),
    "an iterator outside of its block": (
        'resource "aws_x" "y" {\n  dynamic "a" {\n    for_each = []\n    content {}\n  }\n  b = a.value\n}',
        "6:7",
        'no resource "a.value"',
    ),
    "a name of a for outside of it": ("locals { a = [[for x in [1] : x], x.y] }", "1:35", 'no resource "x.y"'),
    "an index": ("locals {\n  a = [1]\n  b = local.a[var.x]\n}", "3:15", 'no input variable "x"'),
    "what a name of a for chooses": ("locals { a = [for k in [1] : local.b[k]] }", "1:30", 'no local value "b"'),
    "what an iterator chooses": (
        'resource "aws_x" "y" {\n  dynamic "a" {\n    for_each = { for k in [1] : k => var.b[k].c }\n  }\n}',
        "3:38",
        'no input variable "b"',
    ),
    "the configuration of a provider": ('provider "aws" { profile = var.x }', "1:28", 'no input variable "x"'),
}


def refusals_of(directory: Path, files: dict[str, str] | str) -> list[str]:
    """Return what is refused of a configuration nothing of which is evaluated: errors, or diagnostics of its plan."""
    try:
        plan = plan_of(directory, files)
    except InputErrorGroup as group:
        return [*map(str, group.errors)]
    except InfraspecError as error:
        return [str(error)]
    return [str(each) for each in plan.diagnostics if each.severity == "error"]


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_reads_is_refused(tmp_path: Path, case: str) -> None:
    """Terraform refuses it, and so it is said with its place, though no check reads it."""
    source, place, said = REFUSED[case]
    (refusal,) = refusals_of(tmp_path, source)
    assert refusal.partition(": ")[0].endswith((f"main.tf:{place}", f"main.tf:{place.partition(':')[0]}"))
    assert said in refusal


ACCEPTED = {
    "functions of providers and of the outside world": 'locals { a = [provider::x::y(1), uuid(), core::upper("x")] }',
    "bound names": "locals { a = { for k, v in {} : k => v... if v } }",
    "names of templates": 'locals { a = "%{ for k, v in {} }${k}${v}%{ endfor }" }',
    "iterators": """
        variable "x" {}
        resource "aws_x" "y" {
          for_each = toset(["a"])
          name     = each.key
          dynamic "a" {
            for_each = [var.x]
            iterator = it
            content {
              b = it.value
              dynamic "c" {
                for_each = [it.key]
                content { d = "${c.value}${it.value}${each.value}" }
              }
            }
          }
        }
        """,
    "what is no expression": """
        provider "aws" { alias = "virginia" }
        variable "a" {
          type     = list(object({ b = optional(string, "c"), d = optional(number) }))
          default  = []
          nullable = false
          validation {
            condition     = length(var.a) < 3
            error_message = "three"
          }
        }
        resource "aws_x" "y" {
          provider = aws.virginia
          lifecycle {
            ignore_changes       = [tags["a"], name]
            replace_triggered_by = [aws_x.z]
            postcondition {
              condition     = self.a == null
              error_message = "${path.module}${terraform.workspace}"
            }
          }
          provisioner "local-exec" {
            when    = destroy
            command = self.id
          }
        }
        resource "aws_x" "z" { count = 0 }
        moved {
          from = aws_x.old
          to   = aws_x.y
        }
        """,
    "null for a typed default": 'variable "a" {\n  type = number\n  default = null\n}',
    "a default that converts": 'variable "a" {\n  type = number\n  default = "10"\n}',
    "a data source of a check": """
        check "c" {
          data "aws_x" "y" {}
          assert {
            condition     = data.aws_x.y.id != null && alltrue([for one in data.aws_x.y.all : one == "a"])
            error_message = "No: ${data.aws_x.y.id}"
          }
        }
        """,
    "arguments of a resource that its schema may not have": 'resource "aws_x" "y" { tpye = 1 }',
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_terraform_accepts_is_no_error(tmp_path: Path, case: str) -> None:
    """Names bound where they stand, and arguments that are no expressions, are left alone."""
    assert refusals_of(tmp_path, ACCEPTED[case]) == []
    assert [] == [fault for fault in plan_of(tmp_path, ACCEPTED[case]).examine() if fault.kind == "undeclared"]


@pytest.mark.parametrize(
    ("expression", "refused"),
    [
        ("module.a.nothing", True),
        ("[1, module.a.nothing]", True),
        ("module.a.nothing ? 1 : 2", True),
        ("[for x in module.a.nothing : x]", True),
        ("module.a.nothing && false", True),
        ("lookup(module.a.nothing, 1)", True),
        ("false ? module.a.nothing : null", False),
        ("try(module.a.nothing, null)", False),
        ("can(module.a.nothing)", False),
        ("[for x in [] : module.a.nothing]", False),
        ("{ for x in [] : x => module.a.nothing }", False),
        ("false && module.a.nothing", False),
        ('"%{ if false }${module.a.nothing}%{ endif }"', False),
    ],
)
def test_an_output_that_is_not_there(tmp_path: Path, expression: str, *, refused: bool) -> None:
    """Terraform looks for an output when it evaluates the expression: not in a branch that it does not take."""
    files = {"main.tf": f'module "a" {{\n  source = "./a"\n}}\nlocals {{\n  b = {expression}\n}}\n', "a/main.tf": ""}
    refusals = refusals_of(tmp_path, files)
    assert ['main.tf:5: module module.a has no output "nothing"'] * refused == [
        refusal.partition("\n")[0].removeprefix(f"{tmp_path}/") for refusal in refusals
    ]


def test_every_one_is_reported_at_once(tmp_path: Path) -> None:
    """One run lists what is wrong in all directories, each place once however often its module is called."""
    files = {
        "main.tf": 'module "a" {\n  count  = 2\n  source = "./a"\n}\n'
        "locals {\n  b = var.b\n  c = module.a[0].nothing\n}\n",
        "a/main.tf": 'variable "x" {\n  type = strin\n  default = 1\n}\noutput "something" { value = foo(local.y) }\n',
    }
    refusals = refusals_of(tmp_path, {**files, "a/main.tf": files["a/main.tf"].replace("strin\n", "string\n")})
    places = [refusal.partition(": ")[0].removeprefix(f"{tmp_path}/") for refusal in refusals]
    assert ["a/main.tf:5", "a/main.tf:5", "main.tf:6", "main.tf:7"] == sorted(places)


def test_a_default_that_is_sensitive_is_not_shown(tmp_path: Path) -> None:
    """The error of a default says nothing of it where the variable is sensitive."""
    (error,) = refusals_of(tmp_path, 'variable "a" {\n  type = number\n  sensitive = true\n  default = "hunter2"\n}')
    assert "hunter2" not in error


REFERENCES = {
    "a variable": "var.nothing",
    "a local value": "local.nothing",
    "a resource": "aws_sqs_queue.nothing[0].arn",
    "a data source": "data.aws_vpc.nothing.id",
    "an output": "module.m.nothing",
    "another module": "module.nothing.id",
    "a function": "nothing(1)",
    "part of a text": '"q-${var.nothing}"',
    "in try": 'try(var.nothing, "q")',
    "in can": 'can(local.nothing) ? "q" : "r"',
    "compared": 'var.nothing == var.nothing ? "q" : "r"',
    "in a collection": '{ q = var.nothing, r = "r" }["q"]',
    "through a local value": "local.through",
}


@pytest.mark.parametrize("case", REFERENCES)
def test_what_uses_an_undeclared_name_is_not_known(tmp_path: Path, case: str) -> None:
    """It does not end the run: the rule `source` says it, what uses it is not known, and the rest is."""
    through = "locals {\n  through = upper(var.nothing)\n}\n" if "local.through" in REFERENCES[case] else ""
    queue = f'resource "aws_sqs_queue" "q" {{\n  name       = {REFERENCES[case]}\n  fifo_queue = true\n}}\n'
    files = {"main.tf": f'module "m" {{\n  source = "./m"\n}}\n{queue}{through}', "m/main.tf": ""}

    plan = plan_of(tmp_path, files)
    name, is_fifo = (plan.by_address["aws_sqs_queue.q"].values[each] for each in ("name", "fifo_queue"))

    assert [False, True] == [is_known(name), is_fifo]
    assert {Verdict.VIOLATED} == {finding.verdict for finding in check_source(plan)}
    assert all(each.location.line == (9 if through else 5) for each in check_source(plan) if each.location)
    assert "nothing" in str(check_source(plan)[0])


def test_a_module_that_is_called_twice_is_refused_once(tmp_path: Path) -> None:
    """What its directory names and does not declare has one place, however many instances use it."""
    calls = "".join(f'module "{name}" {{\n  source = "./m"\n}}\n' for name in "ab")
    child = 'resource "aws_sqs_queue" "q" {\n  name = var.nothing\n}\nlocals {\n  late = false ? 1 : nothing(1)\n}\n'
    plan = plan_of(tmp_path, {"main.tf": calls, "m/main.tf": child})
    for resource in plan.resources:
        dict(resource.values)

    assert [2, 5] == [one.location.line for one in check_source(plan) if one.location]


LATE = {
    "a message of the usual kind": ('length("long") < 4 ? "short" : error("too long")', True),
    "a message that is not needed": ('length("long") < 9 ? "short" : error("too long")', False),
    "an output in a branch": ("true ? module.m.nothing : null", True),
    "an output in another branch": ("false ? module.m.nothing : null", False),
    "an output in try": ("try(module.m.nothing, null)", False),
}


@pytest.mark.parametrize("case", LATE)
def test_what_is_not_declared_is_found_where_it_is_evaluated(tmp_path: Path, case: str) -> None:
    """Terraform refuses an output or a function that there is not if it comes to it, and else does not."""
    expression, is_refused = LATE[case]
    for place, around in enumerate(("locals {{\n  a = {}\n}}\n", 'output "a" {{\n  value = {}\n}}\n')):
        text = 'module "m" {\n  source = "./m"\n}\n' + around.format(expression)
        found = check_source(plan_of(tmp_path / str(place), {"main.tf": text, "m/main.tf": ""}))
        assert [5] * is_refused == [each.location.line for each in found if each.location]


@pytest.mark.parametrize(("each", "count"), [("[]", 0), ("[1]", 1), ("[1, 2]", 1)])
def test_a_name_in_a_dynamic_block(tmp_path: Path, each: str, count: int) -> None:
    """It is looked for where for_each makes a block."""
    text = f"""
resource "aws_security_group" "g" {{
  dynamic "ingress" {{
    for_each = {each}
    content {{
      from_port = ingress.value
      to_port   = var.nothing
      protocol  = "tcp"
    }}
  }}
}}
"""
    found = [one for one in check_source(plan_of(tmp_path, text)) if one.verdict is Verdict.VIOLATED]
    assert [7] * count == [one.location.line for one in found if one.location]
