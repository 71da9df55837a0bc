"""Who asks AWS is who the contract names, and AWS itself is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infraspec import contract as contracts
from infraspec.aws.access import AccountAccess, configured_endpoints
from infraspec.aws.session import CallerIdentity, Clients
from infraspec.core.errors import ContractError, GuardError, IdentityError
from tests.aws.moto_server import ACCOUNT, REGION

ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/infraspec-runner/session"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/infraspec-runner"
CONTRACT = f"""
[project]
application = "shop"

[environments.prod]
account_id = "{ACCOUNT}"
region = "{REGION}"

[environments.prod.live]
runner = "infraspec-.*"
"""


def to(
    directory: Path, monkeypatch: pytest.MonkeyPatch, arn: str, *, is_local: bool = False, further: str = ""
) -> AccountAccess:
    """Open the access to prod as somebody; `further` is added to the contract."""
    (directory / "infraspec.toml").write_text(CONTRACT + further)
    (directory / "main.tf").write_text("terraform {}\n")
    account, partition = arn.split(":")[4], arn.split(":")[1]
    monkeypatch.setattr(CallerIdentity, "of", lambda _clients: CallerIdentity(account, partition, arn))
    for name in ("AWS_CONFIG_FILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(directory / "config"))
    contract = contracts.load(directory)
    return AccountAccess.to(contract, "prod", REGION, is_local=is_local, taken=datetime.now(tz=UTC), directory=None)


def test_runner_of_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of the role that the contract names is let in."""
    found = to(tmp_path, monkeypatch, ROLE)

    assert "infraspec-runner" == found.identity.role
    assert (ACCOUNT, "aws", REGION) == (found.snapshot.account, found.snapshot.partition, found.snapshot.region)


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        (ROLE.replace(ACCOUNT, "111122223333"), "account 111122223333"),
        (ROLE.replace("arn:aws:", "arn:aws-cn:"), "of the partition"),
        (ROLE.replace("infraspec-runner", "admin"), "the role admin"),
        (ROLE.replace("infraspec-runner", "not-infraspec-runner"), "the role not-infraspec-runner"),
        (f"arn:aws:iam::{ACCOUNT}:user/infraspec-runner", "user/infraspec-runner"),
        (f"arn:aws:iam::{ACCOUNT}:root", ":root"),
    ],
)
def test_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arn: str, words: str) -> None:
    """Another account, partition or role, a user and the root are not, each with what was found and what to do."""
    with pytest.raises(IdentityError, match=words) as caught:
        to(tmp_path, monkeypatch, arn)

    assert caught.value.expected
    assert caught.value.remedy


def test_runner_of_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the sandbox nobody has to be the runner."""
    assert to(tmp_path, monkeypatch, f"arn:aws:iam::{ACCOUNT}:user/moto", is_local=True).identity.account == ACCOUNT


CANARY = """
[environments.{name}.live.canary]
topics = ["arn:aws:sns:eu-west-1:{account}:critical"]
queue = "arn:aws:sqs:eu-west-1:{account}:canary"
"""


def test_nobody_publishes_without_consent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nobody who could, unless the contract has the table for this very environment."""
    staging = '[environments.staging]\nroot = "."\n' + CANARY.format(name="staging", account=ACCOUNT)

    assert to(tmp_path, monkeypatch, ROLE).courier is None
    assert to(tmp_path, monkeypatch, ROLE, further=staging).courier is None
    assert to(tmp_path, monkeypatch, ROLE, further=CANARY.format(name="prod", account=ACCOUNT)).courier is not None


HOST = """
[hosts.inside]
host = "ssm://i-0a1b"
environments = ["{name}"]
run_commands = true
"""


def test_nobody_runs_commands_without_consent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The consent is for environments by their names; the sandbox has no machines, and would say yes to everything."""
    staging = '[environments.staging]\nroot = "."\n' + HOST.format(name="staging")
    consent, moto = HOST.format(name="prod"), f"arn:aws:iam::{ACCOUNT}:user/moto"

    assert to(tmp_path, monkeypatch, ROLE).commands is None
    assert to(tmp_path, monkeypatch, ROLE, further=staging).commands is None
    assert to(tmp_path, monkeypatch, ROLE, further=consent).commands is not None
    assert to(tmp_path, monkeypatch, moto, further=consent, is_local=True).commands is None


@pytest.mark.parametrize(
    ("taken", "words"), [("run_commands = true\n", "run_commands"), ('environments = ["prod"]\n', "environments")]
)
def test_a_machine_of_aws_without_consent_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str, words: str
) -> None:
    """The contract says what it is for, and how to give it."""
    with pytest.raises(ContractError, match="run_commands") as caught:
        to(tmp_path, monkeypatch, ROLE, further=HOST.format(name="prod").replace(taken, ""))

    assert words in str(caught.value)


def test_topics_of_another_account_are_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that was copied from another environment would alert its people."""
    with pytest.raises(ContractError, match="prod") as caught:
        to(tmp_path, monkeypatch, ROLE, further=CANARY.format(name="prod", account="111122223333"))

    assert "of the environment's account 123456789012" in str(caught.value)


CONFIGURATIONS = {
    "profile": "[default]\nendpoint_url = http://127.0.0.1:9\n",
    "service": "[default]\nservices = mine\n[services mine]\nsts =\n  endpoint_url = http://127.0.0.1:9\n",
}


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_endpoint_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """An endpoint in the configuration file is refused for an account."""
    (tmp_path / "config").write_text(CONFIGURATIONS[kind])

    with pytest.raises(GuardError, match="points elsewhere"):
        to(tmp_path, monkeypatch, ROLE)

    assert ["http://127.0.0.1:9"] == [endpoint for _, endpoint in configured_endpoints()]


def test_role_is_assumed_for_no_more_than_reads(moto: str) -> None:
    """The role of the contract is assumed with a session policy, and its credentials are those of the clients."""
    sent: list[Any] = []

    def call(_client: Any, name: str, parameters: Any) -> Any:
        sent.append((name, parameters))
        return {"Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": "x", "SessionToken": "y"}}

    clients = Clients(REGION, role=ROLE_ARN, session_policy="{}", is_local=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.client.BaseClient._make_api_call", call)
        client = clients.client("ecs")

    ((name, parameters),) = sent
    assert "AssumeRole" == name
    assert {"RoleArn": ROLE_ARN, "RoleSessionName": "infraspec", "Policy": "{}"} == parameters
    assert "ASIA" == client._request_signer._credentials.access_key
