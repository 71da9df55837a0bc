"""The operators, over known, unknown and sensitive values."""

from __future__ import annotations

import pytest

from infraspec.core.errors import EvaluationError, LimitError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value
from infraspec.terraform.language.conversions import to_bool, to_number
from infraspec.terraform.language.operators import AND, BINARY, OR, UNARY, conditional_equal, equality
from infraspec.terraform.language.values import ListValue, LongNumber, MapValue, SetValue

ARN = Unknown("aws_kms_key.main.arn")
SIZE = Unknown("var.size")
SECRET = Sensitive("var.password", "hunter2")


@pytest.mark.parametrize(
    ("left", "operator", "right", "expected"),
    [
        (1, "+", 2, 3),
        ("5", "+", 1, 6),
        (0.1, "+", 0.2, 0.3),
        (2.5, "*", 2, 5),
        (6, "/", 3, 2),
        (7, "/", 2, 3.5),
        (5, "%", 3, 2),
        (-5, "%", 3, -2),
        (5.5, "%", 2, 1.5),
        (5, "%", 0, 5),
        (10**30, "*", 10**30, 10**60),
        (1, "<", 2, True),
        ("5", "<", 10, True),
        (2, ">=", 2, True),
        (2, ">", 2, False),
        (2, "<=", 1, False),
    ],
)
def test_arithmetic_and_comparison(left: Value, operator: str, right: Value, expected: Value) -> None:
    """Numbers and their texts compute exactly; an integral result is an int."""
    found = BINARY[operator](left, right)
    assert (expected, type(expected)) == (found, type(found))


def test_quotients_are_exact_enough_to_multiply_back() -> None:
    """A third times three is one."""
    third = BINARY["/"](1, 3)
    assert isinstance(third, LongNumber)
    assert BINARY["*"](third, 3) == 1
    assert BINARY["*"](BINARY["/"](10, 3), 3) == 10
    assert BINARY["=="](third, 0.3333333333333333) is False


@pytest.mark.parametrize(("left", "operator", "right"), [("a", "+", 1), (None, "+", 1), (1, "<", None), (True, "*", 1)])
def test_operands_that_are_no_numbers(left: Value, operator: str, right: Value) -> None:
    """Null, bools and other text have no arithmetic."""
    with pytest.raises(EvaluationError):
        BINARY[operator](left, right)


@pytest.mark.parametrize(
    "value",
    ["a", {"a": 1}, MapValue(a=1), [1], ListValue(["a"]), SetValue.of([True])],
    ids=["text", "an object", "a map", "a tuple", "a list", "a set"],
)
def test_what_is_no_number_and_no_bool(value: Value) -> None:
    """The error names the kind of the value, with its article."""
    for convert in (to_number, to_bool):
        with pytest.raises(EvaluationError):
            convert(value)


def test_division_by_zero() -> None:
    """A quotient that Terraform has as infinite is beyond what is computed; zero by zero is an error of both."""
    with pytest.raises(LimitError):
        BINARY["/"](1, 0)
    with pytest.raises(EvaluationError):
        BINARY["/"](0, 0)


def test_results_are_bounded() -> None:
    """A product beyond 512 bits is refused."""
    with pytest.raises(LimitError):
        BINARY["*"](1 << 300, 1 << 300)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("a", "a", True),
        ("5", 5, False),
        (1, True, False),
        ("true", True, False),
        (None, None, True),
        (None, "a", False),
        (1, 1.0, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"b": 1}, False),
        ([1], [1, 2], False),
        ([1, [2]], [1, [2]], True),
        (SetValue.of([1, 2]), SetValue.of([2, 1]), True),
        (SetValue.of([1]), SetValue.of([2]), False),
        (None, ARN, False),
        (None, SIZE, None),
        (None, Text(("a", ARN)), False),
        (ARN, ARN, True),
        (ARN, Unknown("aws_kms_key.other.arn"), None),
        (ARN, "a", None),
        (ARN, "", False),
        ("", Unknown("data.aws_kms_key.main.id"), False),
        (Unknown("aws_kms_key.main.description"), "", None),
        (Text(("a-", ARN)), "a-b", None),
        (Text(("a-", ARN)), "b-a", False),
        (Text((ARN, "-z")), "a-y", False),
        (Text(("ab", ARN, "bc")), "abc", False),
        (Text((ARN, "-m-", ARN)), "a-n-b", False),
        (Text(("a-", ARN)), Text(("a-", ARN)), True),
        (Text(("a-", ARN)), Text(("a-b", ARN)), None),
        (Text(("a-", ARN)), Text(("b-", ARN)), False),
        (Text(("a-", ARN)), 5, False),
        (["a", ARN], ["a", "b"], None),
        (["a", ARN], ["b", ARN], False),
        ({"a": ARN, "b": 1}, {"a": ARN, "b": 2}, False),
        (SetValue.of(["a", ARN]), SetValue.of(["a"]), None),
        (SetValue.of(["z", ARN]), SetValue.of(["a"]), False),
        (JsonText({"a": ARN}), '{"b":1}', False),
        (JsonText({"a": ARN}), '{"a":1}', None),
        (Unknown("aws_instance.web[?].id"), None, None),
        (Unknown("uuid()"), Unknown("uuid()"), None),
        (Text(("a", Unknown('bcrypt("x")'))), Text(("a", Unknown('bcrypt("x")'))), None),
        (Unknown("aws_instance.web[?].id"), Unknown("aws_instance.web[?].id"), None),
        (ListValue(["a"]), ["a"], None),
        (ListValue([]), [], None),
        (ListValue(["a"]), ["b"], False),
        (MapValue(a=1), {"a": 1}, None),
        (SetValue.of(["a"]), ["a"], None),
        (ListValue(["a"]), ListValue(["a"]), True),
        (ListValue([]), ListValue([]), None),
        (MapValue(), MapValue(), None),
        (SetValue(), SetValue(), None),
        (ListValue([]), SetValue(), None),
        ([], [], True),
        ({}, {}, True),
    ],
)
def test_equality(left: Value, right: Value, expected: bool | None) -> None:  # noqa: FBT001 - a verdict
    """Values are equal, different, or it depends on what is not known; both ways round."""
    assert expected is equality(left, right)
    assert expected is equality(right, left)


def test_undecided_equality_is_named() -> None:
    """An equality that is not decided is an unknown named by the expression; its negation is another."""
    assert BINARY["=="](ARN, "a") == Unknown('aws_kms_key.main.arn == "a"')
    assert BINARY["!="](ARN, "a") == Unknown('aws_kms_key.main.arn != "a"')
    assert BINARY["!="](Text(("a", ARN)), "b") is True


def test_names_of_different_computations_differ() -> None:
    """The name of a computed unknown keeps its grouping."""
    left = BINARY["*"](BINARY["+"](SIZE, 1), 2)
    right = BINARY["+"](SIZE, 1)
    assert left == Unknown("(var.size + 1) * 2")
    assert right == Unknown("var.size + 1")
    assert UNARY["-"](right) == Unknown("-(var.size + 1)")
    assert BINARY["+"](BINARY["*"](SIZE, 2), 1) == Unknown("(var.size * 2) + 1")


def test_long_names_are_cut_but_stay_different() -> None:
    """Two long names that differ at the end are different."""
    one, other = (BINARY["=="](ARN, "x" * 5000 + end) for end in "ab")
    assert one != other
    assert len(one.address) < 1000


@pytest.mark.parametrize(
    ("left", "right", "conjunction", "disjunction"),
    [
        (True, True, True, True),
        (True, False, False, True),
        ("true", "false", False, True),
        (False, SIZE, False, SIZE),
        (SIZE, False, False, SIZE),
        (True, SIZE, SIZE, True),
        (SIZE, True, SIZE, True),
        (SIZE, SIZE, SIZE, SIZE),
    ],
)
def test_logic(left: Value, right: Value, conjunction: Value, disjunction: Value) -> None:
    """False decides a conjunction and true a disjunction, whatever the other operand is."""
    for operation, expected in ((AND, conjunction), (OR, disjunction)):
        found = operation(left, right)
        assert found is expected if expected is not SIZE else isinstance(found, Unknown)


def test_logic_stops_at_a_decisive_left_operand() -> None:
    """What is right of a decisive operand does not matter; a null that matters is an error."""
    assert AND("false", None) is False
    assert OR("true", None) is True
    with pytest.raises(EvaluationError):
        AND("true", None)


def test_prefix_operators() -> None:
    """Negation takes numbers and bools, and their texts."""
    assert UNARY["-"]("5") == -5
    assert UNARY["!"]("true") is False
    assert UNARY["!"](SIZE) == Unknown("!var.size")
    with pytest.raises(EvaluationError):
        UNARY["!"](None)


def test_sensitive_operands_are_computed_and_stay_sensitive() -> None:
    """The result is right, hidden, and named by the expression."""
    for found, expected in (
        (BINARY["=="](SECRET, Sensitive("var.other", "hunter2")), True),
        (BINARY["=="](["a", SECRET], ["a", "x"]), False),
        (BINARY["!="](Text(("a-", SECRET)), Text(("a-", SECRET))), False),
        (BINARY["+"](Sensitive("var.n", 1), 2), 3),
        (AND(Sensitive("var.b", value=False), SIZE), False),
        (UNARY["!"](Sensitive("var.b", value=True)), False),
    ):
        assert isinstance(found, Sensitive)
        assert expected == found.reveal()
        assert "hunter2" not in repr(found)


def test_an_undecided_sensitive_result_is_unknown() -> None:
    """An unknown operand keeps the result of a sensitive one unknown."""
    found = BINARY["+"](Sensitive("var.n", 1), SIZE)
    assert type(found) is Unknown
    assert found.address == "var.n + var.size"


def test_errors_do_not_show_sensitive_operands() -> None:
    """A sensitive operand that does not fit is not in the message."""
    with pytest.raises(EvaluationError) as caught:
        BINARY["+"](SECRET, 1)
    assert "hunter2" not in str(caught.value)


def test_conditional_equal() -> None:
    """Branches are the same only if that is certain, sensitivity included."""
    assert conditional_equal(["a", ARN], ["a", ARN])
    assert conditional_equal(SECRET, SECRET)
    assert not conditional_equal("5", 5)
    assert not conditional_equal(SECRET, "hunter2")
    assert not conditional_equal(Unknown("uuid()"), Unknown("uuid()"))
    assert not conditional_equal(ARN, "a")
