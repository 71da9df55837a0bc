"""What a run that is killed leaves behind ends by itself, or goes with the next run."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.project import CONTRACT, ROOT, Project

OWN = """
import json, os, signal, urllib.request, pytest

pytestmark = pytest.mark.live

def test_own(snapshot):
    answer = urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/infraspec-sandbox").read()
    print(json.loads(answer)["pid"], flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGHUP], ids=lambda one: one.name)
def test_no_process_outlives_a_killed_run(signal_: signal.Signals, tmp_path: Path) -> None:
    """Its sandbox ends with it."""
    infra = Project({"infraspec.toml": CONTRACT}).write(tmp_path / "infra")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_own.py").write_text(OWN)
    command = ("-m", "pytest", "test_own.py", "-s", "-p", "infraspec.plugin", "-p", "no:cacheprovider", "-q")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(
        [sys.executable, *command, "--infraspec-live", "--infraspec-dir", str(infra)],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": os.pathsep.join((str(ROOT / "plugins"), str(ROOT)))},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        sandbox = next(int(line) for line in process.stdout if line.strip().isdigit())
        descriptor = os.pidfd_open(sandbox)
        process.send_signal(signal_)
        ready, _, _ = select.select([descriptor], [], [], 30)
        os.close(descriptor)
        process.kill()

    assert ready
