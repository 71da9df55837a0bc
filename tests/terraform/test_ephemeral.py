"""Ephemeral values and write-only attributes: used, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.unknown import Ephemeral, Sensitive, Unknown, Value
from infraspec.terraform.language.conversions import reveal
from infraspec.terraform.provider.masking import is_sensitive, mask
from tests.terraform.sources import output_of, plan_of

DECLARED = """
variable "token" {
  type      = string
  default   = "hunter2"
  ephemeral = true
}
variable "plain" { default = "open" }
variable "secret" {
  default   = "hunter3"
  sensitive = true
}
ephemeral "random_password" "db" { length = 20 }
module "child" {
  source = "./child"
  token  = var.token
}
output "value" {
  value = %s
}
"""
CHILD = """
variable "token" { ephemeral = true }
output "token" {
  value     = "t-${var.token}"
  ephemeral = true
}
output "plain" {
  value     = ["kept"]
  ephemeral = true
}
"""


def value_of(directory: Path, expression: str) -> Value:
    """Return the value of an expression beside the declarations."""
    (directory / "child").mkdir(exist_ok=True)
    (directory / "child" / "main.tf").write_text(CHILD, encoding="utf-8")
    return output_of(directory, DECLARED % expression)


COMPUTED = [
    "var.token",
    "upper(var.token)",
    '"${var.token}"',
    "[var.token][0]",
    "{ a = var.token }.a",
    "jsondecode(jsonencode({ a = var.token }))",
    'split("", var.token)[0]',
    "[for item in [var.token] : item][0]",
    '[for item in split("", var.token) : item]',
    'var.token == "x"',
    'var.token != "" ? 1 : 2',
    '!(var.token == "x")',
    'templatestring("a$${x}", { x = upper(var.token) })',
    "module.child.token",
    "module.child.plain[0]",
    "nonsensitive(var.token)",
    "nonsensitive(upper(var.token))",
    "nonsensitive(sensitive(var.token))",
    "nonsensitive(module.child.token)",
    "ephemeral.random_password.db.result",
    "nonsensitive(ephemeral.random_password.db.result)",
]


@pytest.mark.parametrize("expression", COMPUTED)
def test_an_ephemeral_value_is_hidden_wherever_it_goes(tmp_path: Path, expression: str) -> None:
    """What is computed from an ephemeral value is ephemeral, and `nonsensitive` does not take that away."""
    value = value_of(tmp_path, expression)

    assert "hunter2" not in f"{value!r} {value}"
    assert value_of(tmp_path, f"ephemeralasnull({expression})") is None or isinstance(value, dict)


AS_NULL: list[tuple[str, Value]] = [
    ("var.plain", "open"),
    ("[var.plain, var.token]", ["open", None]),
    ("{ a = { b = var.token, c = 1 } }", {"a": {"b": None, "c": 1}}),
    ('"a-${var.token}"', None),
    ("upper(var.secret)", "HUNTER3"),
    ("data.aws_vpc.main.id", Unknown("data.aws_vpc.main.id")),
]


@pytest.mark.parametrize(("expression", "expected"), AS_NULL)
def test_ephemeralasnull(tmp_path: Path, expression: str, expected: Value) -> None:
    """Each ephemeral part is null, and everything else stays as it is."""
    files = f'{DECLARED % f"ephemeralasnull({expression})"}\ndata "aws_vpc" "main" {{}}\n'
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "main.tf").write_text(CHILD, encoding="utf-8")

    assert expected == reveal(output_of(tmp_path, files))


def test_an_unknown_ephemeral_value_says_why(tmp_path: Path) -> None:
    """What an ephemeral resource makes is named, with the cause."""
    value = value_of(tmp_path, "ephemeral.random_password.db.result")

    assert isinstance(value, Ephemeral)
    assert "ephemeral.random_password.db.result" == value.address
    assert "AtRunTime" == type(value.cause).__name__


WRITE_ONLY = """
variable "pw" { default = "hunter2" }
resource "vault_thing" "main" {
  value_wo         = var.pw
  value_wo_version = 1
  login {
    name        = "me"
    password_wo = "hunter2"
    inner { key_wo = ["hunter2"] }
  }
}
"""


def test_write_only_attributes_of_every_provider_are_hidden(tmp_path: Path) -> None:
    """An attribute that its name says to be write-only is not shown, in nested blocks neither."""
    (resource,) = plan_of(tmp_path, WRITE_ONLY).resources
    values = {name: resource.values[name] for name in resource.values}

    assert "hunter2" not in repr(values)
    assert isinstance(values["value_wo"], Sensitive)
    assert 1 == values["value_wo_version"]
    assert "me" == values["login"][0]["name"]


@pytest.mark.parametrize("path", ["value_wo", "login[0].password_wo", "login.0.inner.0.key_wo[0]"])
def test_a_path_to_something_write_only_is_sensitive(path: str) -> None:
    """The path of a write-only attribute, and of what is in it, is that of a secret, whatever the type."""
    assert is_sensitive("vault_thing", path)
    assert not is_sensitive("vault_thing", "value_wo_version")


def test_write_only_values_of_a_plan_are_masked() -> None:
    """A plan shows them no more than the source does."""
    values = mask("vault_thing", "vault_thing.main", {"a_wo": "hunter2", "b": [{"c_wo": "hunter2", "d": 1}]})

    assert "hunter2" not in repr(values)
    assert 1 == values["b"][0]["d"]
