"""What belongs to another environment, or to none, is said before anything is judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infraspec.contract import load
from infraspec.core.errors import PlanError, SnapshotError
from infraspec.terraform.environments import Environments
from tests.plugin.project import CONTRACT, Project, text_of
from tests.terraform.sources import write

TWO = CONTRACT + '\n[environments.prod]\naccount_id = "123456789012"\nregion = "ap-northeast-1"\n'


@pytest.mark.parametrize("given", ["option", "variable", "live"])
def test_an_empty_environment_is_none(given: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It means neither all environments nor the sandbox: the error lists those that there are."""
    if given == "variable":
        monkeypatch.setenv("INFRASPEC_ENV", "")
    arguments = {"option": ["--infraspec-env="], "variable": [], "live": ["--infraspec-env", "", "--infraspec-live"]}
    result = Project({"infraspec.toml": TWO}).run(pytester, *arguments[given])

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert "expected: one of dev, prod\n  found:    an empty name" in text_of(result)


@pytest.mark.parametrize("option", ["plan", "snapshot", "results"])
def test_an_empty_path_is_none(option: str, pytester: pytest.Pytester) -> None:
    """A variable of a pipeline that is not set does not leave out what was meant to be read."""
    result = Project().run(pytester, f"--infraspec-{option}=")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert f"--infraspec-{option}: there is no name of a file" in text_of(result)


@pytest.mark.parametrize(
    "table",
    [
        '[names.patterns]\naws_sqs_queue = "{application}-{enviroment}-jobs"\n',
        '[tags.common]\nStage = "{stag}"\n',
        '[tags.resource.aws_sqs_queue]\nStage = "{stag}"\n',
    ],
)
def test_a_placeholder_that_does_not_exist_is_one_error_of_the_contract(table: str, pytester: pytest.Pytester) -> None:
    """It is said once, at its line, however many environments there are."""
    result = Project({"infraspec.toml": TWO + table}).run(pytester)

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert 1 == text_of(result).count("there is no placeholder {")
    assert "ContractError: infra/infraspec.toml:13: " in text_of(result)


QUEUE = 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n'
QUEUE += 'variable "environment" { default = "dev" }\n'


def plan_file(account: str = "111122223333", region: str = "ap-northeast-1", **variables: str) -> str:
    """Return a plan of a queue that is there, of an account and a region."""
    queue = {
        "address": "aws_sqs_queue.jobs",
        "mode": "managed",
        "type": "aws_sqs_queue",
        "name": "jobs",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "values": {"name": "jobs", "arn": f"arn:aws:sqs:{region}:{account}:jobs"},
    }
    whole = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "variables": {name: {"value": value} for name, value in variables.items()},
        "planned_values": {"root_module": {"resources": [queue]}},
        "resource_changes": [],
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "full_name": queue["provider_name"]}},
            "root_module": {
                "resources": [
                    {**{k: queue[k] for k in ("address", "mode", "type", "name")}, "provider_config_key": "aws"}
                ]
            },
        },
    }
    return json.dumps(whole)


PAIRS = {
    "its own": (plan_file(environment="dev"), ""),
    "another account": (plan_file("123456789012"), "account_id 123456789012"),
    "another region": (plan_file(region="eu-west-1"), "region eu-west-1"),
    "another name": (plan_file(environment="prod"), 'its variable environment is "prod"'),
    "a name of nobody": (plan_file(environment="preview"), ""),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_plan_of_another_environment_is_not_judged(case: str, tmp_path: Path) -> None:
    """What it shows of its account and region, and how its variables call the environment, has to be the contract's."""
    text, found = PAIRS[case]
    write(tmp_path, {"infraspec.toml": TWO, "main.tf": QUEUE, "plan.json": text})
    environments = Environments(load(tmp_path), plan_file=tmp_path / "plan.json")
    if not found:
        assert environments.plan("dev").resources
        return
    with pytest.raises(PlanError, match="not of the environment `dev`") as caught:
        environments.plan("dev")
    assert found in caught.value.found


def test_a_value_that_the_contract_states_is_meant(tmp_path: Path) -> None:
    """An environment may be deployed with the values of another one, if the contract says so."""
    contract = TWO + '\n[environments.dev.variables]\nenvironment = "prod"\n'
    write(tmp_path, {"infraspec.toml": contract, "main.tf": QUEUE, "plan.json": plan_file(environment="prod")})

    assert Environments(load(tmp_path), plan_file=tmp_path / "plan.json").plan("dev").resources


@pytest.mark.parametrize(("accounts", "holds"), [("1", True), ("2", False), ("12", True), ("3", True)])
def test_a_snapshot_of_the_account_of_another_environment_is_an_error(
    accounts: str, tmp_path: Path, *, holds: bool
) -> None:
    """One of a further account, or one beside that of the environment, is none: roles may be elsewhere."""
    ids = {"1": "111122223333", "2": "123456789012", "3": "210987654321"}
    role = {
        "RoleName": "a",
        "Path": "/",
        "AssumeRolePolicyDocument": {},
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
    }
    lists: dict[str, list[object]] = {"UserDetailList": [], "GroupDetailList": [], "Policies": []}
    files = [tmp_path / f"{position}.json" for position in range(len(accounts))]
    for file, account in zip(files, accounts, strict=True):
        one = {
            **role,
            "RoleId": "AROA",
            "Arn": f"arn:aws:iam::{ids[account]}:role/a",
            "CreateDate": "2026-01-01T00:00:00Z",
        }
        file.write_text(json.dumps({**lists, "RoleDetailList": [one]}), encoding="utf-8")
    write(tmp_path, {"infraspec.toml": TWO, "main.tf": ""})
    environments = Environments(load(tmp_path), snapshots=files)
    if holds:
        assert environments.plan("dev").snapshots
        return
    with pytest.raises(SnapshotError, match="the account of prod"):
        environments.plan("dev")
