"""The live suite asks the account that the contract names, or ends before its first test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aws.moto_server import ACCOUNT, moto_server, variables
from tests.plugin.project import CONTRACT, ROOT, Project, text_of

SUITE = ROOT / "tests_live"
USAGE_ERROR = 4
RIGHT = Project({"infraspec.toml": CONTRACT.replace("111122223333", ACCOUNT)})
WRONG = Project({"infraspec.toml": CONTRACT})


@pytest.fixture(scope="module")
def _server() -> Iterator[str]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def moto(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a moto, to which the environment variables of the process lead."""
    for name, value in variables(_server).items():
        monkeypatch.setenv(name, value)
    return _server


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_account_of_the_contract(pytester: pytest.Pytester, moto: str, workers: tuple[str, ...]) -> None:
    """Without a name of an environment the suite asks the sandbox; its account is that of the contract."""
    result = RIGHT.run(pytester, "-k", "test_account", *workers, suite=SUITE)

    result.assert_outcomes(passed=1)
    assert "local (default)" in text_of(result)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_other_account(pytester: pytest.Pytester, moto: str, workers: tuple[str, ...]) -> None:
    """Credentials of another account end the run before a test, with what was found and expected."""
    result = WRONG.run(pytester, *workers, suite=SUITE)

    assert USAGE_ERROR == result.ret
    text = text_of(result)
    assert 1 == text.count("IdentityError: infraspec.toml: environments.dev.account_id")
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
