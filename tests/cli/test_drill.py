"""`infraspec drill`: the table, the page, the JSON document and the exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from infraspec.cli import main
from tests.plugin.project import REFERENCE


def run(*arguments: str, infra: Path = REFERENCE) -> tuple[int, str]:
    """Run the command on production of the reference."""
    result = CliRunner().invoke(main, ["drill", "--infra", str(infra), "--env", "prod", *arguments])
    return result.exit_code, result.output


def test_what_is_heard_of() -> None:
    """A failure that is heard of is a line: at which level, after how many minutes, by whom; the exit code is 0."""
    code, output = run("--only", "no-task", "--only", "secret-deleted")

    assert 0 == code
    assert output.splitlines() == [
        "Drill of prod: 4 of 4 failures are heard of in time",
        "failure             asked     verdict  level     minutes  who hears",
        "secret-deleted (3)  critical  heard    critical  1        chat email pager",
        "no-task             critical  heard    critical  5        chat email pager",
        "",
        "A quiet week",
        "0 false rings; in ALARM at its end: none",
    ]


def test_what_is_silent(tmp_path: Path) -> None:
    """A failure of which nobody hears has its reason and fix below the table and on the page; the exit code is 1."""
    infra, page = shutil.copytree(REFERENCE, tmp_path / "infra"), tmp_path / "drill.md"
    service = infra / "terraform/modules/monitoring/service.tf"
    head, _, _ = service.read_text(encoding="utf-8").partition('resource "aws_cloudwatch_metric_alarm" "latency"')
    service.write_text(head, encoding="utf-8")
    code, output = run("--only", "latency", "--markdown", str(page), infra=infra)

    assert 1 == code
    assert "why:   no alarm reads TargetResponseTime" in output
    assert "sends to the topic of level warning" in output
    assert "| latency | warning | silent |" in page.read_text(encoding="utf-8")
    assert all(len(line) <= 120 for line in output.splitlines())


def test_document() -> None:
    """Programs get every ring with its minute, source and channels."""
    code, output = run("--only", "replica-lag", "--format", "json")
    (failure,), week = json.loads(output)["failures"], json.loads(output)["quiet_week"]

    assert 0 == code
    assert ("heard", "warning", 3) == (failure["verdict"], failure["level"], failure["minutes"])
    assert [(3, ["chat", "email"])] == [(ring["minute"], ring["channels"]) for ring in failure["rings"]]
    assert {"false_rings": {}, "in_alarm": [], "not_evaluated": []} == week


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--only", "nothing"), "there is no such failure"),
        (("--only", "latency", "--markdown", "/"), "the report cannot be written"),
    ],
)
def test_wrong_input(arguments: tuple[str, ...], expected: str) -> None:
    """An unknown failure, or a page that cannot be written, is named; the exit code is 2."""
    code, output = run(*arguments)

    assert 2 == code
    assert expected in output
