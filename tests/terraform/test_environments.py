"""Environments of a contract: their plans, and the settings of their root modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.core.errors import ContractError, InfraspecError, PolicyError
from infraspec.terraform.environments import Environments, PlanRequest, environment_of, environment_plan
from tests.checks.layout import LOCK, VERSIONS, environments
from tests.plugin.project import REFERENCE
from tests.terraform.conftest import of_plan
from tests.terraform.sources import write
from tests.terraform.test_from_iam_snapshot import WHOLE
from tests.whole_results import Transcript, described

ROOTS = {
    "nothing": "",
    "versions": VERSIONS,
    "versions of the old form": 'terraform {\n required_providers { aws = "~> 6.0" }\n required_version = "1.9"\n}',
    "a backend": 'terraform {\n backend "s3" {\n bucket = "state"\n key = "a/b"\n region = "eu-west-1"\n'
    " use_lockfile = true\n encrypt = true\n }\n}",
    "a backend of a role": 'terraform {\n backend "s3" {\n bucket = "state"\n'
    ' assume_role = { role_arn = "arn:aws:iam::444455556666:role/state" }\n }\n}',
    "a backend of an older role": 'terraform {\n backend "s3" {\n role_arn = "arn:aws:iam::444455556666:role/s"\n }\n}',
    "a backend of an account": 'terraform {\n backend "s3" {\n allowed_account_ids = ["444455556666"]\n }\n}',
    "a backend with a variable": 'variable "b" {}\nterraform {\n backend "s3" {\n bucket = var.b\n }\n}',
    "a local backend": 'terraform {\n backend "local" {\n path = "x.tfstate"\n }\n}',
    "a cloud": 'terraform {\n cloud {\n organization = "app"\n }\n}',
    "modules": 'module "a" {\n source = "./a"\n}\nmodule "b" {\n source = "terraform-aws-modules/vpc/aws"\n'
    ' version = "~> 5.0"\n}\nmodule "c" {\n source = "git::https://example.com/c.git?ref=v1"\n}',
    "implied providers": 'resource "aws_sqs_queue" "q" {}\nresource "random_id" "r" {\n byte_length = 4\n}\n'
    'data "google_client_config" "c" {}\nresource "aws_sqs_queue" "o" {\n provider = aws.other\n}',
    "a version that is no text": "terraform {\n required_version = 1\n}",
}


@pytest.mark.parametrize("name", ["dev", "stg", "prod"])
def test_the_reference(name: str, transcript: Transcript) -> None:
    """The plan of an environment has every value that its source tells."""
    loaded = Environments(contracts.load(REFERENCE))
    if not loaded.has(name):
        return
    transcript(of_plan(loaded.plan(name)))
    transcript([described(loaded.settings()[name])])


@pytest.mark.parametrize("lock", ["", LOCK, 'provider "x" {}', LOCK.replace("6.66.0", "x")], ids=["", "lock", "x", "y"])
@pytest.mark.parametrize("text", ROOTS.values(), ids=ROOTS)
def test_settings_of_a_root(text: str, lock: str, tmp_path: Path, transcript: Transcript) -> None:
    """Versions, providers, modules, backend and lock file of a root module are read as they are written."""
    files = {"dev/main.tf": text, "dev/a/main.tf": VERSIONS} | ({"dev/.terraform.lock.hcl": lock} if lock else {})
    made = environments(tmp_path, files)
    try:
        settings = made.settings()["dev"]
        transcript([described(settings), described(settings.backend), described(settings.backend.account)])
    except InfraspecError as error:
        transcript([str(error)])


SHOP = {
    "infraspec.toml": """
        [project]
        application = "shop"
        [known]
        "aws_caller_identity.account_id" = "111122223333"
        [environments.dev]
        root = "dev"
        region = "eu-west-1"
        variables = { size = 2 }
        workspace = "blue"
        [environments.tasks]
        account_id = "444455556666"
        task_definitions = ["td.json"]
        """,
    "td.json": '{"family": "app", "containerDefinitions": []}',
    "dev/main.tf": """
        variable "size" {}
        variable "tag" { default = "v1" }
        data "aws_caller_identity" "me" {}
        data "aws_subnets" "all" {}
        resource "aws_sqs_queue" "q" {
          name = "${terraform.workspace}-${var.size}-${var.tag}-${data.aws_caller_identity.me.account_id}"
          tags = { subnets = join(",", data.aws_subnets.all.ids) }
        }
        """,
    "dev/more.tfvars": 'tag = "v2"',
}
TAG, FILE = ("var", "tag=v=3"), ("var_file", "dev/more.tfvars")
REQUESTS: dict[str, PlanRequest] = {
    "an environment": PlanRequest(None, Path(), "dev", (), None, ()),
    "none of several": PlanRequest(None, Path(), None, (), None, ()),
    "what is given counts": PlanRequest(None, Path(), "dev", (FILE, TAG), "green", (
        "aws_caller_identity.account_id=123456789012", 'aws_subnets.ids=["a", "b"]')),
    "a folder": PlanRequest(Path("dev"), Path(), None, (("var", " size = 4"), TAG, FILE), None, ()),
    "a variable without a value": PlanRequest(Path("dev"), Path(), None, (("var", "size"),), None, ()),
    "a variable without a name": PlanRequest(Path("dev"), Path(), None, (("var", " =1"),), None, ()),
    "known data without an attribute": PlanRequest(Path("dev"), Path(), None, (), None, ("aws_vpc=1",)),
    "known data without a value": PlanRequest(Path("dev"), Path(), None, (), None, ("aws_vpc.id",)),
    "known data that is no JSON": PlanRequest(Path("dev"), Path(), None, (), None, ("aws_subnets.ids=[a]",)),
}  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_what_a_user_asks_for(
    request_: PlanRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transcript: Transcript
) -> None:
    """Options count before the contract, the last of several; what cannot be read is named with its option."""
    monkeypatch.chdir(write(tmp_path, SHOP))
    try:
        transcript(of_plan(request_.evaluate()))
    except InfraspecError as error:
        transcript([str(error)])


def test_an_environment_and_its_settings(tmp_path: Path, transcript: Transcript) -> None:
    """An environment is asked for by name where there are several; one without source has account and no resources."""
    write(tmp_path, SHOP)
    contract, name, settings = environment_of(tmp_path, "dev")
    assert ("dev", "shop") == (name, contract.project.application)
    transcript([described(settings)])
    plan, _, tasks = environment_plan(tmp_path, "tasks")
    assert ("tasks", "444455556666", []) == (tasks, plan.account, list(plan.resources))
    transcript(of_plan(plan))
    with pytest.raises(ContractError):
        environment_plan(tmp_path, None)
    single = SHOP["infraspec.toml"].partition("        [environments.tasks]")[0]
    assert "dev" == environment_of(write(tmp_path, {"infraspec.toml": single}), None)[1]


def test_snapshots_and_policies_of_the_organization(tmp_path: Path, transcript: Transcript) -> None:
    """An environment is given what IAM had and what the organization denies; files on the command line count first."""
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}'
    given = """
        snapshots = ["iam.json"]
        scps = ["scp.json"]
        rcps = ["rcp.json"]
        """
    files = {"iam.json": WHOLE, "other.json": WHOLE, "scp.json": policy, "rcp.json": policy}
    write(tmp_path, SHOP | files | {"infraspec.toml": SHOP["infraspec.toml"].replace("workspace", given + "workspace")})
    plan, _, _ = environment_plan(tmp_path, "dev")
    other, _, _ = environment_plan(tmp_path, "dev", snapshots=[tmp_path / "other.json"])
    transcript([*map(str, (*plan.snapshots, *other.snapshots)), described(plan.organization)])
    (tmp_path / "rcp.json").write_text("{", encoding="utf-8")
    with pytest.raises(PolicyError):
        environment_plan(tmp_path, "dev")


def test_an_environment_is_read_alone(tmp_path: Path) -> None:
    """What is asked of one environment reads none of another, and is not broken by it; all are named."""
    contract = '[project]\napplication = "app"\n[environments.a]\nroot = "a"\n[environments.b]\nroot = "b"\n'
    files = {"infraspec.toml": contract, "a/main.tf": "locals {}\n", "b/main.tf": "locals {\n"}
    environments = Environments(contracts.load(write(tmp_path, files)))

    assert environments.sources()["a"].resources == ()
    assert environments.settings()["a"].root == "a"
    assert ["a"] == [path.name for path in environments.parsed()]
    assert ["a", "b"] == list(environments.sources())
    assert "c" not in environments.settings()
