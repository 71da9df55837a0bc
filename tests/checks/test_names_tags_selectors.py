"""Selectors that match nothing are an error of the contract."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.checks.conventions.tags import check_selectors, empty_selectors, unclassified_types
from infraspec.contract.models import Contract
from infraspec.core.errors import EmptySelectionError
from infraspec.terraform.plan import Plan, Resource


def _plan(*types: str) -> Plan:
    return Plan("test", [Resource(f"{type_}.this", "managed", type_, "this", None, "", {}) for type_ in types])


def _contract(allow_empty: list[str] | None = None, **tables: Any) -> Contract:
    return Contract.model_validate(
        {
            "project": {"application": "shop"},
            "environments": {"prod": {}},
            "suite": {"allow_empty": allow_empty or []},
            **tables,
        }
    )


ALL: dict[str, Any] = {
    "names": {"patterns": {"aws_rds_cluster": "{application}", "aws_sns_topic": "{application}"}},
    "tags": {
        "common": {"A": {}},
        "resource": {"aws_db_instance": {"B": {}}},
        "exempt": ["aws_eip", "aws_sns_topic.*", "module.old.*"],
    },
}


def test_everything_that_matches_nothing_is_listed() -> None:
    """Types of patterns and tags and entries of exempt are listed with their rule; those that match are not."""
    expected = ["names:aws_rds_cluster", "tags:aws_db_instance", "tags:aws_eip", "tags:module.old.*"]
    assert expected == empty_selectors(_plan("aws_sns_topic"), _contract(**ALL))


def test_no_taggable_resource_at_all() -> None:
    """Common tags and a tag policy over a plan without a resource that takes tags match nothing."""
    contract = _contract(tags={"common": {"A": {}}, "policy": "tag-policy.json"})
    assert empty_selectors(_plan("aws_route"), contract) == ["tags:common", "tag-policy:policy"]
    assert empty_selectors(_plan("aws_route", "aws_vpc"), contract) == []


@pytest.mark.parametrize(
    ("allowed", "left"),
    [
        (["names"], ["tags:aws_db_instance", "tags:aws_eip", "tags:module.old.*"]),
        (["tags"], ["names:aws_rds_cluster"]),
        (["tags", "names:aws_rds_cluster"], []),
        (["tags:aws_eip", "names"], ["tags:aws_db_instance", "tags:module.old.*"]),
    ],
)
def test_allow_empty(allowed: list[str], left: list[str]) -> None:
    """The contract may allow a rule, or one selector of it, to match nothing."""
    assert left == empty_selectors(_plan("aws_sns_topic"), _contract(allowed, **ALL))


def test_the_error_suggests_what_was_meant() -> None:
    """A misspelt type asks for the one in the plan, or the one that exists; a type that exists has no hint."""
    names = {"patterns": dict.fromkeys(("aws_secretmanager_secret", "aws_lamda_function", "aws_ecs_cluster"), "x")}
    with pytest.raises(EmptySelectionError) as caught:
        check_selectors(_plan("aws_secretsmanager_secret", "aws_ecs_service"), _contract(names=names))
    remedy = caught.value.remedy
    assert "did you mean aws_secretsmanager_secret by aws_secretmanager_secret?" in remedy
    assert "did you mean aws_lambda_function by aws_lamda_function?" in remedy
    assert "by aws_ecs_cluster" not in remedy
    assert '"names:aws_ecs_cluster"' in remedy
    assert caught.value.place == "names.patterns.aws_secretmanager_secret"


@pytest.mark.parametrize(
    ("tables", "place"),
    [
        ({"tags": {"common": {"A": {}}}}, "tags.common"),
        ({"tags": {"policy": "tag-policy.json"}}, "tags.policy"),
        ({"tags": {"resource": {"aws_db_instance": {"B": {}}}}}, "tags.resource.aws_db_instance"),
        ({"tags": {"exempt": ["module.old.*"]}}, "tags.exempt"),
        ({"tags": {"exempt": ["aws_eip.*"]}}, "tags.exempt"),
    ],
)
def test_the_error_stands_at_its_key(tables: dict[str, Any], place: str) -> None:
    """The place is the key of the contract that selects nothing."""
    with pytest.raises(EmptySelectionError) as caught:
        check_selectors(_plan("aws_route"), _contract(**tables))
    assert place == caught.value.place


def test_nothing_empty_is_no_error() -> None:
    """If all selectors match, nothing is raised."""
    names = {"patterns": {"aws_sns_topic": "x"}}
    check_selectors(_plan("aws_sns_topic"), _contract(names=names))
    assert empty_selectors(_plan("aws_sns_topic"), _contract(names=names)) == []


def test_types_of_which_nothing_is_known() -> None:
    """A type that no table has and that shows no tags is named, so that it is not left out silently."""
    assert unclassified_types(_plan("aws_new_thing", "aws_route", "aws_vpc", "random_id")) == ["aws_new_thing"]
