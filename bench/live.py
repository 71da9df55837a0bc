"""Measure what 500 live tests cost beside one look at each service: every question is asked once in a run.

    python bench/live.py [--runs 5]

A sandbox holds the reference infrastructure. In turn, each in a process of its own: pytest with 500 tests that ask
nothing (the floor), one describe of each of 15 services, and pytest with 500 tests each of which asks one of these.
The last should take at most 1.5 times the first two together, as the median of the runs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from infraspec import contract as contracts
from infraspec.sandbox.running import start

REFERENCE = Path(__file__).resolve().parents[1] / "fixtures/daily-report-tool"
TARGET = 1.5
TESTS = 500
QUESTIONS = {
    "ecs": ("list_clusters", "clusterArns"),
    "rds": ("describe_db_instances", "DBInstances"),
    "secretsmanager": ("list_secrets", "SecretList"),
    "iam": ("list_roles", "Roles"),
    "kms": ("list_aliases", "Aliases"),
    "cloudwatch": ("describe_alarms", "MetricAlarms"),
    "sns": ("list_topics", "Topics"),
    "logs": ("describe_log_groups", "logGroups"),
    "ecr": ("describe_repositories", "repositories"),
    "elbv2": ("describe_load_balancers", "LoadBalancers"),
    "ec2": ("describe_security_groups", "SecurityGroups"),
    "s3": ("list_buckets", "Buckets"),
    "dynamodb": ("list_tables", "TableNames"),
    "ssm": ("describe_parameters", "Parameters"),
    "resourcegroupstaggingapi": ("get_resources", "ResourceTagMappingList"),
}
FLOOR = f"""
import pytest

@pytest.mark.parametrize("number", range({TESTS}))
def test_nothing(number):
    assert number >= 0
"""
ASKING = f"""
import pytest

pytestmark = pytest.mark.live
QUESTIONS = {[(service, *rest) for service, rest in QUESTIONS.items()]!r}

@pytest.mark.parametrize("number", range({TESTS}))
def test_service(snapshot, number):
    assert snapshot.pages(*QUESTIONS[number % len(QUESTIONS)]) is not None
"""
LOOK = f"""
from time import perf_counter
start = perf_counter()
from infraspec.aws.identity import Identity
from infraspec.aws.session import Clients
from infraspec.aws.snapshot import Snapshot
clients = Clients("{{region}}", is_local=True)
snapshot = Snapshot(clients, Identity.of(clients))
for question in {[(service, *rest) for service, rest in QUESTIONS.items()]!r}:
    snapshot.pages(*question)
print(perf_counter() - start)
"""


def main() -> int:
    """Print a table, and return 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    runs: int = parser.parse_args().runs
    contract = contracts.load(REFERENCE)
    with tempfile.TemporaryDirectory() as directory, start(contract, "dev") as running:
        folder = Path(directory)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_floor.py").write_text(FLOOR)
        (folder / "test_asking.py").write_text(ASKING)
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {**own, **running.environment}
        look = LOOK.replace("{region}", running.account.region)
        rows = [_row(folder, environment, look) for _ in range(runs + 1)][1:]  # the first reads everything into memory
    floor, looked, asked = (statistics.median(row[column] for row in rows) for column in range(3))
    ratio = statistics.median(row[2] / (row[0] + row[1]) for row in rows)
    print(f"pytest's floor, {TESTS} tests that ask nothing      {floor:6.2f} s")
    print(f"one describe of each of {len(QUESTIONS)} services           {looked:6.2f} s")
    print(f"{TESTS} live tests                              {asked:6.2f} s")
    print(f"live tests / (floor + describes)            {ratio:6.2f}    target <= {TARGET}")
    return int(ratio > TARGET)


def _row(folder: Path, environment: dict[str, str], look: str) -> tuple[float, float, float]:
    floor = _suite(folder, "test_floor.py", environment)
    looked = float(subprocess.check_output([sys.executable, "-c", look], env=environment, text=True))
    return floor, looked, _suite(folder, "test_asking.py", environment, "--infraspec-live")


def _suite(folder: Path, name: str, environment: dict[str, str], *options: str) -> float:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name, *options]
    began = time.perf_counter()
    subprocess.run(
        [*command, "--infraspec-dir", str(REFERENCE)], env=environment, cwd=folder, check=True, capture_output=True
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
