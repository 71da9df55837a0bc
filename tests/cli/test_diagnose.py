"""`infraspec diagnose` where no AWS answers: what is wrong with the input is said first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from infraspec.cli import main
from infraspec.cli.diagnose import span
from infraspec.core.errors import RequestError
from tests.terraform.sources import write

REPOSITORY = {
    "infraspec.toml": """\
        [project]
        application = "shop"

        [environments.dev]
        region = "eu-west-1"

        [environments.prod]
        region = "eu-west-1"
        """,
    "main.tf": 'resource "aws_ecs_service" "web" {\n  name = "web"\n}\n',
}
WRONG = {
    "no contract": (["--infra", "nowhere", "--env", "prod"], "ContractError: "),
    "which environment": ([], "ContractError: "),
    "no such environment": (["--env", "prd"], "UnknownEnvironmentError: "),
    "two environments": (["--env", "dev,prod"], "--env is one environment"),
    "no sandbox": (["--env", "local"], "SandboxError: --env local: no sandbox to diagnose"),
    "no credentials": (["--env", "prod"], "CredentialsError: "),
    "no time": (["--env", "prod", "--since", "yesterday"], "RequestError: --since: the period to look back"),
    "no such format": (["--env", "prod", "--format", "yaml"], "Invalid value for '--format'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its name, its remedy and exit code 2; no traceback."""
    arguments, message = WRONG[case]
    monkeypatch.chdir(write(tmp_path, REPOSITORY))
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    result = CliRunner().invoke(main, ["diagnose", *arguments])

    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "value"), [("30m", timedelta(minutes=30)), ("2h", timedelta(hours=2)), ("90d", timedelta(days=90))]
)
def test_span(text: str, value: timedelta) -> None:
    """Minutes, hours and days."""
    assert span(text) == value


@pytest.mark.parametrize("text", ["", "2", "h", "0h", "-1h", "2 h", "1w", "91d", "99999999999999d", "1.5h"])
def test_what_is_no_span(text: str) -> None:
    """Anything else is an error that shows how to write it."""
    with pytest.raises(RequestError, match="--since 2h") as caught:
        span(text)

    assert caught.value.found == text


def test_the_help_has_the_exit_codes() -> None:
    """What a script needs to know stands in --help."""
    text = CliRunner().invoke(main, ["diagnose", "--help"]).output

    assert "exit code  0  nothing is wrong" in text
    assert all(f"\n             {code}  " in text for code in (1, 2, 3))
