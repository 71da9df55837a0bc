"""`infraspec runner-policy`: what the role of the live suite may, for an environment of the contract."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from infraspec.cli import main
from tests.plugin.project import REFERENCE

SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/*"  # noqa: S105 - an ARN


def run(*arguments: str) -> tuple[int, str]:
    """Run the command."""
    result = CliRunner().invoke(main, ["runner-policy", *arguments])
    return result.exit_code, result.output


def test_policy_of_the_reference() -> None:
    """The reads are allowed, of the state its one object, and no value of a secret."""
    code, output = run("--infra", str(REFERENCE), "--env", "prod")

    assert 0 == code
    reads, state, publishes, denied = json.loads(output)["Statement"]
    assert "ecs:DescribeServices" in reads["Action"]
    assert (["s3:GetObject"], 1) == (state["Action"], len(state["Resource"]))
    assert state["Resource"][0].startswith("arn:aws:s3:::")
    role = "arn:aws:iam::123456789012:role/daily-report-tool-prod-metrics"
    assert ("sts:AssumeRole", role) == (publishes["Action"], publishes["Resource"])
    assert ("Deny", "*") == (denied["Effect"], denied["Resource"])


def test_policy_of_a_runner_that_publishes_itself(tmp_path: Path) -> None:
    """Without a role for it, the runner may publish in the namespace of the contract and in no other."""
    table = '[metrics]\nnamespace = "{application}"\n'
    contract = f'[project]\napplication = "a"\n[environments.dev]\n{table}'
    (tmp_path / "infraspec.toml").write_text(contract, encoding="utf-8")
    (tmp_path / "main.tf").write_text("terraform {}\n", encoding="utf-8")
    code, output = run("--infra", str(tmp_path))
    _, publishes, _ = json.loads(output)["Statement"]

    assert (0, "cloudwatch:PutMetricData") == (code, publishes["Action"])
    assert {"StringEquals": {"cloudwatch:namespace": "a"}} == publishes["Condition"]


def test_policy_without_a_state_that_is_known(tmp_path: Path) -> None:
    """Without a backend in S3 no object is allowed; what the contract opts in is."""
    (tmp_path / "infraspec.toml").write_text(
        '[project]\napplication = "a"\n[environments.dev]\n' + f'[environments.dev.live]\nread_secrets = ["{SECRET}"]\n'
    )
    (tmp_path / "main.tf").write_text("terraform {}\n")
    code, output = run("--infra", str(tmp_path))

    assert 0 == code
    assert "s3:GetObject" not in output
    assert [[SECRET], [SECRET]] == [
        statement.get("NotResource", statement.get("Resource")) for statement in json.loads(output)["Statement"][1:]
    ]


def test_environment_that_does_not_exist() -> None:
    """A name that the contract does not have is an error with the names it has."""
    code, output = run("--infra", str(REFERENCE), "--env", "production")

    assert 2 == code
    assert "UnknownEnvironmentError" in output
