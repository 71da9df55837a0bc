"""Which environments are found, and by what."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.adoption.contract_inference import adopt
from infraspec.adoption.contract_text import contract_text
from infraspec.adoption.repository import RepositoryFiles, files_by_environment
from infraspec.core.errors import RootMissingError
from tests.terraform.sources import write

PROVIDER = 'provider "aws" {}\n'
REGION = 'variable "region" {\n  default = "eu-west-1"\n}\nvariable "size" {}\n'

FOUND: dict[str, tuple[dict[str, str], dict[str, tuple[str, tuple[str, ...], str]]]] = {
    "folders": (
        {
            "terraform/environments/prod/main.tf": PROVIDER + 'module "vpc" {\n  source = "../../modules/vpc"\n}\n',
            "terraform/environments/dev/main.tf": PROVIDER,
            "terraform/modules/vpc/main.tf": PROVIDER,
        },
        {
            "dev": ("terraform/environments/dev", (), "default"),
            "prod": ("terraform/environments/prod", (), "default"),
        },
    ),
    "a folder with its variable file": (
        {"envs/dev/main.tf": PROVIDER + REGION, "envs/dev/dev.tfvars": "size = 1\n"},
        {"dev": ("envs/dev", ("envs/dev/dev.tfvars",), "default")},
    ),
    "variable files": (
        {
            "main.tf": PROVIDER + REGION,
            "variables-dev.tfvars": "size = 1\n",
            "variables-prod.tfvars": "size = 2\n",
            "common.tfvars": 'region = "eu-west-1"\n',
            "backend-dev.tfvars": 'region = "eu-west-1"\n',
        },
        {
            "dev": (".", ("common.tfvars", "variables-dev.tfvars"), "default"),
            "prod": (".", ("common.tfvars", "variables-prod.tfvars"), "default"),
        },
    ),
    "folders of variable files": (
        {
            "main.tf": PROVIDER + REGION,
            "config/dev/terraform.tfvars": "size = 1\n",
            "config/prod/terraform.tfvars": "size = 2\n",
        },
        {
            "dev": (".", ("config/dev/terraform.tfvars",), "default"),
            "prod": (".", ("config/prod/terraform.tfvars",), "default"),
        },
    ),
    "workspaces that maps are looked up by": (
        {
            "main.tf": PROVIDER
            + """\
variable "cidr" {
  default = {
    default = "10.0.0.0/16"
    stg     = "10.1.0.0/16"
    prod    = "10.2.0.0/16"
  }
}
locals {
  cidr = var.cidr[terraform.workspace]
}
"""
        },
        {"default": (".", (), "default"), "stg": (".", (), "stg"), "prod": (".", (), "prod")},
    ),
    "workspaces that a file of values has for keys": (
        {
            "main.tf": PROVIDER
            + """\
variable "accounts" {}
locals {
  name    = lower(terraform.workspace)
  account = lookup(var.accounts, local.name, {})
  sizes   = { development = 1, ur = 3 }
  size    = contains(keys(local.sizes), local.name) ? local.sizes[local.name] : 2
}
""",
            "terraform.tfvars.json": '{"accounts": {"preproduction": {"id": 1}, "production": {"id": 2}}}',
        },
        {
            "preproduction": (".", (), "preproduction"),
            "development": (".", (), "development"),
            "production": (".", (), "production"),
        },
    ),
    "workspaces of two roots": (
        {
            "terraform/account/main.tf": PROVIDER + 'locals {\n  a = terraform.workspace == "prod"\n}\n',
            "terraform/environment/main.tf": PROVIDER + 'locals {\n  a = terraform.workspace == "prod"\n}\n',
        },
        {
            "prod": ("terraform/account", (), "prod"),
            "environment-prod": ("terraform/environment", (), "prod"),
        },
    ),
    "variable files beside those of backends": (
        {
            "main.tf": PROVIDER + REGION + 'variable "bucket" {}\n',
            "vars/dev.tfvars": "size = 1\n",
            "vars/prod.tfvars": "size = 2\n",
            "vars/backends/dev.tfvars": 'bucket = "state-dev"\n',
            "vars/backends/prod.tfvars": 'bucket = "state-prod"\n',
        },
        {"dev": (".", ("vars/dev.tfvars",), "default"), "prod": (".", ("vars/prod.tfvars",), "default")},
    ),
    "variable files of another root": (
        {"main.tf": PROVIDER, "values/dev.tfvars": "image = 1\n"},
        {"main": (".", (), "default")},
    ),
    "one variable file that names no environment": (
        {"main.tf": PROVIDER + REGION, "shop.tfvars": "size = 1\n"},
        {"main": (".", ("shop.tfvars",), "default")},
    ),
    "workspaces with variable files": (
        {
            "main.tf": PROVIDER + REGION + "locals {\n  name = terraform.workspace\n}\n",
            "dev.tfvars": "size = 1\n",
            "prod.tfvars": "size = 2\n",
        },
        {"dev": (".", ("dev.tfvars",), "dev"), "prod": (".", ("prod.tfvars",), "prod")},
    ),
    "workspaces that are compared with": (
        {
            "main.tf": PROVIDER + 'locals {\n  size = terraform.workspace == "prod" ? 2 : 1\n}\n',
            "Makefile": "plan:\n\tterraform workspace select dev\n",
        },
        {"prod": (".", (), "prod")},
    ),
    "workspaces of a module": (
        {
            "main.tf": PROVIDER + REGION + 'module "m" {\n  source = "./m"\n}\n',
            "m/main.tf": "locals {\n  name = terraform.workspace\n}\n",
            "env/dev.tfvars": "size = 1\n",
        },
        {"dev": (".", ("env/dev.tfvars",), "dev")},
    ),
    "the default workspace": (
        {"main.tf": PROVIDER + "locals {\n  name = terraform.workspace\n}\n"},
        {"default": (".", (), "default")},
    ),
    "modules with a backend of their own": (
        {
            "main.tf": PROVIDER + 'module "a" {\n  source = "./Modules/a/"\n}\n',
            "Modules/a/main.tf": 'terraform {\n  backend "s3" {}\n}\n',
            "Modules/b/main.tf": 'terraform {\n  backend "s3" {}\n}\n',
        },
        {"main": (".", (), "default")},
    ),
    "a variable that says the environment": (
        {"infra/main.tf": PROVIDER + 'variable "environment" {\n  default = "staging"\n}\n'},
        {"staging": ("infra", (), "default")},
    ),
    "stacks of environments": (
        {"live/dev/network/main.tf": PROVIDER, "live/dev/app/main.tf": PROVIDER, "live/prod/app/main.tf": PROVIDER},
        {
            "dev-app": ("live/dev/app", (), "default"),
            "dev-network": ("live/dev/network", (), "default"),
            "prod-app": ("live/prod/app", (), "default"),
        },
    ),
    "a module with examples": (
        {
            "main.tf": 'variable "name" {}\n',
            "examples/simple/main.tf": PROVIDER + 'module "it" {\n  source = "../.."\n}\n',
        },
        {"simple": ("examples/simple", (), "default")},
    ),
    "examples beside a root": (
        {"main.tf": PROVIDER, "examples/simple/main.tf": PROVIDER},
        {"main": (".", (), "default")},
    ),
    "no provider": (
        {
            "app/main.tf": 'resource "aws_sqs_queue" "q" {}\nmodule "m" {\n  source = "../m"\n}\n',
            "m/x.tf": "locals {}\n",
        },
        {"app": ("app", (), "default")},
    ),
    "a directory that cannot be parsed": (
        {"prod/main.tf": PROVIDER, "broken/main.tf": "resource {"},
        {"prod": ("prod", (), "default")},
    ),
}


@pytest.mark.parametrize(("files", "expected"), FOUND.values(), ids=FOUND)
def test_environments(
    tmp_path: Path, files: dict[str, str], expected: dict[str, tuple[str, tuple[str, ...], str]]
) -> None:
    """Environments are found by folder, by variable file and by workspace, production last."""
    found = RepositoryFiles.read(write(tmp_path, files)).candidates

    assert {each.name: (each.root.path, each.var_files, each.workspace) for each in found} == expected


PARTIAL = 'terraform {\n  backend "s3" {}\n}\n'
NAMED = PARTIAL + 'variable "environment_name" {\n  type = string\n}\n'
STATE = 'bucket = "state"\nkey = "app"\n'

STATES: dict[str, tuple[dict[str, str], dict[str, tuple[tuple[str, ...], dict[str, str]]]]] = {
    "files of the backend by convention": (
        {"main.tf": NAMED, "dev.s3.tfbackend": STATE, "prod.tfbackend": STATE, "shared.s3.tfbackend": STATE},
        {"dev": ((), {"environment_name": "dev"}), "prod": ((), {"environment_name": "prod"})},
    ),
    "files of the backend by name, place and content": (
        {
            "main.tf": NAMED,
            "backend-dev.hcl": STATE,
            "stg.backend.hcl": STATE,
            "backends/uat.conf": STATE,
            "environments/prod/backend.hcl": STATE,
            "qa.hcl": STATE,
            "backend/test.hcl": "services = []\n",
            "backend/demo.hcl": "services {\n",
            "backend-perf.tfvars": STATE,
            "backend-live.tfvars": 'replicas = 2\nregion = "eu-west-1"\n',
        },
        {name: ((), {"environment_name": name}) for name in ("dev", "stg", "uat", "prod", "perf")},
    ),
    "what all have in common": (
        {"main.tf": NAMED + 'variable "size" {}\n', "dev.s3.tfbackend": STATE, "common.tfvars": "size = 1\n"},
        {"dev": (("common.tfvars",), {"environment_name": "dev"})},
    ),
    "values of one, which the other keeps to itself": (
        {
            "main.tf": NAMED,
            "dev.tfvars": 'environment_name = "development"\n',
            "dev.s3.tfbackend": STATE,
            "prod.s3.tfbackend": STATE,
        },
        {"dev": (("dev.tfvars",), {}), "prod": ((), {"environment_name": "prod"})},
    ),
    "values under other names": (
        {"main.tf": NAMED, "production.tfvars": 'environment_name = "p"\n', "prod.s3.tfbackend": STATE},
        {"production": (("production.tfvars",), {})},
    ),
    "a variable that files set": (
        {"main.tf": NAMED, "dev.s3.tfbackend": STATE, "common.tfvars": 'environment_name = "all"\n'},
        {"main": ((), {})},
    ),
    "no variable that takes the name": (
        {"main.tf": PARTIAL + 'variable "environment" {\n  type = map(string)\n}\n', "dev.s3.tfbackend": STATE},
        {"main": ((), {})},
    ),
    "a variable that takes other names": (
        {
            "main.tf": PARTIAL
            + """\
variable "env" {
  validation {
    condition     = contains(["dev", "production"], var.env)
    error_message = "No such environment."
  }
}
""",
            "dev.s3.tfbackend": STATE,
            "prod.s3.tfbackend": STATE,
        },
        {"dev": ((), {"env": "dev"}), "prod": ((), {})},
    ),
    "a variable with a default that takes other names": (
        {
            "main.tf": PARTIAL
            + """\
variable "env" {
  default = "dev"
  validation {
    condition     = contains(["dev", "production"], var.env)
    error_message = "No such environment."
  }
}
""",
            "dev.s3.tfbackend": STATE,
            "prod.s3.tfbackend": STATE,
        },
        {"dev": ((), {"env": "dev"})},
    ),
    "a backend that is written out": (
        {"main.tf": NAMED.replace("{}", '{\n    bucket = "b"\n    key = "k"\n  }'), "dev.s3.tfbackend": STATE},
        {"main": ((), {})},
    ),
    "no backend": (
        {"main.tf": PROVIDER + 'variable "env" {}\n', "dev.s3.tfbackend": STATE},
        {"main": ((), {})},
    ),
    "workspaces for a while": (
        {
            "main.tf": NAMED + 'locals {\n  temporary = terraform.workspace != "default"\n}\n',
            "dev.s3.tfbackend": STATE,
        },
        {"dev": ((), {"environment_name": "dev"})},
    ),
    "workspaces that may be the environments": (
        {"main.tf": NAMED + "locals {\n  name = terraform.workspace\n}\n", "dev.s3.tfbackend": STATE},
        {"default": ((), {})},
    ),
    "workspaces that are the environments": (
        {
            "main.tf": NAMED
            + 'locals {\n  a = terraform.workspace == "prod"\n  b = terraform.workspace == "default"\n}\n',
            "dev.s3.tfbackend": STATE,
        },
        {"prod": ((), {}), "default": ((), {})},
    ),
    "workspaces that have values of their own": (
        {
            "main.tf": NAMED + 'locals {\n  temporary = terraform.workspace != "default"\n}\n',
            "dev.tfvars": 'environment_name = "dev"\n',
            "dev.s3.tfbackend": STATE,
            "prod.s3.tfbackend": STATE,
        },
        {"dev": (("dev.tfvars",), {})},
    ),
    "a folder of an environment": (
        {"envs/prod/main.tf": NAMED, "envs/prod/dev.s3.tfbackend": STATE},
        {"prod": ((), {})},
    ),
    "beside the only root that is told its backend": (
        {"terraform/main.tf": NAMED, "other/main.tf": PROVIDER, "config/dev.s3.tfbackend": STATE},
        {"dev": ((), {"environment_name": "dev"}), "other": ((), {})},
    ),
    "beside two roots that are": (
        {"one/main.tf": NAMED, "two/main.tf": NAMED, "config/dev.s3.tfbackend": STATE},
        {"one": ((), {}), "two": ((), {})},
    ),
    "of two roots": (
        {"one/main.tf": NAMED, "one/dev.s3.tfbackend": STATE, "two/main.tf": NAMED, "two/dev.s3.tfbackend": STATE},
        {"one-dev": ((), {"environment_name": "dev"}), "two-dev": ((), {"environment_name": "dev"})},
    ),
}


@pytest.mark.parametrize(("files", "expected"), STATES.values(), ids=STATES)
def test_environments_by_their_states(
    tmp_path: Path, files: dict[str, str], expected: dict[str, tuple[tuple[str, ...], dict[str, str]]]
) -> None:
    """A file for `-backend-config` names an environment where a variable takes that name, and nothing contradicts."""
    found = RepositoryFiles.read(write(tmp_path, files)).candidates

    assert {each.name: (each.var_files, dict(each.variables)) for each in found} == expected


def test_what_commands_say_names_no_environment(tmp_path: Path) -> None:
    """A command is a text that may run or not: a Makefile that gives a variable its value is no evidence."""
    makefile = "plan:\n\tterraform plan -var environment_name=prod\n"

    (candidate,) = RepositoryFiles.read(write(tmp_path, {"main.tf": NAMED, "Makefile": makefile})).candidates

    assert ("main", {}) == (candidate.name, dict(candidate.variables))


def test_production_comes_last(tmp_path: Path) -> None:
    """An environment called by a word comes before what is called otherwise, and production last."""
    write(tmp_path, {f"{name}/main.tf": PROVIDER for name in ("prod", "bootstrap", "staging")})

    assert [each.name for each in RepositoryFiles.read(tmp_path).candidates] == ["staging", "bootstrap", "prod"]


PLACES: dict[str, tuple[str, str | None, bool]] = {
    "a variable": ('variable "account_id" {\n  default = "111122223333"\n}\n', "111122223333", True),
    "a local value": ('locals {\n  aws_account_id = "111122223333"\n}\n', "111122223333", True),
    "allowed accounts": ('provider "aws" {\n  allowed_account_ids = ["111122223333"]\n}\n', "111122223333", True),
    "several allowed accounts": (
        'provider "aws" {\n  allowed_account_ids = ["111122223333", "123456789012"]\n}\n',
        None,
        True,
    ),
    "the role of the provider": (
        'provider "aws" {\n  assume_role {\n    role_arn = "arn:aws:iam::111122223333:role/deploy"\n  }\n}\n',
        "111122223333",
        True,
    ),
    "ARNs of one account": (
        'locals {\n  key = "arn:aws:kms:eu-west-1:111122223333:key/a"\n}\n',
        "111122223333",
        False,
    ),
    "ARNs of two accounts": (
        'locals {\n  a = "arn:aws:sns:eu-west-1:111122223333:a"\n  b = "arn:aws:sns:eu-west-1:123456789012:b"\n}\n',
        None,
        True,
    ),
    "a number that is no account": ('variable "account_id" {\n  default = "1234"\n}\n', None, True),
}


@pytest.mark.parametrize(("source", "account", "certain"), PLACES.values(), ids=PLACES)
def test_account(tmp_path: Path, source: str, account: str | None, certain: bool) -> None:  # noqa: FBT001
    """An account is taken from what can mean nothing else; the only one of the ARNs is a guess, two are none."""
    provider = "" if "provider" in source else PROVIDER
    (candidate,) = RepositoryFiles.read(write(tmp_path, {"main.tf": provider + source})).candidates

    assert (candidate.account.value if candidate.account else None) == account
    assert candidate.account is None or candidate.account.certain is certain


def test_region_of_the_workflows(tmp_path: Path) -> None:
    """The only region that workflows set is the one the provider takes from the environment; of two, none is."""
    step = "jobs:\n  a:\n    env:\n      AWS_REGION: {}\n"
    write(tmp_path, {"main.tf": PROVIDER, ".github/workflows/a.yml": step.format("eu-west-1")})
    (one,) = RepositoryFiles.read(tmp_path).candidates
    write(tmp_path, {".github/workflows/b.yml": step.format("us-east-1")})
    (two,) = RepositoryFiles.read(tmp_path).candidates

    assert one.region is not None
    assert one.region.value == "eu-west-1"
    assert two.region is None


def test_task_definition_files(tmp_path: Path) -> None:
    """JSON files that are task definitions are found; what looks like one and is none is told apart."""
    good = '{"family": "app", "containerDefinitions": [{"name": "app", "image": "nginx"}]}'
    files = {
        "dev/main.tf": PROVIDER,
        "prod/main.tf": PROVIDER,
        "bootstrap/main.tf": PROVIDER,
        "ecs/prod/app.json": good,
        "ecs/worker.json": good,
        "ecs/template.json": '{"containerDefinitions": ${containers}}',
        "package.json": "{}",
    }
    repository = RepositoryFiles.read(write(tmp_path, files))

    assert repository.task_definitions == ("ecs/worker.json", "ecs/prod/app.json")
    assert repository.malformed == ("ecs/template.json",)


def test_task_definition_files_by_environment() -> None:
    """A file is of the environments that its path names, else of those called by a word, else of the first."""
    paths = ["ecs/prod/app.json", "ecs/worker.json"]

    assert files_by_environment(paths, ["dev", "bootstrap", "prod"]) == {
        "dev": ["ecs/worker.json"],
        "bootstrap": [],
        "prod": ["ecs/prod/app.json", "ecs/worker.json"],
    }
    assert files_by_environment(paths, ["main", "other"]) == {"main": paths, "other": []}


NOTHING: dict[str, tuple[dict[str, str], str]] = {
    "an empty directory": ({}, "name the directory that the Terraform lies in"),
    "broken files": ({"main.tf": "resource {"}, "correct what cannot be parsed, first main.tf:1"),
    "terragrunt": ({"prod/terragrunt.stack.hcl": ""}, "terragrunt stack generate"),
}


@pytest.mark.parametrize(("files", "remedy"), NOTHING.values(), ids=NOTHING)
def test_nothing_to_begin_with(tmp_path: Path, files: dict[str, str], remedy: str) -> None:
    """A directory without anything to check is an error that says what to do."""
    with pytest.raises(RootMissingError) as caught:
        RepositoryFiles.read(write(tmp_path, files))

    assert remedy in caught.value.remedy


def test_production_is_among_those_that_a_contract_begins_with(tmp_path: Path) -> None:
    """Of more environments than a contract should begin with, the others are left out."""
    files = {f"envs/{name}/app{number:02}/main.tf": PROVIDER for name in ("dev", "prod") for number in range(15)}
    adoption = adopt(write(tmp_path, files))
    names = [each.name for each in adoption.environments]
    assert sum("prod" in name for name in names) == 15
    assert sum("dev" in name for name in names) == 5
    assert sum("more root modules" in left.reason for left in adoption.left_out) == 10


@pytest.mark.parametrize(("below", "expected"), [(True, ["prod-app"]), (False, ["app", "prod"])])
def test_a_root_without_resources_above_others_is_left_out(tmp_path: Path, expected: list[str], *, below: bool) -> None:
    """What makes no resources and lies above what does holds files that they share, and is no environment."""
    queue = PROVIDER + 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n'
    files = {"envs/prod/main.tf": PROVIDER, f"envs/{'prod/' if below else ''}app/main.tf": queue}
    adoption = adopt(write(tmp_path, files))
    assert [each.name for each in adoption.environments] == expected


CALLS = 'provider "aws" {}\nmodule "app" {\n  source = "../modules/app"\n}\nresource "aws_sqs_queue" {\n'
RUNS = 'resource "aws_ecs_task_definition" "t" {\n  family = "t"\n}\n'


def test_a_root_that_cannot_be_parsed_is_not_replaced(tmp_path: Path) -> None:
    """What it calls is no root for that: it is one by what can be read, and is named with what is wrong with it."""
    files = {"live/main.tf": CALLS, "modules/app/main.tf": PROVIDER + RUNS, "other/main.tf": PROVIDER}
    found = RepositoryFiles.read(write(tmp_path, files))

    assert ["live", "other"] == [root.path for root in found.roots.roots]
    assert ["live"] == [path for path, _ in found.roots.broken]


def test_a_file_that_cannot_be_read_does_not_end_its_root(tmp_path: Path) -> None:
    """The rest of a root is an environment, and the contract names the file."""
    files = {"live/main.tf": PROVIDER + RUNS, "live/extra.tf": "{% if more %}\n", "other/x.tf": "resource {"}
    adoption = adopt(write(tmp_path, files))
    text = contract_text(adoption)

    assert ["live"] == [each.name for each in adoption.environments]
    assert 1 == len(adoption.plans["live"].managed())
    assert "# It is evaluated in part, because of an error: live/extra.tf:1:1:" in text
    assert "# Left out: other, which cannot be parsed: other/x.tf:1:" in text


def test_what_runs_something_is_a_root_without_a_provider(tmp_path: Path) -> None:
    """Where no root module with a provider makes a task, what nobody calls and makes one is a root module."""
    files = {
        "bootstrap/main.tf": PROVIDER,
        "service/main.tf": RUNS,
        "queue/main.tf": 'resource "aws_sqs_queue" "q" {}\n',
    }
    found = RepositoryFiles.read(write(tmp_path, files))

    assert ["service", "bootstrap"] == [each.root.path for each in found.candidates]
