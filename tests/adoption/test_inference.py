"""The application, naming patterns and tags that are read off what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from infraspec.adoption.contract_inference import application_of
from infraspec.adoption.conventions import Carried, NamedResource, NameShape, common_tags, patterns_of
from infraspec.core.unknown import Unknown

DEV = {"application": "shop", "environment": "dev"}
PROD = {"application": "shop", "environment": "prod"}

APPLICATIONS: dict[str, tuple[list[str], tuple[str, int] | None]] = {
    "what all begin with": (["shop-dev-app", "shop-dev-db", "shop-prod-app"], ("shop", 3)),
    "several words": (["my-shop-dev-app", "my-shop-dev-db", "my-shop-prod"], ("my-shop", 3)),
    "underscores": (["my_shop_app", "my_shop_db", "my_shop_lb"], ("my_shop", 3)),
    "the environment in front": (["dev-shop-app", "prod-shop-db", "prod-shop-lb"], ("shop", 3)),
    "paths": (["/ecs/shop/dev/app", "shop-dev", "shop-db", "shop-lb"], ("shop", 3)),
    "too few": (["shop-app", "shop-db"], None),
    "nothing in common": (["alpha-app", "beta-db", "gamma-lb"], None),
    "a word that says nothing": (["main", "main", "main", "main-lb"], None),
}


@pytest.mark.parametrize(("names", "expected"), APPLICATIONS.values(), ids=APPLICATIONS)
def test_application(names: list[str], expected: tuple[str, int] | None) -> None:
    """The application is what most names begin with, environments aside; nothing is better than a guess."""
    assert application_of(names, ["dev", "prod"]) == expected


SHAPES: dict[str, tuple[str, str, str | None]] = {
    "words": ("aws_iam_role", "shop-prod-order-worker", "{application}-{environment}-{name}"),
    "nothing behind": ("aws_vpc", "shop-prod", "{application}-{environment}"),
    "a word of the type": ("aws_ecs_cluster", "shop-prod-cluster", "{application}-{environment}-cluster"),
    "a path": ("aws_cloudwatch_log_group", "/aws/ecs/shop-prod/app", "/aws/ecs/{application}-{environment}/{name}"),
    "underscores": ("aws_iam_role", "shop_prod_order_worker", "{application}_{environment}_{snake-name}"),
    "capitals": ("aws_iam_policy", "ShopReadAccess-Prod", "{Application}{Name}-{Environment}"),
    "a word that only contains a fact": ("aws_iam_role", "shopper-production", None),
    "mixed words": ("aws_iam_role", "shop-Order_worker", None),
    "no fact": ("aws_iam_role", "deploy", None),
    "braces": ("aws_iam_role", "{a}-shop", "{{a}}-{application}"),
}


@pytest.mark.parametrize(("type_", "name", "expected"), SHAPES.values(), ids=SHAPES)
def test_shape(type_: str, name: str, expected: str | None) -> None:
    """Facts of the contract become placeholders, other words a placeholder of their kind."""
    shape = NameShape.of(name, PROD)

    assert (shape.pattern(type_) if shape.has_facts else None) == expected


def names(type_: str, *texts: str, facts: dict[str, str] | None = None) -> list[NamedResource]:
    """Return names of a type in production."""
    return [NamedResource(type_, text, facts or PROD) for text in texts]


GUESSES: dict[str, tuple[list[NamedResource], dict[str, tuple[tuple[str, ...], int, int]]]] = {
    "all": (
        names("aws_iam_role", "shop-prod-app", "shop-prod-worker", "shop-prod-task"),
        {"aws_iam_role": (("{application}-{environment}-{name}",), 3, 3)},
    ),
    "two are chance": (names("aws_iam_role", "shop-prod-app", "shop-prod-worker"), {}),
    "one name three times": (names("aws_iam_role", *["shop-prod-app"] * 3), {}),
    "names that AWS dictates": (
        names("aws_cloudwatch_log_group", *(f"shop-prod-{letter}" for letter in "abcdef"), "/aws/lambda/report"),
        {},
    ),
    "three of four": (
        names("aws_iam_role", "shop-prod-app", "shop-prod-worker", "shop-prod-task", "deploy"),
        {"aws_iam_role": (("{application}-{environment}-{name}",), 3, 4)},
    ),
    "two of three are no majority": (names("aws_iam_role", "shop-prod-app", "shop-prod-worker", "deploy"), {}),
    "two patterns": (
        names("aws_vpc", *(f"shop-prod-{letter}" for letter in "abcd"), *(f"prod-{letter}" for letter in "abc")),
        {"aws_vpc": (("{application}-{environment}-{name}", "{environment}-{name}"), 7, 7)},
    ),
    "one name": (names("aws_iam_role", "shop-prod-app"), {}),
    "names without facts": (names("aws_iam_role", "app", "worker"), {}),
}


@pytest.mark.parametrize(("given", "expected"), GUESSES.values(), ids=GUESSES)
def test_patterns(given: list[NamedResource], expected: dict[str, tuple[tuple[str, ...], int, int]]) -> None:
    """A pattern is inferred where three quarters of the names of a type follow it, and says of how many."""
    assert {guess.type: (guess.patterns, guess.held, guess.total) for guess in patterns_of(given)} == expected


def carried(values: Sequence[Any], key: str = "Team") -> list[Carried]:
    """Return resources with a tag, of dev and production in turn; None is a resource without it."""
    places = ((DEV, "dev"), (PROD, "prod"))
    return [Carried("aws_vpc", {} if v is None else {key: v}, *places[index % 2]) for index, v in enumerate(values)]


TAGS: dict[str, tuple[Sequence[Any], tuple[Any, int, int, bool] | None]] = {
    "one value": (["a", "a", "a", "a"], ("a", 4, 4, True)),
    "the environment": (["dev", "prod", "dev", "prod"], ("{environment}", 4, 4, True)),
    "the environment with a capital": (["Dev", "Prod", "Dev", "Prod"], ("{Environment}", 4, 4, True)),
    "the application": (["shop"] * 4, ("{application}", 4, 4, True)),
    "few values": (["a", "b", "a", "b"], (["a", "b"], 4, 4, True)),
    "each its own": (["a", "b", "c", "d"], ({}, 4, 4, True)),
    "not known": (["a", Unknown("var.team"), "a", "a"], ({}, 4, 4, True)),
    "three of four": (["a", "a", "a", None], ("a", 3, 4, True)),
    "half": (["a", "a", "a", None, None, None], ("a", 3, 6, False)),
    "two are chance": (["a", "a"], None),
    "one of four": (["a", None, None, None], None),
    "braces": (["{a}"] * 3, ("{{a}}", 3, 3, True)),
}


@pytest.mark.parametrize(("values", "expected"), TAGS.values(), ids=TAGS)
def test_tags(values: Sequence[Any], expected: tuple[Any, int, int, bool] | None) -> None:
    """A tag of the majority becomes a rule with the value that all have; one of fewer is mentioned."""
    guesses = [(g.rule, g.held, g.total, g.is_common) for g in common_tags(carried(values))]

    assert guesses == ([] if expected is None else [expected])


def test_name_is_no_common_tag() -> None:
    """The tag Name is each resource's own."""
    assert common_tags(carried(["a"] * 3, key="Name")) == []


def test_a_tag_of_three_types_is_no_convention() -> None:
    """Three resources that agree are of one type: else each may have it for a reason of its own."""
    types = ("aws_vpc", "aws_subnet", "aws_sqs_queue")
    assert common_tags([Carried(type_, {"Team": "a"}, PROD, "prod") for type_ in types]) == []


def test_the_constant_of_one_root_is_no_rule() -> None:
    """What one root module alone has asks for the key; the environment in it is a rule all the same."""
    one = [Carried("aws_vpc", {"Stage": "prod", "Team": "a"}, PROD, "prod")] * 3
    assert {"Stage": "{environment}", "Team": {}} == {guess.key: guess.rule for guess in common_tags(one)}
