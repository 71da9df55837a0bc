"""A run whose contract names another region than the application is in ends before its first verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from infraspec.aws.calls import Question
from infraspec.core.errors import AwsError, ContractError
from infraspec.live.region import refuse_wrong_region
from tests.live.answers import Answers
from tests.terraform.sources import plan_of

SOURCE = """
provider "aws" { region = "eu-west-1" }
resource "aws_ecs_cluster" "web" { name = "shop-prod-web" }
resource "aws_ecs_cluster" "batch" { name = "shop-prod-batch" }
"""
BOTH = ("shop-prod-web", "shop-prod-batch")


class Regions(Answers):
    """The clusters by region; a region without any does not answer."""

    there: Mapping[str, Sequence[str]]

    def answer(self, question: Question) -> Any:
        """Return the clusters of the region of a question that are among those asked for."""
        self.asked.append((question.service, question.operation, {"region": question.region}))
        if question.region not in self.there:
            raise AwsError("AWS did not answer")
        names = [name for name in question.parameters["clusters"] if name in self.there[question.region]]
        return [{"clusterName": name, "status": "ACTIVE"} for name in names]


def looked(tmp_path: Path, there: Mapping[str, Sequence[str]]) -> Regions:
    """Look for the application in some regions."""
    calls = Regions({})
    calls.there = there
    regions = ["eu-west-1", "us-east-1", "eu-central-1"]
    refuse_wrong_region(calls, plan_of(tmp_path, SOURCE), "prod", regions, "infraspec.toml: environments.prod")
    return calls


def test_an_application_that_is_elsewhere(tmp_path: Path) -> None:
    """The error says where all of it is."""
    with pytest.raises(ContractError) as raised:
        looked(tmp_path, {"eu-west-1": (), "eu-central-1": BOTH})

    assert "infraspec.toml: environments.prod.region" == raised.value.place
    assert "none of them there, and all of them in eu-central-1" == raised.value.found
    assert '[environments.prod]\nregion = "eu-central-1"' == raised.value.remedy


@pytest.mark.parametrize(
    "there",
    [
        {"eu-west-1": BOTH[:1], "eu-central-1": BOTH},
        {"eu-west-1": (), "us-east-1": (), "eu-central-1": BOTH[:1]},
        {"eu-west-1": ()},
        {"eu-central-1": BOTH},
    ],
    ids=["a part is here", "a part is there", "nothing is deployed", "no answer here"],
)
def test_what_may_be_right(tmp_path: Path, there: Mapping[str, Sequence[str]]) -> None:
    """Nothing is said of an application that is here in part, or nowhere as a whole."""
    assert looked(tmp_path, there).asked


def test_a_region_that_is_right_is_asked_alone(tmp_path: Path) -> None:
    """Other regions are asked where nothing is found in the own one."""
    assert [("ecs", "describe_clusters", {"region": "eu-west-1"})] == looked(tmp_path, {"eu-west-1": BOTH}).asked
