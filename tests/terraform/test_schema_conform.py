"""Conversion of configured values to the provider's types."""

from __future__ import annotations

import pickle

import pytest

from infraspec.core.errors import EvaluationError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value
from infraspec.terraform.language.values import ListValue, MapValue, SetValue
from infraspec.terraform.provider.schema import conform

UNKNOWN = Unknown("aws_kms_key.main.arn")


def negated(statement: Value) -> Value:
    """Return a web ACL's statement that negates another."""
    return [{"not_statement": [{"statement": statement}]}]


CONVERSIONS: dict[str, tuple[str, Value, Value]] = {
    "number to string": ("aws_ecs_task_definition.cpu", 512, "512"),
    "fraction to string": ("aws_ecs_task_definition.cpu", 0.5, "0.5"),
    "bool to string": ("aws_elasticache_replication_group.at_rest_encryption_enabled", True, "true"),
    "string stays": ("aws_ecs_task_definition.cpu", "512", "512"),
    "text to number": ("aws_db_instance.port", "5432", 5432),
    "number stays": ("aws_db_instance.port", 5432, 5432),
    "fraction stays": ("aws_cloudwatch_metric_alarm.threshold", 0.5, 0.5),
    "text to fraction": ("aws_cloudwatch_metric_alarm.threshold", "0.5", 0.5),
    "text to true": ("aws_db_instance.multi_az", "true", True),
    "text to false": ("aws_db_instance.multi_az", "false", False),
    "bool stays": ("aws_db_instance.multi_az", False, False),
    "null stays": ("aws_db_instance.port", None, None),
    "set is sorted and unique": ("aws_lb.subnets", ["subnet-b", "subnet-a", "subnet-b"], ["subnet-a", "subnet-b"]),
    "set elements are converted": ("aws_lb.subnets", [2, "1"], ["1", "2"]),
    "empty set": ("aws_lb.subnets", [], []),
    "null set": ("aws_lb.subnets", None, None),
    "list keeps its order": ("aws_lambda_function.layers", ["b", "a", "b"], ["b", "a", "b"]),
    "list elements are converted": ("aws_lambda_function.layers", [1, None], ["1", None]),
    "set to list": ("aws_lambda_function.layers", SetValue.of(["b", "a"]), ["a", "b"]),
    "map values are converted": (
        "aws_db_instance.tags",
        {"n": 1, "b": True, "s": "x"},
        {"n": "1", "b": "true", "s": "x"},
    ),
    "null in a map stays": ("aws_cloudwatch_metric_alarm.dimensions", {"a": None}, {"a": None}),
    "block": (
        "aws_lambda_function.environment",
        [{"variables": {"PORT": 80}}],
        [{"variables": {"PORT": "80"}}],
    ),
    "block given alone": ("aws_lambda_function.environment", {"variables": {}}, [{"variables": {}}]),
    "no blocks": ("aws_lambda_function.environment", [], []),
    "blocks keep their order": (
        "aws_db_parameter_group.parameter",
        [{"name": "b", "value": 1}, {"name": "a", "value": True}],
        [{"name": "b", "value": "1"}, {"name": "a", "value": "true"}],
    ),
    "blocks in blocks": (
        "aws_ecs_task_definition.volume",
        [{"name": "v", "efs_volume_configuration": [{"transit_encryption_port": "2049", "file_system_id": "fs-1"}]}],
        [{"name": "v", "efs_volume_configuration": [{"transit_encryption_port": 2049, "file_system_id": "fs-1"}]}],
    ),
    "attribute written as blocks": (
        "aws_security_group.ingress",
        [{"from_port": "443", "to_port": 443, "protocol": -1, "security_groups": ["sg-2", "sg-1"]}],
        [{"from_port": 443, "to_port": 443, "protocol": "-1", "security_groups": ["sg-1", "sg-2"]}],
    ),
    "name that a block does not know": ("aws_lambda_function.environment", [{"new": 1}], [{"new": 1}]),
    "single block": ("aws_db_instance.timeouts", [{"create": "30m"}], {"create": "30m"}),
    "single block that is absent": ("aws_db_instance.timeouts", [], None),
    "single block as an object": ("aws_db_instance.timeouts", {"create": "30m"}, {"create": "30m"}),
    "structure that holds itself": (
        "aws_wafv2_web_acl_rule.statement",
        negated(negated([{"label_match_statement": [{"key": 1}]}])),
        negated(negated([{"label_match_statement": [{"key": "1"}]}])),
    ),
    "structure that is left out": ("aws_wafv2_web_acl.rule", [{"statement": [{"a": 1}]}], [{"statement": [{"a": 1}]}]),
    "unknown number": ("aws_db_instance.port", UNKNOWN, UNKNOWN),
    "unknown set": ("aws_lb.subnets", UNKNOWN, UNKNOWN),
    "unknown in a set": ("aws_lb.subnets", [UNKNOWN, "subnet-a"], ["subnet-a", UNKNOWN]),
    "unknown in a map": ("aws_db_instance.tags", {"key": UNKNOWN}, {"key": UNKNOWN}),
    "unknown blocks": ("aws_lambda_function.environment", UNKNOWN, UNKNOWN),
    "unknown block": ("aws_lambda_function.environment", [UNKNOWN], [UNKNOWN]),
    "unknown in a block": (
        "aws_lambda_function.environment",
        [{"variables": UNKNOWN}],
        [{"variables": UNKNOWN}],
    ),
    "text with a hole": ("aws_iam_role.name", Text(("a-", UNKNOWN)), Text(("a-", UNKNOWN))),
    "JSON with a hole": ("aws_iam_policy.policy", JsonText({"a": UNKNOWN}), JsonText({"a": UNKNOWN})),
    "unknown attribute": ("aws_lb.no_such_attribute", [2, 1], [2, 1]),
    "unknown type": ("google_storage_bucket.name", 1, 1),
    "data source": ("data.aws_availability_zones.exclude_names", ["b", "a"], ["a", "b"]),
}

MISMATCHES: dict[str, tuple[str, Value, str, str, str]] = {
    "text for a number": ("aws_db_instance.port", "http", "port", "a number", "string 'http'"),
    "bool for a number": ("aws_db_instance.port", True, "port", "a number", "bool true"),
    "list for a string": ("aws_iam_role.name", ["a"], "name", "a string, number or bool", "tuple of string"),
    "text for a bool": ("aws_db_instance.multi_az", "yes", "multi_az", "true or false", "string 'yes'"),
    "number for a bool": ("aws_db_instance.multi_az", 1, "multi_az", "true or false", "number 1"),
    "string for a set": ("aws_lb.subnets", "subnet-a", "subnets", "a set", "string"),
    "string for a list": ("aws_lambda_function.layers", "a", "layers", "a list", "string"),
    "list for a map": ("aws_db_instance.tags", ["a"], "tags", "a map", "tuple of string"),
    "string for a block": ("aws_lambda_function.environment", "a", "environment", "a list of objects", "string"),
    "string in blocks": ("aws_lambda_function.environment", ["a"], "environment.0", "an object", "string"),
    "two single blocks": ("aws_db_instance.timeouts", [{}, {}], "timeouts", "an object", "tuple of object"),
    "element of a set": ("aws_lb.subnets", ["a", {}], "subnets.1", "a string, number or bool", "object"),
    "value of a map": ("aws_db_instance.tags", {"k": []}, "tags.k", "a string, number or bool", "tuple of 0 elements"),
    "attribute in a block": (
        "aws_security_group.ingress",
        [{"from_port": 1}, {"from_port": "http"}],
        "ingress.1.from_port",
        "a number",
        "string 'http'",
    ),
}


def conformed(path: str, value: Value) -> Value:
    """Convert a value to the type of `aws_vpc.name` or `data.aws_vpc.name`."""
    *mode, resource_type, name = path.split(".")
    return conform(resource_type, name, value, "data" if mode else "managed")


@pytest.mark.parametrize(("path", "value", "expected"), CONVERSIONS.values(), ids=CONVERSIONS.keys())
def test_conversion(path: str, value: Value, expected: Value) -> None:
    """A value gets the provider's type, and what cannot be decided stays as it is."""
    result = conformed(path, value)

    assert expected == result
    assert repr(expected) == repr(result)  # 1 == True == 1.0


@pytest.mark.parametrize(("path", "value", "where", "expected", "found"), MISMATCHES.values(), ids=MISMATCHES.keys())
def test_value_that_cannot_be_converted(path: str, value: Value, where: str, expected: str, found: str) -> None:
    """A value of another type is an error that says where, what was expected and what was found."""
    with pytest.raises(EvaluationError) as caught:
        conformed(path, value)

    assert f"{path.partition('.')[0]}.{where} has a value of the wrong type" == caught.value.message
    assert caught.value.expected.startswith(expected)
    assert found == caught.value.found


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("aws_lb.subnets", ["a"], SetValue),
        ("aws_lambda_function.layers", ["a"], ListValue),
        ("aws_db_instance.tags", {"a": "b"}, MapValue),
    ],
)
def test_collection_is_of_the_providers_kind(path: str, value: Value, expected: type) -> None:
    """A collection knows whether it is a set, a list or a map."""
    assert expected is type(conformed(path, value))


def test_given_value_is_not_changed() -> None:
    """Converting makes new collections and leaves the given ones alone."""
    given = [{"from_port": "1", "security_groups": ["b", "a"]}]

    conformed("aws_security_group.ingress", given)

    assert given == [{"from_port": "1", "security_groups": ["b", "a"]}]


def test_list_from_a_set_of_unknown_order_stays_a_set() -> None:
    """A set with something unknown in it has no order that a list could take."""
    result = conformed("aws_lambda_function.layers", SetValue.of([UNKNOWN, 1]))

    assert SetValue is type(result)
    assert result == ["1", UNKNOWN]


def test_text_with_a_hole_is_an_unknown_number() -> None:
    """The number that text with an unknown part stands for is unknown."""
    assert isinstance(conformed("aws_db_instance.port", Text(("54", UNKNOWN))), Unknown)


@pytest.mark.parametrize(
    ("path", "hidden", "expected"),
    [
        ("aws_ecs_task_definition.cpu", 512, "512"),
        ("aws_db_instance.port", "5432", 5432),
        ("aws_lb.subnets", ["b", "a"], ["a", "b"]),
        ("aws_lb.subnets", Sensitive("var.inner", ["b", "a"]), ["a", "b"]),
        ("aws_db_instance.tags", None, None),
    ],
)
def test_sensitive_value_is_converted_and_stays_sensitive(path: str, hidden: Value, expected: Value) -> None:
    """What a sensitive value hides is converted, under the same address."""
    result = conformed(path, Sensitive("var.secret", hidden))

    assert isinstance(result, Sensitive)
    assert result.address == "var.secret"
    revealed = result.reveal()
    assert expected == (revealed.reveal() if isinstance(revealed, Sensitive) else revealed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("aws_db_instance.port", Sensitive("var.secret", "hunter2")),
        ("aws_lb.subnets", Sensitive("var.secret", "hunter2")),
        ("aws_lb.subnets", [Sensitive("var.secret", {"hunter2": 1})]),
        ("aws_security_group.ingress", Sensitive("var.secret", [{"from_port": "hunter2"}])),
        ("aws_security_group.ingress", [{"from_port": Sensitive("var.secret", "hunter2")}]),
        ("aws_db_instance.tags", Sensitive("var.secret", {"hunter2": ["hunter2"]})),
    ],
)
def test_error_does_not_show_a_sensitive_value(path: str, value: Value) -> None:
    """The error about a sensitive value tells neither the value nor a part of it, also not through its cause."""
    with pytest.raises(EvaluationError) as caught:
        conformed(path, value)

    assert caught.value.found == "a sensitive value of another type"
    assert "hunter2" not in str(caught.value)
    assert b"hunter2" not in pickle.dumps(caught.value)
    assert caught.value.__cause__ is None
