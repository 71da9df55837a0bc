"""Expressions evaluate as Terraform documents them; a part that cannot be known is named, never guessed."""

import json
from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError, TerraformError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, render
from infraspec.terraform.language.conversions import first_sensitive, reveal
from tests.terraform.sources import output_of

PRELUDE = """
variable "unset" {}
variable "secret" {
  sensitive = true
  default   = "hunter2"
}
locals {
  list   = ["a", "b", "c"]
  map    = { x = 1, y = 2 }
  people = [{ name = "Ada", role = "dev" }, { name = "Bob", role = "ops" }, { name = "Cyd", role = "dev" }]
}
resource "aws_secretsmanager_secret" "db" { name = "db" }
resource "aws_secretsmanager_secret" "many" {
  for_each = toset(["one", "two"])
  name     = each.key
}
resource "aws_sqs_queue" "counted" {
  count = 2
  name  = "queue-${count.index}"
}
output "value" {
  value = %s
}
"""

KNOWN: list[tuple[str, Value]] = [
    ('"plain"', "plain"),
    ('"${local.list[0]}-${1 + 2}"', "a-3"),
    ('"${local.map}"', {"x": 1, "y": 2}),
    ("0.1 + 0.2", 0.3),
    ("7 / 2", 3.5),
    ("-7 % 3", -1),
    ("2 * 3 + 4 == 10 && !false", True),
    ("false && local.map.missing", False),
    ("true || local.map.missing", True),
    ('true ? "yes" : local.map.missing', "yes"),
    ("[for s in local.list : upper(s)]", ["A", "B", "C"]),
    ('[for i, s in local.list : i if s != "b"]', [0, 2]),
    ('[for k, v in local.map : "${k}=${v}"]', ["x=1", "y=2"]),
    ("{for p in local.people : p.role => p.name...}", {"dev": ["Ada", "Cyd"], "ops": ["Bob"]}),
    ('{for p in local.people : p.name => p.role if p.role == "ops"}', {"Bob": "ops"}),
    ("local.people[*].name", ["Ada", "Bob", "Cyd"]),
    ("local.people.*.name[1]", "Bob"),
    ("null[*]", []),
    ('"one"[*]', ["one"]),
    ('local.map["x"]', 1),
    ('{ ("${"k"}") = 1 }', {"k": 1}),
    ('try(local.people[9].name, "none")', "none"),
    ("can(local.people[0].salary)", False),
    ("max([1, 5, 3]...)", 5),
    ("core::max(1, 2)", 2),
    ('"%{ for s in local.list }${s},%{ endfor }"', "a,b,c,"),
    ('"%{ if 1 > 2 }big%{ else }small%{ endif }"', "small"),
    ("aws_sqs_queue.counted[*].name", ["queue-0", "queue-1"]),
    ("aws_sqs_queue.counted.1.name", "queue-1"),
    ("[for s in aws_secretsmanager_secret.many : s.name]", ["one", "two"]),
    ("length(aws_sqs_queue.counted)", 2),
    ("aws_secretsmanager_secret.db == null", False),
    ("aws_secretsmanager_secret.db.description", None),
    ("terraform.workspace", "default"),
    ("path.module", "."),
    ('templatestring("$${greeting}, $${name}!", { greeting = "Hello", name = "you" })', "Hello, you!"),
    ('jsondecode("{\\"a\\": [1, null]}")', {"a": [1, None]}),
    ("var.unset == var.unset", True),
    ("local.map.missing || true", True),
    ("local.map.z && false", False),
    ("var.unset && false", False),
    ("tolist([]) == []", False),
    ('tolist(["a"]) != (["a"])', True),
    ("tomap({}) == {}", False),
    ("[for s in local.list : s] == toset(local.list)", False),
    ("tomap({ a = 1 }) == { for k, v in { a = 1 } : k => v }", False),
    ("local.list == []", False),
    ("[] == []", True),
    ('try(file("nowhere"), "none")', "none"),
    ('try(file("a\\u0000b"), file("~nobody-of-this-name/x"), "none")', "none"),
    ('can(file("nowhere"))', False),
    ('try(templatefile("nowhere", {}), filesha256("."), "none")', "none"),
    ('try(templatefile("~nobody-of-this-name/x", {}), "none")', "none"),
    ('"%{ for s in [] }${s}%{ endfor }"', ""),
    ("jsonencode([0.0000001, 1e21, 1.5])", "[0.0000001,1000000000000000000000,1.5]"),
]


@pytest.mark.parametrize(("expression", "expected"), KNOWN, ids=[expression for expression, _ in KNOWN])
def test_known_value(tmp_path: Path, expression: str, expected: Value) -> None:
    """What is known has its value."""
    assert expected == output_of(tmp_path, PRELUDE % expression)


UNKNOWN: list[tuple[str, str]] = [
    ("var.unset", "${var.unset}"),
    ("var.unset.inner[0]", "${var.unset.inner[0]}"),
    ("aws_secretsmanager_secret.db.arn", "${aws_secretsmanager_secret.db.arn}"),
    ('aws_secretsmanager_secret.many["one"].arn', '${aws_secretsmanager_secret.many["one"].arn}'),
    ("aws_sqs_queue.counted[0].url", "${aws_sqs_queue.counted[0].url}"),
    ('"${aws_secretsmanager_secret.db.arn}-*"', "${aws_secretsmanager_secret.db.arn}-*"),
    ("uuid()", "${uuid()}"),
    ("upper(var.unset)", "${upper(var.unset)}"),
    ('provider::time::duration_parse("x")', '${provider::time::duration_parse("x")}'),
    ("var.unset ? 1 : 2", "${var.unset ? 1 : 2}"),
    ('try(var.unset.arn, "none")', '${try(var.unset.arn, "none")}'),
    ('try(aws_secretsmanager_secret.db.arn, "none")', "${aws_secretsmanager_secret.db.arn}"),
    ("var.unset && true", "${var.unset && true}"),
    ('"${var.unset}e" && true', '${"${var.unset}e" && true}'),
    ("var.unset && local.map.z", '${var.unset && (error(this object has no attribute "z"))}'),
    ("var.unset || 1 > 0 && var.unset", "${var.unset || (true && var.unset)}"),
    ("var.unset == []", "${var.unset == []}"),
    ("jsonencode([0.0000001, var.unset])", "[0.0000001,${var.unset}]"),
]


@pytest.mark.parametrize(("expression", "expected"), UNKNOWN, ids=[expression for expression, _ in UNKNOWN])
def test_unknown_value_is_named(tmp_path: Path, expression: str, expected: str) -> None:
    """What is not known is named by its address or by the application it is the result of."""
    value = output_of(tmp_path, PRELUDE % expression)

    assert isinstance(value, (Unknown, Text))
    assert expected == render(value)


def test_unknown_stays_inside_its_structure(tmp_path: Path) -> None:
    """One unknown leaf leaves its siblings known."""
    value = output_of(tmp_path, PRELUDE % 'jsonencode({ a = [1, aws_secretsmanager_secret.db.arn], b = "known" })')

    assert isinstance(value, JsonText)
    assert {"a": [1, Unknown("aws_secretsmanager_secret.db.arn")], "b": "known"} == value.tree


def test_equal_branches_do_not_need_the_condition(tmp_path: Path) -> None:
    """An unknown condition does not matter where both branches are the same."""
    assert output_of(tmp_path, PRELUDE % 'var.unset ? "same" : "same"') == "same"


@pytest.mark.parametrize(
    "expression",
    [
        "var.secret",
        '"postgres://app:${var.secret}@db"',
        "upper(var.secret)",
        'sensitive("hunter2")',
        'var.secret == "x" ? var.secret : "no"',
        '"%{ if var.secret == "hunter2" }hunter2%{ endif }"',
        '"%{ for s in [var.secret] }${s}%{ endfor }"',
        '"%{ for c in split("", var.secret) }${c}%{ endfor }"',
        '[for c in split("", var.secret) : c]',
        "{ for c in [var.secret] : upper(c) => c }",
        "jsonencode([var.secret])",
        'templatestring("$${a}", { a = var.secret })',
        "templatestring(var.secret, {})",
        "[for s in [var.secret] : s]",
    ],
)
def test_sensitive_value_is_never_written(tmp_path: Path, expression: str) -> None:
    """A sensitive value and what is computed from it do not show in a repr or a text."""
    value = output_of(tmp_path, PRELUDE % expression)

    assert "hunter2" not in repr(value).lower()
    assert "hunter2" not in render(value).lower()


SENSITIVE: list[tuple[str, Value]] = [
    ('"%{ if var.secret == "hunter2" }yes%{ else }no%{ endif }"', "yes"),
    ('a-%{ for c in split("", var.secret) }${upper(c)}%{ endfor }-z', "a-HUNTER2-z"),
    ("var.secret == var.secret && true", True),
    ('var.secret == "x" && local.map.missing', False),
    ('var.secret != "x" || local.map.missing', True),
    ("[tolist([var.secret]) == [var.secret]]", [False]),
    ("templatestring(var.secret, {})", "hunter2"),
]


@pytest.mark.parametrize(("expression", "expected"), SENSITIVE, ids=[expression for expression, _ in SENSITIVE])
def test_what_a_sensitive_value_decides_is_computed(tmp_path: Path, expression: str, expected: Value) -> None:
    """The value behind what is hidden is the right one."""
    written = expression if expression[0] in '"[vtn' else f'"{expression}"'
    value = output_of(tmp_path, PRELUDE % written)

    assert first_sensitive(value) is not None
    assert expected == reveal(value)


def test_an_error_in_a_sensitive_template_does_not_quote_it(tmp_path: Path) -> None:
    """What is wrong with a template that must not be shown is not said."""
    for secret in ("hunter2 ${", "${hunter2}", "${1 / 0} hunter2"):
        expression = f"templatestring(sensitive({json.dumps(secret.replace('${', '$${'))}), {{}})"
        with pytest.raises(TerraformError) as caught:
            output_of(tmp_path, f'output "value" {{\n  value = nonsensitive(\n{expression})\n}}\n')

        details = caught.value
        assert "hunter2" not in f"{details.message} {details.found} {details.expected} {details.remedy}"
        assert "main.tf" in details.place


def test_nonsensitive_reveals(tmp_path: Path) -> None:
    """A value that its author declares to be no secret is known."""
    assert output_of(tmp_path, PRELUDE % "nonsensitive(var.secret)") == "hunter2"


def test_what_is_computed_from_sensitive_values_keeps_its_identity(tmp_path: Path) -> None:
    """Two different texts made of one sensitive value are not equal."""
    value = output_of(tmp_path, PRELUDE % "[upper(var.secret), lower(var.secret), upper(var.secret)]")

    assert all(isinstance(item, Sensitive) for item in value)
    assert value[0] == value[2]
    assert value[0] != value[1]


ERRORS: list[tuple[str, str]] = [
    ("local.list[3]", "out of range"),
    ("local.map.z", 'no attribute "z"'),
    ("local.list.name", "value[*].name"),
    ("aws_sqs_queue", "alone is no reference"),
    ('1 + "x"', "number"),
    ("1 / 0", "Division by zero"),
    ('"a${null}"', "null"),
    ("each.key", "for_each"),
    ('{for s in [1, 1] : "k" => s}', "two elements give the key"),
    ("toset([1])[0]", "no index"),
    ("try(local.list[5], local.map.z)", "no argument of try"),
]


@pytest.mark.parametrize(("expression", "fragment"), ERRORS, ids=[expression for expression, _ in ERRORS])
def test_expression_without_value_is_an_error_at_its_place(tmp_path: Path, expression: str, fragment: str) -> None:
    """An expression that has no value raises an error with file, line and column."""
    with pytest.raises(InfraspecError) as caught:
        output_of(tmp_path, PRELUDE % expression)

    assert fragment in str(caught.value)
    assert "main.tf:2" in caught.value.place
    assert isinstance(caught.value, TerraformError)
