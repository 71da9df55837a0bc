"""Sensitive arguments: computed with, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.errors import EvaluationError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value
from infraspec.terraform.language.functions import call
from infraspec.terraform.language.functions.filesystem import RootFiles

FILES = RootFiles(Path(__file__).parent, Path(__file__).parent)
SECRET = Sensitive("var.password", "hunter2")


def run(name: str, *arguments: Value) -> Value:
    """Call a function."""
    return call(name, list(arguments), FILES)


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("upper", [SECRET], "HUNTER2"),
        ("length", [SECRET], 7),
        ("format", ["%s-x", SECRET], "hunter2-x"),
        ("jsonencode", [Sensitive("var.a", {"a": SECRET})], '{"a":"hunter2"}'),
        ("concat", [["a"], Sensitive("var.list", ["b"])], ["a", "b"]),
        ("contains", [["a"], SECRET], False),
        ("merge", [{"a": 1}, Sensitive("var.map", {"b": Unknown("x.y")})], {"a": 1, "b": Unknown("x.y")}),
    ],
)
def test_a_sensitive_argument_hides_the_result(function: str, arguments: list[Value], expected: Value) -> None:
    """The result is computed with the value and hidden, named by the call."""
    found = call(function, arguments, FILES)
    assert isinstance(found, Sensitive)
    assert expected == found.reveal()
    assert "hunter2" not in repr(found) + str(found) + found.address
    assert found.address.startswith(f"{function}(")


def test_different_computations_have_different_names() -> None:
    """Two results from one sensitive value do not count as the same."""
    assert run("upper", SECRET) != run("lower", SECRET)
    assert run("sensitive", "a") != run("sensitive", "b")


def test_sensitive_elements_stay_in_their_place() -> None:
    """A sensitive element of a list or object is kept as it is."""
    assert run("merge", {"a": SECRET}, {"b": 1}) == {"a": SECRET, "b": 1}
    assert run("jsonencode", {"a": SECRET}) == JsonText({"a": SECRET})
    assert run("join", "-", ["a", SECRET]) == Text(("a-", SECRET))
    assert run("length", [SECRET]) == 1
    assert isinstance(run("sum", [Sensitive("var.n", 1)]), Unknown)


def test_marks() -> None:
    """The mark can be set, taken and asked for."""
    marked = run("sensitive", "hunter2")
    assert isinstance(marked, Sensitive)
    assert "hunter2" not in repr(marked) + marked.address
    assert run("nonsensitive", marked) == "hunter2"
    assert run("nonsensitive", "a") == "a"
    assert run("sensitive", SECRET) is SECRET
    assert run("issensitive", SECRET) is True
    assert run("issensitive", "a") is False
    assert run("issensitive", Text(("a", SECRET))) is True
    assert run("issensitive", Unknown("x.y")) == Unknown("issensitive(x.y)")


def test_an_unknown_element_beside_a_sensitive_argument() -> None:
    """What cannot be computed is hidden too."""
    found = run("element", Sensitive("var.list", ["hunter2"]), Unknown("x.y"))
    assert isinstance(found, Unknown)
    assert "hunter2" not in found.address


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("parseint", [SECRET, 10]),
        ("tonumber", [SECRET]),
        ("cidrhost", [SECRET, 1]),
        ("regex", ["(", SECRET]),
        ("formatdate", ["YYYY", SECRET]),
        ("jsondecode", [SECRET]),
        ("format", [SECRET, 1]),
        ("uuidv5", [SECRET, "a"]),
        ("lookup", [{"a": 1}, SECRET]),
    ],
)
def test_errors_do_not_show_sensitive_arguments(function: str, arguments: list[Value]) -> None:
    """An argument that does not fit is not in the message if it is sensitive."""
    with pytest.raises(EvaluationError) as caught:
        call(function, arguments, FILES)
    assert "hunter2" not in str(caught.value)
    assert function in caught.value.message
    assert caught.value.__cause__ is None
