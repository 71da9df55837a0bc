"""Whatever the arguments are, a function gives a value or an error of the tool."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value
from infraspec.terraform.language.functions import call, names
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.language.values import ListValue, MapValue, SetValue, identity

FILES = RootFiles(Path(__file__).parent / "data", Path(__file__).parent / "data")
UNKNOWN = Unknown("aws_kms_key.main.arn")
TEXTS = [
    *("%s %[2]d", "%05.2f", "/a(b)?/", "[a-z", "(?i)x", "$1", "%", "**/*.json", "~root", "DD 'x", "UTF-8", "dns"),
    *("10.0.0.0/8", "::/0", "2024-02-29T00:00:00Z", "1h", '{"a":[1]}', "a,b\n1,2", "a: [1, x]\n", "YQ=="),
    *("\ud800", "e\u0301"),
]
PRIMITIVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20) | st.integers(-5, 70),
    st.sampled_from([0.5, -1.25, 1e-7]),
    st.text(max_size=8) | st.sampled_from(TEXTS),
    st.sampled_from([UNKNOWN, Unknown("var.x"), Text(("arn:", UNKNOWN)), JsonText({"a": UNKNOWN}), Unknown("uuid()")]),
)
VALUES = st.recursive(
    PRIMITIVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(ListValue),
        st.lists(inner, max_size=3).map(SetValue.of),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3).map(MapValue),
        inner.map(lambda value: Sensitive("var.secret", value)),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("function", names())
@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(arguments=st.lists(VALUES, max_size=4))
def test_a_value_or_an_error_of_the_tool(function: str, arguments: list[Value]) -> None:
    """No other exception escapes, and asking twice gives the same, but for the names that `sensitive` makes."""
    found = outcome(function, arguments)
    assert function == "sensitive" or found == outcome(function, arguments)


def outcome(function: str, arguments: list[Value]) -> object:
    """Return what tells one result from another, or the message of the error."""
    try:
        return identity(call(function, arguments, FILES))
    except InfraspecError as error:
        return str(error)
