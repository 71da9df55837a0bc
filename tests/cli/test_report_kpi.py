"""`infraspec report kpi`: the success figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_report import report
from tests.plugin.project import REFERENCE
from tests.process.test_alerts import item

JUNE = ("--from", "2025-06-01", "--to", "2025-06-30")
CONTRACT = '[project]\napplication = "shop"\n[environments.prod]\nroot = "."\n'


def test_figures_of_the_reference(tmp_path: Path) -> None:
    """Its incident, the log of deployments beside it, pull requests and alarms; the plot is written."""
    (tmp_path / "merged.json").write_text(
        json.dumps([{"number": 1, "body": "- [x] 命名規則の遵守確認"}]), encoding="utf-8"
    )
    history = {"AlarmHistoryItems": [item("daily-report-tool-prod-cpu", "2025-06-10T10:05:00+09:00")]}
    (tmp_path / "alarms.json").write_text(json.dumps(history), encoding="utf-8")
    files = ("--pull-requests", "merged.json", "--alarms", "alarms.json", "--plot", "out/kpi.svg")
    ran = report(tmp_path, "kpi", "--infra", str(REFERENCE), "--env", "prod", *JUNE, *files)

    assert (0, "") == (ran.returncode, ran.stderr)
    for fragment in (
        "# daily-report-tool prod: success figures",
        "| Incidents | 1 | 0 |",
        "| Time to recovery | 45 min |",
        "| Checklist compliance | 6.2 % |",
        "| False alerts | 0.0 % |",
        "![The figures by month](out/kpi.svg)",
    ):
        assert fragment in ran.stdout
    assert (tmp_path / "out" / "kpi.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_how_often_levels_rang(tmp_path: Path) -> None:
    """Each alert of the period counts for the level of its alarm in the source; others are named, and left out."""
    prefix = "daily-report-tool-prod"
    alarms = (
        (f"{prefix}-application-down", "2025-06-10T10:05:00+09:00"),
        (f"{prefix}-cpu", "2025-06-11T10:05:00+09:00"),
        (f"{prefix}-cpu", "2025-06-12T10:05:00+09:00"),
        (f"{prefix}-cpu", "2025-07-12T10:05:00+09:00"),
        (f"{prefix}-no-healthy-target", "2025-06-10T10:04:00+09:00"),
        (f"{prefix}-gone", "2025-06-10T10:04:00+09:00"),
        ("daily-report-tool-dev-cpu", "2025-06-10T10:04:00+09:00"),
    )
    history = {"AlarmHistoryItems": [item(name, at) for name, at in alarms]}
    (tmp_path / "alarms.json").write_text(json.dumps(history), encoding="utf-8")
    options = ("--infra", str(REFERENCE), "--env", "prod", *JUNE, "--alarms", "alarms.json", "--levels")
    ran = report(tmp_path, "kpi", *options)

    assert (0, "") == (ran.returncode, ran.stderr)
    _, _, usage = ran.stdout.partition("## How often each level rang")
    assert "| environment | critical | warning | info | no level |" in usage
    assert "| prod | 1 | 2 | 0 | 1 |" in usage
    assert f"1 alerts are left out: the source of these environments has no such alarm: {prefix}-gone" in usage


def test_without_any_table(tmp_path: Path) -> None:
    """A contract of few lines has no figures, and that is no error."""
    (tmp_path / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "main.tf").touch()
    ran = report(tmp_path, "kpi", *JUNE)

    assert (0, "") == (ran.returncode, ran.stderr)
    assert 6 == ran.stdout.count("| unknown |")


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("--env", "production"), ["UnknownEnvironmentError", "production"]),
        (("--from", "2026-02-01", "--to", "2026-01-31"), ["ReportError: --from: the period ends before it begins"]),
        (("--from", "soon"), ["'soon' does not match"]),
        (("--deployments", "none.json"), ["ProcessFileError: none.json"]),
        (("--alarms", "none.json"), ["ProcessFileError: none.json"]),
        (("--levels",), ["ReportError: --levels: no history of alarms is given", "add --alarms"]),
        (("--pull-requests", "none.json"), ["ContractError", "the contract has no checklist"]),
        (("--infra", "none"), ["ContractError"]),
        (("--plot", "infraspec.toml/kpi.svg"), ["ReportError: --plot", "cannot be written"]),
    ],
)
def test_bad_input(tmp_path: Path, arguments: tuple[str, ...], fragments: list[str]) -> None:
    """The error says what is wrong, without a traceback."""
    (tmp_path / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "main.tf").touch()
    ran = report(tmp_path, "kpi", *arguments)

    assert (2, "") == (ran.returncode, ran.stdout)
    assert "Traceback" not in ran.stderr
    for fragment in fragments:
        assert fragment in ran.stderr
