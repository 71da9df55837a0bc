"""Environments of a contract: their plans, and the settings of their root modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.core.errors import InfraspecError
from infraspec.terraform.environments import Environments
from tests.checks.layout import LOCK, VERSIONS, environments
from tests.plugin.project import REFERENCE
from tests.terraform.conftest import of_plan
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
