"""What is printed to a full disk is an error of one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infraspec.core.runtime import write_whole

FULL = Path("/dev/full")
ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_full_disk() -> None:
    """There is no traceback, and the exit code is that of an error."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "infraspec", "rule"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            check=False,
        )

    assert (2, "ReportError: the output cannot be written: No space left on device\n") == (done.returncode, done.stderr)


def test_what_a_killed_run_left(tmp_path: Path) -> None:
    """A half file of a process that is no more goes with the next write; that of another run stays."""
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    for pid in (int(gone.stdout), os.getppid()):
        (tmp_path / f".results.json.{pid}.part").touch()
    write_whole(tmp_path / "results.json", b"{}")

    assert {"results.json", f".results.json.{os.getppid()}.part"} == {path.name for path in tmp_path.iterdir()}
