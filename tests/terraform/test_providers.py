"""Provider configurations that nobody has made are an error, wherever they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.errors import InfraspecError, InputErrorGroup, TerraformError
from infraspec.terraform.plan import Plan
from infraspec.unknown import Unknown
from tests.terraform.sources import plan_of

VIRGINIA = 'provider "aws" {\n  alias  = "virginia"\n  region = "us-east-1"\n}\n'
QUEUE = 'resource "aws_sqs_queue" "q" {\n  provider = aws.virginia\n}\n'
EXPECTS = "terraform {\n  required_providers {\n    aws = { configuration_aliases = [aws.virginia] }\n  }\n}\n"


def error_of(directory: Path, files: dict[str, str]) -> InfraspecError:
    """Return the error that evaluation ends with."""
    with pytest.raises(InfraspecError) as caught:
        plan_of(directory, files)
    return caught.value


@pytest.mark.parametrize("mode", ["resource", "data"])
def test_an_alias_that_is_not_configured(tmp_path: Path, mode: str) -> None:
    """The error has the place of the argument, and the configuration that is meant."""
    source = VIRGINIA + f'{mode} "aws_vpc" "v" {{\n  provider = aws.virgina\n}}\n'
    error = error_of(tmp_path, {"main.tf": source})

    assert type(error) is TerraformError
    assert f"{tmp_path / 'main.tf'}:6:3" == error.place
    assert "aws.virgina" in error.message
    assert "one of aws.virginia" == error.expected
    assert "provider = aws.virginia" == error.remedy


def test_all_missing_configurations_are_said_at_once(tmp_path: Path) -> None:
    """Each place is said once, however many instances it has; without one that is like it the remedy declares it."""
    blocks = [f'resource "aws_vpc" "{name}" {{\n  count    = 2\n  provider = aws.{name}\n}}\n' for name in "ab"]
    error = error_of(tmp_path, {"main.tf": "".join(blocks)})

    assert isinstance(error, InputErrorGroup)
    assert [each.place.rpartition("main.tf:")[2] for each in error.errors] == ["3:3", "7:3"]
    assert 'provider "aws" {\n  alias = "a"\n}' == error.errors[0].remedy


CALL = 'module "m" {\n  source = "./m"\n  %s\n}\n'
MISSING: dict[str, tuple[str, str, str, str]] = {
    "not passed": (VIRGINIA + CALL % "", EXPECTS + QUEUE, "main.tf:5:1", "aws.virginia"),
    "passed under another name": (
        VIRGINIA + CALL % "providers = { aws = aws.virginia }",
        EXPECTS + QUEUE,
        "main.tf:7:3",
        "aws.virginia",
    ),
    "passed but not there": (
        CALL % "providers = { aws.virginia = aws.tokyo }",
        EXPECTS + QUEUE,
        "main.tf:3:3",
        "aws.tokyo",
    ),
    "neither expected nor configured": (VIRGINIA + CALL % "", QUEUE, "m/main.tf:2:3", "aws.virginia"),
}


@pytest.mark.parametrize(("root", "child", "place", "name"), MISSING.values(), ids=MISSING)
def test_a_configuration_that_a_module_lacks(tmp_path: Path, root: str, child: str, place: str, name: str) -> None:
    """A module inherits the default configuration only; one with an alias is passed, from where it exists."""
    error = error_of(tmp_path, {"main.tf": root, "m/main.tf": child})

    assert f"{tmp_path}/{place}" == error.place
    assert name in error.message


def regions(plan: Plan) -> dict[str, object]:
    """Return the region of each resource."""
    return {resource.address: plan.region_of(resource) for resource in plan.managed()}


PRESENT: dict[str, tuple[str, str]] = {
    "passed": (VIRGINIA + CALL % "providers = { aws.virginia = aws.virginia }", EXPECTS + QUEUE),
    "configured in the module": (CALL % "", VIRGINIA + QUEUE),
    "passed through a block that only names it": (
        VIRGINIA + CALL % "providers = { aws.virginia = aws.virginia }",
        'provider "aws" {\n  alias = "virginia"\n}\n' + QUEUE,
    ),
}


@pytest.mark.parametrize(("root", "child"), PRESENT.values(), ids=PRESENT)
def test_a_configuration_that_a_module_has(tmp_path: Path, root: str, child: str) -> None:
    """What is passed counts, then what the module configures itself."""
    plan = plan_of(tmp_path, {"main.tf": root, "m/main.tf": child})

    assert regions(plan) == {"module.m.aws_sqs_queue.q": "us-east-1"}


def test_a_module_evaluated_as_a_root(tmp_path: Path) -> None:
    """Configurations that a caller would pass are not known, and no error."""
    plan = plan_of(tmp_path, {"main.tf": EXPECTS + QUEUE})

    assert regions(plan) == {"aws_sqs_queue.q": Unknown("aws_region.region (aws.virginia)")}


def test_one_of_many_configurations(tmp_path: Path) -> None:
    """Which region an OpenTofu provider with for_each has is not known; that it exists is."""
    many = 'provider "aws" {\n  alias    = "by"\n  for_each = toset(["x"])\n  region   = each.key\n}\n'
    queue = 'resource "aws_sqs_queue" "q" {\n  provider = aws.by["x"]\n}\n'
    (region,) = regions(plan_of(tmp_path, {"main.tf": many + queue})).values()

    assert isinstance(region, Unknown)
    assert "aws.bye" in error_of(tmp_path, {"main.tf": many + queue.replace("aws.by", "aws.bye")}).message
