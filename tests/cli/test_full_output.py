"""What is printed to a full disk is an error of one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infraspec.core.runtime import write_whole
from infraspec.reporting.run.results import encode
from tests.reporting.results import RESULTS

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


WRITING = {
    "fix infra --env prod --write": 0,
    "init empty": 0,
    "report site results.json --store store": 0,
    "report kpi --infra infra --deployments none --pull-requests merged.json --alarms alarms.json --plot x.svg": 0,
    "drill --infra infra --env prod --only secret-deleted --markdown drill.md": 0,
    "drill --infra infra --env prod --only secret-deleted --html drill.html": 0,
    "check --infra infra --env prod --rule secret-access --results out.json -- -p no:cacheprovider": 2000,
    "check --infra infra --env prod --rule secret-access -- -p no:cacheprovider --junitxml junit.xml": 2000,
    "check --infra infra --env prod --rule secret-access -- -p no:cacheprovider --alluredir allure": 2000,
}
"""Commands that write files, and how many bytes a file may have: pytest needs some for what it captures."""

LIMITED = """
import resource, runpy, signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
runpy.run_module("infraspec", run_name="__main__")
"""


@pytest.mark.parametrize("command", WRITING)
def test_a_full_disk_under_each_file(tmp_path: Path, command: str) -> None:
    """Whatever a command writes: the error names what could not be written, and all files are as they were."""
    shutil.copytree(ROOT / "fixtures/incident-v16", tmp_path / "infra")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/main.tf").write_text('resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n', encoding="utf-8")
    (tmp_path / "results.json").write_bytes(encode(RESULTS))
    (tmp_path / "merged.json").write_text("[]", encoding="utf-8")
    (tmp_path / "alarms.json").write_text('{"AlarmHistoryItems": []}', encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "none").touch()
    before = contents(tmp_path)
    limited = LIMITED.format(room=WRITING[command])
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", limited, *command.split()],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode in {2, 4}
    assert "File too large" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert before == {
        name: one for name, one in contents(tmp_path).items() if one and not name.startswith(("allure", "junit"))
    }


def contents(directory: Path) -> dict[str, bytes]:
    """Return the files below a directory that are not empty."""
    files = [path for path in directory.rglob("*") if path.is_file() and path.stat().st_size]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def test_what_a_killed_run_left(tmp_path: Path) -> None:
    """A half file of a process that is no more goes with the next write; that of another run stays."""
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    for pid in (int(gone.stdout), os.getppid()):
        (tmp_path / f".results.json.{pid}.part").touch()
    write_whole(tmp_path / "results.json", b"{}")

    assert {"results.json", f".results.json.{os.getppid()}.part"} == {path.name for path in tmp_path.iterdir()}
