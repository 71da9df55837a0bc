"""Provider configurations: one that nobody has made is refused, and whose account each of them uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.unknown import Unknown, render
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of

VIRGINIA = 'provider "aws" {\n  alias  = "virginia"\n  region = "us-east-1"\n}\n'
QUEUE = 'resource "aws_sqs_queue" "q" {\n  provider = aws.virginia\n}\n'
EXPECTS = "terraform {\n  required_providers {\n    aws = { configuration_aliases = [aws.virginia] }\n  }\n}\n"


@pytest.mark.parametrize("mode", ["resource", "data"])
def test_an_alias_that_is_not_configured(tmp_path: Path, mode: str) -> None:
    """It is refused at the place of the argument, with the configuration that is meant; where it works is not known."""
    source = VIRGINIA + f'{mode} "aws_vpc" "v" {{\n  provider = aws.virgina\n}}\n'
    plan = plan_of(tmp_path, {"main.tf": source}, known=KnownData(region="eu-west-1", account=MINE))
    (refusal,) = plan.diagnostics
    (vpc,) = plan.resources

    assert f"{tmp_path / 'main.tf'}:6" == str(refusal.location)
    assert "aws.virgina" in refusal.message
    assert "provider = aws.virginia" == refusal.remedy
    assert [True, True] == [isinstance(value, Unknown) for value in (plan.region_of(vpc), plan.accounts[vpc.provider])]


def test_all_missing_configurations_are_said_at_once(tmp_path: Path) -> None:
    """Each place is said once, however many instances it has; without one that is like it the remedy declares it."""
    blocks = [f'resource "aws_vpc" "{name}" {{\n  count    = 2\n  provider = aws.{name}\n}}\n' for name in "ab"]
    refusals = plan_of(tmp_path, {"main.tf": "".join(blocks)}).diagnostics

    assert [3, 7] == [each.location.line for each in refusals if each.location]
    assert 'provider "aws" {\n  alias = "a"\n}' == refusals[0].remedy


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
    (refusal,) = plan_of(tmp_path, {"main.tf": root, "m/main.tf": child}).diagnostics

    assert f"{tmp_path}/{place.rpartition(':')[0]}" == str(refusal.location)
    assert name in refusal.message


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


@pytest.mark.parametrize("alias", ["aws.virginia", '"aws.virginia"'])
def test_a_module_evaluated_as_a_root(tmp_path: Path, alias: str) -> None:
    """Configurations that a caller would pass are not known, and no error."""
    plan = plan_of(tmp_path, {"main.tf": EXPECTS.replace("aws.virginia", alias) + QUEUE})

    assert regions(plan) == {"aws_sqs_queue.q": Unknown("aws_region.region (aws.virginia)")}


def test_one_of_many_configurations(tmp_path: Path) -> None:
    """An OpenTofu provider with for_each has the region that its instance says."""
    many = 'provider "aws" {\n  alias    = "by"\n  for_each = toset(["x"])\n  region   = each.key\n}\n'
    queue = 'resource "aws_sqs_queue" "q" {\n  provider = aws.by["x"]\n}\n'
    (region,) = regions(plan_of(tmp_path, {"main.tf": many + queue})).values()

    assert region == "x"
    (refusal,) = plan_of(tmp_path / "bye", many + queue.replace("aws.by", "aws.bye")).diagnostics
    assert "aws.bye" in refusal.message


MINE = "111122223333"
ROLE = 'assume_role {{\n  role_arn = "{}"\n}}'
DYNAMIC = 'dynamic "assume_role" {{\n  for_each = {}\n  content {{\n    role_arn = assume_role.value\n  }}\n}}'
OTHER = "arn:aws:iam::222222222222:role/deploy"
UNKNOWN_ROLE = "arn:aws:iam::222222222222:role/${var.role}"
ANY_ACCOUNT = "arn:aws:iam::${var.account}:role/deploy"


@pytest.mark.parametrize(
    ("main", "alias", "account", "expected"),
    [
        ("", "", MINE, MINE),
        ("", "", None, "${aws_caller_identity.account_id}"),
        ('profile = "a"', 'profile = "a"', MINE, MINE),
        ("profile = var.role", "profile = var.role", MINE, MINE),
        ("", 'profile = "a"', MINE, "${aws_caller_identity.account_id (aws.other)}"),
        ('profile = "a"', "", MINE, "${aws_caller_identity.account_id (aws.other)}"),
        ("", ROLE.format(OTHER), MINE, "222222222222"),
        ("", ROLE.format(UNKNOWN_ROLE), MINE, "222222222222"),
        ("", ROLE.format(ANY_ACCOUNT), MINE, "${aws_caller_identity.account_id (aws.other)}"),
        (ROLE.format(ANY_ACCOUNT), ROLE.format(ANY_ACCOUNT), MINE, MINE),
        (ROLE.format(OTHER), ROLE.format(OTHER), None, "222222222222"),
        ("", 'allowed_account_ids = ["222222222222"]', MINE, "222222222222"),
        ("", 'allowed_account_ids = ["222222222222"]\n' + ROLE.format(ANY_ACCOUNT), MINE, "222222222222"),
        ("", DYNAMIC.format(f'["{OTHER}"]'), MINE, "222222222222"),
        (
            "",
            DYNAMIC.format(f'{{ a = "{OTHER}" }}').replace("for_each", "iterator = assume_role\n  for_each"),
            MINE,
            "222222222222",
        ),
        ("", DYNAMIC.format("[]"), MINE, MINE),
        ("", DYNAMIC.format("null"), MINE, MINE),
        (
            "",
            DYNAMIC.format("var.role == null ? [] : [var.role]"),
            MINE,
            "${aws_caller_identity.account_id (aws.other)}",
        ),
        (
            "",
            f"{ROLE.format(OTHER)}\n{ROLE.format(ANY_ACCOUNT)}",
            MINE,
            "${aws_caller_identity.account_id (aws.other)}",
        ),
    ],
)
def test_the_account_of_an_alias(tmp_path: Path, main: str, alias: str, account: str | None, expected: str) -> None:
    """An alias with the credentials of the main configuration has its account, another one that which it tells."""
    source = f"""
    variable "role" {{}}
    variable "account" {{}}
    provider "aws" {{
      region = "eu-west-1"
      {main}
    }}
    provider "aws" {{
      alias  = "other"
      region = "us-east-1"
      {alias}
    }}
    resource "aws_sns_topic" "alerts" {{
      provider = aws.other
      name     = "alerts"
    }}
    data "aws_caller_identity" "other" {{
      provider = aws.other
    }}
    output "value" {{
      value = data.aws_caller_identity.other.account_id
    }}
    """
    plan = plan_of(tmp_path, source, known=KnownData.of({}, account=account))
    topic = plan.by_address["aws_sns_topic.alerts"]
    assert render(AwsAttributes(plan).account_of(topic)) == expected
    assert render(plan.outputs["value"]) == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("region = var.other", Unknown("var.other")),
        ('region = "us-east-1"', "us-east-1"),
        ("", "eu-west-1"),
    ],
)
def test_the_region_of_an_alias_is_not_the_one_of_the_environment(
    region: str, expected: object, tmp_path: Path
) -> None:
    """A variable that nobody gave a value is the environment's for the main provider alone."""
    text = f"""
      variable "other" {{}}
      provider "aws" {{
        region = var.other
      }}
      provider "aws" {{
        alias  = "virginia"
        {region}
      }}
    """
    topic = 'resource "aws_sns_topic" "main" {}\n'
    plan = plan_of(tmp_path, text + topic + QUEUE, known=KnownData.of({}, region="eu-west-1"))
    assert {"aws_sns_topic.main": "eu-west-1", "aws_sqs_queue.q": expected} == regions(plan)


@pytest.mark.parametrize(
    ("many", "expected"), [('[{ Owner = "a" }]', {"Owner": "a"}), ("[]", None), ("var.role", "unknown")]
)
def test_default_tags_that_are_dynamic(tmp_path: Path, many: str, expected: object) -> None:
    """A dynamic block of a provider is as many blocks as its for_each has, and not known where that is not."""
    source = f"""
    variable "role" {{}}
    provider "aws" {{
      dynamic "default_tags" {{
        for_each = {many}
        iterator = each_of
        content {{
          tags = each_of.value
        }}
      }}
    }}
    resource "aws_sns_topic" "alerts" {{
      name = "alerts"
      tags = {{ Own = "b" }}
    }}
    """
    tags = plan_of(tmp_path, source).managed("aws_sns_topic")[0].values["tags_all"]
    if isinstance(expected, dict):
        assert {**expected, "Own": "b"} == tags
    elif expected is None:
        assert {"Own": "b"} == tags
    else:
        assert isinstance(tags, Unknown)
