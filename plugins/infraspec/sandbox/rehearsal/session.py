"""One shell session, as somebody on call has it: steps one after the other, each with its own time, output, exit code.

Nothing is read from standard input. A step that takes too long is ended together with all that it has started.
Source: GNU Bash Manual, "The Set Builtin" (`nounset`, `pipefail`), "Bourne Shell Builtins" (`.`).
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from msgspec import Struct

MOST_OUTPUT = 20_000
"""How many bytes of a step's output are kept."""
_ENDED_BY_TIME = 124
_DRIVER = """set -uo pipefail
for step in "$@"; do
  read -r _ <&{go} || exit 0
  . "$step" </dev/null >"$step.out" 2>&1 {go}<&- {told}>&-
  printf '%s\\n' "$?" >&{told}
done
"""


class StepResult(Struct, frozen=True):
    """How a step ended. `is_late` says that it was ended since it took too long."""

    exit_code: int
    seconds: float
    output: str
    is_late: bool = False


class ShellSession:
    """A bash that runs steps when it is told to. Its variables last from step to step."""

    def __init__(self, steps: Sequence[str], directory: Path, scratch: Path, environment: Mapping[str, str]) -> None:
        self._files = [scratch / f"step-{number}.sh" for number, _ in enumerate(steps, 1)]
        for file, text in zip(self._files, steps, strict=True):
            file.write_text(text + "\n", encoding="utf-8")
        go, self._go = os.pipe()
        self._told, told = os.pipe()
        driver = scratch / "session.sh"
        driver.write_text(_DRIVER.format(go=go, told=told), encoding="utf-8")
        self._errors = (scratch / "session.err").open("w+b")
        self._process = subprocess.Popen(  # noqa: S603 - the steps are what was asked for
            ["/usr/bin/env", "bash", "--noprofile", "--norc", str(driver), *map(str, self._files)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            cwd=directory,
            env=dict(environment),
            pass_fds=(go, told),
            start_new_session=True,
        )
        os.close(go)
        os.close(told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._errors.close()
        os.close(self._go)
        os.close(self._told)

    def run(self, number: int, seconds: float) -> StepResult:
        """Run the step of a number, from 1, for so many seconds at most."""
        began = monotonic()
        os.write(self._go, b"\n")
        is_ready = bool(select.select([self._told], [], [], seconds)[0])
        said = os.read(self._told, 16) if is_ready else b""
        if not is_ready:
            self._end()
        took = monotonic() - began
        code = int(said) if said.strip().isdigit() else self._code(is_late=not is_ready)
        return StepResult(code, took, self._output(number), is_late=not is_ready)

    def _code(self, *, is_late: bool) -> int:
        """Return the exit code of a session that ended in a step, such as at an unset variable."""
        return _ENDED_BY_TIME if is_late else self._process.wait() or 1

    def _output(self, number: int) -> str:
        file = self._files[number - 1].with_suffix(".sh.out")
        said = file.read_bytes() if file.exists() else b""
        if self._process.poll() is not None:
            self._errors.seek(0)
            said += self._errors.read()
        text = said[:MOST_OUTPUT].decode("utf-8", "replace")
        return text.replace(f"{self._files[number - 1]}: ", "").rstrip()

    def _end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
