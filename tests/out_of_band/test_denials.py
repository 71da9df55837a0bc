"""A read that AWS refuses leaves open what rests on it, which says the statement to add, and nothing else."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATTERN = os.environ.get(
    "INFRASPEC_DENIALS",
    "iam.GetRole$|ecs.DescribeServices|events.ListRules|s3.GetBucket[EPV]|s3.ListBuckets|resourcegroupstaggingapi",
)
"""What is refused, one after the other: some of each kind; an empty text refuses each."""
ACCESS = ("secret-access", "secret-chain", "secret-readers", "policies", "task-definitions")


@pytest.fixture(scope="module")
def refused() -> list[dict[str, Any]]:
    """Return what refusing each operation does."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.out_of_band.denials", PATTERN]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_no_verdict_is_wrong(refused: list[dict[str, Any]]) -> None:
    """What rested on the answer is UNDETERMINED; no test is broken for it."""
    assert len(refused) >= 6
    assert [] == [one for one in refused if one.get("error") or one["wrong"] or one["broken"]]


def test_what_is_open_names_the_statement_to_add(refused: list[dict[str, Any]]) -> None:
    """Each finding that only the refusal leaves open does."""
    assert {} == {one["operation"]: one["unnamed"] for one in refused if one["unnamed"]}


def test_most_verdicts_are_left(refused: list[dict[str, Any]]) -> None:
    """At most fifteen go with the median of the operations, and a third with any of them."""
    gone = [one["of"] - one["left"] for one in refused]

    assert statistics.median(gone) <= 15
    assert [] == [one["operation"] for one in refused if (one["of"] - one["left"]) * 3 > one["of"]]


def test_tags_leave_access_decided(refused: list[dict[str, Any]]) -> None:
    """What may do what does not rest on the tags that one service tells of all."""
    (of_tags,) = (one for one in refused if one["operation"].startswith("resourcegroupstaggingapi"))

    assert [] == [rule for rule in of_tags["open"] if rule in ACCESS]
