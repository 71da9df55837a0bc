"""The process that the sandbox runs in: started, waited for until it listens, stopped.

It listens on 127.0.0.1 alone, on a port that the operating system chooses, and ends with the process that started it:
its standard input is a pipe, and the end of that is its end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from msgspec import Struct, to_builtins

from infraspec.core.errors import SandboxError

START_SECONDS = 60.0
"""How long the process may take until it listens; one to two seconds are usual."""
IDENTITY_PATH = "/infraspec-sandbox"
"""Where the process says which one it is: its pid and token."""
APPLIED_PATH = "/infraspec-sandbox/applied"
"""Where it keeps what was applied to it, for the operator's key alone: it may hold secrets, so it is in no file."""
_STOP_SECONDS = 5.0
_SHOWN_LINES = 20


class Settings(Struct, frozen=True):
    """What the process is told: whose AWS it is, and the access keys of the two who use it.

    `operator_key` may do everything, and `runner_key` is what a suite runs with. `token` is what the process shows to
    prove that it is this one. `port` 0 is any free one; `detached` lives on after the process that started it.
    """

    account: str
    region: str
    token: str
    operator_key: str
    runner_key: str
    port: int = 0
    detached: bool = False
    runner_policy: str = ""
    """JSON of the policy of the runner; without one it may do everything."""


class Child(Struct):
    """A sandbox process that listens on `port`."""

    process: subprocess.Popen[str]
    port: int
    _log: IO[bytes]

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error."""
        return "" if self._log.closed else _tail(self._log)

    def release(self) -> None:
        """Let a detached process live on by itself."""
        _close(self.process)
        self.process.returncode = 0  # nobody waits for it any more
        self._log.close()

    def stop(self) -> None:
        """End the process, and wait until it is gone; once is enough."""
        _end(self.process)
        self._log.close()


def spawn(settings: Settings, *, log: Path | None = None, seconds: float = START_SECONDS) -> Child:
    """Start a sandbox process and wait until it listens.

    `log` is the file that its standard error goes to, a temporary one by default. Raises SandboxError, with what the
    process wrote, if it ends or says nothing for `seconds`.
    """
    errors: IO[bytes] = log.open("w+b") if log else tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the child
    process = subprocess.Popen(
        [sys.executable, "-m", "infraspec.sandbox.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env=_environment(settings),
        start_new_session=settings.detached,
    )
    answer = _first_line(process, json.dumps(to_builtins(settings)), seconds)
    try:
        port = int(json.loads(answer or "")["port"])
    except (ValueError, KeyError, TypeError):
        late = answer is None
        _end(process)
        said = _tail(errors)
        errors.close()
        raise SandboxError(
            f"the sandbox did not start within {seconds:g} seconds" if late else "the sandbox ended while it started",
            found=said or "nothing on standard error",
            remedy="pip install 'pytest-infraspec[sandbox]', and another port if --port is in use",
        ) from None
    return Child(process, port, errors)


def _environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the process: no credentials of the one who starts it, and its own account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_", "COVERAGE_"))}
    packages = str(Path(__file__).resolve().parents[2])
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, kept.get("PYTHONPATH", "")])),
        "AWS_EC2_METADATA_DISABLED": "true",
        "MOTO_ACCOUNT_ID": settings.account,
        "MOTO_ALLOW_NONEXISTENT_REGION": "true",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    }


def _first_line(process: subprocess.Popen[str], configuration: str, seconds: float) -> str | None:
    """Tell the process its configuration and return what it says first: empty if it ends, None if it stays silent."""
    lines: list[str] = []

    def converse() -> None:
        try:
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            assert process.stdout is not None  # noqa: S101 - likewise
            process.stdin.write(configuration + "\n")
            process.stdin.flush()
            lines.append(process.stdout.readline())
        except (OSError, ValueError):
            return

    thread = threading.Thread(target=converse, daemon=True)
    thread.start()
    thread.join(seconds)
    return None if thread.is_alive() else "".join(lines)


def _end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _close(process)


def _close(process: subprocess.Popen[Any]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines()
    return "\n".join(lines[-_SHOWN_LINES:])


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Read what `spawn` told."""
    return Settings(**values)
