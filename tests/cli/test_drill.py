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
        "Drill of prod: 4 of 4 failures raise an alert in time",
        "failure             asked     verdict  level     minutes  alerted",
        "secret-deleted (3)  critical  heard    critical  1        chat email pager",
        "no-task             critical  heard    critical  5        chat email pager",
        "",
        "A quiet week",
        "0 false alarms; in ALARM at its end: none",
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


def test_page_in_japanese(tmp_path: Path) -> None:
    """The page and what is printed have their frame in the language asked for; programs read the same keys."""
    page = tmp_path / "drill.html"
    code, output = run("--only", "replica-lag", "--lang", "ja", "--html", str(page))
    _, data = run("--only", "replica-lag", "--lang", "ja", "--format", "json")
    written = page.read_text(encoding="utf-8")

    assert 0 == code
    assert output.splitlines()[:3] == [
        "prod の障害訓練: 障害 1 件中 1 件が時間内に届く",
        "障害         要求     判定  レベル   分  通知先",
        "replica-lag  warning  届く  warning  3   chat email",
    ]
    assert '<html lang="ja">' in written
    assert "<h1>prod の障害訓練: 障害 1 件中 1 件が時間内に届く</h1>" in written
    assert '<td data-label="判定"><span class="pill proven">届く</span></td>' in written
    assert "heard" == json.loads(data)["failures"][0]["verdict"]


def test_language_of_the_contract(tmp_path: Path) -> None:
    """Without the option it is the one that the contract states."""
    infra = shutil.copytree(REFERENCE, tmp_path / "infra")
    contract = infra / "infraspec.toml"
    text = contract.read_text(encoding="utf-8")
    contract.write_text(text.replace("[project]", '[project]\nlanguage = "ja"', 1), encoding="utf-8")

    assert "障害のない一週間" in run("--only", "replica-lag", infra=infra)[1]
    assert "A quiet week" in run("--only", "replica-lag", "--lang", "en", infra=infra)[1]


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
        (("--only", "latency", "--html", "/"), "the report cannot be written"),
    ],
)
def test_wrong_input(arguments: tuple[str, ...], expected: str) -> None:
    """An unknown failure, or a page that cannot be written, is named; the exit code is 2."""
    code, output = run(*arguments)

    assert 2 == code
    assert expected in output
