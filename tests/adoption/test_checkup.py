"""What a check-up says of a contract and its sources, with the lines that fix it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from infraspec.adoption.checkup import HealthState, Line, checkup, worst
from infraspec.core.errors import UnknownEnvironmentError
from tests.terraform.sources import write

CONTRACT = """\
    [project]
    application = "shop"

    [environments.prod]
    root = "infra"
    account_id = "111122223333"
    """
PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'

CASES: dict[str, tuple[dict[str, str], list[tuple[HealthState, str, str]]]] = {
    "all is known": (
        {"infra/main.tf": PROVIDER + 'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n'},
        [(HealthState.OK, "1 resource, 0 task definitions from source infra", "")],
    ),
    "a policy of data": (
        {
            "infra/main.tf": PROVIDER
            + """\
data "aws_iam_policy" "some" {
  for_each = toset(["AmazonS3FullAccess", "our-own"])
  name     = each.key
}

resource "aws_iam_role_policy" "some" {
  role   = "app"
  policy = data.aws_iam_policy.some["our-own"].policy
}
"""
        },
        [
            (
                HealthState.WARNING,
                "1 line settles 1 of 1 verdict that cannot be decided",
                """\
                [environments.prod.known]
                "aws_iam_policy.some.policy" = "…"  # settles 1""",
            )
        ],
    ),
    "what no verdict waits for": (
        {
            "infra/main.tf": 'variable "tag" {}\ndata "aws_vpc" "main" {}\n'
            'resource "aws_security_group" "a" {\n  name = "a-${var.tag}"\n  vpc_id = data.aws_vpc.main.id\n}\n'
        },
        [(HealthState.OK, "nothing: all 2 verdicts of the static suite are decided", "")],
    ),
    "modules": (
        {
            "infra/main.tf": PROVIDER
            + 'module "vpc" {\n  source  = "terraform-aws-modules/vpc/aws"\n  version = "5.0.0"\n}\n'
        },
        [
            (
                HealthState.WARNING,
                "1 module not downloaded; its resources are unchecked",
                """\
                run `infraspec get`, which fetches it
                #   module.vpc""",
            )
        ],
    ),
    "a validation that fails": (
        {
            "infra/main.tf": PROVIDER
            + """\
variable "size" {
  default = 0
  validation {
    condition     = var.size > 0
    error_message = "Size has to be positive."
  }
}
"""
        },
        [(HealthState.PROBLEM, "var.size is not valid", "correct the value")],
    ),
    "a root without resources": (
        {"infra/main.tf": PROVIDER + 'variable "env" {\n  default = "prod"\n}\n'},
        [(HealthState.WARNING, "there is nothing to check", "name as root the directory that terraform runs in")],
    ),
    "a root of another cloud": (
        {"infra/main.tf": 'resource "google_storage_bucket" "b" {\n  name = "b"\n}\n'},
        [(HealthState.OK, "1 resource, 0 task definitions", "")],
    ),
    "source that is broken": ({"infra/main.tf": "resource {"}, [(HealthState.PROBLEM, "infra/main.tf:1", "")]),
    "an attribute without a value": (
        {"infra/main.tf": PROVIDER + 'resource "aws_sqs_queue" "q" {\n  name = {}.none\n}\n'},
        [(HealthState.PROBLEM, "infra/main.tf:5", "")],
    ),
}


@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES)
def test_environment(tmp_path: Path, files: dict[str, str], expected: list[tuple[HealthState, str, str]]) -> None:
    """Each thing that is not known is a warning, each error a problem, with the lines that fix it."""
    first, *lines = checkup(write(tmp_path, {**files, "infraspec.toml": CONTRACT}))

    assert (first.topic, first.state) == ("contract", HealthState.OK)
    for state, message, remedy in expected:
        found = [line for line in lines if message in line.message]
        assert [line.state for line in found] == [state], lines
        assert textwrap.dedent(remedy) in found[0].remedy
    assert worst(lines) is expected[0][0]


BAD_CONTRACTS: dict[str, tuple[dict[str, str], str]] = {
    "none": ({"infra/main.tf": PROVIDER}, "there is no contract"),
    "no TOML": ({"infraspec.toml": "[project"}, "infraspec.toml:1"),
    "an unknown key": ({"infraspec.toml": CONTRACT + "\n[suites]\n"}, "suites"),
    "a root that is not there": ({"infraspec.toml": CONTRACT}, "the root module of environment prod does not exist"),
    "an unknown rule": (
        {"infra/main.tf": PROVIDER, "infraspec.toml": CONTRACT + '\n[suite]\nallow_empty = ["nmaes"]\n'},
        "unknown rule",
    ),
}


@pytest.mark.parametrize(("files", "message"), BAD_CONTRACTS.values(), ids=BAD_CONTRACTS)
def test_contract(tmp_path: Path, files: dict[str, str], message: str) -> None:
    """A contract that cannot be used is a problem with its place and remedy, and the sources are not looked at."""
    directory = write(tmp_path, {name: textwrap.dedent(text) for name, text in files.items()})
    lines = list(checkup(directory))

    assert [(line.topic, line.state) for line in lines] == [("contract", HealthState.PROBLEM)]
    assert message in lines[0].message
    assert lines[0].remedy


def test_one_environment(tmp_path: Path) -> None:
    """With a name that environment alone is looked at; the files of another need not be there."""
    contract = textwrap.dedent(CONTRACT) + '\n[environments.dev]\nroot = "elsewhere"\n'
    write(tmp_path, {"infra/main.tf": PROVIDER, "infraspec.toml": contract})

    assert {line.topic for line in checkup(tmp_path, "prod")} == {"contract", "prod"}
    with pytest.raises(UnknownEnvironmentError):
        list(checkup(tmp_path, "prd"))


def test_worst() -> None:
    """The worst of some lines is a problem before a warning before all being well."""
    ok, warning, problem = Line.ok("a", "b"), Line.warning("a", "b", "c"), Line.problem("a", "b", "c")

    assert [worst([]), worst([ok]), worst([ok, warning]), worst([problem, warning])] == [
        HealthState.OK,
        HealthState.OK,
        HealthState.WARNING,
        HealthState.PROBLEM,
    ]
