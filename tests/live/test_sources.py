"""What the source calls a thing that exists, in the account and region that are asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec.live.resources.source_index import SourceIndex
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of

ACCOUNT, REGION = "111122223333", "eu-west-1"
THERE = 'provider "aws" {\n  alias  = "other"\n  region = "us-east-1"\n}\n'
WHERE = 'variable "dr" {}\nprovider "aws" {\n  alias  = "other"\n  region = var.dr\n}\n'
SHARED = """
provider "aws" {
  alias = "other"
  assume_role {
    role_arn = "arn:aws:iam::222233334444:role/deploy"
  }
}
"""
HERE = 'resource "aws_sns_topic" "here" {\n  name = "alerts"\n}\n'
OTHER = 'resource "aws_sns_topic" "other" {\n  provider = aws.other\n  name     = "alerts"\n}\n'
KEY = """
resource "aws_kms_key" "one" {
  provider = aws.other
  tags     = { Name = "secrets" }
}
resource "aws_kms_alias" "one" {
  provider      = aws.other
  name          = "alias/secrets"
  target_key_id = aws_kms_key.one.key_id
}
"""


def sources(directory: Path, text: str) -> SourceIndex:
    """Return the names of a source for one who asks the account in Ireland."""
    return SourceIndex(
        plan_of(directory, text, known=KnownData.of({}, account=ACCOUNT, region=REGION)), ACCOUNT, REGION
    )


@pytest.mark.parametrize("provider", [THERE, WHERE, SHARED])
@pytest.mark.parametrize("topics", [HERE + OTHER, OTHER + HERE])
def test_of_two_with_one_name_the_one_that_is_here_is_meant(provider: str, topics: str, tmp_path: Path) -> None:
    """Whichever the source has first."""
    found = sources(tmp_path, provider + topics).find("aws_sns_topic", ("alerts",))
    assert found is not None
    assert "aws_sns_topic.here" == found.address


@pytest.mark.parametrize(("provider", "possible"), [(THERE, 0), (SHARED, 0), (WHERE, 1)])
def test_what_has_the_name_of_one_that_is_elsewhere_is_another(provider: str, possible: int, tmp_path: Path) -> None:
    """It may be it where nobody knows the region, and belongs to the environment then."""
    known = sources(tmp_path, provider + OTHER)
    assert known.find("aws_sns_topic", ("alerts",)) is None
    assert possible == len(known.possible("aws_sns_topic", ("alerts",)))


@pytest.mark.parametrize("provider", [THERE, SHARED, WHERE])
def test_a_key_of_another_region_has_no_name_here(provider: str, tmp_path: Path) -> None:
    """Neither by its alias, nor by its tag, nor by an id, which a multi-region key has in each."""
    known = sources(tmp_path, provider + KEY)
    keys = [replace(one, values={**one.values, "id": "mrk-1"}) for one in known.plan.managed("aws_kms_key")]
    again = SourceIndex(known.plan.replaced(resources=tuple(keys)), ACCOUNT, REGION)
    assert (None, None, None) == (
        known.key_of_alias("alias/secrets"),
        known.find("aws_kms_key", ("secrets",)),
        again.named(keys[0].type, "mrk-1"),
    )
