"""`infraspec doctor --write` and `--aws`: the lines that settle most, put into the contract with their values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infraspec import contract as contracts
from infraspec.adoption.answers import judged
from infraspec.cli import doctor as command
from infraspec.cli import main
from infraspec.core.rules import RULES
from infraspec.terraform.environments import Environments
from tests.terraform.sources import write

TRUST = (
    '{ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", '
    'Principal = { Service = "ecs-tasks.amazonaws.com" } }] }'
)
SOURCE = f"""
provider "aws" {{}}
variable "image" {{}}
data "aws_ssm_parameter" "key" {{ name = "/app/key" }}
resource "aws_iam_role" "app" {{
  name               = "app"
  assume_role_policy = jsonencode({TRUST})
}}
resource "aws_iam_role_policy" "app" {{
  role   = aws_iam_role.app.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{
    Effect = "Allow", Action = ["ssm:GetParameters"], Resource = "*" }}] }})
}}
resource "aws_ecs_task_definition" "app" {{
  family                = "app"
  execution_role_arn    = aws_iam_role.app.arn
  container_definitions = jsonencode([{{
    name = "app", image = var.image, secrets = [{{ name = "KEY", valueFrom = data.aws_ssm_parameter.key.arn }}] }}])
}}
resource "aws_ecs_task_definition" "shared" {{
  family                = "shared"
  execution_role_arn    = "arn:aws:iam::123456789012:role/shared"
  container_definitions = jsonencode([{{ name = "app", image = "public.ecr.aws/docker/library/busybox:1" }}])
}}
"""
CONTRACT = '[project]\napplication = "app"\n\n# By the root module.\n[environments.prod]\n# account_id = "…"\n'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a repository that leaves an image, a key and a role open."""
    return write(tmp_path, {"main.tf": SOURCE, "infraspec.toml": CONTRACT})


def unknown(directory: Path) -> int:
    """Count what is UNDETERMINED."""
    contract = contracts.load(directory, rules=RULES)
    environments = Environments(contract)
    return sum(len(judged(contract, environments.plan(name), name).unknown) for name in contract.environments)


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, directory: Path, *answers: str) -> Result:
    """Run `doctor --write` with somebody who answers; what is not answered is left out."""
    monkeypatch.setattr(command, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    lines = "\n".join([*answers, *["-"] * 20])
    return CliRunner().invoke(main, ["doctor", "--infra", str(directory), "--write"], input=lines)


def asked_for(ran: Result) -> list[str]:
    """Return the keys that were asked for, in order."""
    return [line.split(":")[0].strip() for line in ran.output.splitlines() if line.startswith("  ") and ":" in line]


def test_without_a_terminal(directory: Path) -> None:
    """Nobody is asked where nobody sits: the error says what to do, and nothing is written."""
    ran = CliRunner().invoke(main, ["doctor", "--infra", str(directory), "--write"])

    assert 2 == ran.exit_code
    assert "--write prompts for values, and standard input is not a terminal" in ran.output
    assert CONTRACT == (directory / "infraspec.toml").read_text(encoding="utf-8")


def test_what_is_answered_is_written(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value stands in its table, below what was there, and settles what was promised."""
    before = unknown(directory)
    keys = asked_for(at_a_terminal(monkeypatch, directory))
    assert {"image", "aws_ssm_parameter.key_id", "snapshots"} <= set(keys)
    assert CONTRACT == (directory / "infraspec.toml").read_text(encoding="utf-8")
    values = {"image": "nginx:1", "aws_ssm_parameter.key_id": ""}
    ran = at_a_terminal(monkeypatch, directory, *(values.get(key, "-") for key in keys))

    assert "2 lines written to " in ran.output
    text = (directory / "infraspec.toml").read_text(encoding="utf-8")
    assert text.startswith(CONTRACT)
    assert '[environments.prod.variables]\nimage = "nginx:1"\n' in text
    assert '[known]\n"aws_ssm_parameter.key_id" = ""\n' in text
    assert unknown(directory) < before


def test_a_value_that_is_none_is_asked_for_again(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that is none is refused with the words of the contract, and asked for again."""
    own = SOURCE.replace('Resource = "*"', 'Resource = "arn:aws:ssm:*:123456789012:parameter/app/*"')
    keys = asked_for(at_a_terminal(monkeypatch, write(directory, {"main.tf": own})))
    before = ["-"] * keys.index("account_id")
    ran = at_a_terminal(monkeypatch, directory, *before, "12", "123456789012")

    assert "the twelve digits of an AWS account" in ran.output
    assert 'account_id = "123456789012"' in (directory / "infraspec.toml").read_text(encoding="utf-8")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Play an account that has the parameter and the role."""
    boto3 = pytest.importorskip("boto3", reason="needs pytest-infraspec[live]")
    moto = pytest.importorskip("moto", reason="needs pytest-infraspec[sandbox]")
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with moto.mock_aws():
        boto3.client("ssm", "eu-west-1").put_parameter(Name="/app/key", Type="SecureString", Value="x")
        trust = '{"Version": "2012-10-17", "Statement": []}'
        boto3.client("iam").create_role(RoleName="shared", AssumeRolePolicyDocument=trust)
        yield boto3


@pytest.mark.usefixtures("account")
def test_the_account_tells(directory: Path) -> None:
    """What the account tells is written without a question, each read of it is printed, and the run knows more."""
    before = unknown(directory)
    ran = CliRunner().invoke(main, ["doctor", "--infra", str(directory), "--aws"])

    assert 0 == ran.exit_code, ran.output

    assert "ssm:describe_parameters" in ran.output
    assert "iam:get_account_authorization_details" in ran.output
    text = (directory / "infraspec.toml").read_text(encoding="utf-8")
    assert '"aws_ssm_parameter.key_id" = ""' in text
    assert 'snapshots = ["iam.json"]' in text
    assert (directory / "iam.json").is_file()
    assert unknown(directory) < before


def test_a_snapshot_that_is_not_there_is_asked_for_again(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read as an export of IAM does not come into the contract."""
    keys = asked_for(at_a_terminal(monkeypatch, directory))
    ran = at_a_terminal(monkeypatch, directory, *["-"] * keys.index("snapshots"), "none.json")

    assert "none.json" in ran.output
    assert CONTRACT == (directory / "infraspec.toml").read_text(encoding="utf-8")


def test_each_environment_has_its_own_value(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question of several environments takes one value for all, or one of each."""
    contract = CONTRACT + "[environments.dev]\n"
    write(directory, {"infraspec.toml": contract})
    keys = asked_for(at_a_terminal(monkeypatch, directory))
    before = ["-"] * keys.index("image")
    at_a_terminal(monkeypatch, directory, *before, "nginx:2, nginx:1")

    written = contracts.load(directory, rules=RULES).environments
    assert {"prod": "nginx:2", "dev": "nginx:1"} == {name: one.variables["image"] for name, one in written.items()}


@pytest.mark.usefixtures("account")
def test_another_account_tells_nothing(directory: Path) -> None:
    """What the credentials are for is compared with the contract: another account's answers are not taken."""
    write(directory, {"infraspec.toml": CONTRACT + 'account_id = "444455556666"\n'})
    ran = CliRunner().invoke(main, ["doctor", "--infra", str(directory), "--aws"])

    assert "account 123456789012 may not belong to prod" in ran.output
    assert "describe_parameters" not in ran.output
    assert "lines written" not in ran.output


def test_keys_that_differ_are_not_told(directory: Path, account: Any) -> None:
    """Where parameters have several keys, no one line says it for all."""
    key = account.client("kms", "eu-west-1").create_key()["KeyMetadata"]["Arn"]
    account.client("ssm", "eu-west-1").put_parameter(Name="/b", Type="SecureString", Value="x", KeyId=key)
    ran = CliRunner().invoke(main, ["doctor", "--infra", str(directory), "--aws"])

    assert "aws_ssm_parameter.key_id cannot be read from the account" in ran.output
