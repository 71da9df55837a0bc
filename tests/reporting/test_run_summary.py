"""What a run writes on the terminal, without a run: every line, and its colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest._io import TerminalWriter

from infraspec import contract as contracts
from infraspec.contract.baseline import Baseline
from infraspec.core.errors import HclSyntaxError
from infraspec.core.finding import Finding, Verdict
from infraspec.reporting.run.recorder import Recorder
from infraspec.reporting.run.rule_result import judge
from infraspec.reporting.run.summary import Failure, arrange, write_summary
from tests.reporting.results import OWNERS, QUEUE
from tests.whole_results import Transcript

CONTRACT = """
[project]
application = "shop"

[environments.dev]
region = "eu-west-1"

[environments.prod]
region = "eu-west-1"

[suite]
allow_empty = ["nmaes"]

[[waivers]]
rule = "tags"
address = "aws_sqs_queue.waived"
reason = "it goes"
owner = "team"
expires = 2026-12-31

[[waivers]]
rule = "tags"
address = "aws_sqs_queue.unused"
reason = "it went"
owner = "team"
expires = 2026-12-31

[[waivers]]
rule = "tag"
address = "aws_sqs_queue.misspelt"
reason = "it never was"
owner = "team"
expires = 2026-12-31
"""
BASELINE = """{"version": 1, "expires": "2026-12-31", "findings": [
  {"rule": "names", "environment": "dev", "address": "aws_sqs_queue.known", "subject": ""}%s]}"""
GONE = """,
  {"rule": "names", "environment": "dev", "address": "aws_sqs_queue.gone%s", "subject": ""}"""
TODAY = date(2026, 12, 1)


class Screen:
    """A terminal that keeps what is written, with its markup, as pytest's reporter takes it."""

    def __init__(self, verbosity: int) -> None:
        self.verbosity = verbosity
        self.config = SimpleNamespace(getoption=lambda _name, default: default)
        self._tw = SimpleNamespace(fullwidth=80)
        self.lines: list[str] = [""]

    def section(self, title: str, sep: str) -> None:
        """Begin a section."""
        self.line(f"{sep * 3} {title} {sep * 3}")

    def write(self, text: str, **markup: bool) -> None:
        """Write a part of a line."""
        shown = "+".join(name for name, on in markup.items() if on)
        self.lines[-1] += f"<{shown}>{text}</>" if shown else text

    def line(self, text: str = "", **markup: bool) -> None:
        """Write the rest of a line."""
        self.write(text, **markup)
        self.lines.append("")


def _proven(rule: str, count: int, advice: int = 0) -> Iterator[Finding]:
    for number in range(count):
        better = {"advice": True, "remedy": f"do better {number}"} if number < advice else {}
        yield Finding(rule, Verdict.PROVEN, f"aws_sqs_queue.q{number}", found="a name", **better)  # type: ignore[arg-type]


def _report(test: str, environment: str, *records: dict[str, Any], **more: Any) -> pytest.TestReport:
    left = {"test": test, "environment": environment, "records": list(records), "live": False, "problem": None}
    outcome: Any = more.pop("outcome", "passed")
    longrepr = more.pop("longrepr", None)
    report = pytest.TestReport(test, ("x.py", 1, test), {}, outcome, longrepr, "call", duration=0.25)
    report.infraspec = {**left, **more}  # type: ignore[attr-defined]
    return report


@pytest.fixture
def reports(tmp_path: Path) -> tuple[contracts.Contract, Baseline, list[pytest.TestReport]]:
    """Return what the tests of a run left in which all that can be said is the case."""
    (tmp_path / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    contract = contracts.load(tmp_path, environments=())
    text = BASELINE % "".join(GONE % number for number in range(12))
    baseline = Baseline.from_json(text, place="baseline.json")
    known, waived = (Finding(rule, Verdict.VIOLATED, address, found="x", reason="y", remedy="z") for rule, address in
                     (("names", "aws_sqs_queue.known"), ("tags", "aws_sqs_queue.waived")))  # fmt: skip
    likewise = [Finding(QUEUE.rule, Verdict.VIOLATED, f"aws_sqs_queue.{name}", QUEUE.subject, QUEUE.location,
                        expected="shop-dev-*", found="jobs", reason=QUEUE.reason, remedy=QUEUE.remedy)
                for name in "ab"]  # fmt: skip
    broken = {"kind": "input", "error": "HclSyntaxError", "message": str(HclSyntaxError("no block"))}
    failing: dict[str, Any] = {"outcome": "failed", "longrepr": "not proven"}
    skipped: dict[str, Any] = {"outcome": "skipped", "longrepr": ("t.py", 3, "Skipped: no hosts")}

    def of(rule: str, findings: Iterable[Finding], environment: str) -> dict[str, Any]:
        return judge(rule, list(findings), contract, environment, TODAY, baseline=baseline).record()

    return (
        contract,
        baseline,
        [
            _report("t.py::test_tags[prod]", "prod", of("tags", [waived, *_proven("tags", 12, 11)], "prod")),
            _report("t.py::test_names[prod]", "prod", of("names", [*likewise, QUEUE], "prod"), **failing),
            _report("t.py::test_names[dev]", "dev", of("names", [known, QUEUE, *likewise], "dev"), **failing),
            _report("t.py::test_process", "repository", of("process", [OWNERS], "repository"), **failing),
            _report("t.py::test_alarms[dev]", "dev", of("alarms", [], "dev"), **failing),
            _report("t.py::test_plan[dev]", "dev", outcome="failed", problem=broken),
            _report("t.py::test_hosts[prod]", "prod", **skipped),
            _report("t.py::test_hosts[dev]", "dev", **skipped),
        ],
    )


@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_every_line(
    verbosity: int, reports: tuple[contracts.Contract, Baseline, list[pytest.TestReport]], transcript: Transcript
) -> None:
    """Findings come by cause and the table by environment; what is cut short says how to see the rest."""
    contract, baseline, left = reports
    config: Any = SimpleNamespace(stash={})
    screen: Any = Screen(verbosity)
    recorder = Recorder(config, 0.0)
    for report in left:
        recorder.pytest_runtest_logreport(report)
    recorder.pytest_runtest_logreport(pytest.TestReport("a/t.py::test_x", ("", 0, ""), {}, "failed", None, "???"))  # type: ignore[arg-type]
    arrange(failed := [report for report in left if report.failed], ["dev", "prod"], verbosity)
    for report in failed:
        longrepr: Any = report.longrepr
        longrepr.toterminal(screen) if hasattr(longrepr, "toterminal") else screen.line(str(longrepr))
    write_summary(screen, recorder, contract, baseline, str.upper)

    transcript(["\n".join(screen.lines)])


def test_long_texts_stay_below_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a terminal shows colours, a text goes on below its beginning; what is to be pasted is not broken."""
    monkeypatch.setenv("COLUMNS", "44")
    paste = '                 name = "a-long-name-that-is-to-be-pasted"'
    failure = Failure(
        f"    reason:      the name does not begin with the application\n    fix:         rename it:\n{paste}"
    )
    told = StringIO()
    terminal = TerminalWriter(told)
    terminal.hasmarkup = True
    failure.toterminal(terminal)
    plain = re.sub(r"\x1b\[\d+m", "", told.getvalue())
    assert "    reason:      the name does not begin\n                 with the application\n" in plain
    assert f"{paste}\n" in plain


def test_a_label_of_wide_characters_leaves_less_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is wider than the terminal where the label is Japanese, whose characters take two columns."""
    monkeypatch.setenv("COLUMNS", "44")
    told = StringIO()
    terminal = TerminalWriter(told)
    terminal.hasmarkup = True
    Failure("    reason:      the name does not begin in an application", "ja").toterminal(terminal)

    assert told.getvalue() == "    理由:        the name does not begin in\n                 an application\n"
