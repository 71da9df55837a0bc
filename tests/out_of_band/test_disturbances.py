"""Whatever happens between the suite and AWS, nothing is said that is not so.

A run without more makes some of the disturbances; INFRASPEC_DISTURBANCES= makes all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.out_of_band.disturbances import read_disturbances

ROOT = Path(__file__).parents[2]
PATTERN = os.environ.get("INFRASPEC_DISTURBANCES", "is forbidden|versioning is empty|roles are|everything is empty")


def test_the_table_is_large() -> None:
    """Each has a name of its own."""
    found = list(read_disturbances())

    assert len(found) == len({one.name for one in found})
    assert len(found) >= 50


def test_nothing_is_said_that_is_not_so() -> None:
    """What could not be asked has no verdict, or is UNDETERMINED."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.out_of_band.disturbances", PATTERN]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    assert len(told) >= 4
    assert [] == [one for one in told if one.get("error") or one["wrong"] or one.get("ended")]
