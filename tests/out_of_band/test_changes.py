"""What somebody changes out of band in the deployed reference is found, and what breaks nothing is not.

A run without more makes some of the changes, which a seed chooses; INFRASPEC_CHANGES=all makes all of them.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.out_of_band.changing import Change, read_changes

ROOT = Path(__file__).parents[2]
SEED = os.environ.get("INFRASPEC_CHANGES", "20261202")
CHANGES = list(read_changes())


def chosen() -> list[Change]:
    """Return the changes to make."""
    return CHANGES if SEED == "all" else random.Random(SEED).sample(CHANGES, 5)  # noqa: S311 - the same each time


def test_the_table_is_large_and_has_harmless_changes() -> None:
    """Each has a name of its own."""
    harmless = [one for one in CHANGES if one.verdict == "clean"]
    assert len(CHANGES) == len({one.name for one in CHANGES})
    assert len(CHANGES) >= 490
    assert len(harmless) * 3 >= len(CHANGES)


@pytest.mark.parametrize("pattern", ["|".join(f"^{re.escape(one.name)}$" for one in chosen())], ids=["chosen"])
def test_a_change_gets_its_verdict(pattern: str) -> None:
    """A harmful one by a rule that it names; of a harmless one nothing new is said."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.out_of_band", pattern]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(chosen()) == len(told)
    assert [] == [one for one in told if not one["right"]]
