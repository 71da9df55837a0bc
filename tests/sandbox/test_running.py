"""The process that a sandbox runs in: how it starts, fails and ends."""

import os
import select
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.aws.guard import GUARD
from infraspec.core.errors import SandboxError
from infraspec.sandbox import server_process
from infraspec.sandbox.running import Running, place_of, start_empty
from infraspec.sandbox.server_process import Account, ServerSettings, spawn
from infraspec.terraform.environments import Environments

REFERENCE = Path(__file__).resolve().parents[2] / "fixtures/daily-report-tool"
SETTINGS = ServerSettings("111122223333", "eu-west-1", "token", "AKIAOPERATOROPERATOR", "AKIARUNNERRUNNERRUNN")


def test_it_listens_on_the_loopback_address_alone(sandbox: Running) -> None:
    """Nobody else on the network reaches it."""
    assert sandbox.endpoint.startswith("http://127.0.0.1:")
    port = int(sandbox.endpoint.rpartition(":")[2])
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"]
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening


def test_it_ends_with_the_process_that_started_it() -> None:
    """A parent that is killed leaves no sandbox behind."""
    program = (
        "import os; from infraspec.sandbox.running import start_empty\n"
        "running = start_empty(); print(running.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=_paths())
    assert _ends(int(done.stdout))


def _paths() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(server_process.__file__).resolve().parents[2])}


def _ends(pid: int) -> bool:
    """Wait until a process that is no child of ours is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([descriptor], [], [], 30)
    os.close(descriptor)
    return bool(ready)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_stopping_twice_is_stopping_once() -> None:
    """After stop() the process is gone, and another stop() says nothing."""
    running = start_empty()
    running.stop()
    running.stop()
    assert not _exists(running.pid)


def test_a_process_that_cannot_start_says_why() -> None:
    """The error holds what the process wrote: here that the port is in use."""
    with start_empty() as running:
        port = int(running.endpoint.rpartition(":")[2])
        with pytest.raises(SandboxError, match="ended while it started") as caught:
            start_empty(port=port)
    assert "in use" in caught.value.found


def test_a_process_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the deadline the error says so, and the process is ended."""
    monkeypatch.setattr(server_process, "_first_line", lambda *_: None)
    with pytest.raises(SandboxError, match=r"did not start within 0\.1 seconds"):
        spawn(SETTINGS, seconds=0.1)


def test_applying_to_one_that_is_gone_is_an_error() -> None:
    """A sandbox that was killed is named, and not waited for."""
    running = start_empty()
    running.stop()
    with pytest.raises(SandboxError, match="not running any more"):
        running.apply(Environments(contracts.load(REFERENCE)).plan("dev"))


def test_the_guard_of_a_live_run_does_not_keep_the_sandbox_from_being_filled(empty: Running) -> None:
    """The clients of the sandbox write where every other session of the process may only read."""
    account = Account(empty.endpoint, "111122223333", "eu-west-1", "aws", empty.operator["AWS_ACCESS_KEY_ID"])
    armed = GUARD.is_armed
    GUARD.arm()
    try:
        account.client("sqs").create_queue(QueueName="guarded")
    finally:
        account.close()
        if not armed:
            GUARD.disarm()


def test_it_says_who_it_is(sandbox: Running) -> None:
    """The process answers with its pid, which is the a running sandbox."""
    with urllib.request.urlopen(f"{sandbox.endpoint}/infraspec-sandbox") as answer:
        assert f'"pid": {sandbox.pid}' in answer.read().decode()


def test_the_region_of_the_contract_counts_first() -> None:
    """A contract may ask another region than the one of the provider without an alias, as a live run does."""
    plan = Environments(contracts.load(REFERENCE)).plan("prod")
    known = contracts.load(REFERENCE).environments["prod"]
    assert ("123456789012", "us-east-1") == place_of(plan, known.model_copy(update={"region": "us-east-1"}))
    assert ("123456789012", plan.region) == place_of(plan, known.model_copy(update={"region": None}))
