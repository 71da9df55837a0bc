"""Which environments the workflows of a repository look at on a schedule, and tell of with `infraspec report metrics`.

Source: GitHub Docs, "Events that trigger workflows: schedule".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path

from msgspec import Struct

from infraspec.contract.models import Contract
from infraspec.contract.paths import display, resolve
from infraspec.core.errors import InfraspecError, listing
from infraspec.process.checkout import CheckedOut
from infraspec.process.commands import Asked
from infraspec.process.gate import GateSetting, all_results
from infraspec.process.triggers import fault_of, longest_gap
from infraspec.process.workflow_runs import RunResult
from infraspec.process.workflows import Workflow, read_workflows

_EVENT = "schedule"
_SUITE = Asked((), "suite")
_TELL = Asked(("infraspec", "report", "metrics"))
_MOST = 5


class RunsAnswer(Struct, frozen=True):
    """What is told of the runs of an environment: how often they come, or what is not known of that."""

    told: str = ""
    doubt: str = ""


class ScheduledRun(Struct, frozen=True):
    """A schedule on which a workflow judges environments (None: all of them) by a suite, and publishes the numbers."""

    file: str
    cron: str
    suite: str
    environments: frozenset[str] | None

    def is_of(self, environment: str, suite: str) -> bool:
        """Tell whether an environment is judged."""
        return self.suite == suite and (self.environments is None or environment in self.environments)


class ScheduledRuns:
    """The scheduled runs of the workflows that `[process]` names."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def every(self, environment: str, suite: str, most: timedelta | None) -> RunsAnswer:
        """Say by which schedules a suite judges an environment at least once in a time, and publishes that."""
        directory = self._directory
        if directory is None or not directory.is_dir():
            return RunsAnswer(doubt="[process] workflows names no workflows of GitHub in which to look for it")
        found = [one for one in self._found if one.is_of(environment, suite)]
        if not found:
            others = sorted(set(chain.from_iterable(one.environments or () for one in self._found)))
            looked = f"those of {display(self.contract, directory)} do it for {listing(others, _MOST) or 'none'}"
            return RunsAnswer(doubt=looked + (f"; {self._unread}" if self._unread else ""))
        crons = [one.cron for one in found]
        gap = longest_gap(crons)
        if most is not None and gap > most:
            shown = f"{' and '.join(crons)} leaves up to {gap.total_seconds() / 3600:g} hours without one"
            return RunsAnswer(doubt=f"{shown}, the alarm waits {most.total_seconds() / 3600:g}")
        return RunsAnswer(told=f"{found[0].file} runs for {environment} at {' and '.join(crons)}")

    @cached_property
    def _directory(self) -> Path | None:
        process = self.contract.process
        return resolve(self.contract, process.workflows) if process and process.workflows else None

    @cached_property
    def _found(self) -> tuple[ScheduledRun, ...]:
        self._unread = ""
        return tuple(self._look())

    def _look(self) -> Iterator[ScheduledRun]:
        directory = self._directory
        if directory is None:
            return
        is_usual = directory.parts[-2:] == (".github", "workflows")
        root = directory.parents[1] if is_usual else self.contract.directory
        repository = CheckedOut(root, lambda path: display(self.contract, root / path))
        branch = self.contract.process.branch if self.contract.process else None
        setting = GateSetting(repository, branch)
        for workflow in self._workflows(directory):
            try:
                yield from self._of_workflow(setting, workflow)
            except InfraspecError as error:
                self._unread = f"{workflow.file}: {error.message}"

    def _workflows(self, directory: Path) -> list[Workflow]:
        """Return the workflows with schedules; what cannot be read is an error of the rule `process`."""
        try:
            found = read_workflows(directory, display(self.contract, directory))
        except InfraspecError as error:
            self._unread = error.message
            return []
        return [workflow for workflow in found if _EVENT in workflow.events]

    def _of_workflow(self, setting: GateSetting, workflow: Workflow) -> Iterator[ScheduledRun]:
        telling = [one for one in all_results(setting, workflow, _TELL, _EVENT) if _is_certain(one)]
        jobs = {
            cron: {name for one in telling if one.event.cron == cron for name in one.jobs} for cron in _crons(telling)
        }
        for result in all_results(setting, workflow, _SUITE, _EVENT):
            cron = result.event.cron
            if _is_certain(result) and not fault_of(cron) and jobs.get(cron, set()) & set(result.jobs):
                for ran in result.ran:
                    yield ScheduledRun(workflow.file, cron, ran.suite, ran.environments)


def _crons(results: list[RunResult]) -> list[str]:
    return list(dict.fromkeys(result.event.cron for result in results))


def _is_certain(result: RunResult) -> bool:
    """Tell whether a command has run in a world that is certain to come, where nothing fails."""
    return bool(result.ran) and not result.failed and not result.doubts
