"""No run of the live suite shows the value of a secret, however it fails and whatever it is asked to show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from boto3.session import Session

from tests.aws.moto_server import ACCOUNT, moto_server, variables
from tests.plugin.project import CONTRACT, Project, text_of

CANARY = "hunter2-canary"
REGION = "ap-northeast-1"
PATTERN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/*"
PROJECT = Project(
    {
        "infraspec.toml": CONTRACT.replace("111122223333", ACCOUNT)
        + f'[environments.dev.live]\nread_secrets = ["{PATTERN}", "arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/*"]\n'
    }
)
LOOKING = """
import pathlib
import pytest

pytestmark = pytest.mark.live
CANARY = "hunter2" + "-canary"

@pytest.fixture
def shapes(secret_values, snapshot):
    found = {}
    for secret in snapshot.pages("secretsmanager", "list_secrets", "SecretList"):
        found[secret["Name"]] = secret_values.shape(secret["ARN"])
    return found

@pytest.fixture
def broken(shapes):
    raise RuntimeError(f"broken with {shapes}")

def test_fails(shapes):
    assert shapes == {}

def test_breaks(broken):
    pass

def test_raises(secret_values, snapshot):
    shape = secret_values.shape("arn:aws:secretsmanager:REGION:ACCOUNT:secret:shop/gone-AbCdEf")
    assert shape.is_readable, shape

def test_malformed(secret_values, snapshot):
    (secret,) = [s for s in snapshot.pages("secretsmanager", "list_secrets", "SecretList") if "text" in s["Name"]]
    assert secret_values.shape(secret["ARN"]).is_object

def test_interrupted(secret_values, monkeypatch):
    def stop(text):
        raise pytest.fail.Exception("stopped")
    monkeypatch.setattr("infraspec.aws.secret_values._object", stop)
    secret_values._shapes.clear()
    shape = secret_values.shape("arn:aws:ssm:REGION:ACCOUNT:parameter/shop/url")
    assert shape.is_readable, shape

def test_shared(shapes, pytestconfig):
    given = getattr(pytestconfig, "workerinput", {}).get("infraspec")
    if given:
        directory = pathlib.Path(given["directory"])
        assert 0o700 == directory.stat().st_mode & 0o777
        assert not [path for path in directory.iterdir() if CANARY.encode() in path.read_bytes()]
""".replace("REGION", REGION).replace("ACCOUNT", ACCOUNT)
UNPROTECTED = """
import boto3
import json
import logging
import pytest

pytestmark = pytest.mark.live

def test_shows(snapshot):
    (secret,) = [s for s in snapshot.pages("secretsmanager", "list_secrets", "SecretList") if "text" in s["Name"]]
    answer = boto3.client("secretsmanager", region_name="REGION").get_secret_value(SecretId=secret["ARN"])
    assert json.loads(answer["SecretString"])

def test_logs(snapshot, secret_values):
    logging.getLogger("botocore").setLevel(logging.DEBUG)
    (secret,) = [s for s in snapshot.pages("secretsmanager", "list_secrets", "SecretList") if "text" in s["Name"]]
    assert secret_values.shape(secret["ARN"]).is_object
""".replace("REGION", REGION)
WAYS = {
    "log": ("-vv", "-l", "-ra", "--log-level=DEBUG", "-o", "log_cli=true", "--log-file=run.log"),
    "full": ("--full-trace", "-l", "-s", "--log-level=DEBUG"),
    "workers": ("-n", "2", "-v", "-l", "--log-level=DEBUG"),
}


@pytest.fixture(scope="module")
def _server() -> Iterator[str]:
    with moto_server() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in variables(endpoint).items():
            patch.setenv(name, value)
        secrets = Session(region_name=REGION).client("secretsmanager")
        secrets.create_secret(Name="shop/object", SecretString=f'{{"password": "{CANARY}"}}')
        secrets.create_secret(Name="shop/text", SecretString=f"{{{CANARY}")
        Session(region_name=REGION).client("ssm").put_parameter(Name="/shop/url", Value=CANARY, Type="SecureString")
        yield endpoint


@pytest.fixture(autouse=True)
def _moto(_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(_server).items():
        monkeypatch.setenv(name, value)


def run(pytester: pytest.Pytester, suite: str, *arguments: str) -> tuple[pytest.RunResult, list[str]]:
    """Run a suite with every report, and return the outputs that have the canary."""
    own = pytester.path / "test_own.py"
    own.write_text(suite)
    reports = ("--junitxml", "junit.xml", "-o", "junit_logging=all", "--alluredir", "allure")
    result = PROJECT.run(
        pytester, "--infraspec-live", "--infraspec-results", "results.json", *reports, *arguments, suite=own
    )
    files = [path for path in Path(pytester.path).rglob("*") if path.is_file() and path != own]
    files = [path for path in files if "__pycache__" not in path.parts]  # the code of the test names the canary
    written = [str(path.relative_to(pytester.path)) for path in files if CANARY.encode() in path.read_bytes()]
    return result, (["output"] if CANARY in text_of(result) else []) + written


@pytest.mark.parametrize("way", WAYS)
def test_no_value_is_shown(pytester: pytest.Pytester, way: str) -> None:
    """Failing, erroring and interrupted looks leave no value in the output or in a file."""
    result, shown = run(pytester, LOOKING, *WAYS[way])

    result.assert_outcomes(failed=4, errors=1, passed=1)
    assert [] == shown


def test_canary_is_found_without_protection(pytester: pytest.Pytester) -> None:
    """A test that handles the value itself, or lets botocore log, shows it: the search above can find it.

    Allure is given nothing that a test prints, logs or raises.
    """
    _, shown = run(pytester, UNPROTECTED, "--log-level=DEBUG")

    assert {"output", "junit.xml"} <= set(shown)
    assert [] == [name for name in shown if name.startswith("allure")]
    assert list((pytester.path / "allure").glob("*-result.json"))
