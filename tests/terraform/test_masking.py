"""Which attributes are secret, and how they are masked."""

from __future__ import annotations

import pytest

from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown
from infraspec.terraform.provider.masking import hide, is_sensitive, mask, mask_attribute, sensitive_attributes, step


@pytest.mark.parametrize(
    ("type_", "path", "expected"),
    [
        ("aws_db_instance", "password", True),
        ("aws_db_instance", "username", False),
        ("aws_db_instance", "password_reset", False),
        ("aws_secretsmanager_secret_version", "secret_string", True),
        ("aws_mq_broker", "user", False),
        ("aws_mq_broker", "user[0].password", True),
        ("aws_mq_broker", "user.0.password", True),
        ("aws_mq_broker", "user[0].username", False),
        ("aws_glue_connection", "connection_properties", True),
        ("aws_glue_connection", 'connection_properties["a.b"]', True),
        ("aws_glue_connection", "connection_properties.PASSWORD", True),
        ("random_password", "result", True),
        ("tls_private_key", "private_key_pem", True),
        ("aws_ssm_parameter", "value", True),
        ("aws_ssm_parameter", "insecure_value", False),
        ("aws_lambda_function", "environment[0].variables.TOKEN", False),
        ("aws_never_heard_of", "password", False),
    ],
)
def test_is_sensitive(type_: str, path: str, *, expected: bool) -> None:
    """The table knows secret attributes and what lies inside them, wherever they are nested."""
    assert expected == is_sensitive(type_, path)


def test_sensitive_attributes_are_paths_without_index() -> None:
    """The paths of a type are a set; a type without secrets has none."""
    assert sensitive_attributes("aws_mq_broker") == {"user.password", "ldap_server_metadata.service_account_password"}
    assert sensitive_attributes("aws_s3_bucket") == frozenset()


def test_mask_leaves_the_values_it_was_given() -> None:
    """Masking returns a copy, in which every secret of every element is gone."""
    values = {"user": [{"username": "a", "password": "p1"}, {"username": "b", "password": "p2"}]}
    masked = mask("aws_mq_broker", "aws_mq_broker.m", values)
    assert [user["username"] for user in masked["user"]] == ["a", "b"]
    assert [user["password"].address for user in masked["user"]] == [
        "aws_mq_broker.m.user[0].password",
        "aws_mq_broker.m.user[1].password",
    ]
    assert all(isinstance(user["password"], Sensitive) for user in masked["user"])
    assert [user["password"] for user in values["user"]] == ["p1", "p2"]


def test_mask_attribute() -> None:
    """One attribute is masked without the others."""
    assert isinstance(mask_attribute("aws_db_instance", "aws_db_instance.d", "password", "p"), Sensitive)
    assert mask_attribute("aws_db_instance", "aws_db_instance.d", "identifier", "i") == "i"
    assert mask_attribute("aws_s3_bucket", "aws_s3_bucket.b", "bucket", "b") == "b"


@pytest.mark.parametrize("value", ["p", 0, False, ["p"], {"a": "p"}, Text(("p-", Unknown("u"))), JsonText({"a": "p"})])
def test_hide_keeps_nothing(value: object) -> None:
    """Whatever shows something is replaced, and cannot be revealed."""
    hidden = hide(value, "a.b")
    assert isinstance(hidden, Sensitive)
    assert (hidden.address, hidden.reveal()) == ("a.b", None)


@pytest.mark.parametrize("value", [None, [], {}, Unknown("random_password.p.result")])
def test_hide_leaves_what_shows_nothing(value: object) -> None:
    """Null, an empty collection and an unknown with a name of its own stay."""
    assert hide(value, "a.b") is value


def test_an_unknown_of_the_place_itself_becomes_sensitive() -> None:
    """An unknown that only names the secret's own place is marked."""
    assert isinstance(hide(Unknown("a.b"), "a.b"), Sensitive)


@pytest.mark.parametrize(
    ("key", "expected"),
    [(0, "x[0]"), ("a", "x.a"), ("a-b", "x.a-b"), ("a.b", 'x["a.b"]'), ('a"b', 'x["a\\"b"]'), ("1", 'x["1"]')],
)
def test_step(key: str | int, expected: str) -> None:
    """Addresses are extended as Terraform writes them."""
    assert expected == step("x", key)
