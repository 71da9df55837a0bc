"""What the sandbox cannot have is undetermined in a live run, and told once; the rest is judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SOURCE = """
provider "aws" {
  region = "eu-west-1"
}
resource "aws_sqs_queue" "orders" {
  name = "orders"
}
resource "aws_pipes_pipe" "orders" {
  name     = "orders"
  role_arn = "arn:aws:iam::111122223333:role/pipe"
  source   = aws_sqs_queue.orders.arn
  target   = aws_sqs_queue.orders.arn
}
resource "aws_batch_job_definition" "import" {
  name = "import"
  type = "container"
}
resource "aws_codepipeline" "release" {
  name     = "release"
  role_arn = "arn:aws:iam::111122223333:role/pipeline"
}
"""
CONTRACT = """
[project]
application = "app"

[environments.prod]
root = "."
account_id = "111122223333"
region = "eu-west-1"
"""


def test_what_cannot_be_applied_is_undetermined(tmp_path: Path) -> None:
    """A type that the sandbox does not know is not said to be missing, by any rule."""
    (tmp_path / "main.tf").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    rules = "test_drift or test_task_access or test_workload_access"
    command = [sys.executable, "-m", "infraspec", "check", "--live", "--results", "results.json", "--", "-k", rules]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    findings = [one["finding"] for one in results["findings"]]
    found = [(one["rule"], one["address"], one["verdict"]) for one in findings]

    left_out = "1 aws_batch_job_definition, 1 aws_codepipeline, 1 aws_pipes_pipe"
    assert f"the sandbox has 1 of 4, without {left_out}" in run.stdout
    assert ("drift", "aws_codepipeline.release", "undetermined") in found
    assert ("task-access", "aws_pipes_pipe.orders", "undetermined") in found
    assert ("workload-access", "aws_batch_job_definition.import", "undetermined") in found
    assert [] == [one for one in found if one[2] == "violated"]


def test_a_kept_sandbox_tells_what_it_could_not_apply(tmp_path: Path) -> None:
    """What AWS refused is undetermined, and what nobody has applied yet is violated."""
    refused = 'resource "aws_sns_topic" "refused" {\n  name = "a.b"\n}\n'
    (tmp_path / "main.tf").write_text(SOURCE + refused, encoding="utf-8")
    (tmp_path / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ = {**inherited, "XDG_RUNTIME_DIR": str(tmp_path)}

    def infraspec(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infraspec", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False
        )

    def drift() -> dict[str, str]:
        infraspec("check", "--live", "--results", "results.json", "--", "-k", "test_drift")
        results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
        return {one["finding"]["address"]: one["finding"]["verdict"] for one in results["findings"]}

    assert 0 == infraspec("sandbox", "up", "--infra", ".", "--detach").returncode
    try:
        kept = json.loads((tmp_path / "infraspec/sandbox.json").read_text(encoding="utf-8"))
        environ |= {"AWS_ENDPOINT_URL": kept["endpoint"]} | kept["runner"]
        before = drift()
        lost = 'resource "aws_sns_topic" "new" {\n  name = "new"\n}\n'
        (tmp_path / "main.tf").write_text(SOURCE + refused + lost, encoding="utf-8")
        after = drift()
    finally:
        infraspec("sandbox", "down")

    assert "undetermined" == before["aws_sns_topic.refused"]
    assert {"aws_sns_topic.refused": "undetermined", "aws_sns_topic.new": "violated"}.items() <= after.items()
