"""What a pipeline of GitLab does for a merge request, a push or a schedule, gone through in one world.

GitLab merges a request whose pipeline has succeeded, where its project asks for that; a job that may fail, and a manual
one that nobody has to start, are no part of the question. A request without any pipeline is not merged then.

Sources: GitLab Docs, "CI/CD YAML syntax reference", "Merge request pipelines", "Downstream pipelines" and "Auto-merge:
Require a successful pipeline for merge".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Location
from infraspec.process.commands import Asked, Execution
from infraspec.process.expressions import HOLE
from infraspec.process.gate import Candidate, GateAnswer, GateSetting, decide
from infraspec.process.gitlab.files import GitlabJob, Pipeline, Written, lines_of, read_pipeline
from infraspec.process.gitlab.rules import Added, RuleContext, added, creates
from infraspec.process.shell import Shell, UnreadableScriptError
from infraspec.process.workflow_runs import RunResult, WorkflowEvent
from infraspec.process.workflows import Workflow
from infraspec.process.worlds import TooManyWorldsError, World, worlds

_SOURCES = {
    "pull_request": ("merge_request_event", "push"),
    "merge_request": ("merge_request_event", "push"),
    "merge_request_event": ("merge_request_event", "push"),
    "push": ("push",),
    "schedule": ("schedule",),
}
_OF_CHANGES = frozenset({"pull_request", "merge_request", "merge_request_event"})
_PIPELINE, _CHILD = "pipeline", "parent_pipeline"
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_EXIT_CODES = frozenset({"1", "2"})
"""With which a program that has found something ends, or make, which ran it."""
_MOST_CHILDREN = 3


def is_gitlab(name: str) -> bool:
    """Tell whether a file has the name of a pipeline of GitLab."""
    return re.search(r"\.?gitlab-ci[\w.-]*\.ya?ml$", name) is not None


def gitlab_candidates(setting: GateSetting, path: str, asked: Asked, event: str) -> list[Candidate]:
    """Return the pipeline with all ways in which it can go on an event. Raises ProcessFileError."""
    pipeline = read_pipeline(setting.repository, path)
    shown = pipeline.location
    workflow = Workflow(shown.file, dict.fromkeys(_SOURCES), (), {})
    if event not in _SOURCES:
        found = f"GitLab starts no pipeline on {event}"
        return [Candidate(workflow, GateAnswer("violated", shown, found, found, "trigger"))]
    try:
        results = _results(setting, pipeline, asked, event, setting.files)
        if (files := setting.watched(results)) != setting.files:
            results = _results(setting, pipeline, asked, event, files)
    except TooManyWorldsError as error:
        return [Candidate(workflow, GateAnswer("undetermined", shown, error.expected, error.message, "look"))]
    if not any(result.ran for result in results):
        return list(_not_run(workflow, pipeline, asked, results))
    answer = decide(results, lambda result: result.checks[_PIPELINE] == "failure")
    if event == "schedule" and answer.verdict == "proven":
        found = "schedules of GitLab are settings of the project"
        answer = GateAnswer("undetermined", answer.location, found, "when they run is not in the files", "look")
    return [Candidate(workflow, answer, tuple(results))]


def _results(
    setting: GateSetting, pipeline: Pipeline, asked: Asked, event: str, files: tuple[str, ...]
) -> list[RunResult]:
    """Return all ways in which the pipeline can go, where the change is of one of the files."""
    return [result for _, result in worlds(lambda world: _Run(setting, pipeline, asked, world, event, files).result())]


def _not_run(workflow: Workflow, pipeline: Pipeline, asked: Asked, results: Sequence[RunResult]) -> Iterator[Candidate]:
    """Say why the command runs in no pipeline, if anything there looks like it."""
    near = [one for result in results for one in (*result.near, *result.skipped)]
    includes = [*pipeline.foreign, *pipeline.templates]
    unseen = [one for result in results for one in result.unseen]
    unseen += [(one.location, f"the include {one.value}, which is not in the repository") for one in includes]
    named = any(asked.is_named_in(str(job.keys)) for job in pipeline.jobs.values())
    if not unseen and not (near and named):
        return
    left_out = next((one for result in results for one in result.skipped), None)
    place, why = unseen[0] if unseen else left_out or near[0]
    kind = "look" if unseen else "trigger" if left_out else "run"
    yield Candidate(workflow, GateAnswer("undetermined" if unseen else "violated", place, why, why, kind))


class _Run:
    """The pipeline of one event in one world."""

    def __init__(  # noqa: PLR0917 - what a run depends on
        self, setting: GateSetting, pipeline: Pipeline, asked: Asked, world: World, event: str, files: tuple[str, ...]
    ) -> None:
        self.setting, self.pipeline, self.asked, self.world, self.event = setting, pipeline, asked, world, event
        self.files = files
        """Files whose change has to start it."""
        self.execution = Execution(setting.repository, asked, world)
        self.skipped: list[tuple[Location, str]] = []
        self.titles: list[str] = []
        self.of_request = False
        """Whether the pipeline is one of the merge request, and not of its branch."""

    def result(self) -> RunResult:
        """Run it, and return what it comes to."""
        conclusion = self._conclusion()
        done, titles = self.execution, tuple(dict.fromkeys(self.titles))
        return RunResult(
            event=WorkflowEvent(self.event),
            checks={_PIPELINE: conclusion},
            ran=tuple(done.ran),
            titles=titles,
            jobs=titles,
            failed=done.failed is not None,
            losses=tuple(done.losses),
            skipped=tuple(self.skipped),
            near=tuple(done.near),
            unseen=tuple(done.unseen),
            doubts=tuple(self.world.doubts),
        )

    def _conclusion(self) -> str:
        found = [(source, jobs) for source in _SOURCES[self.event] if (jobs := self._jobs(self.pipeline, source))]
        self.of_request = bool(found) and found[0][0] == "merge_request_event"
        if not found:
            return "failure"
        for one in self.pipeline.foreign:
            if self.world.choose(("include", str(one.value)), doubt=f"what {one.value} changes", usual=False):
                self.skipped.append((one.location, f"the include {one.value} may leave it out"))
                return "success"
        concerned = [any(self._is_concerned(job) for job, _ in jobs) for _, jobs in found]
        if len(found) > 1 and concerned == [False, True]:
            doubt = "which of the pipelines of a merge request counts: the job is in that of the branch alone"
            at = 1 if self.world.choose("pipelines", (False, True), doubt=doubt, usual=True) else 0
            return self._pipeline(*found[at])
        return self._pipeline(*found[0])

    def _jobs(self, pipeline: Pipeline, source: str) -> list[tuple[GitlabJob, Added]]:
        on_branch = self.event not in _OF_CHANGES
        context = RuleContext(
            self.setting.repository, self.world, source, self.setting.branch, self.files, on_branch=on_branch
        )
        context.of_request = source == "merge_request_event" or (source == _CHILD and self.of_request)
        own = _texts(pipeline.variables)
        found: list[tuple[GitlabJob, Added]] = []
        if creates(context, pipeline.workflow, own):
            variables = ((job, {**own, **_texts(job.get("variables") or {})}) for job in pipeline.jobs.values())
            found += [
                (job, how)
                for job, table in variables
                if (how := added(context, job, table, everywhere=pipeline.workflow is not None))
            ]
        concerned = {job.name for job in pipeline.jobs.values() if self._is_concerned(job)}
        names = [f"job {name} " for name in concerned] + ["the pipeline "]
        self.skipped += [one for one in context.skipped if one[1].startswith(tuple(names))]
        return found

    def _is_concerned(self, job: GitlabJob) -> bool:
        text = str([job.get(key) for key in ("script", "before_script", "after_script", "run", "image")])
        named = any(word in text for word in self.asked.words[:1])
        return "trigger" in job.keys or named or self.execution.words.search(text) is not None

    def _pipeline(self, source: str, jobs: Sequence[tuple[GitlabJob, Added]], depth: int = 0) -> str:
        """Run the jobs that may run the command; one that fails fails the pipeline, unless it may fail."""
        outcomes = [
            self._job(job, how, source, depth)
            for job, how in jobs
            if self._is_concerned(job) and self._starts(job, how, jobs)
        ]
        return "failure" if "failure" in outcomes else "success"

    def _starts(self, job: GitlabJob, how: Added, jobs: Sequence[tuple[GitlabJob, Added]]) -> bool:
        """Tell whether a job of the pipeline runs though nothing before it has failed."""
        if how.when == "manual" and _is_true(how.allow_failure):
            self.skipped.append((how.location, f"job {job.name} is manual: nobody has to start it"))
            return bool(self.world.choose(("manual", job.name), (False, True)))
        if how.when == "on_failure":
            self.skipped.append((how.location, f"job {job.name} runs only after another one has failed"))
            return False
        optional = {other.name for other, its in jobs if its.when == "manual" and _is_true(its.allow_failure)}
        waited = [name for name in _needs(job) if name in optional]
        if waited:
            doubt = f"whether anybody starts {waited[0]}, which job {job.name} waits for"
            return bool(self.world.choose(("needs", job.name), doubt=doubt, usual=True))
        return True

    def _job(self, job: GitlabJob, how: Added, source: str, depth: int) -> str:
        before = len(self.execution.ran)
        failed = False
        for number, variables in enumerate(_combinations(job)):
            self.execution.instance = (job.name, number)
            self.execution.checked_out = lambda _: ""
            table = {**_texts(self.pipeline.variables), **_texts(job.get("variables") or {})}
            table = self._table(source, {**table, **_texts(how.variables), **variables})
            if table.get("GIT_STRATEGY") in {"none", "empty"}:
                self.execution.checked_out = lambda _: "with this GIT_STRATEGY nothing is checked out"
            status = self._child(job, depth) if "trigger" in job.keys else self._script(job, table)
            failed = failed or status != 0
        if len(self.execution.ran) > before:
            self.titles.append(job.name)
        if failed and self._may_fail(how):
            self.execution.file = how.location.file
            place = job.at("allow_failure")
            self.execution.file = place.file
            self.execution.lost(place.line, f"with allow_failure the pipeline succeeds when job {job.name} fails")
            return "success"
        return "failure" if failed else "success"

    @staticmethod
    def _may_fail(how: Added) -> bool:
        """Tell whether the pipeline passes over the failure of a job: whatever it is, or by its exit code."""
        if not isinstance(how.allow_failure, Mapping):
            return _is_true(how.allow_failure)
        given = how.allow_failure.get("exit_codes")
        codes = {str(one) for one in (given if isinstance(given, list) else [given])}
        return bool(codes & _EXIT_CODES)

    def _table(self, source: str, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a job, those in them filled in as far as they are known."""
        branch = self.setting.branch or HOLE
        known = {"CI": "true", "CI_PROJECT_DIR": ".", "CI_DEFAULT_BRANCH": branch, "CI_PIPELINE_SOURCE": source}
        table = {**known, **variables}
        return {name: _REFERENCE.sub(lambda m: table.get(m[1] or m[2], HOLE), text) for name, text in table.items()}

    def _script(self, job: GitlabJob, table: Mapping[str, str]) -> int:
        """Run the script of a job; what comes after it cannot fail the job."""
        if "run" in job.keys:
            self.execution.unseen.append((job.at("run"), "what its steps do is unknown"))
        status = self._shell(job.name, [job.keys.get("before_script"), job.keys.get("script")], table)
        after = job.keys.get("after_script")
        if after is not None and self._shell(job.name, [after], table) and not status:
            self.execution.file = after.location.file
            self.execution.lost(after.location.line, f"what after_script comes to does not fail job {job.name}")
        return status

    def _shell(self, name: str, scripts: Sequence[Written | None], table: Mapping[str, str]) -> int:
        parts = [script for script in scripts if script is not None]
        text, line = _joined(parts)
        if not text.strip():
            return 0
        self.execution.file = parts[-1].location.file
        shell = Shell(self.execution, self.world, table, errexit=True, pipefail=True)
        try:
            return shell.run(text, line)
        except UnreadableScriptError as error:
            return self.execution.unread(text, line, f"{error.message} (job {name})")

    def _child(self, job: GitlabJob, depth: int) -> int:
        """Run the pipeline that a job starts; only with a strategy does the job wait for it."""
        given = job.get("trigger")
        include = given.get("include") if isinstance(given, Mapping) else None
        entries = include if isinstance(include, list) else [include]
        paths = [one if isinstance(one, str) else (one or {}).get("local") for one in entries]
        status = 0
        for path in paths:
            if not isinstance(path, str) or HOLE in path or depth >= _MOST_CHILDREN:
                self.execution.unseen.append((job.at("trigger"), "a pipeline that is not in the repository"))
                continue
            try:
                child = read_pipeline(self.setting.repository, path.lstrip("/"))
            except ProcessFileError:
                self.execution.unseen.append(
                    (job.at("trigger"), f"the pipeline {path}, which is not in the repository")
                )
                continue
            jobs = self._jobs(child, _CHILD)
            status = status or int(bool(jobs) and self._pipeline(_CHILD, jobs, depth + 1) == "failure")
        waits = isinstance(given, Mapping) and given.get("strategy") in {"depend", "mirror"}
        if status and not waits:
            self.execution.file = job.at("trigger").file
            self.execution.lost(
                job.at("trigger").line, "without `strategy: depend` the child pipeline is not waited for"
            )
        return status if waits else 0


def _joined(scripts: Sequence[Written]) -> tuple[str, int]:
    """Return the commands of scripts as one, each on its own line where that can be, and the first line."""
    found: list[tuple[int, str]] = [one for script in scripts for one in lines_of(script)]
    begin = found[0][0] if found else 0
    text = ""
    for line, command in found:
        text += "\n" * max(0, line - begin - text.count("\n")) + command.rstrip("\n") + "\n"
    return text, begin


def _needs(job: GitlabJob) -> list[str]:
    given = job.get("needs") or job.get("dependencies") or []
    names = [one.get("job") if isinstance(one, Mapping) else one for one in (given if isinstance(given, list) else [])]
    return [str(name) for name in names if name]


def _combinations(job: GitlabJob) -> Iterator[dict[str, str]]:
    """Yield the variables of each job that `parallel: matrix` makes."""
    parallel = job.get("parallel")
    matrix = parallel.get("matrix") if isinstance(parallel, Mapping) else None
    for entry in matrix if isinstance(matrix, list) else [{}]:
        axes = (
            [
                [(str(key), str(one)) for one in (value if isinstance(value, list) else [value])]
                for key, value in entry.items()
            ]
            if isinstance(entry, Mapping)
            else []
        )
        for chosen in product(*axes):
            yield dict(chosen)


def _texts(variables: Mapping[str, Any]) -> dict[str, str]:
    """Return variables as text; one may have a description beside its value."""
    plain = {key: one.get("value", "") if isinstance(one, Mapping) else one for key, one in variables.items()}
    return {str(key): str(value).lower() if isinstance(value, bool) else str(value) for key, value in plain.items()}


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
