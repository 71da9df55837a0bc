"""Which lines of the contract settle what is not known, held to what the contract says once it has them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.adoption.answers import Answer, Ranking, judged, ranking
from infraspec.contract.models import Contract
from infraspec.core.rules import RULES
from infraspec.terraform.environments import Environments
from tests.terraform.sources import write

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
        ],
    }
)
PROVIDER = 'provider "aws" { PLACE }\n'
ROLE = f"""
resource "aws_iam_role" "NAME" {{
  name                 = "NAME"
  assume_role_policy   = jsonencode({TRUST})
  permissions_boundary = BOUNDARY
}}
resource "aws_iam_role_policy" "NAME" {{
  role   = aws_iam_role.NAME.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = ["ACTIONS"], Resource = RESOURCE }}]
  }})
}}
"""
TASK = """
resource "aws_ecs_task_definition" "NAME" {
  family                = "NAME"
  execution_role_arn    = EXECUTION
  container_definitions = jsonencode([{ name = "app", image = IMAGE, secrets = [SECRETS] }])
}
"""
BOUNDARIES = ["null", "var.boundary", '"arn:aws:iam::111122223333:policy/limits"', "data.aws_iam_policy.limits.arn"]
IMAGES = ['"public.ecr.aws/docker/library/busybox:1"', "var.image", "aws_ecr_repository.own.repository_url"]
READ = ["data.aws_ssm_parameter.other.arn", "data.aws_secretsmanager_secret.other.arn", "aws_ssm_parameter.own.arn"]
EXECUTION = [
    "aws_iam_role.NAME.arn",
    "aws_iam_role.NAME.arn",
    '"arn:aws:iam::111122223333:role/shared"',
    "data.terraform_remote_state.base.outputs.role_arn",
]
SHARED = """
variable "boundary" { type = string }
variable "image" {}
data "aws_iam_policy" "limits" { name = "limits" }
data "aws_ssm_parameter" "other" { name = "/other/key" }
data "aws_secretsmanager_secret" "other" { name = "other" }
data "terraform_remote_state" "base" {
  backend = "s3"
  config  = { bucket = "b", key = "k", region = "eu-west-1" }
}
resource "aws_ecr_repository" "own" { name = "own" }
resource "aws_ssm_parameter" "own" {
  name  = "/own"
  type  = "String"
  value = "x"
}
"""


def tree(seed: int) -> str:
    """Return a root module that leaves some of these things open, by chance."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible choice
    text = PROVIDER.replace("PLACE", chance.choice(['region = "eu-west-1"', ""])) + SHARED
    for name in ("api", "worker", "report")[: chance.randint(1, 3)]:
        secrets = ", ".join(
            f'{{ name = "S{at}", valueFrom = {one} }}'
            for at, one in enumerate(chance.sample(READ, chance.randint(0, 3)))
        )
        actions = chance.choice(["ssm:GetParameters", "*", 'secretsmanager:*", "ssm:*", "ecr:*'])
        resource = chance.choice(['"*"', "[data.aws_ssm_parameter.other.arn]"])
        text += (
            ROLE.replace("BOUNDARY", chance.choice(BOUNDARIES))
            .replace("ACTIONS", actions)
            .replace("RESOURCE", resource)
            .replace("NAME", name)
        )
        text += (
            TASK.replace("EXECUTION", chance.choice(EXECUTION))
            .replace("IMAGE", chance.choice(IMAGES))
            .replace("SECRETS", secrets)
            .replace("NAME", name)
        )
    return text


def contract_of(directory: Path, text: str, environments: Iterable[str] = ("prod",)) -> Contract:
    """Write a repository of one root with a contract, and read it."""
    tables = "".join(f"[environments.{name}]\n" for name in environments)
    write(directory, {"main.tf": text, "infraspec.toml": f'[project]\napplication = "app"\n\n{tables}'})
    return contracts.load(directory, rules=RULES)


def ranked(contract: Contract) -> Ranking:
    """Rank the lines for all environments of a contract."""
    return ranking(Environments(contract), contract.environments)


def unknown(contract: Contract) -> int:
    """Count what is UNDETERMINED in all environments of a contract."""
    environments = Environments(contract)
    return sum(len(judged(contract, environments.plan(name), name).unknown) for name in contract.environments)


def given(contract: Contract, answers: Iterable[Answer], directory: Path) -> Contract:
    """Return the contract with some lines, whose values a person could have given."""
    for answer in answers:
        if answer.key == "snapshots":
            files = [directory / "iam.json"]
            files[0].write_bytes(EXPORT)
            contract = answer.applied(contract, [str(one) for one in files])
        else:
            contract = answer.applied(contract)
    return contract


ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
EXPORT = json.dumps(
    {
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": [
            {
                "Path": "/", "RoleName": name, "Arn": f"arn:aws:iam::111122223333:role/{name}", "Tags": [],
                "AssumeRolePolicyDocument": json.loads(TRUST), "AttachedManagedPolicies": [],
                "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": ALL}],
            }
            for name in ("shared", "app")
        ],
        "Policies": [
            {
                "PolicyName": name, "Arn": f"arn:aws:iam::111122223333:policy/{name}", "Path": "/",
                "DefaultVersionId": "v1",
                "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": ALL}],
            }
            for name in ("limits", "app")
        ],
    }
).encode()  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_each_line_settles_what_it_promises(tmp_path: Path, seed: int) -> None:
    """With the lines of a step, and of those before, the number of UNDETERMINED goes down by what the step says."""
    contract = contract_of(tmp_path, tree(seed))
    found = ranked(contract)
    before = unknown(contract)
    assert found.unknown == before
    for step in found.steps:
        contract = given(contract, step.answers, tmp_path)
        after = unknown(contract)
        assert step.settles == before - after, [answer.line() for answer in step.answers]
        assert step.settles > 0
        before = after
    assert len(found.left) == before


def test_the_key_of_all_parameters_is_one_line(tmp_path: Path) -> None:
    """What is asked of many data sources of a type is a line for the type, with AWS's own key as its value."""
    text = PROVIDER.replace("PLACE", 'region = "eu-west-1"') + ROLE.replace("NAME", "api").replace(
        "BOUNDARY", "null"
    ).replace("ACTIONS", "ssm:*").replace("RESOURCE", '"*"')
    names = [f"p{number}" for number in range(5)]
    text += "".join(f'data "aws_ssm_parameter" "{name}" {{ name = "/{name}" }}\n' for name in names)
    secrets = ", ".join(f'{{ name = "{name}", valueFrom = data.aws_ssm_parameter.{name}.arn }}' for name in names)
    text += (
        TASK.replace("EXECUTION", "aws_iam_role.api.arn")
        .replace("IMAGE", IMAGES[0])
        .replace("SECRETS", secrets)
        .replace("NAME", "api")
    )
    found = ranked(contract_of(tmp_path, text))
    assert "1 line settles 5 of 5 verdicts that cannot be decided" == str(found)
    assert '[known]\n"aws_ssm_parameter.key_id" = ""  # settles 5' == found.lines()


def test_the_account_of_an_image_settles_whose_repository_it_is(tmp_path: Path) -> None:
    """An image of a literal account asks which account the role is in: the line is tried with that account."""
    image = '"444455556666.dkr.ecr.eu-west-1.amazonaws.com/shop:1"'
    role = ROLE.replace("BOUNDARY", "null").replace("ACTIONS", "ecr:*").replace("RESOURCE", '"*"')
    task = TASK.replace("EXECUTION", "aws_iam_role.api.arn").replace("IMAGE", image).replace("SECRETS", "")
    text = PROVIDER.replace("PLACE", 'region = "eu-west-1"') + (role + task).replace("NAME", "api")
    found = ranked(contract_of(tmp_path, text))
    assert ["account_id"] == [answer.key for answer in found.answers]
    assert "444455556666" == found.answers[0].value
    assert not found.left


def test_what_one_line_alone_does_not_settle_is_proposed_together(tmp_path: Path) -> None:
    """A boundary that a variable names is known by the variable and its text: both lines, with what they settle."""
    text = (
        PROVIDER.replace("PLACE", 'region = "eu-west-1"')
        + SHARED
        + ROLE.replace("NAME", "api")
        .replace("BOUNDARY", "var.boundary")
        .replace("ACTIONS", "*")
        .replace("RESOURCE", '"*"')
    )
    text += (
        TASK.replace("EXECUTION", "aws_iam_role.api.arn")
        .replace("IMAGE", IMAGES[2])
        .replace("SECRETS", "")
        .replace("NAME", "api")
    )
    found = ranked(contract_of(tmp_path, text))
    (step,) = (step for step in found.steps if step.answers[0].key == "boundary")
    assert {"boundary", "snapshots"} <= {answer.key for answer in step.answers}
    assert not found.left


def test_a_secret_is_asked_of_nobody(tmp_path: Path) -> None:
    """No line holds what may be a secret: a sensitive variable, or one that is called so."""
    text = (
        PROVIDER.replace("PLACE", 'region = "eu-west-1"')
        + 'variable "db_password" {}\n'
        + TASK.replace("EXECUTION", "null")
        .replace("IMAGE", '"${var.db_password}.dkr.ecr.eu-west-1.amazonaws.com/app:1"')
        .replace("SECRETS", "")
        .replace("NAME", "api")
    )
    found = ranked(contract_of(tmp_path, text))
    assert "db_password" not in found.lines()


VALUES = {
    "image": "nginx:1",
    "boundary": "arn:aws:iam::111122223333:policy/limits",
    "account_id": "111122223333",
    "region": "eu-west-1",
    "aws_ssm_parameter.other.arn": "arn:aws:ssm:eu-west-1:111122223333:parameter/other/key",
    "aws_secretsmanager_secret.other.arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:other-AbCdEf",
    "aws_iam_policy.limits.arn": "arn:aws:iam::111122223333:policy/limits",
    "aws_iam_policy.limits.policy": json.dumps(ALL),
    "terraform_remote_state.base.outputs": {"role_arn": "arn:aws:iam::111122223333:role/shared"},
}


def told(contract: Contract, remedy: str) -> Contract | None:
    """Return the contract that does what a remedy says first; None if that is nothing for a contract."""
    if found := re.search(r'"([^"]+_id)" = ""', remedy):
        return Answer((), "known", found[1], "", "").applied(contract)
    for pattern, table in (
        (r"^give var\.(\w+) a value", "variables"),
        (r'^name "([^"]+)" under \[known\]', "known"),
        (r'^name the output of the other stack, "([^"]+)"', "known"),
        (r"^set (account_id|region) in", ""),
    ):
        if found := re.search(pattern, remedy):
            return Answer(("prod",), table, found[1], VALUES[found[1]], "").applied(contract)
    return None


@pytest.mark.parametrize("seed", range(12, 20))
def test_a_remedy_is_never_one_that_does_not_help(tmp_path: Path, seed: int) -> None:
    """What a finding says to put into the contract settles it, or is not what it says the next time."""
    contract = contract_of(tmp_path, tree(seed))
    for finding in judged(contract, Environments(contract).plan("prod"), "prod").unknown:
        changed = told(contract, finding.remedy)
        if changed is None:
            continue
        plan = Environments(changed).plan("prod")
        after = {(one.rule, one.key): one for one in judged(changed, plan, "prod").unknown}
        again = after.get((finding.rule, finding.key))
        assert again is None or again.remedy != finding.remedy, str(again)
