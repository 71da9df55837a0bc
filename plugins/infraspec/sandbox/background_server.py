"""The one sandbox that a developer keeps running: what is known of it, and whether it still runs.

Its file lies in the user's runtime directory ($XDG_RUNTIME_DIR) or, without one, in the cache directory, readable for
the user alone: it holds the access keys of the sandbox.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError
from urllib.request import Request, urlopen

from msgspec import Struct, to_builtins

from infraspec.core.errors import SandboxError
from infraspec.sandbox.applying import AppliedPlan
from infraspec.sandbox.server_process import APPLIED_PATH, IDENTITY_PATH, INBOX_PATH, Account

_ANSWER_SECONDS, _STOP_SECONDS, _POLL_SECONDS = 2.0, 10.0, 0.02


class Kept(Struct, frozen=True):
    """A sandbox that was started to be kept. `runner` and `operator` are the variables of those who ask it.

    It holds what `environment` of the repository `infra` says.
    """

    pid: int
    token: str
    endpoint: str
    infra: str
    environment: str
    account: str
    partition: str
    runner: Mapping[str, str]
    operator: Mapping[str, str]

    def __post_init__(self) -> None:
        """Raise ValueError if it lacks what its operator asks with."""
        if missing := {"AWS_ACCESS_KEY_ID", "AWS_REGION"} - self.operator.keys():
            raise ValueError(f"operator lacks {', '.join(sorted(missing))}")

    @classmethod
    def read(cls) -> Self | None:
        """Return what the file says, None without one. Raises SandboxError if it cannot be understood."""
        path = state_file()
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise SandboxError(
                "the file of the sandbox cannot be read",
                place=str(path),
                found=f"{type(error).__name__}: {error}",
                remedy=f"end the sandbox by its process id, then rm {path}",
            ) from None

    def write(self) -> None:
        """Write the file. Raises SandboxError if that cannot be done."""
        self.write_to(state_file())

    def write_to(self, path: Path) -> None:
        """Write it to another file. Raises SandboxError if that cannot be done."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_text(json.dumps(to_builtins(self), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise SandboxError(
                "the file of the sandbox cannot be written",
                place=str(path),
                found=str(error),
                remedy="set XDG_RUNTIME_DIR to a directory that you may write",
            ) from None

    @property
    def runs(self) -> bool:
        """Whether a process answers at the endpoint that is this very one."""
        try:
            with urlopen(self.endpoint + IDENTITY_PATH, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - loopback
                told: dict[str, Any] = json.load(answer)
        except (URLError, OSError, ValueError):
            return False
        return (told.get("pid"), told.get("token")) == (self.pid, self.token)

    def deployment(self) -> AppliedPlan:
        """Return what has been applied to it, to go on with. Raises SandboxError if it does not answer."""
        key, region = self.operator["AWS_ACCESS_KEY_ID"], self.operator["AWS_REGION"]
        state = json.loads(self._applied())
        return AppliedPlan.restored(Account(self.endpoint, self.account, region, self.partition, key), state)

    def remember(self, deployment: AppliedPlan) -> None:
        """Let its process keep what has been applied to it. Raises SandboxError if it does not answer."""
        self._applied(json.dumps(deployment.state()).encode())

    def inbox(self) -> list[Mapping[str, str]]:
        """Return what was sent to people and other systems. Raises SandboxError if it does not answer."""
        told: list[Mapping[str, str]] = json.loads(self._asked(INBOX_PATH))
        return told

    def _applied(self, state: bytes | None = None) -> bytes:
        return self._asked(APPLIED_PATH, state)

    def _asked(self, path: str, state: bytes | None = None) -> bytes:
        headers = {"Authorization": self.operator["AWS_ACCESS_KEY_ID"]}
        method = "GET" if state is None else "PUT"
        asked = Request(self.endpoint + path, state, headers, method=method)  # noqa: S310 - loopback
        try:
            with urlopen(asked, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - likewise
                told: bytes = answer.read()
        except (URLError, OSError) as error:
            raise SandboxError(
                "the sandbox does not answer", place=self.endpoint, found=str(error), remedy="infraspec sandbox down"
            ) from None
        return told

    def end(self) -> None:
        """End its process, and no other: it has just said that it is this one. Raises SandboxError if it stays."""
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self.runs:
            if time.monotonic() > deadline:
                raise SandboxError(
                    "the sandbox does not end", place=f"process {self.pid}", remedy=f"kill -9 {self.pid}"
                )
            time.sleep(_POLL_SECONDS)


def state_file() -> Path:
    """Return where the sandbox of this user is noted."""
    runtime = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("XDG_CACHE_HOME")
    return (Path(runtime) if runtime else Path.home() / ".cache") / "infraspec" / "sandbox.json"


def log_file() -> Path:
    """Return where a detached sandbox writes what goes wrong in it."""
    return state_file().with_name("sandbox.log")


def forget() -> None:
    """Remove the file."""
    state_file().unlink(missing_ok=True)
