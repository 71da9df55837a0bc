"""Source that is not what anybody meant ends with a plan or an error of the input, never with another exception."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from infraspec.core.errors import InfraspecError
from infraspec.reporting.document import as_json, as_text
from infraspec.reporting.planned_values import plan_data, plan_document
from infraspec.terraform.environments import force
from tests.terraform.sources import plan_of

SOURCE = """
variable "unset" {}
variable "secret" {
  type      = map(object({ a = optional(number, 1), b = list(string) }))
  sensitive = true
  default   = { x = { b = ["y"] } }
}
locals {
  people = [{ name = "Ada", role = "dev" }, { name = "Bob", role = "ops" }]
  roles  = { for p in local.people : p.role => p.name... if p.name != "Cyd" }
  text   = "%{ for k, v in local.roles }${k}=${join(",", v)};%{ endfor }%{ if var.unset }u%{ else }v%{ endif }"
}
provider "aws" {
  region = "eu-west-1"
  default_tags { tags = { Owner = "platform", Secret = var.secret["x"].b[0] } }
}
data "aws_iam_policy_document" "d" {
  source_policy_documents = [jsonencode({ Statement = [{ Effect = "Allow", Condition = { Bool = { a = true } } }] })]
  dynamic "statement" {
    for_each = toset(["a", "b"])
    content {
      sid       = statement.key
      actions   = ["s3:${upper(statement.value)}"]
      resources = [aws_sqs_queue.q[0].arn, "${aws_sqs_queue.each["a"].arn}/*"]
    }
  }
}
resource "aws_sqs_queue" "q" {
  count = length(local.people)
  name  = local.people[count.index].name
  tags  = { Role = try(local.people[count.index].role, "none"), Text = local.text }
}
resource "aws_sqs_queue" "each" {
  for_each = toset(["a", "b"])
  name     = var.unset ? each.key : format("%s-%03d", each.value, 5)
  policy   = data.aws_iam_policy_document.d.minified_json
}
resource "aws_security_group" "sg" {
  dynamic "ingress" {
    for_each = [80, 443]
    content { from_port = ingress.value }
  }
  lifecycle { ignore_changes = [tags] }
}
module "m" {
  source = "./m"
  names  = aws_sqs_queue.q[*].name
}
output "value" {
  value     = [module.m.first, local.text == "x" && !false, -1 + 2 * 3, <<-END
    ${jsonencode(var.secret)}
    END
  ]
  sensitive = true
}
"""
MODULE = 'variable "names" { type = set(string) }\noutput "first" { value = tolist(var.names)[0] }\n'
TOKENS = re.findall(r'"(?:[^"\\\n]|\\.)*"|\w+|\s+|[=!<>]=|&&|=>|\.\.\.|.', SOURCE, re.DOTALL)
PIECES = [
    *("null", "[]", "{}", '""', '"a"', "0", "-1", "1e999", "true", "toset([null])", "sensitive(1)", "1 / 0", "[*]"),
    *("var.unset", "each.key", "count.index", "local.roles", "local.people[0]", "jsonencode(null)", "...", '"${null}"'),
    *(
        "for",
        "\n",
        "{",
        "}",
        "(",
        "]",
        "\0",
        "\ue000",
        "<<E\nx\nE\n",
        "count = null\n",
        'file("/etc/passwd")',
        "self.x",
    ),
]
KINDS = ["delete", "double", "swap", "replace", "insert", "cut"]
CHANGES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 10**6), st.sampled_from(PIECES)), min_size=1, max_size=4
)
Changes = list[tuple[str, int, str]]


def mutated(changes: Changes) -> str:
    """Return the source with changes at some of its tokens."""
    tokens = list(TOKENS)
    for kind, number, piece in changes:
        at = number % (len(tokens) + 1)
        after = {
            "delete": tokens[at + 1 :],
            "double": tokens[max(at - 1, 0) :],
            "swap": [*tokens[at + 1 : at + 2], *tokens[at : at + 1], *tokens[at + 2 :]],
            "replace": [piece, *tokens[at + 1 :]],
            "insert": [piece, *tokens[at:]],
            "cut": [],
        }
        tokens = tokens[:at] + after[kind]
    return "".join(tokens)


def outcome(source: str) -> str:
    """Evaluate and write a root module; return the plan or the error as text."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            plan = plan_of(Path(directory), {"main.tf": source, "m/main.tf": MODULE})
            force(plan)
            as_json(plan_data(plan))
        except InfraspecError as error:
            return str(error)
    return as_text(plan_document(plan))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@example([("insert", 0, "\0")])
@example([("cut", 100, "null"), ("insert", 99, "<<E\nx\nE\n")])
@given(CHANGES)
def test_changed_source_is_a_plan_or_an_error(changes: Changes) -> None:
    """Tokens deleted, doubled, swapped, replaced, inserted or cut off leave nothing but errors with a message."""
    assert outcome(mutated(changes))


def test_the_source_itself_is_a_plan() -> None:
    """Without a change there is a plan; otherwise the changes would not be tried on anything."""
    assert '# aws_sqs_queue.each["b"]' in outcome(SOURCE)
