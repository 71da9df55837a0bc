"""Answers of AWS that the processes of a run share: a question that one of them has asked, the others read.

The files are in a directory that only the user of the run can read, and that goes with the run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from infraspec.errors import (
    AwsError,
    CredentialsError,
    GuardError,
    InfraspecError,
    ResourceRefusalError,
    RunnerPermissionError,
)

_KINDS = (AwsError, CredentialsError, GuardError, ResourceRefusalError, RunnerPermissionError)
_ERRORS = {kind.__name__: kind for kind in _KINDS}
_SECONDS = 600


class Store:
    """A file for each question, and a lock for the time that one process asks it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def answer(self, label: str, key: str, fetch: Callable[[], Any]) -> Any:
        """Return the answer to a question, an InfraspecError if it is one, asking if no process has yet.

        `key` tells the question from every other, `label` is a word for people. Raises AwsError if the process that
        asks does not come to an end.
        """
        path = self._directory / f"{label}-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        if path.exists():
            return _decoded(path.read_bytes())
        try:
            with FileLock(f"{path}.lock", timeout=_SECONDS):
                if path.exists():
                    return _decoded(path.read_bytes())
                answer = fetch()
                self._keep(path, answer)
                return answer
        except OSError as error:
            if not isinstance(error, Timeout):
                return fetch()
            raise AwsError(f"another process has asked for {label} for {_SECONDS // 60} minutes") from None

    @staticmethod
    def _keep(path: Path, answer: Any) -> None:
        """Write an answer whole or not at all; where the disk is full, the next process asks for itself."""
        part = path.with_name(f"{path.name}.part")
        try:
            part.write_bytes(_encoded(answer))
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)


def _encoded(answer: Any) -> bytes:
    if isinstance(answer, InfraspecError):
        return msgspec.msgpack.encode({"error": type(answer).__name__, "state": answer.__dict__})
    return msgspec.msgpack.encode({"answer": answer})


def _decoded(content: bytes) -> Any:
    found = msgspec.msgpack.decode(content)
    if "error" in found:
        state = found["state"]
        return _ERRORS[found["error"]](state.pop("message"), **state)
    return found["answer"]
