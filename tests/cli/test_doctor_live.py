"""What `infraspec doctor --live` says of the runner, with a table of answers in the place of AWS."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infraspec.adoption.checkup import HealthState, Line, worst
from infraspec.cli import doctor
from infraspec.cli.live_health import clock_lines, endpoint_lines, live_lines
from infraspec.core.runtime import installation
from tests.terraform.sources import write

exceptions = pytest.importorskip("botocore.exceptions", reason="needs pytest-infraspec[live]")

SHOP = {
    "infraspec.toml": """\
        [project]
        application = "shop"

        [environments.prod]
        account_id = "111122223333"
        region = "eu-west-1"

        [environments.prod.live]
        runner = "infraspec-.*"
        """,
    "main.tf": 'provider "aws" {}\n',
}
RUNNER = "arn:aws:sts::111122223333:assumed-role/infraspec-runner/1"


class _Service:
    """A service that answers an operation, or raises what it is told to."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def __getattr__(self, operation: str) -> Any:
        answer = self._answers.get(operation, {})

        def call(*_: object, **__: object) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def clients(answers: Mapping[str, Mapping[str, Any]]) -> Any:
    """Return what takes the place of Clients: answers by service and operation."""

    class Told:
        is_local = False

        def __init__(self, region: str, *, role: str | None = None) -> None:
            self.region, self.role = region, role

        def client(self, service: str, _region: str = "") -> _Service:
            return _Service(answers.get(service, {}))

    return Told


def lines_of(tmp_path: Path, answers: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """Return the lines of the runner in the shop."""
    return list(live_lines(write(tmp_path, SHOP), None, clients(answers)))


def identity(account: str = "111122223333", arn: str = RUNNER) -> dict[str, Any]:
    """Return an answer of sts."""
    return {"get_caller_identity": {"Account": account, "Arn": arn}}


def denied(action: str) -> Exception:
    """Return what a client raises that may not ask."""
    message = f"User: {RUNNER} is not authorized to perform: {action} on resource: *"
    error: Exception = exceptions.ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, "x")
    return error


def test_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right account, the right role and every read that is tried are ok."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    lines = lines_of(tmp_path, {"sts": identity()})

    assert worst(lines) is HealthState.OK
    assert [line.message for line in lines][:2] == [
        f"account 111122223333: {RUNNER}",
        "the runner is infraspec-runner",
    ]
    assert lines[-1].message.startswith("the runner may read cloudwatch, ecr, ecs")


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "another account": (
        {"sts": identity("123456789012")},
        "account 123456789012, not 111122223333",
        "environments.NAME.live.role",
    ),
    "another role": (
        {"sts": identity(arn="arn:aws:sts::111122223333:assumed-role/admin/1")},
        "the runner is admin, not a role named infraspec-.*",
        "assume that role",
    ),
    "a user": (
        {"sts": identity(arn="arn:aws:iam::111122223333:user/me")},
        "the runner is arn:aws:iam::111122223333:user/me",
        "assume that role",
    ),
    "no credentials": (
        {"sts": {"get_caller_identity": exceptions.NoCredentialsError()}},
        "there are no AWS credentials",
        "AWS_PROFILE",
    ),
    "a permission": (
        {"sts": identity(), "ecs": {"list_clusters": denied("ecs:ListClusters")}},
        "the runner may not read ecs",
        "ecs:ListClusters",
    ),
}


@pytest.mark.parametrize(("answers", "message", "remedy"), WRONG.values(), ids=WRONG)
def test_what_is_wrong(tmp_path: Path, answers: dict[str, Any], message: str, remedy: str) -> None:
    """What would stop the live suite is a problem, with the remedy."""
    problems = [line for line in lines_of(tmp_path, answers) if line.state is HealthState.PROBLEM]

    assert len(problems) == 1
    assert message in problems[0].message
    assert remedy in problems[0].remedy


def test_clock() -> None:
    """A clock that is minutes off is a problem: AWS refuses its requests."""
    now = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)
    near, far = {"date": "Wed, 25 Nov 2026 12:00:00 GMT"}, {"date": "Wed, 25 Nov 2026 11:50:00 GMT"}

    assert [(line.state, line.message) for line in clock_lines(near, now)] == [(HealthState.OK, "+30 s from AWS")]
    assert [(line.state, line.message) for line in clock_lines(far, now)] == [(HealthState.PROBLEM, "+630 s from AWS")]
    assert list(clock_lines({}, now)) == []


def test_endpoints() -> None:
    """Variables that send requests elsewhere are named, their values are not shown."""
    lines = list(endpoint_lines({"AWS_ENDPOINT_URL_S3": "http://me:hunter2@localhost", "AWS_REGION": "x"}))

    assert [(line.topic, line.state) for line in lines] == [("endpoint", HealthState.WARNING)]
    assert "AWS_ENDPOINT_URL_S3" in lines[0].message
    assert "hunter2" not in f"{lines[0].message}{lines[0].remedy}"


def test_without_boto3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the line says how to get it."""
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)

    assert [line.remedy for line in doctor.live_lines(tmp_path, None)] == [installation("live")]
