"""A pytest plugin for runs of the live suite against a peer of the sandbox: its declared gaps are skips with a reason.

It is no part of the package. `pytest -p tools.peer.gaps --peer-gaps FILE` loads it, for a run with ENV=local that
AWS_ENDPOINT_URL leads to another AWS on this machine; on an account it refuses to run.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import LOCAL
from infraspec.pytest_plugin.fixtures import session_of
from infraspec.reporting.run.recorder import left_by

_NAME = "peer-gaps"
_BAD = ("failing", "warning")


@dataclass(frozen=True, slots=True)
class Gap:
    """What a peer does otherwise than AWS: a kind of finding, or an operation that it does not answer."""

    reason: str = ""
    rule: str = ""
    types: tuple[str, ...] = ()
    subject: str = ""
    found: str = ""
    operation: str = ""

    @classmethod
    def read(cls, path: Path) -> tuple[Gap, ...]:
        """Return the gaps of a file. Raises ValueError for one that is about everything, TypeError for unknown keys."""
        gaps = tuple(
            cls(**{**table, "types": tuple(table.get("types", ()))}) for table in tomllib.loads(path.read_text())["gap"]
        )
        for gap in gaps:
            if not gap.reason or bool(gap.operation) == bool(gap.rule and (gap.types or gap.subject)):
                raise ValueError(f"{path.name}: a gap has a reason, and a rule with types or subject, or an operation")
        return gaps

    def has_finding(self, finding: Mapping[str, Any]) -> bool:
        """Tell whether a finding comes of it."""
        types = re.findall(r"\baws_\w+", finding["address"])
        return (
            self.rule == finding["rule"]
            and (not self.types or not set(self.types).isdisjoint(types))
            and self.subject in {"", finding["subject"]}
            and self.found in finding["found"]
        )

    def has_problem(self, problem: Mapping[str, str]) -> bool:
        """Tell whether an error of a test comes of it."""
        asked = problem["error"] == "AwsError" and problem["message"].startswith(f"{self.operation} in ")
        return bool(self.operation) and asked


class Gaps:
    """The gaps of a peer, and how often each was met."""

    def __init__(self, name: str, gaps: Iterable[Gap]) -> None:
        self.name = name
        self.gaps = tuple(gaps)
        self.met: Counter[Gap] = Counter()

    def explained(self, left: Mapping[str, Any]) -> Counter[Gap] | None:
        """Return the gaps that all of what a test has left comes of; None if something does not."""
        met: Counter[Gap] = Counter()
        findings = [
            entry["finding"] for record in left["records"] for entry in record["findings"] if entry["state"] in _BAD
        ]
        problems = [left["problem"]] if left["problem"] else []
        found = [next((gap for gap in self.gaps if gap.has_finding(finding)), None) for finding in findings]
        found += [next((gap for gap in self.gaps if gap.has_problem(problem)), None) for problem in problems]
        for gap in found:
            if gap is None:
                return None
            met[gap] += 1
        return met or None

    @property
    def unused(self) -> tuple[Gap, ...]:
        """The gaps that nothing came of: the peer has closed them."""
        return tuple(gap for gap in self.gaps if gap not in self.met)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Skip a test that has failed by declared gaps alone."""
        report = yield
        left = left_by(report)
        if left is not None and report.failed and (met := self.explained(left)):
            self.met += met
            reasons = "; ".join(f"{count} x {gap.reason}" for gap, count in met.items())
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, f"Skipped: {self.name}: {reasons}")
            left["problem"] = None  # type: ignore[index] # what a report carries is a dict
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a whole run that did not need a gap."""
        if self._is_whole(session.config) and self.unused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @staticmethod
    def _is_whole(config: pytest.Config) -> bool:
        return not any(config.getoption(name, None) for name in ("keyword", "markexpr", "deselect"))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Count the gaps."""
        terminalreporter.section(f"gaps of {self.name}: {self.met.total()} in {len(self.met)} declared", "-")
        for gap, count in self.met.items():
            terminalreporter.line(f"{count:4}  {gap.rule or gap.operation:16}{gap.reason}")
        for gap in self.unused if self._is_whole(terminalreporter.config) else ():
            terminalreporter.line(f"unused {gap.rule or gap.operation}: {gap.reason}", red=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.addoption("--peer-gaps", type=Path, required=True, help="the file of the gaps of a peer")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the gaps, for a run that asks an AWS on this machine alone."""
    if session_of(config).settings.named != [LOCAL] or not os.environ.get("AWS_ENDPOINT_URL"):
        raise pytest.UsageError("gaps are those of a peer: --infraspec-env local, and AWS_ENDPOINT_URL leads to it")
    path: Path = config.getoption("--peer-gaps")
    config.pluginmanager.register(Gaps(path.stem, Gap.read(path)), _NAME)
