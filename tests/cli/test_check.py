"""`infraspec check`: the suites of pytest behind one command, each case in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.terraform.sources import write

CONTRACT = """
[project]
application = "app"

[environments.prod]
root = "terraform"

[suite]
allow_empty = ["*"]

[names.patterns]
aws_sqs_queue = "app-{name}"
"""
QUEUE = 'resource "aws_sqs_queue" "q" {\n  name = "%s"\n}\n'


def check(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a directory."""
    command = [sys.executable, "-m", "infraspec", "check", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("name", "code"), [("app-orders", 0), ("orders", 1)])
def test_the_contract_above_is_found(tmp_path: Path, name: str, code: int) -> None:
    """In a folder of the repository the suite judges the repository; the exit code is pytest's."""
    write(tmp_path, {"infraspec.toml": CONTRACT, "terraform/main.tf": QUEUE % name})
    done = check(tmp_path / "terraform", "--rule", "names", "--env", "prod", "--", "-p", "no:cacheprovider")
    assert (code, "") == (done.returncode, done.stderr)
    assert f"infraspec: {tmp_path} (option), prod (option)" in done.stdout
    assert ("VIOLATED names: aws_sqs_queue.q" in done.stdout) is (code == 1)
    assert "source  " not in done.stdout


@pytest.mark.parametrize(
    ("files", "arguments", "code", "said"),
    [
        ({"README.md": ""}, (), 4, "there is no Terraform either"),
        ({"main.tf": ""}, (), 4, "run `infraspec init`"),
        ({"main.tf": ""}, ("--rule", "nmaes"), 2, "--rule nmaes: unknown rule"),
        ({"main.tf": ""}, ("--rule", "nmaes"), 2, "did you mean `names`?"),
        ({"main.tf": ""}, ("--rooot", "x"), 2, "No such option '--rooot'"),
        ({"main.tf": ""}, ("-q",), 2, "Options of pytest come after `--`: infraspec check -- -x"),
        ({"main.tf": ""}, ("--infra", "nowhere"), 4, "there is no such directory"),
        ({"infraspec.toml": CONTRACT, "terraform/main.tf": ""}, ("--env", "prd"), 4, "did you mean `prod`?"),
        (
            {"infraspec.toml": CONTRACT, "terraform/main.tf": ""},
            ("--", "--rooot"),
            4,
            "unrecognized arguments: --rooot",
        ),
    ],
)
def test_wrong_input(tmp_path: Path, files: dict[str, str], arguments: tuple[str, ...], code: int, said: str) -> None:
    """Wrong input is said without a traceback, also of an option that is pytest's."""
    write(tmp_path, files)
    done = check(tmp_path, *arguments)
    assert code == done.returncode
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
