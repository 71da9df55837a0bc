"""What tests leave for reports, collected on the controller: records of rules, problems, skipped tests.

A report carries it from xdist workers as builtin types, in an attribute of its own: user properties are what pytest's
JUnit XML shows to people. The error that fails a test by its findings is here too. Every pytest run imports this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import takewhile
from time import perf_counter
from typing import Any

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict

REPOSITORY = "repository"
"""What stands in place of an environment where a rule is about none."""

_RECORDS = pytest.StashKey[list[dict[str, Any]]]()
_RECORDER = pytest.StashKey["Recorder"]()
_ATTRIBUTE = "infraspec"
_LINES = 20
_CRASHED: Any = "???"
"""When a test has failed, of one whose worker is gone; the report is xdist's."""
_ASSERTIONS = (AssertionError, pytest.fail.Exception)


def environment_of(item: pytest.Item) -> str:
    """Return the environment that a test is about; a test that asks for none is about the repository as a whole."""
    callspec = getattr(item, "callspec", None)
    name: str = callspec.params.get("environment", REPOSITORY) if callspec else REPOSITORY
    return name


def is_about_contract(item: pytest.Item) -> bool:
    """Tell whether a test reads the repository of the contract."""
    return not {"contract", "environment"}.isdisjoint(getattr(item, "fixturenames", ()))


def keep_record(item: pytest.Item, record: dict[str, Any], environment: str) -> None:
    """Keep what a rule has found for reports, and its numbers as properties of the test in JUnit XML.

    `environment` is its name in reports.
    """
    item.stash.setdefault(_RECORDS, []).append(record)
    numbers = {**record["counts"], "waived": len(record["waived"]), "known": record["known"]}
    properties = {"rule": record["rule"], "environment": environment, **numbers}
    item.user_properties += [(f"infraspec.{name}", value) for name, value in properties.items()]


def _foreign(properties: Sequence[tuple[str, object]]) -> list[tuple[str, object]]:
    """Return the properties of a test that are not infraspec's."""
    return [one for one in properties if not one[0].startswith("infraspec.")]


def kept_report(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> pytest.TestReport:
    """Attach to the report of a test that is about a contract what it leaves, and return it."""
    if report.when == "setup":  # of a test that is run again, what it left before counts no longer
        item.stash[_RECORDS] = []
        item.user_properties[:] = _foreign(item.user_properties)
    if is_about_contract(item):
        left = {
            "test": f"{item.path.name}::{item.name}",
            "environment": environment_of(item),
            "live": item.get_closest_marker("live") is not None,
            "records": item.stash.get(_RECORDS, []) if report.when == "call" else [],
            "problem": _problem(call.excinfo.value) if call.excinfo and report.failed else None,
        }
        setattr(report, _ATTRIBUTE, left)
    return report


def _problem(error: BaseException) -> dict[str, str] | None:
    """Return kind, class and message of an error that is no verdict.

    The message of an error that neither infraspec nor the author of a test has written may show anything; so may what
    pytest adds to an assertion, which is the values in it. Source: pytest, "How to write and report assertions".
    """
    if isinstance(error, UnprovenError):
        return None
    kind = "failed" if isinstance(error, _ASSERTIONS) else "broken"
    told = isinstance(error, (InfraspecError, *_ASSERTIONS))
    lines = str(error).splitlines() if told else []
    if isinstance(error, AssertionError):
        lines = list(takewhile(lambda line: not line.startswith("assert "), lines))
    shown = lines if isinstance(error, InfraspecError) else lines[:_LINES]
    return {"kind": kind, "error": type(error).__name__, "message": "\n".join(shown)}


def left_by(report: pytest.TestReport) -> Mapping[str, Any] | None:
    """Return what a test has left; None for a test that is not about a contract."""
    left: Mapping[str, Any] | None = getattr(report, _ATTRIBUTE, None)
    return left


class _Attempt:
    """What a test has left when it was run, for the how manieth time."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.about: dict[str, str] = {}
        self.records: list[Mapping[str, Any]] = []
        self.problems: list[dict[str, str]] = []
        self.skipped: list[dict[str, str]] = []
        self.outcomes: set[str] = set()


class Recorder:
    """What the tests of a run have left, whichever process they ran in; of one that is run again, the last attempt."""

    NAME = "infraspec-recorder"

    def __init__(self, config: pytest.Config, started: float) -> None:
        self.seconds: dict[str, float] = {}
        self.live = False
        self._attempts: dict[str, _Attempt] = {}
        self._of_the_run: list[dict[str, str]] = []
        self.errors: list[InfraspecError] = []
        self._start = started
        config.stash[_RECORDER] = self

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report carries; JUnit XML gets the numbers of the last attempt."""
        left = left_by(report)
        if left is None:
            if report.when == _CRASHED:
                test = report.nodeid.rpartition("/")[2]
                self._broken(test, "WorkerEndedError", "the process that ran the test ended in the middle of it")
            return
        attempt = self._attempt(report)
        attempt.about = about = {"test": left["test"], "environment": left["environment"]}
        attempt.outcomes.add(report.outcome)
        if "rerun" in attempt.outcomes:
            report.user_properties = _foreign(report.user_properties)
        attempt.records += left["records"]
        self.live = self.live or left["live"]
        for record in left["records"]:
            self.seconds[record["rule"]] = self.seconds.get(record["rule"], 0) + report.duration
        if left["problem"]:
            attempt.problems.append({**left["problem"], **about})
        elif report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            attempt.skipped.append({**about, "reason": reason})

    def _attempt(self, report: pytest.TestReport) -> _Attempt:
        """Return the attempt that a report is of; each begins with its setup."""
        last = self._attempts.get(report.nodeid)
        if last is None or (report.when == "setup" and last.outcomes):
            last = self._attempts[report.nodeid] = _Attempt(last.number + 1 if last else 1)
        return last

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """What the rules have found."""
        return [record for attempt in self._attempts.values() for record in attempt.records]

    @property
    def problems(self) -> list[dict[str, str]]:
        """Tests that failed or broke with something that is no verdict."""
        return [*self._of_the_run, *(problem for one in self._attempts.values() for problem in one.problems)]

    @property
    def skipped(self) -> list[dict[str, str]]:
        """Tests that did not look."""
        return [skipped for attempt in self._attempts.values() for skipped in attempt.skipped]

    @property
    def flaky(self) -> list[dict[str, str]]:
        """Tests that passed when they were run again."""
        return [
            {**attempt.about, "reason": f"passed at attempt {attempt.number}"}
            for attempt in self._attempts.values()
            if attempt.number > 1 and attempt.outcomes == {"passed"}
        ]

    @property
    def duration(self) -> float:
        """Seconds since the run began."""
        return perf_counter() - self._start

    def input_error(self, error: InfraspecError) -> None:
        """Keep an error that is none of a test, such as one of the input that ends the run before its tests."""
        self._broken("", type(error).__name__, str(error))

    def _broken(self, test: str, error: str, message: str) -> None:
        self._of_the_run.append(
            {"kind": "broken", "test": test, "environment": REPOSITORY, "error": error, "message": message}
        )


def recorder_of(config: pytest.Config) -> Recorder:
    """Return the recorder of a run; workers have none."""
    return config.stash[_RECORDER]


class UnprovenError(AssertionError):
    """Findings that are not proven: the infrastructure is not, or not known to be, what its contract says."""

    def __init__(self, findings: Sequence[Finding], total: int) -> None:
        self.findings = tuple(findings)
        counts = Counter(finding.verdict for finding in findings)
        parts = [
            f"{counts[verdict]} {verdict.value}"
            for verdict in (Verdict.VIOLATED, Verdict.UNDETERMINED)
            if counts[verdict]
        ]
        super().__init__(f"{', '.join(parts)} of {total}")

    def __str__(self) -> str:
        return "\n\n".join([self.args[0], *map(str, self.findings)])
