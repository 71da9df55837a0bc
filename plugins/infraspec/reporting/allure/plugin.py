"""What a test is about, for Allure: names and labels, the table of verdicts, decisions of IAM, planned values.

A plugin of pytest and of allure_commons, there only if Allure's results are wanted. allure-pytest writes them, in each
xdist worker for the tests that it runs: a file beside its place, moved there when it is whole. On a disk that is full
the run goes on without them and says so at its end.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import allure
import allure_commons
import pytest
from allure_commons.model2 import Label, Link, StatusDetails

from infraspec.contract.models import Contract
from infraspec.core.errors import ReportError
from infraspec.core.finding import Finding, Location
from infraspec.core.visible_text import visible
from infraspec.iam.evaluation.decision import Decision
from infraspec.reporting.allure import files as verdict_table
from infraspec.reporting.allure.labels import (
    description,
    identity,
    is_bundled,
    labels,
    owners_of,
    playbook_pages,
    rules_of,
)
from infraspec.reporting.explanation import traces
from infraspec.reporting.planned_values import fragments
from infraspec.reporting.run.recorder import is_about_contract, left_by, recorder_of
from infraspec.reporting.run.repository import Links, Repository, commit
from infraspec.reporting.run.rule_result import WITNESS, RuleResult
from infraspec.terraform.plan import Plan

_HEAD = re.compile(r"^.*\b(?:VIOLATED|UNDETERMINED) .*$", re.MULTILINE)
_MOST_HEADS = 10
_MOST_RESOURCES = 20
_REPLACED = ("parentSuite", "suite", "subSuite")


class AllureResults:
    """The run as Allure sees it. `contract` is read on first use."""

    def __init__(self, contract: Callable[[], Contract]) -> None:
        self._read = contract
        self._item: pytest.Item | None = None
        self._judged: list[RuleResult] = []
        self._details: tuple[str, str] | None = None
        self._files: dict[str, str] = {}

    @cached_property
    def _contract(self) -> Contract:
        return self._read()

    @cached_property
    def _repository(self) -> Repository:
        return Repository(self._contract)

    @cached_property
    def _links(self) -> Links:
        return Links.at(commit(os.environ), os.environ)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin with a test."""
        self._item, self._judged, self._details = item, [], None

    def judged(self, result: RuleResult, plan: Callable[[], Plan] | None, decisions: Mapping[str, Decision]) -> None:
        """Attach what shows the verdicts of a rule to the test that runs; `decisions` are those of IAM by finding."""
        self._judged.append(result)
        rule, found = result.rule, verdict_table.rows(result, self._place)
        title = f"{rule} in {result.result.environment}"
        self._attach(verdict_table.as_html(title, found), f"{rule}: verdicts", allure.attachment_type.HTML)
        self._attach(verdict_table.as_csv(found), f"{rule}: verdicts as CSV", allure.attachment_type.CSV)
        bad = (*result.failing, *result.doubtful)
        if decided := traces(decisions, (finding.key for finding in bad)):
            self._attach(decided, f"{rule}: decisions of IAM", allure.attachment_type.TEXT)
        addresses = ((finding.address, *(other.address for other in finding.related)) for finding in bad)
        if bad and plan is not None and (shown := fragments(plan(), addresses, _MOST_RESOURCES)):
            self._attach(shown, f"{rule}: planned values", allure.attachment_type.TEXT)

    def _attach(self, text: str, name: str, kind: Any) -> None:
        allure.attach(visible(self._repository.text(text)), name=name, attachment_type=kind)

    def _place(self, location: Location) -> tuple[str, str]:
        """Return a place relative to the repository, and where it is shown; each file is looked for once."""
        if location.file not in self._files:
            self._files[location.file] = self._repository.path(location.file)
        there = Location(self._files[location.file], location.line)
        return str(there), self._links.address(there)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test ended with, in the words of the terminal."""
        left = left_by(report)
        if left is None or self._item is None or (not report.skipped and not report.failed):
            return
        self._details = _details(report, left["problem"])

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        """Complete a result before it is written."""
        item = self._item
        if item is None or not is_about_contract(item):
            return
        rules = rules_of(item, [result.rule for result in self._judged])
        if is_bundled(item):
            names = identity(item, rules)
            result.name, result.fullName = names.name, names.full_name
            result.testCaseId, result.historyId = names.test_case, names.history
            result.titlePath = names.full_name.partition("#")[0].split(".")
        if self._details:
            message, trace = (visible(self._repository.text(text)) for text in self._details)
            result.statusDetails = StatusDetails(message=message, trace=trace or None)
        elif (attempt := getattr(item, "execution_count", 1)) > 1:  # pytest-rerunfailures counts
            result.statusDetails = StatusDetails(message=f"passed at attempt {attempt}", flaky=True)
        self._label(result, item, rules)
        self._explain(result, rules)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        """Leave out what a fixture that failed says: its test says as much of it as may be shown."""
        for step in (*(container.befores or ()), *(container.afters or ())):
            step.statusDetails = None

    def _label(self, result: Any, item: pytest.Item, rules: tuple[str, ...]) -> None:
        """Add the labels; what an author of rules has set stays, but for the names of folders."""
        made = {**labels(item, rules, self._contract), "owner": self._owners()}
        if is_bundled(item):
            made["package"] = (f"infraspec.{item.path.parent.name}.{item.path.stem}",)
        replaced = (*_REPLACED, "package") if is_bundled(item) else _REPLACED
        result.labels[:] = [label for label in result.labels if label.name not in replaced]
        present = {label.name for label in result.labels}
        result.labels += [
            Label(name=name, value=visible(value))
            for name, values in made.items()
            if name not in present
            for value in values
        ]

    def _bad(self) -> list[Finding]:
        return [finding for judged in self._judged for finding in (*judged.failing, *judged.doubtful)]

    def _owners(self) -> tuple[str, ...]:
        """Return who has to act: the owners of the files with findings, else the contract's, else its file's."""
        files = [self._repository.path(finding.location.file) for finding in self._bad() if finding.location]
        owner = self._contract.project.owner
        contract = os.path.relpath(self._contract.path, self._repository.root)
        found = owners_of(files, self._contract, self._repository)
        return found or ((owner,) if owner else owners_of([contract], self._contract, self._repository))

    def _explain(self, result: Any, rules: tuple[str, ...]) -> None:
        """Add what the rules are about, and links to their pages and to the playbooks."""
        about, links = description(rules, self._contract.suite.documentation)
        lines = [about] if about else []
        for page in playbook_pages(self._contract, self._bad()):
            place = Location(self._repository.path(page.file))
            lines.append(f"Playbook: {page.id} ({page.language}), {place}")
            if address := self._links.address(place):
                links.append((address, f"playbook {page.id} ({page.language})"))
        docstring = (result.description or "").strip()
        if docstring and docstring not in about:
            lines.insert(0, docstring)
        result.description = visible("\n\n".join(lines))
        known = {link.url for link in result.links}
        result.links += [Link(type="link", url=url, name=name) for url, name in links if url not in known]


def _details(report: pytest.TestReport, problem: Mapping[str, str] | None) -> tuple[str, str]:
    """Return message and trace. Of an error that is not infraspec's there is the class: its text may show anything."""
    if problem is None:
        text = str(getattr(report, "wasxfail", "")) if report.skipped else report.longreprtext
        prefix = "XFAIL " if report.skipped and text else ""
        text = text.removeprefix("reason: ")
        if report.skipped and not text:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            return str(reason).removeprefix("Skipped: "), ""
        heads = _HEAD.findall(text)
        more = [f"… and {len(heads) - _MOST_HEADS} more"] if len(heads) > _MOST_HEADS else []
        return prefix + "\n".join([text.partition("\n")[0], *heads[:_MOST_HEADS], *more]), text
    if not problem["message"]:
        prefix = "" if problem["kind"] == "failed" else "unexpected "
        return f"{prefix}{problem['error']}: see the log of the run", ""
    text = problem["message"] if problem["kind"] == "failed" else f"{problem['error']}: {problem['message']}"
    return text, ""


NAME = "infraspec-allure-writing"
_PARTS = ("*-result.json.tmp", "*-container.json.tmp", "*-attachment*.tmp")


class AllureWriting:
    """What could not be written; a plugin of pytest and of allure_commons, whose other plugins its hooks are around."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found = ""

    @allure_commons.hookimpl(wrapper=True, tryfirst=True)
    def report_result(self) -> Generator[None, Any, Any]:
        """Go on if the result of a test, what fixtures did or an attachment cannot be written."""
        try:
            return (yield)
        except OSError as error:
            self._found = self._found or error.strerror or type(error).__name__
            return None

    report_container = report_attached_data = report_result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker could not write."""
        self._found = self._found or getattr(node, "workeroutput", {}).get(NAME, "")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Take away what is half written, by killed workers too; a run that misses anything is no success."""
        config = session.config
        if hasattr(config, "workeroutput"):
            config.workeroutput[NAME] = self._found
            return
        for pattern in _PARTS:
            for part in self._folder.glob(pattern):
                part.unlink(missing_ok=True)
        if self._found:
            recorder_of(config).errors.append(
                ReportError(
                    "Allure's results are not complete",
                    place=f"--alluredir {self._folder}",
                    expected="a folder that the user running the tests may write to",
                    found=self._found,
                    remedy="make room, or choose another place",
                )
            )
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def register(config: pytest.Config, folder: Path, contract: Callable[[], Contract]) -> None:
    """Register the plugins for a run whose results Allure gets in this folder.

    What tests print or log may be anything, so Allure does not get it, as with --allure-no-capture of allure-pytest.
    """
    config.option.attach_capture = False
    for name, plugin in ((WITNESS, AllureResults(contract)), (NAME, AllureWriting(folder))):
        config.pluginmanager.register(plugin, name)
        allure_commons.plugin_manager.register(plugin, name)
        config.add_cleanup(partial(allure_commons.plugin_manager.unregister, name=name))
