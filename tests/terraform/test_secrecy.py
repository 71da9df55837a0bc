"""No error and no plan shows what is sensitive: in a variable, by the type of a resource, or in known data."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from infraspec.cli.terminal_view import view
from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import Sensitive, Value
from infraspec.reporting.document import as_json, as_text
from infraspec.reporting.planned_values import plan_data, plan_document
from infraspec.terraform.configuration.variables import Argument, Assignment, VariableFile
from infraspec.terraform.environments import force
from infraspec.terraform.language.conversions import reveal
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import output_of, plan_of

SECRET = "hunter2"  # noqa: S105 - the word that no output may hold
HIDDEN = """
variable "text" {
  sensitive = true
  default   = "hunter2"
}
variable "list" {
  sensitive = true
  default   = ["hunter2", "hunter2"]
}
variable "map" {
  sensitive = true
  default   = { hunter2 = "hunter2" }
}
"""


def outcome(directory: Path, source: str, **options: Any) -> str:
    """Return all that a user is shown: every form of the plan and its diagnostics, or the error."""
    try:
        plan = plan_of(directory, source, **options)
        force(plan)
    except InfraspecError as error:
        return f"{type(error).__name__}: {error.message}\n{error.found}\n{error.expected}\n{error.remedy}"
    return "\n".join([as_text(plan_document(plan)), as_json(plan_data(plan)), drawn(plan), *map(str, plan.diagnostics)])


def drawn(plan: Plan) -> str:
    """Return what a terminal shows of a plan."""
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as shown:
        console.print(*view(plan_document(plan)))
    return shown.get()


WITHOUT_VALUE = [
    "{ a = 1 }[var.text]",
    "[1][var.text]",
    "var.map.absent",
    "var.map[var.text].absent",
    'var.map["absent"]',
    "var.map[*].absent",
    "var.list[*].absent",
    "var.text.absent",
    "var.text + 1",
    "tonumber(var.text)",
    "[for item in var.list : tonumber(item)]",
    "[for item in var.text : item]",
    "[for key, item in var.map : { a = 1 }[key]]",
    "[for item in var.list : item if item]",
    "[for item in toset(var.list) : tonumber(item)]",
    "{ for item in var.list : item => item }",
    "{ for key, item in var.map : key => item + 1 }",
    '"%{ for item in var.list }${tonumber(item)}%{ endfor }"',
    '"%{ if var.text }a%{ endif }"',
    "var.text ? 1 : 2",
    "var.text && true",
    "false || var.text",
    "!var.text",
    'regex("x", var.text)',
    "lookup({ a = 1 }, var.text)",
    "jsondecode(var.text)",
    "try(tonumber(var.text), { a = 1 }[var.text])",
]


@pytest.mark.parametrize("expression", WITHOUT_VALUE)
def test_an_expression_without_value(tmp_path: Path, expression: str) -> None:
    """Whatever is wrong with a sensitive value, the error does not show it."""
    shown = outcome(tmp_path, f'{HIDDEN}\noutput "value" {{\n  value = {expression}\n}}\n')

    assert shown.startswith(("EvaluationError", "TerraformError"))
    assert SECRET not in shown


WITH_VALUE: list[tuple[str, Value]] = [
    ("[for item in var.list : upper(item)]", ["HUNTER2", "HUNTER2"]),
    ('{ for key, item in var.map : upper(key) => item if key != "x" }', {"HUNTER2": "hunter2"}),
    ("{ for item in var.list : item => item... }", {"hunter2": ["hunter2", "hunter2"]}),
    ("[for position, item in var.list : position]", [0, 1]),
    ("var.list[*]", ["hunter2", "hunter2"]),
    ("var.text[*]", ["hunter2"]),
    ("sensitive(null)[*]", []),
    ("sensitive([{ a = 1 }])[*].a", [1]),
    ('"%{ for key, item in var.map }${key}=${item}%{ endfor }"', "hunter2=hunter2"),
]


@pytest.mark.parametrize(("expression", "expected"), WITH_VALUE, ids=[expression for expression, _ in WITH_VALUE])
def test_an_expression_with_a_value(tmp_path: Path, expression: str, expected: Value) -> None:
    """What is computed from the parts of a sensitive value is right, and is not shown."""
    value = output_of(tmp_path, f'{HIDDEN}\noutput "value" {{\n  value = {expression}\n}}\n')

    assert expected == reveal(value)
    assert SECRET not in repr(value).lower()


def test_a_dynamic_block_over_a_sensitive_collection(tmp_path: Path) -> None:
    """Blocks made of the elements of a sensitive collection hide what they take from them."""
    source = (
        HIDDEN
        + """
        resource "aws_security_group" "sg" {
          dynamic "ingress" {
            for_each = var.map
            content {
              description = "${ingress.key}-x"
              self        = true
              protocol    = ingress.value
            }
          }
        }
        """
    )
    (ingress,) = plan_of(tmp_path, source).by_address["aws_security_group.sg"].values["ingress"]

    assert ingress["self"] is True
    assert "hunter2-x" == reveal(ingress["description"])
    assert SECRET not in outcome(tmp_path, source)


TYPES = [
    ("number", SECRET),
    ("bool", SECRET),
    ("list(string)", f'{{ {SECRET} = "x" }}'),
    ("list(number)", f'[1, "{SECRET}"]'),
    ("set(bool)", f'["{SECRET}"]'),
    ("map(number)", f'{{ {SECRET} = "x" }}'),
    ("map(list(number))", f'{{ {SECRET} = ["{SECRET}"] }}'),
    ("object({ port = number })", f'{{ port = "{SECRET}" }}'),
    ("object({ port = number })", f"{{ {SECRET} = 1 }}"),
    ("tuple([number])", f'["{SECRET}"]'),
    ("list(object({ a = optional(map(number)) }))", f'[{{ a = {{ {SECRET} = "{SECRET}" }} }}]'),
]


@pytest.mark.parametrize("sensitive", ["", "sensitive = true"])
@pytest.mark.parametrize(("type_", "text"), TYPES)
def test_a_given_value_of_the_wrong_type(tmp_path: Path, type_: str, text: str, sensitive: str) -> None:
    """A value from an argument, a file or the environment may be a secret: the error says its type and no more."""
    source = f'variable "x" {{\n  type = {type_}\n  {sensitive}\n}}\noutput "x" {{ value = var.x }}\n'
    written = text if text.startswith(("[", "{")) else f'"{text}"'
    (tmp_path / "x.tfvars").write_text(f"x = {written}\n", encoding="utf-8")
    given: list[tuple[Argument, ...]] = [(Assignment("x", text),), (VariableFile(tmp_path / "x.tfvars"),), ()]
    for arguments in given:
        environ = {} if arguments else {"TF_VAR_x": text}
        shown = outcome(tmp_path, source, arguments=arguments, environ=environ)

        assert shown.startswith("EvaluationError"), shown
        assert "var.x" in shown
        assert SECRET not in shown


def test_a_default_of_the_wrong_type_is_shown(tmp_path: Path) -> None:
    """A value that stands in the source is no secret, unless the variable is sensitive."""
    source = 'variable "x" {\n  type    = number\n  default = "soon"\n}\noutput "x" { value = var.x }\n'

    assert "soon" in outcome(tmp_path, source)


def test_a_validation_of_a_sensitive_variable(tmp_path: Path) -> None:
    """Neither the message of a validation nor its failure shows the value."""
    source = """
        variable "x" {
          sensitive = true
          validation {
            condition     = var.x == "other"
            error_message = "not ${var.x}"
          }
          validation {
            condition     = { a = true }[var.x]
            error_message = "x"
          }
          validation {
            condition     = tonumber(var.x) > 1
            error_message = "x"
          }
        }
        """
    plan = plan_of(tmp_path, source, arguments=[Assignment("x", SECRET)])

    assert [diagnostic.severity for diagnostic in plan.diagnostics] == ["error"] * 3
    assert SECRET not in "".join(map(str, plan.diagnostics))


BLOCKS = """
resource "aws_mq_broker" "b" {
  broker_name = "b"
  user {
    username = "reader"
    password = "hunter2"
  }
}
resource "aws_ssm_parameter" "p" { value = "hunter2" }
resource "aws_dms_certificate" "c" { certificate_pem = "hunter2" }
"""


def test_secrets_of_resources(tmp_path: Path) -> None:
    """What a resource type keeps secret is hidden, in nested blocks too, and what stands beside it is not."""
    plan = plan_of(tmp_path, BLOCKS)
    (user,) = plan.by_address["aws_mq_broker.b"].values["user"]

    assert "reader" == user["username"]
    assert Sensitive("aws_mq_broker.b.user[0].password", SECRET) == user["password"]
    assert SECRET not in outcome(tmp_path, BLOCKS)


DATA = [
    ("aws_secretsmanager_secret_version", "secret_string", SECRET),
    ("aws_secretsmanager_secret_version", "secret_binary", SECRET),
    ("aws_secretsmanager_random_password", "random_password", SECRET),
    ("aws_ssm_parameter", "value", SECRET),
    ("aws_ssm_parameters_by_path", "values", [SECRET]),
    ("aws_ecr_authorization_token", "password", SECRET),
    ("aws_ecr_authorization_token", "authorization_token", SECRET),
    ("aws_kms_secrets", "plaintext", {"db": SECRET}),
    ("aws_eks_cluster_auth", "token", SECRET),
    ("aws_cognito_user_pool_client", "client_secret", SECRET),
]


def plan_with(directory: Path, type_: str, attribute: str, answer: Value) -> Plan:
    """Return the plan of an output that is what a data source answers."""
    source = f'data "{type_}" "d" {{}}\noutput "value" {{ value = data.{type_}.d.{attribute} }}\n'
    return plan_of(directory, source, known=KnownData.of({f"{type_}.d.{attribute}": answer}))


@pytest.mark.parametrize(("type_", "attribute", "answer"), DATA, ids=[f"{row[0]}.{row[1]}" for row in DATA])
def test_secrets_of_data_sources(tmp_path: Path, type_: str, attribute: str, answer: Value) -> None:
    """What a data source keeps secret is hidden when it is answered from known data."""
    plan = plan_with(tmp_path, type_, attribute, answer)

    assert Sensitive(f"data.{type_}.d.{attribute}", answer) == plan.outputs["value"]
    assert SECRET not in as_text(plan_document(plan)) + as_json(plan_data(plan)) + drawn(plan)


def test_data_that_is_no_secret(tmp_path: Path) -> None:
    """Other attributes of the same data sources are as they are given."""
    assert "plain" == plan_with(tmp_path, "aws_ssm_parameter", "insecure_value", "plain").outputs["value"]
