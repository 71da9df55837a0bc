"""Layouts of repositories as `infraspec init` finds them, and what the contract that it writes evaluates to."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from infraspec.adoption import adopt
from infraspec.adoption.repository import RepositoryFiles
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.core.finding import Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.aws_attributes import AwsAttributes
from tests.terraform.sources import write

ROOT = """
    provider "aws" {
      region = var.region
    }
    variable "region" { type = string }
    variable "stage" { type = string }
    variable "network" { type = string }
    variable "size" { type = number }
    resource "aws_sqs_queue" "jobs" {
      name = "${var.stage}-${var.network}-${var.region}-${var.size}"
    }
"""
STAGES, PLACES = ("dev", "prod"), ("eu-west-1", "us-east-1")


def values(**given: str) -> str:
    """Return a file of values."""
    return "".join(f'{name} = "{value}"\n' for name, value in given.items())


def of_region(stage: str, region: str) -> str:
    """Return the values of a stage in a region, all of them."""
    return values(stage=stage, region=region, network=f"net-{region}", size="1")


PAIRS = list(product(STAGES, PLACES))
ALTERNATIVES: dict[str, dict[str, str]] = {
    "a file for each region below the stage": {
        **{f"config/{s}/{r}.tfvars": values(region=r, network=f"net-{r}") for s, r in PAIRS},
        **{f"config/{s}/common.tfvars": values(stage=s, size="1") for s in STAGES},
    },
    "a directory for each region below the stage": {f"profiles/{s}/{r}/app.tfvars": of_region(s, r) for s, r in PAIRS},
    "a file for each stage below the region": {f"vars/{r}/{s}.tfvars": of_region(s, r) for s, r in PAIRS},
    "several files in a directory for each region": {
        **{f"profiles/{s}/{r}/network.tfvars": values(region=r, network=f"net-{r}") for s, r in PAIRS},
        **{f"profiles/{s}/{r}/app.tfvars": values(stage=s) for s, r in PAIRS},
        "profiles/common.tfvars": values(size="1"),
    },
}


@pytest.mark.parametrize("files", ALTERNATIVES.values(), ids=ALTERNATIVES)
def test_files_that_set_the_same_are_environments_of_their_own(tmp_path: Path, files: dict[str, str]) -> None:
    """Each stage in each region is an environment with its own values, and nothing of another's."""
    adoption = adopt(write(tmp_path, {"main.tf": ROOT, **files}))

    assert {f"{s}-{r}": [f"{s}-net-{r}-{r}-1"] for s, r in PAIRS} == {
        name: [each.values["name"] for each in plan.managed("aws_sqs_queue")] for name, plan in adoption.plans.items()
    }


LAYERS: dict[str, dict[str, str]] = {
    "several files in a directory": {
        **{f"profiles/{s}/network.tfvars": values(network="net") for s in STAGES},
        **{f"profiles/{s}/app.tfvars": values(stage=s, size="1") for s in STAGES},
        "profiles/common.tfvars": values(region="eu-west-1"),
    },
    "several files by their names": {
        **{f"{s}.tfvars": values(stage=s, network="net") for s in STAGES},
        **{f"sizes.{s}.tfvars": values(size="1", region="eu-west-1") for s in STAGES},
    },
    "one value over many": {
        **{f"env/{s}.tfvars": values(stage=s, network="net", region="eu-west-1", size="9") for s in STAGES},
        **{f"env/size/{s}.tfvars": values(size="1") for s in STAGES},
    },
}


@pytest.mark.parametrize("files", LAYERS.values(), ids=LAYERS)
def test_files_that_complete_each_other_are_one_environment(tmp_path: Path, files: dict[str, str]) -> None:
    """What is said by several files together is one environment for each stage."""
    adoption = adopt(write(tmp_path, {"main.tf": ROOT, **files}))

    assert {s: [f"{s}-net-eu-west-1-1"] for s in STAGES} == {
        name: [each.values["name"] for each in plan.managed("aws_sqs_queue")] for name, plan in adoption.plans.items()
    }


def stack(stage: str, containers: str) -> str:
    """Return what CDK for Terraform writes for a stack."""
    meta = {"//": {"metadata": {"path": f"shop-{stage}/app", "uniqueId": "app"}}}
    trust = {
        "actions": ["sts:AssumeRole"],
        "principals": [{"identifiers": ["ecs-tasks.amazonaws.com"], "type": "Service"}],
    }
    other = {"alias": "other", "region": "us-east-1", "assume_role": [{"role_arn": "arn:aws:iam::111122223333:role/x"}]}
    main = {"default_tags": [{"tags": {"Stage": stage}}]}
    task = {
        "family": f"shop-{stage}",
        "execution_role_arn": "${aws_iam_role.execution.arn}",
        "container_definitions": containers,
    }
    role = {"assume_role_policy": "${data.aws_iam_policy_document.trust.json}", "name": f"shop-{stage}-execution"}
    return json.dumps(
        {
            "//": {"metadata": {"backend": "local", "stackName": f"shop-{stage}", "version": "0.20.0"}, "outputs": {}},
            "provider": {"aws": [{**main, "region": "eu-west-1", "allowed_account_ids": ["123456789012"]}, other]},
            "terraform": {"backend": {"local": {"path": "x.tfstate"}}},
            "data": {"aws_iam_policy_document": {"trust": {**meta, "statement": [trust]}}},
            "resource": {
                "aws_iam_role": {"execution": {**meta, **role}},
                "aws_secretsmanager_secret": {
                    "own": {**meta, "name": f"shop-{stage}"},
                    "far": {**meta, "name": f"far-{stage}", "provider": "aws.other"},
                },
                "aws_ecs_task_definition": {"app": {**meta, **task}},
            },
        }
    )


CONTAINERS = {
    "a string": '[{"name":"app","image":"a:1","secrets":[{"name":"K",'
    '"valueFrom":"${aws_secretsmanager_secret.own.arn}"}]}]',
    "a function": '${jsonencode([{"name" = "app", "image" = "a:1", "secrets" = [{"name" = "K", '
    '"valueFrom" = aws_secretsmanager_secret.own.arn}]}])}',
}


@pytest.mark.parametrize("containers", CONTAINERS.values(), ids=CONTAINERS)
def test_stacks_of_cdk_for_terraform(tmp_path: Path, containers: str) -> None:
    """Each stack that was synthesized is a root module, and its task definitions are judged.

    Source: CDK for Terraform documentation, "Synthesizing Config" (cdktf.out/stacks).
    """
    files = {f"cdktf.out/stacks/shop-{stage}/cdk.tf.json": stack(stage, containers) for stage in STAGES}
    adoption = adopt(write(tmp_path, files))

    assert {f"shop-{stage}": f"cdktf.out/stacks/shop-{stage}" for stage in STAGES} == {
        each.name: each.root.path for each in adoption.environments
    }
    for name, plan in adoption.plans.items():
        assert {"Stage": name.removeprefix("shop-")} == plan.managed("aws_iam_role")[0].values["tags_all"]
        found = check_secret_access(plan, task_definitions(plan), adoption.contract(), name)
        assert {Verdict.VIOLATED} == {each.verdict for each in found if "secret " in each.subject}


def test_a_resource_of_an_alias_is_in_its_account_and_region(tmp_path: Path) -> None:
    """The ARN of a secret has the account of the role that its provider assumes, and its region."""
    files = {"cdktf.out/stacks/shop-dev/cdk.tf.json": stack("dev", "[]")}
    (plan,) = adopt(write(tmp_path, files)).plans.values()

    arns = [str(AwsAttributes(plan).arn(each, "s")) for each in plan.managed("aws_secretsmanager_secret")]

    assert ["arn:aws:s:eu-west-1:123456789012:", "arn:aws:s:us-east-1:111122223333:"] == arns


def test_links_within_a_repository_are_followed(tmp_path: Path) -> None:
    """A file that is a link to one of another module is read, in a folder that is no repository of git too."""
    write(tmp_path, {"shared/queue.tf": 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n'})
    write(tmp_path, {"prod/main.tf": 'provider "aws" {}\n', "../secret.tf": "locals {}\n"})
    (tmp_path / "prod/queue.tf").symlink_to("../shared/queue.tf")

    (plan,) = adopt(tmp_path).plans.values()
    assert ["jobs"] == [each.values["name"] for each in plan.managed()]

    (tmp_path / "prod/secret.tf").symlink_to("../../secret.tf")
    assert ["prod"] == [path for path, _ in RepositoryFiles.read(tmp_path).roots.broken]
