"""Forcing a plan says all that is wrong with its input at once, and each of it once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infraspec.core.errors import EvaluationError, InfraspecError, InputErrorGroup, PlanError
from infraspec.core.unknown import Value
from infraspec.terraform.environments import force
from infraspec.terraform.plan import Plan, Resource
from tests.terraform.sources import plan_of


def errors_of(plan: Plan) -> list[InfraspecError]:
    """Return the errors of forcing a plan."""
    try:
        force(plan)
    except InputErrorGroup as group:
        return list(group.errors)
    except InfraspecError as error:
        return [error]
    return []


def test_a_plan_without_errors(tmp_path: Path) -> None:
    """Where every value can be evaluated nothing is raised; what is unknown is no error."""
    plan = plan_of(tmp_path, 'variable "u" {}\nresource "aws_sqs_queue" "q" { name = var.u }\noutput "o" { value = 1 }')

    assert errors_of(plan) == []


def test_every_error_is_reported(tmp_path: Path) -> None:
    """Attributes, nested blocks, data sources and outputs that have no value are all reported."""
    plan = plan_of(
        tmp_path,
        """
        locals { none = {} }
        resource "aws_sqs_queue" "q" {
          name = local.none.name
          tags = { good = 1, bad = local.none.tag }
        }
        resource "aws_security_group" "sg" {
          ingress { from_port = "http" }
        }
        data "aws_vpc" "v" { id = 1 / 0 }
        output "o" { value = {}.nowhere }
        """,
    )

    found = errors_of(plan)
    assert sorted(int(error.place.split(":")[1]) for error in found) == [4, 5, 8, 10, 11]


def test_an_error_in_the_tags_hides_no_other(tmp_path: Path) -> None:
    """Whether there are tags_all cannot be decided then, and what else is wrong with the resource still is."""
    source = """
        provider "aws" {
          default_tags { tags = { a = {}.three } }
        }
        resource "aws_sqs_queue" "q" {
          tags_all = {}.one
          tags     = { a = {}.two }
          name     = {}.four
        }
        resource "aws_sqs_queue" "r" { name = {}.five }
        """

    found = errors_of(plan_of(tmp_path, source))
    assert [error.message.split('"')[1] for error in found] == ["three", "two", "four", "five"]


def test_one_place_is_reported_once(tmp_path: Path) -> None:
    """What many instances have from one place of the source is said once, for the first of them."""
    plan = plan_of(
        tmp_path,
        {
            "main.tf": 'module "m" {\n  count  = 3\n  source = "./m"\n}\noutput "o" { value = module.m[0].o }',
            "m/main.tf": 'resource "aws_sqs_queue" "q" {\n  count = 2\n  name  = {}.nowhere\n}\n'
            'output "o" { value = aws_sqs_queue.q[1].name }',
        },
    )

    (error,) = errors_of(plan)
    assert "m/main.tf:3" in error.place
    assert "module.m[0].aws_sqs_queue.q[0].name" in error.message


def test_a_single_error_is_raised_itself(tmp_path: Path) -> None:
    """One error is no group."""
    plan = plan_of(tmp_path, 'output "o" { value = {}.nowhere }')

    with pytest.raises(EvaluationError, match="nowhere"):
        force(plan)


class Broken(Mapping[str, Value]):
    """Values whose names cannot be decided."""

    def __getitem__(self, name: str) -> Value:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        raise PlanError("the names cannot be read")

    def __len__(self) -> int:
        return 1


def test_errors_without_a_place_are_told_apart_by_their_message() -> None:
    """Names that cannot be decided are an error like others, and the other resources are still evaluated."""
    resources = [
        Resource(f"aws_x.{name}", "managed", "aws_x", name, None, "", Broken() if name in "ac" else {})
        for name in "abc"
    ]

    (error,) = errors_of(Plan("plan p", resources))
    assert isinstance(error, PlanError)
