"""What a workflow of GitHub does for an event: its jobs and steps, gone through in one world.

Sources: GitHub Docs, "Workflow syntax for GitHub Actions", "Events that trigger workflows", "Reuse workflows",
"Metadata syntax for GitHub Actions" and "Troubleshooting required status checks".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec import Struct

from infraspec.core.finding import Location
from infraspec.process.checkout import CheckedOut
from infraspec.process.commands import Asked, Execution, Ran
from infraspec.process.expressions import HOLE, Evaluator, ExpressionError, Unsettled, as_text
from infraspec.process.markdown import line_of, parse_mapping
from infraspec.process.shell import Shell, UnreadableScriptError, joined
from infraspec.process.workflows import Workflow, workflow_of
from infraspec.process.worlds import World

_MOST_COMBINATIONS = 60
_MOST_CALLS = 8
_DECIDING = re.compile(r"exit|false|setFailed|GITHUB_ENV|alls-green|checkout")
"""What a step has in it that may fail, or decides what later ones have."""
_OF_OTHER_EVENTS = (
    "label inputs deployment deployment_status schedule head_commit commits issue comment review merge_group release"
    " workflow_run client_payload ref before after"
)


class WorkflowEvent(Struct, frozen=True):
    """What starts a workflow: an event, and its activity type if it has one."""

    name: str
    action: str = ""
    cron: str = ""
    ready_for_review: bool = False
    """Whether a pull request that stops being a draft starts the workflow again."""

    def __str__(self) -> str:
        return f"{self.name} ({self.action})" if self.action else self.name


_USED = re.compile(r"'uses': '([^']+)'")
_CALLED = re.compile(r"'uses': '[^'.]+/\.github/workflows/")
"""The reusable workflow of another repository, which may run anything."""


class ActionInputs(Struct, frozen=True, forbid_unknown_fields=True):
    """Inputs of an action that decide whether it fails. Source: the README of the action."""

    passes: Mapping[str, tuple[str, ...]] = {}
    selects: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@cache
def action_inputs() -> Mapping[str, ActionInputs]:
    """Return what is known of actions, by their names."""
    content = Path(__file__).with_name("actions.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, ActionInputs])


class RunResult(Struct, frozen=True):
    """What a run came to in one world: its checks, and what became of the command asked about."""

    event: WorkflowEvent
    checks: Mapping[str, str]
    ran: tuple[Ran, ...]
    titles: tuple[str, ...]
    """The checks of the jobs that ran the command."""
    jobs: tuple[str, ...]
    failed: bool
    losses: tuple[tuple[Location, str], ...]
    skipped: tuple[tuple[Location, str], ...]
    near: tuple[tuple[Location, str], ...]
    unseen: tuple[tuple[Location, str], ...]
    """What may run the command and is not in the repository, or not understood."""
    doubts: tuple[str, ...]


def contexts_of(event: WorkflowEvent, branch: Any) -> dict[str, Any]:
    """Return the contexts that every job of a run has. Source: GitHub Docs, "Contexts reference"."""
    free, setting = Unsettled("github.event", free=True), Unsettled("github")
    other = dict.fromkeys(_OF_OTHER_EVENTS.split())
    payload: dict[str, Any] = {
        **other,
        "action": event.action or None,
        "repository": {"default_branch": branch, "*": setting},
        "*": free,
    }
    github: dict[str, Any] = {
        "event_name": event.name,
        "event": payload,
        "actor": Unsettled("github.actor", free=True),
        "triggering_actor": Unsettled("github.triggering_actor", free=True),
        "base_ref": "",
        "head_ref": "",
        "ref_type": "branch",
        "workspace": ".",
        "*": setting,
    }
    head: Any = f"refs/heads/{branch}" if isinstance(branch, str) else Unsettled("github.ref", like=r"refs/heads/.*")
    match event.name:
        case "pull_request" | "pull_request_target":
            payload["pull_request"] = {
                "base": {"ref": branch, "*": setting},
                "head": {"repo": setting, "*": free},
                "draft": False if event.ready_for_review else Unsettled("github.event.pull_request.draft", free=True),
                "state": "open",
                "merged": False,
                "*": free,
            }
            payload["label"] = free if event.action in {"labeled", "unlabeled"} else None
            github |= {"base_ref": branch, "head_ref": Unsettled("github.head_ref", free=True)}
            if event.name == "pull_request":
                github["ref"] = Unsettled("github.ref", free=True, like=r"refs/pull/[0-9]+/merge")
                github["ref_name"] = Unsettled("github.ref_name", free=True, like=r"[0-9]+/merge")
        case "merge_group":
            payload["merge_group"] = {"base_ref": head, "*": free}
            github["ref"] = Unsettled("github.ref", free=True, like=r"refs/heads/gh-readonly-queue/.*")
        case "deployment_status":
            payload |= {"deployment": free, "deployment_status": {"state": "success", "*": free}}
        case "schedule":
            payload["schedule"] = event.cron
        case "workflow_dispatch":
            payload["inputs"] = {"*": setting}
    if "ref" not in github and event.name in {"push", "schedule", "workflow_dispatch", "pull_request_target"}:
        github |= {"ref": head, "ref_name": branch}
    return {"github": github, "vars": {"*": Unsettled("vars")}, "secrets": {"*": Unsettled("secrets")}}


class WorkflowRun:
    """A run of a workflow in one world."""

    def __init__(self, repository: CheckedOut, asked: Asked, world: World, event: WorkflowEvent, branch: Any) -> None:
        self.repository, self.asked, self.world, self.event = repository, asked, world, event
        self.execution = Execution(repository, asked, world)
        self.base = contexts_of(event, branch)
        self.checks: dict[str, str] = {}
        self.titles: list[str] = []
        self.jobs: list[str] = []
        self.skipped: list[tuple[Location, str]] = []
        self.fallible: frozenset[str] = frozenset()
        """Jobs that may fail for a reason of their own."""
        self.depth = 0

    def result(self, workflow: Workflow, fallible: frozenset[str] = frozenset()) -> RunResult:
        """Run a workflow and return what it comes to."""
        self.fallible = fallible
        self.workflow(workflow, {"*": Unsettled("inputs")} if self.event.name == "workflow_dispatch" else {}, "")
        done = self.execution
        failed = done.failed is not None
        return RunResult(
            event=self.event,
            checks=self.checks,
            ran=tuple(done.ran),
            titles=tuple(dict.fromkeys(self.titles)),
            jobs=tuple(dict.fromkeys(self.jobs)),
            failed=failed,
            losses=tuple(done.losses),
            skipped=tuple(self.skipped),
            near=tuple(done.near),
            unseen=tuple(done.unseen),
            doubts=tuple(self.world.doubts),
        )

    def workflow(self, workflow: Workflow, inputs: Any, prefix: str) -> str:
        """Run the jobs of a workflow in the order of their needs, and return its conclusion."""
        jobs = workflow.tree["jobs"]
        concerned = self._concerned(jobs)
        results: dict[str, str] = {name: "success" for name in jobs if name not in concerned}
        self.checks.update({f"{prefix}{workflow_title(jobs[name], name)}": "success" for name in results})
        pending = [name for name in jobs if name in concerned]
        while pending:
            ready = [
                name for name in pending if all(need in results or need not in jobs for need in needs_of(jobs[name]))
            ]
            if not ready:
                break
            for name in ready:
                pending.remove(name)
                results[name] = self._job(workflow, str(name), jobs[name], results, inputs=inputs, prefix=prefix)
        return "failure" if "failure" in results.values() else "success"

    def _job(
        self,
        workflow: Workflow,
        name: str,
        job: Mapping[str, Any],
        results: Mapping[str, str],
        *,
        inputs: Any,
        prefix: str,
    ) -> str:
        place = Location(workflow.file, line_of(workflow.tree["jobs"], name))
        needs = {
            need: {"result": results.get(need, "success"), "outputs": {"*": Unsettled(f"needs.{need}.outputs")}}
            for need in needs_of(job)
        }
        above = [results[need] for need in _all_needs(workflow.tree["jobs"], name) if need in results]
        status = {"success": all(one == "success" for one in above), "failure": "failure" in above, "cancelled": False}
        contexts = {**self.base, "needs": needs, "inputs": inputs}
        evaluator = Evaluator(contexts, self.world, status)
        if not self.runs(evaluator, job.get("if"), place, f"job {name}", about=job):
            title = _title(evaluator, job, name)
            self.checks[f"{prefix}{title}"] = "skipped"
            if job.get("if") is None:
                failing = ", ".join(
                    need for need in sorted(_all_needs(workflow.tree["jobs"], name)) if results.get(need) != "success"
                )
                self.skipped.append(
                    (
                        place,
                        f"job {name} is skipped when {failing} does not succeed, and a skipped check counts as passed",
                    )
                )
            return "skipped"
        outcomes = [
            self._instance(workflow, name, job, {**contexts, "matrix": combination}, place, prefix=prefix)
            for combination in _combinations(evaluator, job, self.world)
        ]
        return "failure" if "failure" in outcomes else "success"

    def _concerned(self, jobs: Mapping[str, Any]) -> set[str]:
        """Return the jobs that may run the command, those that wait for them, and those that these wait for."""
        found = {name for name, job in jobs.items() if self.may_run(job)}
        found |= {name for name in jobs if _all_needs(jobs, name) & found}
        return found.union(*(_all_needs(jobs, name) for name in found))

    def may_run(self, node: Any) -> bool:
        """Tell whether a job or a step may run the command, by its text and what it uses of the repository."""
        text = str(node)
        foreign = any(map(self.execution.may_be_in, _USED.findall(text))) or _CALLED.search(text)
        named = any(word in text for word in self.asked.words[:1])
        return "'./" in text or bool(self.execution.words.search(text) or foreign) or named

    def runs(self, evaluator: Evaluator, condition: Any, place: Location, what: str, *, about: Any) -> bool:
        """Tell whether a job or a step runs by its `if`."""
        try:
            runs = evaluator.condition(condition)
        except ExpressionError as error:
            runs = bool(self.world.choose((str(place), "if"), doubt=f"the `if` of {what} ({place}): {error.message}"))
        if not runs and condition is not None and self.may_run(about) and not self._runs_another(str(about)):
            self.skipped.append((place, f"{what} is skipped by `if: {condition}`"))
        return runs

    def _runs_another(self, text: str) -> bool:
        """Tell whether a job or a step runs the program with other words, and nothing that may run it, too."""
        words = self.asked.words
        indirect = re.search(r"\bmake\b|\.sh\b|'\./", text)
        return len(words) > 1 and words[0] in text and not indirect and not self.asked.is_named_in(text)

    def _instance(
        self,
        workflow: Workflow,
        name: str,
        job: Mapping[str, Any],
        contexts: dict[str, Any],
        place: Location,
        *,
        prefix: str,
    ) -> str:
        """Run a job with one combination of its matrix, and return its conclusion."""
        evaluator = Evaluator(contexts, self.world, {"success": True, "failure": False, "cancelled": False})
        title = prefix + _title(evaluator, job, name)
        before = len(self.execution.ran)
        if target := job.get("uses"):
            conclusion = self._called(str(target), job, evaluator, f"{title} / ", place)
        elif f"{prefix}{name}" in self.fallible and self.world.choose(("job", name, "fails"), (False, True)):
            conclusion = "failure"
        else:
            conclusion = _Job(self, workflow, job, contexts, title).run()
        if len(self.execution.ran) > before:
            self.titles += () if target else (title,)
            self.jobs.append(name)
        if conclusion == "failure" and evaluator.truth(_flag(evaluator, job.get("continue-on-error"))):
            self.execution.lost(
                line_of(job, "continue-on-error"), "with continue-on-error the run succeeds when the job fails"
            )
            conclusion = "success"
        if not target:
            self.checks[title] = conclusion
        return conclusion

    def _called(self, target: str, job: Mapping[str, Any], evaluator: Evaluator, prefix: str, place: Location) -> str:
        """Run a reusable workflow."""
        if self.asked.words == (target.partition("@")[0],):
            self.execution.file = place.file
            title = prefix.removesuffix(" / ")
            failed = self.execution.outcome([target], place.line)
            self.titles.append(f"{title} / {HOLE}")
            self.checks[f"{title} / {HOLE}"] = "failure" if failed else "success"
            return "failure" if failed else "success"
        called = self._read(target, place)
        self.depth += 1
        if called is None or self.depth > _MOST_CALLS:
            self.depth -= 1
            return "success"
        given = {str(key): evaluator.resolved(value) for key, value in (job.get("with") or {}).items()}
        try:
            return self.workflow(called, _inputs(called.events.get("workflow_call"), given), prefix)
        finally:
            self.depth -= 1

    def _read(self, target: str, place: Location) -> Workflow | None:
        path = target.removeprefix("./")
        called = self.repository.parsed(path, workflow_of) if target.startswith("./") else None
        if called is None:
            self.execution.unseen.append((place, f"the workflow {target}, which is not in the repository"))
            return None
        return called


class _Job:
    """A job on its runner: steps, environment and what was checked out."""

    def __init__(
        self, run: WorkflowRun, workflow: Workflow, job: Mapping[str, Any], contexts: dict[str, Any], title: str
    ) -> None:
        self.run_, self.workflow, self.job, self.title = run, workflow, job, title
        self.execution, self.world = run.execution, run.world
        self.contexts = {**contexts, "steps": {}, "runner": {"os": _system(job), "*": Unsettled("runner")}}
        self.failed = False
        self.trees: dict[str, str] = {}
        """What was checked out into a directory: empty for what is to be tested."""
        self.foreign = False
        self.file = workflow.file

    def run(self) -> str:
        """Run the steps and return the conclusion of the job."""
        execution = self.execution
        execution.instance = self.title
        execution.written, execution.checked_out = {}, self._checked_out
        if self._without_time(self.job, f"the job {self.title}"):
            return "success"
        environment = self._environment({}, self.workflow.tree.get("env"), self.job.get("env"))
        for number, step in enumerate(self.job.get("steps") or ()):
            if isinstance(step, Mapping):
                place = Location(self.file, line_of(self.job["steps"], number))
                self.step(step, environment, place, self.contexts)
        return "failure" if self.failed else "success"

    def _without_time(self, node: Mapping[str, Any], what: str) -> bool:
        """Tell whether a job or a step is not run because it is given no time: GitHub's documentation does not say."""
        if str(node.get("timeout-minutes")) != "0":
            return False
        return not self.world.choose((what, "timeout"), doubt=f"what timeout-minutes: 0 does to {what}")

    def evaluator(self, contexts: Mapping[str, Any]) -> Evaluator:
        status = {"success": not self.failed, "failure": self.failed, "cancelled": False}
        return Evaluator({**contexts, "job": {"status": "failure" if self.failed else "success"}}, self.world, status)

    def _environment(self, before: Mapping[str, str], *more: Any) -> dict[str, str]:
        found = dict(before)
        evaluator = self.evaluator({**self.contexts, "env": {**found, "*": Unsettled("env")}})
        for given in more:
            if isinstance(given, Mapping):
                found |= {str(key): _environment_text(evaluator, value) for key, value in given.items()}
            elif given is not None:
                found |= dict.fromkeys(("PYTEST_ADDOPTS", "MAKEFLAGS", "INFRASPEC_ENV"), HOLE)
        return found

    def step(
        self, step: Mapping[str, Any], environment: Mapping[str, str], place: Location, contexts: dict[str, Any]
    ) -> None:
        """Run a step and take in its outcome; what can neither run the command nor fail has no say."""
        if not self.run_.may_run(step) and not _DECIDING.search(str(step)):
            contexts["steps"][str(step.get("id"))] = _outcome(step, "success", "success")
            return
        variables = self._environment({**environment, **self.execution.written}, step.get("env"))
        here = {**contexts, "env": {**variables, "*": Unsettled("env")}}
        evaluator = self.evaluator(here)
        name = str(step.get("name") or step.get("id") or step.get("run") or step.get("uses") or "")
        if not self.run_.runs(
            evaluator,
            step.get("if"),
            Location(self.file, line_of(step, "if", place.line)),
            f"step `{name.splitlines()[0] if name else ''}`",
            about=step,
        ):
            outcome = conclusion = "skipped"
        elif self._without_time(step, f"the step at {place}"):
            outcome = conclusion = "success"
        else:
            status = (
                self._script(step, evaluator, variables)
                if "run" in step
                else self._action(step, evaluator, variables, here)
            )
            outcome = conclusion = "failure" if status else "success"
            if status and evaluator.truth(_flag(evaluator, step.get("continue-on-error"))):
                self.execution.file = self.file
                self.execution.lost(
                    line_of(step, "continue-on-error"),
                    "with continue-on-error the job goes on as if the step had passed",
                )
                conclusion = "success"
        self.failed = self.failed or conclusion == "failure"
        if step.get("id"):
            contexts["steps"][str(step["id"])] = _outcome(step, outcome, conclusion)

    def _script(self, step: Mapping[str, Any], evaluator: Evaluator, variables: Mapping[str, str]) -> int:
        text, line = str(step["run"]), first_line(step, "run")
        self.execution.file = self.file
        try:
            text = evaluator.text(text)
            options = shell_options(self._default(step, "shell"), self.contexts["runner"]["os"])
            where = evaluator.text(str(self._default(step, "working-directory") or ""))
            shell = Shell(self.execution, self.world, variables, directory=joined("", where), **options)
            return shell.run(text, line)
        except (UnreadableScriptError, ExpressionError) as error:
            return self.execution.unread(text, line, f"{error.message} ({self.file}:{line})")

    def _default(self, step: Mapping[str, Any], key: str) -> Any:
        for node in (step, _in(self.job, "defaults", "run"), _in(self.workflow.tree, "defaults", "run")):
            if key in node:
                return node[key]
        return None

    def _action(
        self, step: Mapping[str, Any], evaluator: Evaluator, variables: Mapping[str, str], contexts: dict[str, Any]
    ) -> int:
        target = str(step.get("uses") or "")
        name = target.partition("@")[0]
        given = {str(key): evaluator.resolved(value) for key, value in (step.get("with") or {}).items()}
        line = line_of(step, "uses")
        if self.run_.asked.words == (name,):
            self.execution.file = self.file
            return self.execution.outcome([target], line, lost=self._lost(name, given))
        if target.startswith("./"):
            return self._local(name, given, variables, contexts, line)
        if name == "actions/checkout":
            path = as_text(given.get("path")) if not isinstance(given.get("path"), Unsettled) else HOLE
            self.trees[joined("", path)] = self._revision(given)
        elif name.endswith("/alls-green"):
            results = [need["result"] for need in contexts.get("needs", {}).values()]
            allowed = {"success", "skipped"} if given.get("allowed-skips") else {"success"}
            return int(not set(results) <= allowed and not given.get("allowed-failures"))
        else:
            self.foreign = True
        if self.execution.may_be_in(target):
            self.execution.unseen.append(
                (Location(self.file, line), f"the action {target}, which is not in the repository")
            )
        return 0

    def _lost(self, name: str, given: Mapping[str, Any]) -> str:
        """Return why nobody sees an action fail."""
        known = action_inputs().get(name)
        for key, value in given.items():
            text = HOLE if isinstance(value, Unsettled) else as_text(value).lower()
            if known and (text in known.passes.get(key, ()) or key in known.selects):
                return f"with `{key}: {as_text(value)}` {name} passes in spite of what it finds"
            if (known and key in known.passes and text == HOLE) or (not known and re.search(r"soft|fail|exit", key)):
                doubt = f"what `{key}` does to {name}"
                if not self.world.choose((self.title, key), doubt=doubt):
                    return doubt
        if known and not any(key in given for key in known.needs) and known.needs:
            return f"{name} passes in spite of what it finds without {' or '.join(known.needs)}"
        return ""

    def _local(
        self, path: str, given: Mapping[str, Any], variables: Mapping[str, str], contexts: dict[str, Any], line: int
    ) -> int:
        """Run an action of the repository, if its steps are written there."""
        directory = path.removeprefix("./").rstrip("/")
        for file in (f"{directory}/action.yml", f"{directory}/action.yaml"):
            tree = self.run_.repository.parsed(file, parse_mapping)
            if tree is not None:
                return self._composite(tree, self.run_.repository.shown(file), given, variables, contexts)
        self.execution.unseen.append((Location(self.file, line), f"the action {path}, which is not in the repository"))
        return 0

    def _composite(
        self,
        tree: Mapping[str, Any],
        file: str,
        given: Mapping[str, Any],
        variables: Mapping[str, str],
        contexts: dict[str, Any],
    ) -> int:
        runs = _in(tree, "runs")
        if runs.get("using") != "composite" or self.run_.depth > _MOST_CALLS:
            return 0
        inner = {**contexts, "inputs": _inputs(tree, given), "steps": {}}
        outer = (self.file, self.failed, self.job, self.workflow)
        self.run_.depth += 1
        self.file, self.failed, self.job = file, False, {}
        self.workflow = Workflow(file, {}, (), {})
        try:
            for number, step in enumerate(runs.get("steps") or ()):
                self.step(step, variables, Location(file, line_of(runs["steps"], number)), inner)
            return int(self.failed)
        finally:
            self.file, self.failed, self.job, self.workflow = outer
            self.run_.depth -= 1

    def _revision(self, given: Mapping[str, Any]) -> str:
        """Return why a checkout does not have what is to be tested; empty if it has."""
        event = self.run_.event.name
        for key in ("repository", "ref"):
            value = given.get(key)
            if value in (None, ""):
                continue
            text = value.name if isinstance(value, Unsettled) else as_text(value)
            own = re.search(r"head\.|head_ref|merge|github\.(?:sha|ref|event\.after|repository$)", text)
            if not own and event in {"pull_request", "merge_group"} and "${{" not in text:
                return f"the checkout has `{key}: {text}`, not the change"
        if event == "pull_request_target" and not given.get("ref"):
            return "on pull_request_target the checkout has the base branch, not the change"
        return ""

    def _checked_out(self, directory: str) -> str:
        """Say why a directory does not have what is to be tested; empty if it has."""
        parents = [directory, *map(str, PurePosixPath(directory).parents)] if directory else ["."]
        for parent in parents:
            key = "" if parent == "." else parent
            if key in self.trees:
                return self.trees[key]
        if self.foreign or self.trees or self.job.get("container"):
            return ""
        if self.world.choose(
            (self.title, "checkout"), doubt=f"whether the files are there: the job {self.title} checks nothing out"
        ):
            return ""
        return "nothing is checked out"


def _outcome(step: Mapping[str, Any], outcome: str, conclusion: str) -> dict[str, Any]:
    """Return what later steps know of a step."""
    outputs = {"*": Unsettled(f"steps.{step.get('id')}.outputs")}
    return {"outcome": outcome, "conclusion": conclusion, "outputs": outputs}


def workflow_title(job: Mapping[str, Any], name: str) -> str:
    """Return the name of a job's check as it is written."""
    return str(job.get("name") or name)


def first_line(node: Mapping[str, Any], key: str) -> int:
    """Return the line that a text of a YAML file begins on."""
    value = node[key]
    return line_of(node, key) + (1 if type(value).__name__ == "LiteralScalarString" else 0)


def needs_of(job: Mapping[str, Any]) -> list[str]:
    """Return the jobs that a job waits for."""
    needs = job.get("needs")
    return [needs] if isinstance(needs, str) else [str(need) for need in needs or ()]


def _all_needs(jobs: Mapping[str, Any], name: str) -> set[str]:
    found: set[str] = set()
    pending = needs_of(jobs[name])
    while pending:
        need = pending.pop()
        if need not in found and need in jobs:
            found.add(need)
            pending += needs_of(jobs[need])
    return found


def needs_before(workflow: Workflow, names: Sequence[str]) -> frozenset[str]:
    """Return the jobs that others wait for, through any number of them, but for these themselves."""
    jobs = workflow.tree["jobs"]
    return frozenset().union(*(_all_needs(jobs, name) for name in names if name in jobs)) - set(names)


def _title(evaluator: Evaluator, job: Mapping[str, Any], name: str) -> str:
    """Return the name of the check that a job makes."""
    given = str(job.get("name") or name)
    try:
        title = evaluator.text(given)
    except ExpressionError:
        title = HOLE
    matrix = evaluator.contexts.get("matrix")
    if "${{" in given or not matrix:
        return title
    if isinstance(matrix, Unsettled):
        return f"{title} ({HOLE})"
    values = [
        HOLE if isinstance(value, Unsettled) else as_text(value)
        for value in matrix.values()
        if not isinstance(value, Mapping | list)
    ]
    return f"{title} ({', '.join(values)})"


def _combinations(evaluator: Evaluator, job: Mapping[str, Any], world: World) -> Iterator[Any]:
    """Yield the combinations of a matrix. Source: GitHub Docs, "Running variations of jobs in a workflow"."""
    given = _in(job, "strategy").get("matrix")
    if given is None:
        yield {}
        return
    matrix = evaluator.resolved(given)
    axes = (
        {}
        if isinstance(matrix, Unsettled)
        else {key: value for key, value in matrix.items() if key not in {"include", "exclude"}}
    )
    if isinstance(matrix, Unsettled) or any(
        not isinstance(value, list) for value in [*axes.values(), matrix.get("include") or []]
    ):
        if world.choose(("matrix", id(job)), doubt="whether the matrix has a combination"):
            yield Unsettled("matrix")
        return
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    excluded = [one for one in matrix.get("exclude") or [] if isinstance(one, Mapping)]
    combinations = [one for one in combinations if not any(_within(rule, one) for rule in excluded)]
    base = [dict(one) for one in combinations]
    for extra in matrix.get("include") or []:
        fits = (
            [
                at
                for at, one in enumerate(base)
                if all(one.get(key, value) == value for key, value in extra.items() if key in axes)
            ]
            if isinstance(extra, Mapping)
            else []
        )
        for at in fits:
            combinations[at] |= extra
        if not fits and isinstance(extra, Mapping):
            combinations.append(dict(extra))
    yield from combinations[:_MOST_COMBINATIONS]


def _within(rule: Mapping[str, Any], combination: Mapping[str, Any]) -> bool:
    return all(combination.get(key) == value for key, value in rule.items())


def _in(node: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _flag(evaluator: Evaluator, value: Any) -> Any:
    return evaluator.resolved(value) if isinstance(value, str) else value


def _environment_text(evaluator: Evaluator, value: Any) -> str:
    try:
        return evaluator.text(as_text(value))
    except ExpressionError:
        return HOLE


def _inputs(declaring: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of an action or a workflow with their defaults."""
    declared = _in(declaring, "inputs")
    found: dict[str, Any] = {str(key): (value or {}).get("default", "") for key, value in declared.items()}
    return {**found, **given}


def _system(job: Mapping[str, Any]) -> Any:
    runner = job.get("runs-on")
    labels = " ".join(map(str, runner)) if isinstance(runner, list) else str(runner)
    if "${{" in labels:
        return Unsettled("runner.os")
    return next(
        (system for sign, system in (("windows", "Windows"), ("mac", "macOS")) if sign in labels.lower()), "Linux"
    )


def shell_options(shell: Any, system: Any) -> dict[str, bool]:
    """Return the options of the shell of a step. Source: GitHub Docs, "Workflow syntax: jobs.<job_id>.steps[*].shell".

    Raises UnreadableScriptError for what is neither bash nor sh.
    """
    if shell is None:
        if system == "Windows":
            raise UnreadableScriptError("the script is one of PowerShell")
        return {"errexit": True, "pipefail": False}
    text = str(shell).strip()
    if text == "bash":
        return {"errexit": True, "pipefail": True}
    if text == "sh":
        return {"errexit": True, "pipefail": False}
    words = text.split()
    if "${{" in text or PurePosixPath(words[0]).name not in {"bash", "sh"} or "{0}" not in words:
        raise UnreadableScriptError(f"the script is one of `{text}`")
    return {"errexit": bool(re.search(r"\s-\w*e", text)), "pipefail": "pipefail" in text}
