"""`infraspec doctor` as a user runs it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infraspec.adoption.checkup import HealthState
from infraspec.cli import doctor as command
from infraspec.cli import main
from infraspec.core.runtime import installation
from tests.terraform.iam_exports import export, role
from tests.terraform.sources import write

SHOP = {
    "infraspec.toml": """\
        [project]
        application = "shop"

        [environments.prod]
        account_id = "111122223333"
        """,
    "main.tf": """\
        provider "aws" {
          region = "eu-west-1"
        }

        variable "secret" {
          sensitive = true
          default   = "hunter2"
        }

        data "aws_iam_policy" "base" {
          name = "base"
        }

        resource "aws_iam_role_policy" "app" {
          role   = var.secret
          policy = data.aws_iam_policy.base.policy
        }
        """,
}


def doctor(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["doctor", *arguments])


def test_text(tmp_path: Path) -> None:
    """Each line has its state and topic, a remedy stands below, and the last line counts."""
    ran = doctor("--infra", str(write(tmp_path, SHOP)))
    lines = ran.output.splitlines()

    assert ran.exit_code == 0
    assert any(line.split()[:2] == ["ok", "python"] for line in lines)
    at = next(number for number, line in enumerate(lines) if "1 line settles 1 of 1 verdict" in line)
    assert lines[at].startswith("warning  unknown ")
    assert [line.strip() for line in lines[at + 1 : at + 3]] == [
        "[environments.prod.known]",
        '"aws_iam_policy.base.policy" = "…"  # settles 1',
    ]
    assert lines[-1].endswith("0 problems")
    assert "hunter2" not in ran.output


def test_what_all_environments_do_not_know_is_said_once(tmp_path: Path) -> None:
    """Data that several environments do not know is one line of each, which is asked for once."""
    second = '\n[environments.stage]\nroot = "."\naccount_id = "111122223333"\nregion = "eu-west-1"\n'
    directory = write(tmp_path, {**SHOP, "infraspec.toml": SHOP["infraspec.toml"] + second})
    output = doctor("--infra", str(directory)).output

    assert "1 line settles 2 of 2 verdicts that cannot be decided" in output
    assert all(f"[environments.{name}.known]" in output for name in ("prod", "stage"))


TASK = """\
    provider "aws" {
      region = "eu-west-1"
    }

    data "aws_iam_role" "task" {
      name = "task"
    }

    resource "aws_ecs_task_definition" "app" {
      family                = "app"
      execution_role_arn    = "arn:aws:iam::111122223333:role/shared"
      task_role_arn         = data.aws_iam_role.task.arn
      container_definitions = jsonencode([])
    }
    """


def test_roles_of_other_stacks(tmp_path: Path) -> None:
    """Roles that are not known come with the command and the line that make them known, till they are."""
    directory = write(tmp_path, {**SHOP, "main.tf": TASK})
    lines = [line.strip() for line in doctor("--infra", str(directory)).output.splitlines()]
    at = next(number for number, line in enumerate(lines) if "1 line settles 2 of 2 verdicts" in line)
    assert [
        "aws iam get-account-authorization-details --output json > iam.json  # in the account of the roles",
        "[environments.prod]",
        'snapshots = ["iam.json"]  # settles 2',
    ] == lines[at + 1 : at + 4]

    contract = SHOP["infraspec.toml"] + 'snapshots = ["iam.json"]\n'
    files = {"infraspec.toml": contract, "iam.json": export(role("shared"), role("task"))}
    output = doctor("--infra", str(write(directory, files))).output
    assert "cannot be decided" not in output
    (directory / "iam.json").write_text(export(role("task")), encoding="utf-8")
    output = doctor("--infra", str(directory)).output
    assert "arn:aws:iam::111122223333:role/shared is not in " in output


def test_plain_when_piped(tmp_path: Path) -> None:
    """No colours reach a pipe."""
    assert "\x1b" not in doctor("--infra", str(write(tmp_path, SHOP))).output


def test_json(tmp_path: Path) -> None:
    """JSON has the same lines, each with topic, state, message and remedy."""
    ran = doctor("--infra", str(write(tmp_path, SHOP)), "--env", "prod", "--format", "json")
    lines = json.loads(ran.output)

    assert ran.exit_code == 0
    assert {frozenset(line) for line in lines} == {frozenset({"topic", "state", "message", "remedy"})}
    assert {line["state"] for line in lines if line["topic"] == "contract"} == {"ok"}
    assert all(line["remedy"] for line in lines if line["state"] != "ok")


def test_problem(tmp_path: Path) -> None:
    """A problem ends with exit code 1, a missing contract among them, which says what to do."""
    ran = doctor("--infra", str(write(tmp_path, {"main.tf": SHOP["main.tf"]})))

    assert ran.exit_code == 1
    assert "problem  contract" in ran.output
    assert "infraspec init" in ran.output


def test_unknown_environment(tmp_path: Path) -> None:
    """An environment that the contract does not have is wrong input."""
    ran = doctor("--infra", str(write(tmp_path, SHOP)), "--env", "prd")

    assert ran.exit_code == 2
    assert "did you mean `prod`?" in ran.output


def test_the_sandbox_is_no_environment_of_the_contract(tmp_path: Path) -> None:
    """Whoever asks for `local` is told which command has it."""
    ran = doctor("--infra", str(write(tmp_path, SHOP)), "--env", "local", "--live")

    assert ran.exit_code == 2
    assert "infraspec check --live" in ran.output


def test_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old Python or a missing pytest is a problem; what is optional is a warning that says how to get it."""

    def version(package: str) -> str:
        if package in ("boto3", "pytest"):
            raise PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(command, "version", version)
    monkeypatch.setattr(shutil, "which", lambda program: None if program == "terraform" else f"/usr/bin/{program}")
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    lines = {line.topic: line for line in command.tool_lines()}

    assert lines["python"].state is HealthState.PROBLEM
    assert (lines["pytest"].state, lines["pytest"].remedy) == (HealthState.PROBLEM, "pip install pytest")
    assert (lines["live"].state, lines["live"].remedy) == (HealthState.WARNING, installation("live"))
    assert lines["sandbox"].state is HealthState.OK
    assert lines["terraform"].state is HealthState.WARNING
    assert lines["git"].message == "/usr/bin/git"


def test_old_data_is_a_warning() -> None:
    """The texts of AWS's policies are as AWS had them on a date, which is said when it is more than a year ago."""
    assert not list(command.data_lines(dt.date(2026, 12, 1)))
    (line,) = command.data_lines(dt.date(2028, 1, 1))
    assert (HealthState.WARNING, "install a newer version of infraspec") == (line.state, line.remedy)
