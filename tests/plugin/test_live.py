"""The live suite asks the account that the contract names, or ends before its first test."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping

import pytest
from boto3.session import Session

from tests.aws.moto_server import ACCOUNT, moto_server, variables
from tests.plugin.project import CONTRACT, ROOT, Project, run_suite, text_of

SUITE = ROOT / "tests_live"
USAGE_ERROR = 4
RIGHT = Project({"infraspec.toml": CONTRACT.replace("111122223333", ACCOUNT)})
WRONG = Project({"infraspec.toml": CONTRACT})

NO_CREDENTIALS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/none",
    "AWS_SHARED_CREDENTIALS_FILE": "/none",
}
ASKING = """
import pytest
from infraspec.resource_types.listing import Batch

pytestmark = pytest.mark.live

@pytest.mark.parametrize("number", range(6))
def test_services(snapshot, number, pytestconfig):
    client = snapshot._clients.client("ecs")
    def note(model, **_):
        with open(pytestconfig.rootpath / "asked.txt", "a") as file:
            file.write(model.name + "\\n")
    client.meta.events.register("before-call.ecs", note, unique_id="note")
    names = snapshot.pages("ecs", "list_services", "serviceArns", cluster="main")
    batch = Batch("DescribeServices", "services", "services", 10)
    assert 23 == len(snapshot.batches("ecs", batch, names, cluster="main"))
"""


IN_VIRGINIA = """
provider "aws" {
  region = "eu-west-1"
}

provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
}

resource "aws_sns_topic" "alerts" {
  provider = aws.virginia
  name     = "alerts"
}

resource "aws_cloudwatch_metric_alarm" "cdn" {
  provider            = aws.virginia
  alarm_name          = "cdn-errors"
  namespace           = "AWS/CloudFront"
  metric_name         = "5xxErrorRate"
  comparison_operator = "GreaterThanThreshold"
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_log_group" "here" {
  name = "/app"
}
"""
"""What is watched where CloudFront has its metrics."""


@pytest.fixture(scope="module")
def _server() -> Iterator[str]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def moto(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a moto, to which the environment variables of the process lead."""
    _leave_only(monkeypatch, variables(_server))
    return _server


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_account_of_the_contract(pytester: pytest.Pytester, moto: str, workers: tuple[str, ...]) -> None:
    """Without a name of an environment the suite asks the sandbox; its account is that of the contract."""
    written = ("-v", "--infraspec-results", "results.json")
    result = RIGHT.run(pytester, "-k", "test_account", *written, *workers, suite=SUITE)

    result.assert_outcomes(passed=1)
    assert "local (default)" in text_of(result)
    assert "test_account[local]" in text_of(result)
    run = json.loads((pytester.path / "results.json").read_text())["run"]
    assert (["local"], "live") == (run["environments"], run["suite"])


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_other_account(pytester: pytest.Pytester, moto: str, workers: tuple[str, ...]) -> None:
    """Credentials of another account end the run before a test, with what was found and expected."""
    result = WRONG.run(pytester, *workers, suite=SUITE)

    assert USAGE_ERROR == result.ret
    text = text_of(result)
    assert 1 == text.count(
        "IdentityError: infraspec.toml: environments.dev.account_id: these credentials are not of the account of `dev`"
    )
    assert "expected: account 111122223333" in text
    assert f"found:    account {ACCOUNT}: arn:aws:sts::{ACCOUNT}:user/moto" in text
    assert "Traceback" not in text


def test_sandbox_and_account_in_one_run(pytester: pytest.Pytester, moto: str) -> None:
    """The sandbox and an account are not asked in one run."""
    result = RIGHT.run(pytester, "--infraspec-env", "local,dev", suite=SUITE)

    assert USAGE_ERROR == result.ret
    assert "one run is about the sandbox or about accounts" in text_of(result)


def test_sandbox_elsewhere(pytester: pytest.Pytester, moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint on another machine is no sandbox."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://ecs.eu-west-1.amazonaws.com")
    result = RIGHT.run(pytester, suite=SUITE)

    assert USAGE_ERROR == result.ret
    assert "SandboxError: AWS_ENDPOINT_URL: ENV=local asks an AWS on this machine alone" in text_of(result)


def _leave_only(monkeypatch: pytest.MonkeyPatch, chosen: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n", "2")], ids=["alone", "workers"])
def test_each_question_is_asked_once_in_a_run(pytester: pytest.Pytester, moto: str, workers: tuple[str, ...]) -> None:
    """23 services cost ⌈23/10⌉ describe_services in a run, also where workers share it; nothing of it stays."""
    ecs = Session(region_name="ap-northeast-1").client("ecs")
    if not ecs.list_clusters()["clusterArns"]:
        ecs.create_cluster(clusterName="main")
        ecs.register_task_definition(family="a", containerDefinitions=[{"name": "a", "image": "a", "memory": 128}])
        for number in range(23):
            ecs.create_service(cluster="main", serviceName=f"a-{number}", taskDefinition="a", desiredCount=1)
    temporary = pytester.mkdir("temporary")
    pytester._monkeypatch.setenv("TMPDIR", str(temporary))
    own = pytester.path / "test_own.py"
    own.write_text(ASKING)

    result = RIGHT.run(pytester, "--infraspec-live", *workers, suite=own)

    result.assert_outcomes(passed=6)
    assert ["DescribeServices"] * 3 == [
        name for name in (pytester.path / "asked.txt").read_text().split() if name == "DescribeServices"
    ]
    assert [] == [path.name for path in temporary.glob("infraspec-*")]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (NO_CREDENTIALS, "CredentialsError: sts.get_caller_identity in ap-northeast-1: there are no AWS credentials"),
        ({**NO_CREDENTIALS, "AWS_PROFILE": "nobody"}, "the AWS configuration does not have this profile"),
        (
            {**variables("http://127.0.0.1:9"), "AWS_ENDPOINT_URL_ECS": "http://127.0.0.1:9"},
            "AWS_ENDPOINT_URL: the environment `dev` is an AWS account, but AWS_ENDPOINT_URL points elsewhere",
        ),
    ],
    ids=["no-credentials", "no-profile", "endpoint"],
)
def test_account_cannot_be_asked(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], words: str
) -> None:
    """Without credentials, with a profile there is not, or led elsewhere, the run ends before a test and says why."""
    _leave_only(monkeypatch, chosen)
    result = RIGHT.run(pytester, "--infraspec-env", "dev", suite=SUITE)

    assert USAGE_ERROR == result.ret
    assert words in text_of(result)
    assert "remedy:" in text_of(result)
    assert "Traceback" not in text_of(result)


def test_nothing_is_asked_at_collection(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite is collected without credentials."""
    _leave_only(monkeypatch, NO_CREDENTIALS)
    result = RIGHT.run(pytester, "--infraspec-env", "dev", "--collect-only", "-q", suite=SUITE)

    assert 0 == result.ret
    assert "test_account[dev]" in text_of(result)


def test_guard_of_a_run(pytester: pytest.Pytester, moto: str) -> None:
    """A test of the user's own that would write does not, and says how a read is allowed."""
    own = pytester.path / "test_own.py"
    own.write_text(
        "import boto3, pytest\n\npytestmark = pytest.mark.live\n\n"
        "def test_own(account):\n    boto3.client('ecs', region_name='eu-west-1').create_cluster()\n"
    )
    result = RIGHT.run(pytester, "--infraspec-live", suite=own)

    result.assert_outcomes(failed=1)
    assert "GuardError: the live suite only reads, and ecs:CreateCluster is not on its list" in text_of(result)


def test_what_is_asked_is_said_while_it_waits(pytester: pytest.Pytester, moto: str) -> None:
    """Once ten seconds have passed without a word, the service that is asked is named."""
    own = pytester.path / "test_own.py"
    own.write_text(
        "import pytest\n\npytestmark = pytest.mark.live\n\n"
        "def test_own(request, snapshot):\n"
        "    from infraspec.pytest_plugin.fixtures import session_of\n"
        "    session_of(request.config).live._progress._last -= 11\n"
        "    snapshot.ask('ecs', 'list_clusters')\n"
        "    snapshot.ask('ec2', 'describe_vpcs')\n"
    )
    result = RIGHT.run(pytester, "--infraspec-live", suite=own)

    result.assert_outcomes(passed=1)
    assert 1 == text_of(result).count("infraspec: asking AWS for")
    assert "infraspec: asking AWS for ecs.list_clusters in ap-northeast-1" in text_of(result)


ENDING = """
import os, signal
import pytest

pytestmark = pytest.mark.live

def test_own(snapshot, pytestconfig):
    (pytestconfig.rootpath / "endpoint.txt").write_text(os.environ["AWS_ENDPOINT_URL"])
    {end}
"""
ENDS = {
    "passes": ("assert snapshot.account == '111122223333'", 0),
    "terminated": ("os.kill(os.getpid(), signal.SIGTERM)", 2),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", -9),
}


@pytest.mark.parametrize("end", ENDS)
def test_sandbox_ends_with_the_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """However a run ends, its sandbox does not outlive it; the account in it is the contract's."""
    _leave_only(monkeypatch, {"AWS_PROFILE": "nobody"})
    statement, code = ENDS[end]
    own = pytester.path / "test_own.py"
    own.write_text(ENDING.replace("{end}", statement))
    result = WRONG.run(pytester, "--infraspec-live", suite=own)

    assert code == result.ret
    port = int((pytester.path / "endpoint.txt").read_text().rpartition(":")[2])
    assert _is_free(port)


def _is_free(port: int) -> bool:
    """Tell whether nothing listens; what is killed takes a moment to be gone."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("region", "left"),
    [
        ("eu-west-1", "aws_cloudwatch_metric_alarm in us-east-1 (1)"),
        ("us-east-1", "aws_cloudwatch_log_group in eu-west-1 (1)"),
    ],
)
def test_a_run_judges_what_is_where_it_asks(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, region: str, left: str
) -> None:
    """A rule of which all is in another region is skipped, with the reason; a contract of that region judges it."""
    _leave_only(monkeypatch, {})
    contract = CONTRACT.replace("ap-northeast-1", region)
    files = {"main.tf": IN_VIRGINIA, f"{region}.toml": contract}
    directory = Project(files, base=None).write(pytester.path / "infra")

    result = run_suite(
        pytester,
        directory / f"{region}.toml",
        "-rs",
        "-k",
        "test_alarm_state or test_log_groups",
        "--infraspec-env",
        "local",
        suite=SUITE,
    )

    result.assert_outcomes(passed=1, skipped=1)
    assert f"nothing is judged of {left}" in text_of(result)
