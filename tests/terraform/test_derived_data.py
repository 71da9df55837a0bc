"""Data sources that nobody has to be asked for: what follows from the configuration is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import Text, Unknown, Value
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import output_of, plan_of

TEMPLATE = """
variable "tag" {{
  type = string
}}
data "template_file" "task" {{
  template = {template}
  {vars}
}}
output "value" {{
  value = data.template_file.task.rendered
}}
"""


@pytest.mark.parametrize(
    ("template", "variables", "expected"),
    [
        ('"plain"', "", "plain"),
        ('"$${a}-$${upper(a)}"', 'vars = { a = "x" }', "x-X"),
        ('"$${port}:$${on}"', "vars = { port = 80, on = true }", "80:true"),
        ('"%%{ if on }yes%%{ endif }"', "vars = { on = true }", "yes"),
        ('"app:$${tag}"', "vars = { tag = var.tag }", Text(("app:", Unknown("var.tag")))),
        ("var.tag", "", Unknown("templatestring(var.tag, {})")),
    ],
)
def test_a_template_is_rendered(tmp_path: Path, template: str, variables: str, expected: Value) -> None:
    """The text of data.template_file is rendered with its variables, which are text; what is unknown stays so."""
    source = TEMPLATE.format(template=template, vars=variables)
    assert expected == output_of(tmp_path, source)


def test_a_variable_that_a_template_lacks_is_an_error(tmp_path: Path) -> None:
    """A template that names no variable of its own is refused, as by the provider."""
    with pytest.raises(InfraspecError, match='there is no "b" here'):
        output_of(tmp_path, TEMPLATE.format(template='"$${b}"', vars='vars = { a = "x" }'))


def test_default_tags_are_those_of_the_provider(tmp_path: Path) -> None:
    """data.aws_default_tags answers with the default tags of the provider configuration that it uses."""
    source = """
    provider "aws" {
      region = "eu-west-1"
      default_tags {
        tags = { Team = "core" }
      }
    }
    provider "aws" {
      alias  = "virginia"
      region = "us-east-1"
    }
    data "aws_default_tags" "own" {}
    data "aws_default_tags" "other" {
      provider = aws.virginia
    }
    output "value" {
      value = [data.aws_default_tags.own.tags, data.aws_default_tags.other.tags]
    }
    """
    assert [{"Team": "core"}, {}] == output_of(tmp_path, source)


def test_what_the_contract_says_goes_first(tmp_path: Path) -> None:
    """[known] of the contract answers before anything is derived, and the plan's data source holds it."""
    source = TEMPLATE.format(template='"plain"', vars="")
    plan = plan_of(tmp_path, source, known=KnownData.of({"template_file.task.rendered": "told"}))
    assert plan.outputs["value"] == "told"
    assert plan.by_address["data.template_file.task"].get("rendered") == "told"
