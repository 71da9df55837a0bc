"""Run whole processes and measure them: wall time, CPU time and peak memory."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LIMIT = 900.0
"""Seconds after which a process is killed."""
_SHOWN = 300
_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")


class JobError(Exception):
    """A process did not end as it should; the message has the last of its output."""


@dataclass(frozen=True, slots=True)
class Job:
    """Commands that run one after the other, and the exit codes that mean they did their work."""

    tool: str
    commands: tuple[tuple[str, ...], ...]
    directory: Path
    exits: frozenset[int] = frozenset({0, 1})


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a job: seconds of wall and CPU time (children included), MiB at the peak, and what was printed."""

    wall: float
    cpu: float
    memory: float
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """Runs of two jobs in turn: A B A B."""

    first: tuple[Sample, ...]
    second: tuple[Sample, ...]

    def ratio(self, measure: str) -> float:
        """Return the median of the pairwise ratios of `wall`, `cpu` or `memory`."""
        return statistics.median(
            float(getattr(a, measure)) / float(getattr(b, measure))
            for a, b in zip(self.first, self.second, strict=True)
        )


def median(samples: Sequence[Sample]) -> Sample:
    """Return the medians of several runs, with the output of the last."""
    return Sample(
        statistics.median(sample.wall for sample in samples),
        statistics.median(sample.cpu for sample in samples),
        statistics.median(sample.memory for sample in samples),
        samples[-1].outputs,
    )


def alternate(first: Job, second: Job, runs: int, report: Callable[[str], None]) -> Pair:
    """Run two jobs in turn, so that a busy machine slows both. Raises JobError."""
    samples: tuple[list[Sample], list[Sample]] = ([], [])
    for turn in range(runs):
        for job, collected in zip((first, second), samples, strict=True):
            report(f"{job.tool}, run {turn + 1} of {runs}")
            collected.append(run(job))
    return Pair(tuple(samples[0]), tuple(samples[1]))


def run(job: Job) -> Sample:
    """Run a job once. Raises JobError."""
    samples = [_run_command(job, command) for command in job.commands]
    return Sample(
        sum(sample.wall for sample in samples),
        sum(sample.cpu for sample in samples),
        max(sample.memory for sample in samples),
        tuple(output for sample in samples for output in sample.outputs),
    )


def environment() -> Mapping[str, str]:
    """Return the environment of every measured process: byte code is used, nothing is injected."""
    return {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}


def _run_command(job: Job, command: Sequence[str]) -> Sample:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=job.directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            start_new_session=True,
        )
        limit = threading.Timer(_LIMIT, _kill, [process])
        limit.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _kill(process)
            raise
        finally:
            limit.cancel()
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output = _text(out.fileno())
        if process.returncode not in job.exits:
            said = (_text(errors.fileno()).strip() or output.strip())[-_SHOWN:]
            raise JobError(f"failed with exit {process.returncode} after {wall:.0f} s: {' '.join(said.split())}")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    unit = 2**20 if os.uname().sysname == "Darwin" else 2**10
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, (output,))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and those it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _text(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, encoding="utf-8", errors="replace", closefd=False) as file:
        return file.read()
