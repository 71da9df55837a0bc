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
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from msgspec import Struct, field, to_builtins

from infraspec.core.errors import SandboxError
from infraspec.core.runtime import installation

if TYPE_CHECKING:
    import boto3

START_SECONDS = 60.0
"""How long the process may take until it listens; one to two seconds are usual."""
IDENTITY_PATH = "/infraspec-sandbox"
"""Where the process says which one it is: its pid and token."""
APPLIED_PATH = "/infraspec-sandbox/applied"
INBOX_PATH = "/infraspec-sandbox/inbox"
"""Where it keeps what was applied to it, for the operator's key alone: it may hold secrets, so it is in no file."""
_STOP_SECONDS = 5.0
_SHOWN_LINES = 20


_SECRET = "sandbox"  # noqa: S105 - the sandbox does not look at signatures


class Account(Struct):
    """An account and region behind an endpoint, with the access key of one who asks."""

    endpoint: str
    account: str
    region: str
    partition: str
    key: str
    _session: boto3.Session | None = None
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service, made once."""
        place = (service, region or self.region)
        if place not in self._clients:
            self._clients[place] = self._make(*place)
        return self._clients[place]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def close(self) -> None:
        """Close the connections of all clients; a client that is asked for afterwards is a new one."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def environment(self) -> dict[str, str]:
        """Return the environment variables by which the AWS SDKs and the AWS CLI ask this account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _make(self, service: str, region: str) -> Any:
        import boto3  # noqa: PLC0415 - the static path never imports it
        from botocore.config import Config  # noqa: PLC0415 - likewise

        from infraspec.aws.guard import GUARD  # noqa: PLC0415 - likewise

        if self._session is None:
            with GUARD.permitting():  # a sandbox is filled by writes, and leaves this machine with none
                self._session = boto3.Session(self.key, _SECRET, region_name=self.region)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=60,
            parameter_validation=True,
            s3={"addressing_style": "path"},
        )
        return self._session.client(service, region_name=region, endpoint_url=self.endpoint, config=config)


class ServerSettings(Struct, frozen=True):
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


def spawn(settings: ServerSettings, *, log: Path | None = None, seconds: float = START_SECONDS) -> Child:
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
            remedy=f"{installation('sandbox')}, and another port if --port is in use",
        ) from None
    return Child(process, port, errors)


def _environment(settings: ServerSettings) -> dict[str, str]:
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
