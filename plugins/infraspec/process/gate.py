"""The gate: whether a change can reach the branch without a command passing on it.

Every way in which a run can go is looked at: where the command fails, or is not run, some check has to be red.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Literal

from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Location
from infraspec.process.checkout import CheckedOut
from infraspec.process.commands import Asked
from infraspec.process.expressions import HOLE, Unsettled
from infraspec.process.programs import known_programs
from infraspec.process.triggers import crons, fault_of, left_out, longest_gap, not_started, types_of
from infraspec.process.workflow_runs import RunResult, WorkflowEvent, WorkflowRun, needs_before
from infraspec.process.workflows import Workflow
from infraspec.process.worlds import TooManyWorldsError, World, worlds

_YEAR = 366
_PLACEHOLDERS = ("main", "master")
_CHANGED = ("change", "a/b/change")
"""Names of branches that changes may be on."""


class GateAnswer(Struct, frozen=True):
    """Whether something holds, where that is decided, and why."""

    verdict: Literal["proven", "violated", "undetermined"]
    location: Location
    found: str = ""
    reason: str = ""
    kind: str = ""
    """What would fix it: the name of a text."""


class Candidate(Struct, frozen=True):
    """A workflow that runs the command, with all ways in which it can go."""

    workflow: Workflow
    answer: GateAnswer
    results: tuple[RunResult, ...] = ()
    advice: GateAnswer | None = None

    @property
    def titles(self) -> tuple[str, ...]:
        """The names of the checks of the jobs that run the command."""
        return tuple(dict.fromkeys(chain.from_iterable(result.titles for result in self.results)))

    @property
    def environments(self) -> frozenset[str] | None:
        """The environments that the command is run for where nothing fails; None for all of them."""
        ran = [one for result in self.results if not result.failed for one in result.ran]
        if any(one.environments is None for one in ran):
            return None
        return frozenset(chain.from_iterable(one.environments or () for one in ran))

    @property
    def suites(self) -> frozenset[str]:
        """Which suites of infraspec are run."""
        return _suites(self.results)


def _suites(results: Iterable[RunResult]) -> frozenset[str]:
    return frozenset(one.suite for result in results for one in result.ran) - {""}


class GateSetting(Struct, frozen=True):
    """What the answers depend on beside the workflows."""

    repository: CheckedOut
    branch: str | None
    """The branch that changes are merged into; None if nobody says which it is."""
    files: tuple[str, ...] = ()
    """Files whose change has to start a required job."""
    suite_files: tuple[str, ...] = ()
    """Files whose change has to start it too if it runs a suite: the contract says nothing to other programs."""
    others: tuple[str, ...] = ()
    """Files whose change may wait for ever without harm."""

    def watched(self, results: Iterable[RunResult]) -> tuple[str, ...]:
        """Return the files whose change has to start a job that goes like this: those that its commands look at."""
        if _suites(results):
            return (*self.suite_files, *self.files)
        commands = [one.words for result in results for one in result.ran]
        reads = known_programs().reads
        return tuple(file for file in self.files if not commands or any(reads(words, file) for words in commands))


def candidates(
    setting: GateSetting, workflows: Sequence[Workflow], asked: Asked, event: str, hours: int
) -> list[Candidate]:
    """Return the workflows that run a command on an event, or seem to, each with what is to be said of it."""
    found = []
    for workflow in workflows:
        if set(workflow.events) == {"workflow_call"}:
            continue
        if candidate := _candidate(setting, workflow, asked, event, hours):
            found.append(candidate)
    return found


def _candidate(setting: GateSetting, workflow: Workflow, asked: Asked, event: str, hours: int) -> Candidate | None:
    place = Location(workflow.file)
    try:
        results = all_results(setting, workflow, asked, event)
    except TooManyWorldsError as error:
        return (
            Candidate(workflow, GateAnswer("undetermined", place, error.expected, error.message, "look"))
            if _named(workflow, asked)
            else None
        )
    ran = [result for result in results if result.ran]
    if not ran:
        unseen = next((one for result in results for one in result.unseen), None)
        near = (one for result in results for one in (*result.near, *result.skipped, *result.losses))
        nearest = unseen or (next(near, None) if _named(workflow, asked) else None)
        if event not in workflow.events or nearest is None:
            return None
        location, why = nearest
        if unseen:
            return Candidate(workflow, GateAnswer("undetermined", location, why, why, "look"), ())
        return Candidate(workflow, GateAnswer("violated", location, why, why, "run"), ())
    if event not in workflow.events:
        place, found = Location(workflow.file, 1), f"on: {', '.join(workflow.events)}"
        why = f"the workflow does not start on {event}"
        if event == "pull_request" and _starts_on_every_push(setting, workflow, results):
            why = "pushes to the branch start it, but not those of a fork, and it tests the branch before the merge"
            return Candidate(workflow, GateAnswer("undetermined", place, found, why, "look"))
        return Candidate(workflow, GateAnswer("violated", place, found, why, "trigger"))
    started = _started(setting, workflow, event, hours, results)
    answer = started if started and started.verdict == "violated" else _seen(results)
    if started and answer.verdict == "proven":
        answer = started
    advice = None
    if waiting := left_out(workflow, event, setting.others):
        advice = GateAnswer("proven", waiting[0], waiting[1], "", "waits")
    return Candidate(workflow, answer, tuple(results), advice)


def _starts_on_every_push(setting: GateSetting, workflow: Workflow, results: Sequence[RunResult]) -> bool:
    """Tell whether a push to whatever branch starts a workflow, so that its check is on the last commit of a change."""
    pushed = (not_started(workflow, "push", name) for name in _CHANGED)
    return not any(pushed) and left_out(workflow, "push", setting.watched(results)) is None


def _named(workflow: Workflow, asked: Asked) -> bool:
    return any(
        asked.is_named_in(job.commands) or any(use.target.partition("@")[0] in asked.words for use in job.uses)
        for job in workflow.jobs
    )


def all_results(setting: GateSetting, workflow: Workflow, asked: Asked, event: str) -> list[RunResult]:
    first = [result for one in _events(workflow, event) for result in _results(setting, workflow, asked, one)]
    jobs = list(dict.fromkeys(chain.from_iterable(result.jobs for result in first)))
    fallible = needs_before(workflow, jobs)
    if not fallible:
        return first
    return [result for one in _events(workflow, event) for result in _results(setting, workflow, asked, one, fallible)]


def _events(workflow: Workflow, name: str) -> Iterator[WorkflowEvent]:
    types = types_of(workflow, name)
    if name == "schedule":
        yield from (WorkflowEvent(name, cron=cron) for cron in [cron for cron, _ in crons(workflow)] or [""])
        return
    text = str(workflow.tree)
    alike = not any(sign in text for sign in ("event.action", "event.label", "'./"))
    for action in types[:1] if alike else types:
        if action != "closed":
            yield WorkflowEvent(name, action, ready_for_review="ready_for_review" in types)


def _results(
    setting: GateSetting, workflow: Workflow, asked: Asked, event: WorkflowEvent, fallible: frozenset[str] = frozenset()
) -> list[RunResult]:
    def simulate(world: World) -> RunResult:
        run = WorkflowRun(setting.repository, asked, world, event, branch_of(setting))
        return run.result(workflow, fallible)

    return [result for _, result in worlds(simulate)]


def branch_of(setting: GateSetting) -> str | Unsettled:
    """Return the branch that changes are merged into."""
    return setting.branch or Unsettled("the branch that changes are merged into")


def _started(
    setting: GateSetting, workflow: Workflow, event: str, hours: int, results: Sequence[RunResult]
) -> GateAnswer | None:
    """Return why the workflow does not start whenever it has to; None if it does."""
    reasons = [
        not_started(workflow, event, branch) for branch in ([setting.branch] if setting.branch else _PLACEHOLDERS)
    ]
    if all(reasons) and reasons[0]:
        return GateAnswer("violated", reasons[0][0], reasons[0][1], reasons[0][1], "trigger")
    if reason := next(filter(None, reasons), None):
        return GateAnswer(
            "undetermined",
            reason[0],
            reason[1],
            "the contract does not say which branch changes are merged into",
            "branch",
        )
    if out := left_out(workflow, event, setting.watched(results)):
        return GateAnswer(
            "violated",
            out[0],
            f"the filter leaves out {out[1]}",
            f"a change of {out[1]} does not start the workflow",
            "paths",
        )
    return _scheduled(workflow, hours, results) if event == "schedule" else None


def _scheduled(workflow: Workflow, hours: int, results: Sequence[RunResult]) -> GateAnswer | None:
    given = crons(workflow)
    for cron, place in given:
        if fault := fault_of(cron):
            return GateAnswer(
                "violated", place, fault, "a schedule that GitHub does not take starts nothing", "schedule"
            )
    running = [cron for cron, _ in given if any(result.ran for result in results if result.event.cron == cron)]
    if not running:
        return None
    longest = longest_gap(running)
    place = next(place for cron, place in given if cron in running)
    if longest.total_seconds() <= hours * 3600:
        return None
    between = f"{longest.total_seconds() / 3600:g} hours" if longest.days < _YEAR else "more than a year"
    found = f"{' and '.join(running)}: up to {between} between two runs"
    return GateAnswer(
        "violated", place, found, "what breaks between two runs is not seen before the next one", "schedule"
    )


def is_open(result: RunResult, closes: Callable[[RunResult], bool]) -> bool:
    """Tell whether a change passes in a world though the command fails or is not run."""
    return (result.failed or not result.ran) and not closes(result)


def _seen(results: Sequence[RunResult]) -> GateAnswer:
    """Say whether a failure, or a run without the command, is seen as a red check."""
    return decide(results, lambda result: "failure" in result.checks.values())


def decide(results: Sequence[RunResult], closes: Callable[[RunResult], bool]) -> GateAnswer:
    """Say whether every world in which the command fails or is not run is closed, with the first that is not."""
    open_worlds = [result for result in results if is_open(result, closes)]
    place = next((one.location for result in results for one in result.ran), Location(""))
    if not open_worlds:
        return GateAnswer("proven", place)
    extra = ("edited", "labeled", "unlabeled", "assigned", "unassigned", "review_requested")
    certain = [result for result in open_worlds if not result.doubts and result.event.action not in extra]
    may_be = [result for result in results if result.failed or not result.ran]
    everywhere = len(open_worlds) == len(may_be) and not all(result.event.action in extra for result in open_worlds)
    chosen = (certain or open_worlds)[0]
    why = (*chosen.losses, *chosen.skipped, *chosen.near, *chosen.unseen)
    location, reason = why[0] if why else (place, "nothing says that it failed")
    if certain or everywhere:
        return GateAnswer("violated", location, reason, reason, "seen")
    doubt = "; ".join(chosen.doubts) or f"a run for {chosen.event} makes a check of the same name that passes"
    return GateAnswer("undetermined", location, f"unknown: {doubt}", reason, "look")


def required(result: RunResult, contexts: Sequence[str], known: Mapping[str, object]) -> bool:
    """Tell whether a required check is red in a world, or is never reported."""
    return any(
        result.checks.get(name) == "failure" or (name in known and name not in result.checks) for name in contexts
    )


def is_known(title: str) -> bool:
    """Tell whether the name of a check is known as a whole."""
    return HOLE not in title


__all__ = ["Candidate", "GateAnswer", "GateSetting", "ProcessFileError", "candidates", "decide", "is_known", "required"]
