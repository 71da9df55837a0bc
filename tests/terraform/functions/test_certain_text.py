"""What a function makes of text that is partly known holds for every value of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infraspec.core.errors import EvaluationError
from infraspec.core.unknown import Character, Text, Unknown, Value, concatenate, unknowns
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.language.functions import call, first_pieces
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of

FILES = RootFiles(Path(), Path())
LETTERS = "aZ0:/-"
SEARCHES = ["startswith", "endswith", "strcontains", "trimprefix", "trimsuffix"]
NEEDLES = st.text(LETTERS, max_size=3)
HIDDEN = [Character("x.arn", position) for position in range(3)]
ANYTHING = [Unknown("var.a"), Unknown("x.id")]
PARTS = st.lists(st.one_of(st.text(LETTERS, min_size=1, max_size=4), st.sampled_from([*HIDDEN, *ANYTHING])), max_size=5)
CALLS = st.one_of(
    st.tuples(
        st.sampled_from(["startswith", "endswith", "strcontains", "trimprefix", "trimsuffix"]), st.tuples(NEEDLES)
    ),
    st.tuples(st.sampled_from(["lower", "upper", "length", "trimspace", "title"]), st.just(())),
    st.tuples(st.just("replace"), st.tuples(NEEDLES, NEEDLES)),
    st.tuples(st.just("substr"), st.tuples(st.integers(0, 6), st.integers(-1, 6))),
    st.tuples(st.just("split"), st.tuples(NEEDLES)),
)
VALUES = st.fixed_dictionaries(
    {one: st.sampled_from("aZ0b") for one in HIDDEN} | {one: st.text(LETTERS, max_size=3) for one in ANYTHING}
)


def filled(value: Value, values: dict[Unknown, str]) -> Value:
    """Return a value with what its unknown parts turn out to be."""
    if isinstance(value, list):
        return [filled(one, values) for one in value]
    if isinstance(value, Text):
        return "".join(part if isinstance(part, str) else values[part] for part in value.parts)
    return values[value] if isinstance(value, Unknown) else value


def computed(name: str, arguments: list[Value]) -> Value:
    """Call a function, with the text where it belongs; None where it fails."""
    ordered = [arguments[1], arguments[0]] if name == "split" else arguments
    try:
        return call(name, ordered, FILES)
    except EvaluationError:
        return None


@settings(max_examples=1500, deadline=None)
@given(PARTS, CALLS, VALUES)
def test_what_is_certain_holds_for_every_value(
    parts: list[str | Unknown], asked: tuple[str, tuple[Value, ...]], values: dict[Unknown, str]
) -> None:
    """A result without unknowns of its own is what the function gives for each text that it may be called with."""
    name, more = asked
    text = concatenate(parts)
    result = computed(name, [text, *more])
    if set(unknowns(result)) <= set(values):
        assert computed(name, [filled(text, values), *more]) == filled(result, values)


def test_the_pieces_of_a_known_beginning() -> None:
    """A piece is known if its end is."""
    pieces = call("split", ["/", concatenate(["a/b/c", Unknown("var.a")])], FILES)
    assert isinstance(pieces, Unknown)
    assert [pieces, "a", "b", pieces] == [first_pieces(pieces, index) for index in (-1, 0, 1, 2)]


SOURCE = """
provider "aws" { region = "eu-west-1" }
resource "aws_secretsmanager_secret" "s" { name = "stock/api" }
resource "aws_cloudwatch_log_group" "g" { name = "/ecs/stock" }
resource "aws_kms_key" "k" {}
resource "aws_iam_role" "r" {
  name = "stock"
  path = "/app/"
}
resource "aws_ssm_parameter" "p" {
  count = startswith(aws_secretsmanager_secret.s.arn, "arn:aws:ssm") ? 1 : 0
  name  = "/stock"
  type  = "String"
  value = "x"
}
"""
SECRET, GROUP, ROLE = "aws_secretsmanager_secret.s.arn", "aws_cloudwatch_log_group.g.arn", "aws_iam_role.r.arn"
NAMED = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:stock/api-??????"
EXPRESSIONS = {
    f'trimsuffix({GROUP}, ":*")': "arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/stock",
    f'"${{trimsuffix({GROUP}, ":*")}}:*"': "arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/stock:*",
    f'split("/", {ROLE})[2]': "stock",
    f'element(split("/", {ROLE}), 1)': "app",
    f'reverse(split("/", {ROLE}))[0]': "stock",
    f'regex("role/(.*)$", {ROLE})[0]': "app/stock",
    f'regex("(?P<account>[0-9]+):role", {ROLE})["account"]': "111122223333",
    f'replace({ROLE}, "role/app", "role")': "arn:aws:iam::111122223333:role/stock",
    f'trimprefix({ROLE}, "arn:aws:")': "iam::111122223333:role/app/stock",
    f"lower({ROLE})": "arn:aws:iam::111122223333:role/app/stock",
    f'format("%s/*", {ROLE})': "arn:aws:iam::111122223333:role/app/stock/*",
    f'join(":", slice(split(":", {SECRET}), 0, 6))': "arn:aws:secretsmanager:eu-west-1:111122223333:secret",
    f'join(":", split(":", {SECRET}))': NAMED,
    f'split(":", {SECRET})[6]': "stock/api-??????",
    f'replace({SECRET}, ":secret:", ":other:")': NAMED.replace(":secret:", ":other:"),
    f"substr({SECRET}, 0, 22)": "arn:aws:secretsmanager",
    f'trimsuffix({SECRET}, ":*")': NAMED,
    f'replace({SECRET}, "b", "c")': f'${{replace({SECRET}, "b", "c")}}',
    f"upper({SECRET})": f"${{upper({SECRET})}}",
    f'split("/", "a/b/${{{SECRET}}}")[0]': "a",
    f'split("/", "a/b/${{{SECRET}}}")[1]': "b",
    'replace(aws_kms_key.k.arn, ":key/", "/key:")': "arn:aws:kms:eu-west-1:111122223333/key:${aws_kms_key.k.key_id}",
    'strcontains(aws_kms_key.k.arn, "key/mrk-")': '${strcontains(aws_kms_key.k.arn, "key/mrk-")}',
    'replace(aws_kms_key.k.key_id, "/", "-")': '${replace(aws_kms_key.k.key_id, "/", "-")}',
    'replace(aws_kms_key.k.arn, "aws_kms_key", "x")': '${replace(aws_kms_key.k.arn, "aws_kms_key", "x")}',
}


def test_what_is_made_of_an_arn_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    """A function of an attribute is computed of what the attribute will be, and is unknown where that decides it."""
    outputs = "\n".join(f'output "o{index}" {{ value = {text} }}' for index, text in enumerate(EXPRESSIONS))
    plan = plan_of(tmp_path, SOURCE + outputs, known=KnownData.of({}, account="111122223333"))
    attributes = AwsAttributes(plan)
    found = [str(attributes.narrow(plan.outputs[f"o{index}"])) for index in range(len(EXPRESSIONS))]
    assert list(EXPRESSIONS.values()) == found
    assert () == plan.managed("aws_ssm_parameter")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"length(toset([{SECRET}])) > 0", "True"),
        (f'startswith({SECRET}, "arn:aws:ssm")', "False"),
        (f'startswith({SECRET}, "arn:aws:secretsmanager:")', "True"),
        (f'startswith({SECRET}, "arn:aws:secretsmanager:eu")', None),
        (f'length([for one in [{SECRET}, {ROLE}] : one if startswith(one, "arn:aws:iam:")])', "1"),
        (f'can(regex("^arn:aws:ssm", {SECRET}))', None),
        (f'can(regex("^arn:aws:[a-z]+:", {SECRET}))', "True"),
        (f'can(regex("^arn:aws:secretsmanager:$", {SECRET}))', None),
        (f'can(regex("^x", {ROLE}))', None),
        (f'try(split(":", {ROLE})[9], "none")', None),
    ],
)
def test_what_is_known_while_the_source_is_evaluated(tmp_path: Path, text: str, expected: str | None) -> None:
    """The beginning of an ARN decides what it can, and what may fail is not taken for what does not."""
    value = plan_of(tmp_path, f'{SOURCE}output "value" {{ value = {text} }}').outputs["value"]
    assert expected == (None if isinstance(value, Unknown) else str(value))
