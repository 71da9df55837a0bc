"""A whole run of the live suite in the sandbox reaches nothing but this machine, in none of its processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.plugin.project import ROOT

WITNESS = Path(__file__).with_name("witness")
REFERENCE = ROOT / "fixtures" / "daily-report-tool"
CONTRACT = """
[project]
application = "shop"

[environments.prod]
root = "."
region = "eu-west-1"
account_id = "111122223333"

[alarms]

[suite]
allow_empty = ["secret-access", "task-definitions"]
"""
SOURCE = """
provider "aws" {
  region = "eu-west-1"
}

resource "aws_sns_topic" "pager" {
  name = "pager"
}

resource "aws_sns_topic_subscription" "pager" {
  topic_arn = aws_sns_topic.pager.arn
  protocol  = "https"
  endpoint  = "https://pager.invalid/integration/x"
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "errors"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  metric_name         = "Errors"
  namespace           = "Shop"
  period              = 60
  statistic           = "Sum"
  threshold           = 1
  alarm_actions       = [aws_sns_topic.pager.arn]
}
"""
"""What an AWS would connect to: a pager's address."""
HERE = {"127.0.0.1", "::1", "localhost"}


def seen(program: Collection[str], directory: Path) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    """Run a program, and return it with process, event and host of each connection that it or a child begins."""
    noted = directory / "connections"
    noted.touch()
    packages = os.pathsep.join(map(str, (WITNESS, ROOT / "plugins", ROOT)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "INFRASPEC_"))}
    environment = {**kept, "PYTHONPATH": packages, "CONNECTIONS_NOTED_IN": str(noted)}
    done = subprocess.run(
        [sys.executable, *program], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    return done, [line.split(" ", 2) for line in noted.read_text().splitlines()]


@pytest.mark.parametrize(
    "program",
    [
        "import socket; socket.socket().connect_ex(('203.0.113.7', 9))",
        "import socket; socket.getaddrinfo('pager.invalid', 443)",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.7', 53))",
    ],
)
def test_a_connection_that_is_planted_is_seen(program: str, tmp_path: Path) -> None:
    """In a child of a child too."""
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}])"
    guarded = program.replace("import socket;", "import socket; socket.setdefaulttimeout(0.01);")
    _, found = seen(("-c", child.replace(program, guarded)), tmp_path)

    assert {"203.0.113.7", "pager.invalid"} & {host for _, _, host in found}


def _small(tmp_path: Path) -> Path:
    directory = tmp_path / "infra"
    directory.mkdir()
    (directory / "infraspec.toml").write_text(CONTRACT)
    (directory / "main.tf").write_text(SOURCE)
    return directory


def test_the_live_suite_stays_on_this_machine(tmp_path: Path) -> None:
    """Workers, the sandbox and what the suite starts ask the loopback address alone.

    It is a small infrastructure with a pager; with INFRASPEC_EDITS=all it is the reference, as in `make test-live`.
    """
    is_whole = os.environ.get("INFRASPEC_EDITS") == "all"
    suite = ("-m", "pytest", str(ROOT / "tests_live"), "-c", str(ROOT / "pytest.ini"), "-q", "-n", "2")
    infra = REFERENCE if is_whole else _small(tmp_path)
    done, found = seen((*suite, "-p", "no:cacheprovider", "--infraspec-dir", str(infra), "--rootdir", "."), tmp_path)

    assert done.returncode == 0 if is_whole else done.returncode in {0, 1}
    assert "passed" in done.stdout
    assert len({process for process, _, _ in found}) > 2
    assert [] == sorted({host for _, _, host in found} - HERE)
