"""Verdicts of earlier runs: the reports of the static suite's tests, kept by what they rest on, and given again.

What is kept of an environment holds for one release of infraspec, one contract, one day and one content of the files
that the environment rests on. A report that is given again is that of pytest, so that every summary, results file and
exit code is as if the test had run.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from infraspec.contract.models import Contract
from infraspec.core.errors import writing
from infraspec.core.rule import Rule
from infraspec.core.rules import RULES, SECRET_ACCESS
from infraspec.core.runtime import repository_of, write_whole
from infraspec.process.code_owners import LOCATIONS
from infraspec.pytest_plugin import hookspecs
from infraspec.pytest_plugin.options import Settings
from infraspec.pytest_plugin.rule_tests import tested_rule
from infraspec.pytest_plugin.selection import reference_of
from infraspec.reporting.run.recorder import environment_of, left_by
from infraspec.terraform.configuration.module_cache import modules_directory
from infraspec.terraform.environment_files import EnvironmentFiles

_FORMAT = 1
_DAYS = 30
_REUSABLE = "reusable"
_PACKAGE = Path(__file__).parents[1]


class VerdictCache:
    """What earlier runs have kept in a directory, and what this one keeps there; a plugin of pytest."""

    def __init__(
        self,
        directory: Path,
        contract: Contract,
        names: Sequence[str],
        settings: Settings,
        moves: Callable[[str], list[tuple[str, str]]],
    ) -> None:
        self._directory = directory
        self._contract = contract
        self._names = names
        self._settings = settings
        self._moves = moves
        self._files = EnvironmentFiles(contract)
        self._entries: dict[str, Mapping[str, Any] | None] = {}
        self._reports: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self._given: set[str] = set()

    def holds(self, name: str) -> bool:
        """Tell whether the verdicts of an environment are kept, as far as they rest on it alone."""
        return self._entry(name) is not None

    def moves(self, name: str) -> list[tuple[str, str]]:
        """Return what the kept environment moves, addresses before and after."""
        entry = self._entry(name)
        return [(before, after) for before, after in entry["moves"]] if entry else []

    def kept(self, item: pytest.Item) -> Sequence[dict[str, Any]] | None:
        """Return the reports of a test that are kept, None if it has to run."""
        rule, name = tested_rule(getattr(item, "function", None)), environment_of(item)
        if rule is None or name not in self._contract.environments:
            return None
        entry = self._entry(name)
        kept = entry["tests"].get(rule.id) if entry else None
        return kept["reports"] if kept and kept["others"] == self._others(rule, name) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Give the kept reports of a test in the place of running it."""
        kept = self.kept(item)
        if not kept:
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for data in kept:
            hook.pytest_runtest_logreport(report=_report(item, data))
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        item.session._setupstate.teardown_exact(nextitem)  # noqa: SLF001 - what ran before was left standing for this one
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mark the report of a test that may be given again: of a rule of the suite in an environment."""
        report = yield
        left, rule = left_by(report), tested_rule(getattr(item, "function", None))
        if left is not None and rule is not None:
            left[_REUSABLE] = rule.id  # type: ignore[index] # it is a dictionary of the recorder's
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect what is to be kept."""
        left = left_by(report)
        rule = left.get(_REUSABLE) if left else None
        if left is None or rule is None or left["environment"] not in self._contract.environments:
            return
        if left.get("given"):
            self._given.add(left["environment"])
        tests = self._reports.setdefault(left["environment"], {})
        if report.when == "setup":
            tests[rule] = []
        tests.setdefault(rule, []).append(_kept(report))

    def write(self) -> None:
        """Keep what the tests of each environment have left, unless one of them broke. Raises ReportError."""
        with writing("verdicts cannot be kept", f"--infraspec-cache {self._directory}", "a folder that can be written"):
            self._directory.mkdir(parents=True, exist_ok=True)
            for name, tests in self._reports.items():
                if all(_is_verdict(data) for reports in tests.values() for data in reports):
                    self._write(name, tests)
            self._forget()

    def _write(self, name: str, tests: Mapping[str, list[dict[str, Any]]]) -> None:
        moves = self._moves(name)
        kept = {id_: {"others": self._others(RULES[id_], name), "reports": data} for id_, data in tests.items()}
        text = json.dumps({"format": _FORMAT, "moves": moves, "tests": kept}, separators=(",", ":"))
        path = self._path(name)
        if name in self._given and path.is_file() and path.read_text("utf-8") == text:
            os.utime(path)
        else:
            write_whole(path, text.encode())

    def _forget(self) -> None:
        """Remove what no run has used for a month."""
        before = time.time() - _DAYS * 86400
        for path in self._directory.glob("*.verdicts.json"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)

    def _entry(self, name: str) -> Mapping[str, Any] | None:
        if name not in self._entries:
            self._entries[name] = _read(self._path(name))
        return self._entries[name]

    def _path(self, name: str) -> Path:
        key = _digest([*self._run, name, self._digest_of(name)])
        return self._directory / f"{key[:40]}.verdicts.json"

    def _digest_of(self, name: str) -> str:
        return self._files.digest(name)

    def _others(self, rule: Rule, name: str) -> str:
        """Return a digest of what a rule looks at beside the environment itself."""
        contract = self._contract
        every = list(contract.environments)
        if rule == RULES["consistency"]:
            return self._digest_of(reference_of(contract))
        if rule == RULES["state-backend"]:
            return _digest(map(self._digest_of, every))
        if rule == SECRET_ACCESS and name == every[0]:
            return _digest([*self._names, *map(self._digest_of, every), self._files.digest_of_terraform()])
        return ""

    @cached_property
    def _run(self) -> list[str]:
        """What the verdicts of every environment rest on beside its files."""
        settings, event = self._settings, os.environ.get("GITHUB_EVENT_PATH", "")
        owners = [str(repository_of(self._contract.directory) / place) for place in LOCATIONS]
        given = [settings.plan.value, *(str(path) for path in settings.snapshot_files or ()), event]
        given += [settings.reviews.value, *(place for place in owners if os.path.isfile(place))]  # noqa: PTH113 - text
        options = [settings.no_diff.value, settings.labels.value, settings.snapshot.value, settings.plan.value]
        variables = sorted(f"{key}={value}" for key, value in os.environ.items() if key.startswith("TF_VAR_"))
        modules = sorted(_listing(modules_directory()))
        return [
            str(_FORMAT),
            _digest_of_files(
                path for path in sorted(_PACKAGE.rglob("*")) if path.suffix in (".py", ".json", ".toml", ".txt")
            ),
            platform.python_version(),
            *(_version_of(package) for package in ("botocore", "pytest")),
            datetime.now(UTC).date().isoformat(),
            os.path.relpath(self._contract.directory),
            *options,
            _digest_of_files(Path(path) for path in given if path),
            *variables,
            *modules,
        ]


def obstacle(config: pytest.Config) -> str:
    """Return why a run neither uses nor keeps verdicts, empty if it does."""
    if config.getoption("allure_report_dir", None):
        return "Allure's report shows how each verdict came about"
    for name in vars(hookspecs):
        hook = getattr(config.hook, name, None) if name.startswith("pytest_infraspec_") else None
        if hook is not None and hook.get_hookimpls():
            return f"what {name} of your own adds may rest on anything"
    return ""


def _report(item: pytest.Item, data: Mapping[str, Any]) -> pytest.TestReport:
    left = {**data["infraspec"], "environment": environment_of(item), "given": True}
    return pytest.TestReport(
        **{
            **data,
            "nodeid": item.nodeid,
            "location": item.location,
            "keywords": dict.fromkeys(item.keywords, 1),
            "longrepr": _tuple(data["longrepr"]),
            "sections": [tuple(one) for one in data["sections"]],
            "user_properties": [tuple(one) for one in data["user_properties"]],
            "infraspec": left,
        }
    )


_FIELDS = ("outcome", "when", "longrepr", "sections", "user_properties", "duration", "start", "stop", "wasxfail")


def _kept(report: pytest.TestReport) -> dict[str, Any]:
    """Return what is kept of a report; one whose failure is more than a text is not kept."""
    data = {name: getattr(report, name) for name in _FIELDS if hasattr(report, name)}
    left = {name: value for name, value in (left_by(report) or {}).items() if name != "given"}
    is_text = report.longrepr is None or isinstance(report.longrepr, str | tuple)
    shown = data["longrepr"] if is_text else str(report.longrepr)
    return {**data, "longrepr": shown, "infraspec": left}


def _is_verdict(data: Mapping[str, Any]) -> bool:
    """Tell whether a test has judged, or had nothing to judge."""
    return data["infraspec"]["problem"] is None and data["outcome"] in ("passed", "failed", "skipped")


def _tuple(longrepr: Any) -> Any:
    return tuple(longrepr) if isinstance(longrepr, list) else longrepr


def _read(path: Path) -> Mapping[str, Any] | None:
    """Return what a file keeps; None if it is not there, or is not what this release has written."""
    try:
        found = json.loads(path.read_bytes())
        whole = found["format"] == _FORMAT and isinstance(found["tests"], dict) and isinstance(found["moves"], list)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if whole else None


def _digest(texts: Any) -> str:
    return sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()


def _digest_of_files(paths: Any) -> str:
    whole = sha256()
    for path in paths:
        try:
            whole.update(sha256(path.read_bytes()).digest())
        except OSError as error:
            whole.update(str(error.errno).encode())
    return whole.hexdigest()


def _listing(directory: Path) -> Iterator[str]:
    """Yield the files of modules that were downloaded; the content of one version does not change."""
    for folder, _, files in os.walk(directory):
        yield from (f"{folder}/{name} {os.path.getsize(f'{folder}/{name}')}" for name in files)  # noqa: PTH202


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
