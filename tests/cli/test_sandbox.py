"""`infraspec sandbox`: one that is kept running, found, and ended."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from infraspec.sandbox.running import Running
from infraspec.sandbox.server_process import APPLIED_PATH
from tests.samples import some

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = ROOT / "fixtures/minimal"


class Shell:
    """Runs the command with a runtime directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "infraspec/sandbox.json"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environ = {**inherited, "XDG_RUNTIME_DIR": str(directory), "PYTHONPATH": os.pathsep.join(sys.path)}

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command."""
        return [sys.executable, "-m", "infraspec", "sandbox", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*arguments), env=self.environ, check=False, capture_output=True, text=True, encoding="utf-8"
        )


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Return a shell, and leave no sandbox of it behind."""
    shell = Shell(tmp_path)
    yield shell
    shell.run("down")


def test_up_status_and_down(shell: Shell) -> None:
    """A detached one outlives the command, is found by status, refuses a second one, and is ended by down."""
    up = shell.run("up", "--infra", str(MINIMAL), "--detach")
    assert up.returncode == 0, up.stderr
    kept = json.loads(shell.file.read_text())
    assert shell.file.stat().st_mode & 0o777 == 0o600
    assert f"export AWS_ENDPOINT_URL={kept['endpoint']}" in up.stdout
    assert kept["runner"]["AWS_ACCESS_KEY_ID"] in up.stdout
    assert kept["operator"]["AWS_ACCESS_KEY_ID"] not in up.stdout

    status = shell.run("status", "--operator")
    assert (status.returncode, status.stdout.count("export ")) == (0, 6)
    assert kept["operator"]["AWS_ACCESS_KEY_ID"] in status.stdout

    second = shell.run("up", "--infra", str(MINIMAL))
    assert (second.returncode, "SandboxError" in second.stderr) == (2, True)
    assert "a sandbox is already running" in second.stderr

    down = shell.run("down")
    assert (down.returncode, down.stdout) == (0, f"stopped process {kept['pid']}\n")
    assert not shell.file.exists()
    assert shell.run("status").returncode == 1
    assert shell.run("down").stdout == "no sandbox is running\n"


@pytest.mark.parametrize(
    "signal_", some([signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM], 2), ids=lambda one: one.name
)
def test_in_the_foreground_it_ends_with_the_command(shell: Shell, signal_: signal.Signals) -> None:
    """An interrupt ends the sandbox and removes its file; what a kill leaves is none to the next command."""
    command = shell.command("up", "--infra", str(MINIMAL))
    with subprocess.Popen(command, env=shell.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        endpoint = process.stdout.readline().split()[1].rstrip(":")
        with urlopen(f"{endpoint}/infraspec-sandbox") as answer:
            pid = json.load(answer)["pid"]
        descriptor = os.pidfd_open(pid)
        process.send_signal(signal_)
        process.communicate()
        assert select.select([descriptor], [], [], 30)[0]
        os.close(descriptor)
    assert process.returncode == (-signal.SIGKILL if signal_ is signal.SIGKILL else 0)
    assert "was already gone" in shell.run("down").stdout if signal_ is signal.SIGKILL else not shell.file.exists()
    assert not shell.file.exists()


def test_a_process_that_is_another_is_left_alone(shell: Shell, sandbox: Running) -> None:
    """A file that names a process which does not show its token ends nothing."""
    shell.file.parent.mkdir()
    kept = {
        "pid": sandbox.pid,
        "token": "of another one",
        "endpoint": sandbox.endpoint,
        "infra": ".",
        "environment": "x",
        "account": "123456789012",
        "partition": "aws",
    }
    shell.file.write_text(json.dumps({**kept, "runner": {}, "operator": sandbox.operator}))
    assert "is gone" in shell.run("status").stderr
    assert "was already gone: nothing to stop" in shell.run("down").stdout
    assert sandbox.account.client("sts").get_caller_identity()
    assert not shell.file.exists()


def test_apply(shell: Shell, tmp_path: Path) -> None:
    """What a change of the source means is done to the one that runs, twice in a row; another account is refused."""
    copy = tmp_path / "infra"
    shutil.copytree(MINIMAL, copy)
    none = shell.run("apply", "--infra", str(copy))
    assert (none.returncode, "no sandbox is running" in none.stderr) == (2, True)

    assert shell.run("up", "--infra", str(copy), "--detach").returncode == 0
    source = copy / "main.tf"
    text = source.read_text()
    more = 'resource "aws_secretsmanager_secret" "more" {\n  name = "hello-dev-more"\n}\n'
    steps = [(text, 0, 0), (text + more, 1, 0), (text + more, 0, 0), (text, 0, 1)]
    for content, created, deleted in steps:
        source.write_text(content)
        done = shell.run("apply", "--infra", str(copy))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"applied dev of {copy}: {created} created, 0 changed, {deleted} deleted\n"

    contract = copy / "infraspec.toml"
    account = 'account_id = "444455556666"'
    contract.write_text(re.sub(r"account_id = .*", account, contract.read_text()))
    other = shell.run("apply", "--infra", str(copy))
    assert (other.returncode, "Traceback" in other.stderr) == (2, False)
    assert "the sandbox has another account" in other.stderr


def test_what_was_applied_is_for_the_operator(sandbox: Running) -> None:
    """It may hold secrets: without the operator's key the process does not tell it."""
    for headers in ({}, {"Authorization": sandbox.environment["AWS_ACCESS_KEY_ID"]}):
        with pytest.raises(HTTPError, match="403"):
            urlopen(Request(sandbox.endpoint + APPLIED_PATH, headers=headers))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--infra", "/nowhere"), "/nowhere"),
        (("--infra", str(MINIMAL), "--env", "nowhere"), "nowhere"),
        (("--infra", str(MINIMAL), "--port", "70000"), "--port"),
    ],
)
def test_wrong_input_is_said_without_a_traceback(shell: Shell, arguments: tuple[str, ...], text: str) -> None:
    """The exit code is 2, and nothing runs."""
    done = shell.run("up", *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert text in done.stderr
    assert not shell.file.exists()


def test_a_file_that_is_damaged_is_named(shell: Shell) -> None:
    """The error says which file, and what to do."""
    shell.file.parent.mkdir()
    shell.file.write_text("{")
    done = shell.run("status")
    assert (done.returncode, str(shell.file) in done.stderr, "Traceback" in done.stderr) == (2, True, False)
    shell.file.unlink()
