"""The incident of the requirements, from a healthy v15 to a healthy v16, against an AWS that behaves like AWS there."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infraspec import contract as contracts
from infraspec.checks.process.incidents import check_incidents
from infraspec.cli import main
from infraspec.contract.operations import Incidents
from infraspec.contract.paths import GivenPath
from infraspec.core.finding import Verdict
from infraspec.process.playbooks import read_playbooks
from infraspec.sandbox.background_server import Kept
from infraspec.sandbox.running import Running, start
from tests.docs.blocks import blocks
from tests.docs.incident_fix import repaired
from tests.terminal.screen import Screen, on_terminal

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
OUTPUTS = blocks("text", page="docs/incident-replay.md")
COMMANDS = [line for block in blocks("sh", page="docs/incident-replay.md") for line in block.text.splitlines()]
ENVIRONMENT = "dev"
STEPS = ["healthy", "applied", "failed", "fixed"]
_SHOWN = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"), "2026-11-25 09:00:00 UTC"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "2026-11-25 09:00 UTC"),
    (re.compile(r"jwt-v2-[A-Za-z0-9]{6}"), "jwt-v2-AbCdEf"),
    (re.compile(r"ecs-svc/\d+"), "ecs-svc/1234567890123456789"),
    (re.compile(r"request id: [0-9a-f-]+"), "request id: 0a1b2c3d"),
    (re.compile(r"backend-execution/[0-9a-f]+"), "backend-execution/0a1b2c3d"),
    (re.compile(r"targetgroup/([\w-]+)/[0-9a-f]+"), r"targetgroup/\1/0123456789abcdef"),
    (re.compile(r"task [0-9a-f]{32}"), "task 0a1b2c3d"),
)
"""What is different in every run, and what the documentation shows for it."""


@dataclass(frozen=True)
class Replay:
    """What `infraspec diagnose` has said, as text and with its exit code, at each step; and as JSON and as a record."""

    healthy: tuple[int, str]
    applied: tuple[int, str]
    failed: tuple[int, str]
    fixed: tuple[int, str]
    tree: dict[str, Any]
    record: str
    screen: Screen


def shown(text: str) -> str:
    """Return an output with what differs from run to run as the documentation has it."""
    for pattern, replacement in _SHOWN:
        text = pattern.sub(replacement, text)
    return text


def keep(sandbox: Running, infra: Path) -> None:
    """Note the sandbox as `infraspec sandbox up` does."""
    account = sandbox.account
    place = (str(infra), ENVIRONMENT, account.account, account.partition)
    kept = Kept(sandbox.pid, sandbox.token, sandbox.endpoint, *place, sandbox.environment, sandbox.operator)
    kept.write()
    kept.remember(sandbox.deployment)


def diagnose(sandbox: Running, infra: Path, form: str = "text") -> tuple[int, str]:
    """Run the command as a user does whose shell leads to the sandbox."""
    return run(sandbox, f"infraspec diagnose --env local --infra {os.path.relpath(infra)} --format {form}")


def run(sandbox: Running, command: str) -> tuple[int, str]:
    """Run a command of the documentation."""
    _, *arguments = shlex.split(command)
    result = CliRunner().invoke(main, arguments, env={**sandbox.environment, "AWS_ENDPOINT_URL": sandbox.endpoint})
    assert not result.stderr
    return result.exit_code, result.stdout


def on_screen(sandbox: Running, infra: Path) -> Screen:
    """Run the command on a terminal."""
    arguments = ["diagnose", "--env", "local", "--infra", os.path.relpath(infra)]
    environment = {**sandbox.environment, "AWS_ENDPOINT_URL": sandbox.endpoint}
    return on_terminal(partial(main, arguments), 100, ["stdout", "stderr"], **environment)


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """Deploy v15, then v16, then v16 with the fix; ask after each."""
    good, bad = FIXTURES / "daily-report-tool", FIXTURES / "incident-v16"
    with pytest.MonkeyPatch.context() as patch, start(contracts.load(good), ENVIRONMENT) as sandbox:
        patch.chdir(ROOT)
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        keep(sandbox, good)
        healthy, applied, failed = (run(sandbox, command) for command in COMMANDS[2:5])
        tree = json.loads(diagnose(sandbox, bad, "json")[1])
        record = diagnose(sandbox, bad, "record")[1]
        screen = on_screen(sandbox, bad)
        tree_with_fix = os.path.relpath(repaired(tmp_path_factory.mktemp("replay")))
        _, fixed = (run(sandbox, command.replace("fixtures/incident-v16", tree_with_fix)) for command in COMMANDS[5:])
        yield Replay(healthy, applied, failed, fixed, tree, record, screen)


def test_v15_is_healthy(replay: Replay) -> None:
    """What was deployed first runs."""
    code, text = replay.healthy

    assert (code, text.splitlines()[0].rpartition(": ")[2]) == (0, "healthy")


def test_v16_fails_for_the_reason_of_the_incident(replay: Replay) -> None:
    """ECS goes back, and the diagnosis names secret, role, statement and fix."""
    code, text = replay.failed
    (service,) = replay.tree["services"]

    assert code == 1
    assert service["cause"]["class"] == "secret-access-denied"
    assert service["cause"]["action"] == "secretsmanager:GetSecretValue"
    assert re.search(r":secret:daily-report-tool-dev-jwt-v2-\w{6}$", service["cause"]["secret"])
    assert service["cause"]["role"].endswith(":role/daily-report-tool-dev-backend-execution")
    assert service["source"]["decision"] == service["deployed"]["decision"] == "ImplicitlyDenied"
    assert service["source"]["add"]["to"] == "module.iam.data.aws_iam_policy_document.read_secrets"
    assert "var.refresh_token_arn" in service["fix"]
    assert service["revision"] == {
        "running": "daily-report-tool-dev-backend:1",
        "newest": "daily-report-tool-dev-backend:2",
        "previous": "daily-report-tool-dev-backend:1",
    }
    assert "PREVIOUS=daily-report-tool-dev-backend:1\n" in text


def test_a_terminal_has_the_same(replay: Replay) -> None:
    """Every word is on a terminal too, but for the time it is; and before it what AWS is asked for."""
    times = re.compile(r"\d\d:\d\d:\d\d")

    assert [word for word in replay.screen.missing(replay.failed[1]) if not times.fullmatch(word)] == []
    assert "asking AWS for " in replay.screen.written


def test_the_record_is_taken_by_the_rule(replay: Replay, tmp_path: Path) -> None:
    """It can be committed as it is."""
    (tmp_path / "now.md").write_text(replay.record, encoding="utf-8")
    contract = contracts.load(FIXTURES / "incident-v16")
    rules = Incidents.model_construct(directory=GivenPath(tmp_path))
    playbooks = read_playbooks(FIXTURES / "incident-v16" / "docs" / "playbooks", "docs/playbooks")

    assert {finding.verdict for finding in check_incidents(contract, rules, playbooks)} == {Verdict.PROVEN}


def test_the_fix_lets_v16_run(replay: Replay) -> None:
    """What the diagnosis says to paste is enough."""
    code, text = replay.fixed

    assert code == 0
    assert "revision:    daily-report-tool-dev-backend:2; the newest is daily-report-tool-dev-backend:2\n" in text


@pytest.mark.parametrize("step", STEPS)
def test_the_documentation_shows_what_is_printed(step: str, replay: Replay) -> None:
    """The walk-through has the real output; of the last, the first line."""
    printed = shown(getattr(replay, step)[1])
    output = OUTPUTS[STEPS.index(step)].text

    assert len(OUTPUTS) == len(STEPS)
    assert output == (printed if step != "fixed" else printed.splitlines(keepends=True)[0])


def test_the_documentation_starts_the_sandbox_of_the_replay() -> None:
    """The commands before those that ask lead the shell to a sandbox of the environment that is replayed."""
    assert COMMANDS[:2] == [
        "infraspec sandbox up --infra fixtures/daily-report-tool --detach",
        'eval "$(infraspec sandbox status)"',
    ]
    assert next(iter(contracts.load(FIXTURES / "daily-report-tool").environments)) == ENVIRONMENT
