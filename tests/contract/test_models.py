from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from infraspec.contract.alarms import Channel
from infraspec.contract.models import Contract, Environment, partition_of
from infraspec.contract.static import Names


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_the_partition_follows_from_the_region(region: str, partition: str) -> None:
    """A contract that names a region need not name its partition."""
    assert partition_of(region) == partition
    assert Environment(region=region).partition == partition


@pytest.mark.parametrize("value", ["11112222333", "1111222233334", "11112222333a", "\u0661" * 12, "111122223333\n"])
def test_an_account_id_is_twelve_ascii_digits(value: str) -> None:
    """Neither more nor fewer digits, nor those of another script, make an account id."""
    with pytest.raises(ValidationError, match="twelve digits"):
        Environment(account_id=value)


@pytest.mark.parametrize(
    ("written", "value"),
    [(1.0, 1), (1.5, 1.5), (1, 1), (True, True), ([2.0, {"a": 3.0}], [2, {"a": 3}]), ("1.0", "1.0")],
)
def test_whole_numbers_are_integers_as_in_terraform(written: Any, value: Any) -> None:
    """Terraform has one type of number: 1.0 is 1, wherever it stands."""
    taken = Environment(variables={"x": written}).variables["x"]

    assert (taken, type(taken)) == (value, type(value))


def test_a_regular_expression_has_to_fit_into_a_pattern() -> None:
    """A flag that only the beginning of an expression may have is found at load, not in the check."""
    with pytest.raises(ValidationError, match="does not compile"):
        Names(placeholders={"engine": "(?i)postgres"})


def test_a_regular_expression_that_is_searched_for_is_one_of_re2() -> None:
    """Lookaround, which cannot be matched in linear time, is named where it stands."""
    with pytest.raises(ValidationError, match=r"RE2's syntax.*invalid perl operator: \(\?="):
        Channel(protocols=["https"], endpoint="https://(?=events)")


@pytest.mark.filterwarnings("ignore")
def test_an_ambiguous_regular_expression_is_wrong() -> None:
    """What Python only warns about may mean something else tomorrow: it is an error, whatever the filters."""
    with pytest.raises(ValidationError, match="does not compile: Possible nested set"):
        Names(placeholders={"engine": "[[a]"})


def test_blanks_around_text_do_not_count() -> None:
    """A name is taken without the blanks around it."""
    made = Contract.model_validate({"project": {"application": " shop "}, "environments": {"prod": {}}})

    assert made.project.application == "shop"


def test_the_contract_does_not_change() -> None:
    """The tables are frozen, so that every check reads the same contract."""
    with pytest.raises(ValidationError, match="frozen"):
        setattr(Environment(), "region", "eu-west-1")  # noqa: B010 - mypy knows that it fails


def test_no_value_of_a_variable_is_in_a_repr() -> None:
    """A test that fails shows the contract; variables and known data may be secrets."""
    known = {"aws_a.b": "hunter2"}
    environment = {"variables": {"password": "hunter2"}, "known": known}
    data = {"project": {"application": "shop"}, "environments": {"prod": environment}, "known": known}

    assert "hunter2" not in repr(Contract.model_validate(data))
