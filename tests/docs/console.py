"""Run the commands of a page in one shell, in order, and tell what each printed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_MARK = "@@@@ "


@dataclass(frozen=True)
class Step:
    """A command as the page has it, and the output that the page shows below it ("" if none)."""

    command: str
    output: str = ""


@dataclass(frozen=True)
class Result:
    """What a command printed, standard error included, and its exit code."""

    printed: str
    code: int


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of a block: the lines after `$ ` and what stands below them, or without a prompt all lines."""
    text = re.sub(r"\\\n\s*", " ", text)
    if not re.search(r"^\$ ", text, re.MULTILINE):
        yield from (Step(line) for line in text.splitlines() if line)
        return
    before, *parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not before, f"before the first command stands {before}"
    for part in parts:
        command, _, output = part.partition("\n")
        yield Step(command, output.strip("\n"))


def run(commands: Sequence[str], directory: Path, environment: Mapping[str, str]) -> list[Result]:
    """Run commands in one bash, so that `cd` and `export` last; all are run, whatever their exit codes are."""
    script = "".join(f"printf '{_MARK}%s\\n' 0\n{command}\nprintf '\\n{_MARK}%s\\n' $?\n" for command in commands)
    log = directory.with_suffix(".log")
    with log.open("wb") as file:  # not a pipe: what a command leaves running would keep it open
        subprocess.run(
            ["bash", "-c", script], cwd=directory, env=environment, stdout=file, stderr=subprocess.STDOUT, check=True
        )
    parts = re.split(rf"^{_MARK}(\d+)\n", log.read_text(encoding="utf-8"), flags=re.MULTILINE)
    results = [Result(parts[at + 1].removesuffix("\n"), int(parts[at + 2])) for at in range(1, len(parts) - 2, 4)]
    assert len(results) == len(commands), parts[-1]
    return results


def install(binaries: Path, programs: Mapping[str, str]) -> None:
    """Write programs, each a line of a shell that takes the arguments as "$@"."""
    binaries.mkdir(parents=True, exist_ok=True)
    for name, line in programs.items():
        path = binaries / name
        path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        path.chmod(0o755)


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """Return an environment with nothing of the one who runs the tests: no credentials, no configuration."""
    return {
        "PATH": os.pathsep.join([str(home / "bin"), os.defpath]),
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }
