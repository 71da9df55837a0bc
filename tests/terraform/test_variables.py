"""Variables of files and arguments: an error in one never shows what may be a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError, InputErrorGroup
from infraspec.core.unknown import Sensitive
from infraspec.terraform.configuration.variables import Argument, Assignment, VariableFile
from tests.terraform.sources import plan_of

MAIN = """
variable "token" {}
variable "tokens" { type = list(string) }
variable "number" {
  type      = number
  sensitive = true
}
output "value" {
  value = var.number
  sensitive = true
}
"""


def error_of(directory: Path, files: dict[str, str], *arguments: Argument) -> InfraspecError:
    """Return the error that evaluation and its one output end with."""
    with pytest.raises(InfraspecError) as caught:
        plan_of(directory, {"main.tf": MAIN, **files}, arguments=arguments).outputs["value"]
    assert "hunter2" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("name", "text", "position", "expected"),
    [
        ("terraform.tfvars", 'token = "hunter2', "1:9", '"'),
        ("x.auto.tfvars", 'token = "x"\ntokens = ["hunter2" "hunter2"]', "2:21", '"," or "]"'),
        ("x.tfvars", "token = hunter2!", "1:16", ""),
        ("terraform.tfvars.json", '{"token": "hunter2" "x"}', "1:21", '"," or "}"'),
        ("x.tfvars.json", '{"token": hunter2}', "1:11", ""),
        ("x.tfvars", "token = hunter2", "1:9", "text in quotes"),
        ("x.tfvars", 'token = "${hunter2.x}"', "1:12", "text in quotes"),
        ("x.tfvars", 'hunter {\n  two = "hunter2"\n}', "1:1", "NAME = VALUE"),
    ],
)
def test_errors_in_variable_files_do_not_quote_them(
    tmp_path: Path, name: str, text: str, position: str, expected: str
) -> None:
    """File, line, column and what was expected are said; neither the line nor what was found in it."""
    arguments = [VariableFile(tmp_path / name)] if name.startswith("x.tfvars") else []
    error = error_of(tmp_path, {name: text}, *arguments)

    assert error.place == f"{tmp_path / name}:{position}"
    assert expected in error.expected
    assert not error.excerpt
    assert not error.found


def test_several_errors_in_a_variable_file(tmp_path: Path) -> None:
    """None of several errors quotes the file."""
    error = error_of(tmp_path, {"terraform.tfvars": 'token = = "hunter2"\nnumber = 1\ntokens = ["hunter2" 5]\n'})

    assert isinstance(error, InputErrorGroup)
    assert len(error.errors) == 2


@pytest.mark.parametrize("text", ["[hunter2", "[hunter2]", '["${hunter2}"]', "hunter2("])
def test_errors_in_arguments_do_not_quote_them(tmp_path: Path, text: str) -> None:
    """An argument for a list that is no constant expression is an error that names the variable."""
    error = error_of(tmp_path, {}, Assignment("tokens", text))

    assert "tokens" in error.place


def test_a_sensitive_value_of_a_wrong_type_is_not_shown(tmp_path: Path) -> None:
    """A sensitive variable is converted to its type, and hidden in the error if it cannot be."""
    assert "sensitive" in error_of(tmp_path, {}, Assignment("number", "hunter2")).found

    value = plan_of(tmp_path, MAIN, arguments=[Assignment("number", "5")]).outputs["value"]
    assert isinstance(value, Sensitive)
    assert value.reveal() == 5
