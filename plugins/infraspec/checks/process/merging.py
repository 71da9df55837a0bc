"""Whether a change can reach the branch without its tests passing on it and without an owner's approval."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from infraspec.contract.models import Contract
from infraspec.contract.operations import Process, RequiredJob
from infraspec.contract.paths import display, names_in, resolve, roots_below
from infraspec.core.errors import listing
from infraspec.core.finding import Finding, Location, Related
from infraspec.core.rules import RULES
from infraspec.process.branch_rules import ACTIONS_APP, BranchRules, Bypass
from infraspec.process.checkout import CheckedOut
from infraspec.process.code_owners import LOCATIONS, Owners
from infraspec.process.commands import Asked
from infraspec.process.gate import Candidate, GateAnswer, GateSetting, candidates, decide, is_open, required
from infraspec.process.gitlab.project import ProjectSettings
from infraspec.process.gitlab.runs import gitlab_candidates
from infraspec.process.workflows import Workflow

RULE = RULES["process"]

_CHANGES = frozenset({"pull_request", "merge_request", "merge_request_event"})
_ORDER = {"proven": 0, "undetermined": 1, "violated": 2}
_ANOTHER = ("another/file.txt",)


class Gate:
    """The required jobs of a contract, with the workflows that run them."""

    def __init__(self, contract: Contract, settings: Process, workflows: Sequence[Workflow], place: Path) -> None:
        """Find the jobs in the workflows of a directory, or in the pipeline of GitLab that a file has."""
        self.contract, self.settings, self.workflows = contract, settings, workflows
        self.pipeline = place if place.is_file() else None
        of_github = place.parts[-2:] == (".github", "workflows")
        self.root = place.parents[1] if of_github else place.parent if self.pipeline else contract.directory
        self.shown = display(contract, place)
        repository = CheckedOut(self.root, lambda path: display(contract, self.root / path))
        for name in names_in(place) if self.pipeline is None else ():
            repository.shown((place / name).relative_to(self.root).as_posix())
        contract_file, *sources = self._sources()
        self.setting = GateSetting(repository, settings.branch, tuple(sources), (contract_file,), _ANOTHER)
        self.found: dict[str, list[Candidate]] = {name: self._candidates(job) for name, job in settings.jobs.items()}

    def _sources(self) -> Iterator[str]:
        """Yield the contract, then the files of the infrastructure, from the root of the repository."""
        directory = Path(resolve(self.contract, Path()))
        base = Path(display(self.root, directory)) if directory.is_relative_to(self.root) else Path()
        base = directory.relative_to(self.root) if directory.is_relative_to(self.root) else base
        yield (base / "infraspec.toml").as_posix()
        for root in roots_below(directory):
            ends = (".tf", ".tf.json", ".tofu", ".tfvars", ".tfvars.json")
            yield from ((base / root / name).as_posix() for name in names_in(directory / root) if name.endswith(ends))

    def _candidates(self, job: RequiredJob, event: str = "") -> list[Candidate]:
        asked, event = Asked.of(job.runs), event or job.event
        found = (
            candidates(self.setting, self.workflows, asked, event, job.hours)
            if self.pipeline is None
            else gitlab_candidates(self.setting, self.pipeline.name, asked, event)
        )
        return sorted(found, key=lambda candidate: _ORDER[candidate.answer.verdict])

    def gates(self) -> Iterator[tuple[str, RequiredJob, Candidate]]:
        """Yield the jobs without which nothing may be merged, with each workflow that runs one for a change."""
        for name, job in self.settings.jobs.items():
            if job.gate and job.event in _CHANGES:
                yield from ((name, job, candidate) for candidate in self.found[name] if candidate.results)

    # findings

    def jobs(self) -> Iterator[Finding]:
        """Judge that every required job runs on its event, and that it is seen when it fails."""
        for name, job in self.settings.jobs.items():
            yield self._job(name, job, self.found[name])
            if job.gate and job.event in _CHANGES:
                yield from self._environments(name, self.found[name])
        if any(job.event in _CHANGES and job.gate for job in self.settings.jobs.values()):
            yield self._suite()

    def _job(self, name: str, job: RequiredJob, found: Sequence[Candidate]) -> Finding:
        best = next(iter(found), None)
        said = {"runs": job.runs, "event": job.event, "name": name}
        if best is None:
            jobs = ", ".join(f"{one.name} on {'/'.join(flow.events)}" for flow in self.workflows for one in flow.jobs)
            subject = RULE.about(self.shown, f"job {name}", Location(self.shown))
            return subject.say("no-job" if self.pipeline is None else "no-gitlab-job", jobs=jobs or "no job", **said)
        answer = best.answer
        subject = RULE.about(self.shown, f"job {name}", answer.location)
        runs_at_all = any(result.ran for result in best.results) and answer.kind in {"seen", "look"}
        if answer.verdict == "proven" or (not job.gate and runs_at_all):
            return subject.proven()
        wording = _wording(answer) if self.pipeline is None else _of_gitlab(answer)
        return subject.say(wording, found=answer.found, reason=answer.reason, **said)

    def _environments(self, name: str, found: Sequence[Candidate]) -> Iterator[Finding]:
        proven = [candidate for candidate in found if candidate.answer.verdict == "proven"]
        limits = [candidate.environments for candidate in proven]
        if not proven or None in limits:
            return
        covered = set(chain.from_iterable(one or () for one in limits))
        missing = sorted(set(self.contract.environments) - covered)
        subject = RULE.about(self.shown, f"job {name}: environments", proven[0].answer.location)
        yield subject.judge(
            "not-every-environment", holds=not missing, missing=listing(missing, 5), covered=listing(sorted(covered), 5)
        )

    def _suite(self) -> Finding:
        """Judge that one of the jobs for a change runs the static suite."""
        running = [one for _, _, one in self.gates() if "static" in one.suites]
        place = running[0].answer.location if running else Location(self.shown)
        jobs = [name for name, job in self.settings.jobs.items() if job.event in _CHANGES]
        subject = RULE.about(self.shown, "static suite", place)
        return subject.judge("no-suite", holds=bool(running), jobs=", ".join(jobs))

    def merging(self, rules: BranchRules | None) -> Iterator[Finding]:
        """Judge that nothing is merged unless the checks of the required jobs have passed."""
        gates = list(self.gates())
        if rules is None:
            if any(job.gate and job.event in _CHANGES for job in self.settings.jobs.values()):
                yield RULE.about(self.shown, "rules of the branch", Location(self.shown)).say("no-rules")
            return
        by_job: dict[str, list[Finding]] = {}
        for name, _, candidate in gates:
            by_job.setdefault(name, []).append(self._check(rules, candidate))
        for findings in by_job.values():
            yield min(findings, key=lambda finding: (_ORDER[finding.verdict.value], finding.subject))
        yield from self._same_names(rules, [candidate for _, _, candidate in gates])
        if rules.queue:
            yield from self._queue()

    def merging_by_project(self, project: ProjectSettings | None) -> Iterator[Finding]:
        """Judge that GitLab merges nothing unless the pipeline has passed, by the settings of its project."""
        if not any(job.gate and job.event in _CHANGES for job in self.settings.jobs.values()):
            return
        if project is None:
            yield RULE.about(self.shown, "settings of the project", Location(self.shown)).say("no-project")
            return
        for setting, wanted, value in project.judged():
            subject = RULE.about(project.location.file, setting, project.place(setting))
            yield subject.judge("not-in-project", holds=wanted == value, name=setting, wanted=wanted, value=value)
        if project.pushers is None:
            yield RULE.about(project.location.file, "protected branch", project.location).say("no-protection")
            return
        subject = RULE.about(project.location.file, "protected branch", project.place("protected_branches"))
        yield subject.judge("push-allowed", holds=not project.pushers, who=", ".join(project.pushers))

    def _check(self, rules: BranchRules, candidate: Candidate) -> Finding:
        known = dict.fromkeys(chain.from_iterable(result.checks for result in candidate.results), "")
        seen = [
            one for one in candidate.results if not is_open(one, lambda result: "failure" in result.checks.values())
        ]
        answer = decide(seen, lambda result: required(result, rules.counted, known))
        titles = ", ".join(candidate.titles).replace("\ue000", "…")
        subject = RULE.about(
            rules.location.file, f"status check {titles}", rules.place(next(iter(candidate.titles), ""))
        )
        here = [Related("job", candidate.workflow.file, candidate.answer.location)]
        others = [
            f"{name} (of the app {app})" if app not in {None, ACTIONS_APP} else name
            for name, app in rules.checks.items()
        ]
        listed_all = all(title in rules.counted for title in candidate.titles)
        if answer.verdict == "proven" and (listed_all or any(one.failed for one in seen)):
            if candidate.advice and listed_all:
                return subject.say("waits", place=candidate.advice.location)
            return subject.proven()
        if not listed_all:
            return RULE.about(rules.location.file, subject.name, subject.location, here).say(
                "not-required", title=titles, checks=listing(others, 8) if others else "no check", app=ACTIONS_APP
            )
        wording = "check-passes" if answer.verdict == "violated" else "check-unclear"
        passing = RULE.about(rules.location.file, subject.name, answer.location, here)
        return passing.say(wording, title=titles, found=answer.found, reason=answer.reason)

    def _same_names(self, rules: BranchRules, found: Sequence[Candidate]) -> Iterator[Finding]:
        """Say which required checks have a namesake that does not run the tests."""
        titles = {title for candidate in found for title in candidate.titles if title in rules.counted}
        running = {(candidate.workflow.file, title) for candidate in found for title in candidate.titles}
        for flow in self.workflows:
            for job in flow.jobs if {"pull_request", "pull_request_target", "push"} & set(flow.events) else ():
                if job.title in titles and (flow.file, job.title) not in running:
                    yield RULE.about(flow.file, f"job {job.name}: name", job.location).say("same-name", title=job.title)

    def _queue(self) -> Iterator[Finding]:
        for name, job in self.settings.jobs.items():
            if job.gate and job.event in _CHANGES:
                yield self._job(f"{name} in the merge queue", job, self._candidates(job, "merge_group"))

    def files(self) -> list[str]:
        """Return the files that the gate is made of, from the root of the repository."""
        found = [
            one.location.file for _, _, candidate in self.gates() for result in candidate.results for one in result.ran
        ]
        known = self.setting.repository.paths
        used = dict.fromkeys([candidate.workflow.file for _, _, candidate in self.gates()] + found)
        return [known[file] for file in used if file in known]


def other_pipeline(shown: str, settings: Process) -> Iterator[Finding]:
    """Say that the pipeline of another system than GitHub is not gone through."""
    for name, job in settings.jobs.items():
        subject = RULE.about(shown, f"job {name}", Location(shown))
        yield subject.say("other-pipeline", runs=job.runs, event=job.event)


def _wording(answer: GateAnswer) -> str:
    """Return the name of what is said of a job."""
    match answer.kind:
        case "trigger":
            return "job-trigger"
        case "paths":
            return "job-paths"
        case "branch":
            return "job-branch"
        case "schedule":
            return "job-schedule"
        case "look":
            return "job-look"
        case "run":
            return "job-run"
    return "job-seen"


def _of_gitlab(answer: GateAnswer) -> str:
    """Return the name of what is said of a job of GitLab."""
    match answer.kind:
        case "trigger":
            return "gitlab-trigger"
        case "look":
            return "gitlab-look"
        case "run":
            return "gitlab-run"
    return "gitlab-seen"


def rules_of_branch(rules: BranchRules, shown: str) -> Iterator[Finding]:
    """Judge the rules of a branch: in force, for this branch, for everybody, and with a review by owners."""
    active = RULE.about(shown, "enforcement", rules.place("enforcement"))
    yield active.judge(
        "not-in-ruleset",
        holds=rules.enforcement == "active",
        name="enforcement",
        asked='"active"',
        value=json.dumps(rules.enforcement),
    )
    about = RULE.about(shown, "branch", rules.place("ref_name"))
    if rules.applies is None:
        yield about.say("which-branch", included=rules.included)
    else:
        yield about.judge("other-branch", holds=rules.applies, included=rules.included)
    yield from _bypasses(rules, shown)
    owners = RULE.about(shown, "require_code_owner_review", rules.place("require_code_owner_review"))
    yield owners.judge(
        "not-in-ruleset", holds=rules.by_owners, name="require_code_owner_review", asked="true", value="false"
    )
    count = RULE.about(shown, "required_approving_review_count", rules.place("required_approving_review_count"))
    yield count.judge(
        "not-in-ruleset",
        holds=rules.approvals > 0,
        name="required_approving_review_count",
        asked=1,
        value=rules.approvals,
    )
    stale = RULE.about(shown, "dismiss_stale_reviews_on_push", rules.place("dismiss_stale_reviews_on_push"))
    yield stale.judge("last-push" if rules.last_push else "stale", holds=rules.stale_dismissed)
    if not rules.strict:
        yield RULE.about(shown, "strict", rules.place("strict_required_status_checks_policy")).say("not-strict")
    if any(app is None for app in rules.checks.values()):
        yield RULE.about(shown, "app of the status checks", rules.place("required_status_checks")).say(
            "any-app", app=ACTIONS_APP
        )


def _bypasses(rules: BranchRules, shown: str) -> Iterator[Finding]:
    if not rules.bypasses:
        subject = RULE.about(shown, "bypass", rules.place("bypass_actors"))
        yield subject.judge("no-bypasses", holds=rules.bypasses is not None)
    for actor in rules.bypasses or ():
        yield RULE.about(shown, f"bypass by {actor.name}", actor.location).say(_exempt(actor), name=actor.name)


def _exempt(actor: Bypass) -> str:
    if actor.who == "administrator":
        return "bypass-administrator"
    return "bypass-everybody" if actor.who == "everybody" else "bypass-somebody"


def owners_in_force(root: Path, path: Path, shown: str) -> Finding:
    """Judge that GitHub reads the file of owners: it takes the first of three places."""
    places = (*LOCATIONS, ".gitlab/CODEOWNERS")
    first = next((place for place in places if (root / place).is_file()), "")
    holds = bool(first) and (root / first).absolute() == path.absolute()
    return RULE.about(shown, "place of the owners", Location(shown)).judge(
        "other-owners", holds=holds, first=first or "none", places=" or ".join(LOCATIONS)
    )


def owner_of(owners: Owners, shown: str, wanted: str) -> Finding:
    """Judge that a path has an owner."""
    path = wanted.lstrip("/")
    owned = owners.of(path)
    subject = RULE.about(shown, f"owner of {wanted}", Location(shown, owned.line))
    wording = "no-owner" if owned.pattern else "no-pattern"
    left = "; ".join(f"line {line}: {why}" for line, why in owners.skipped.items())
    return subject.judge(
        wording,
        holds=bool(owned.owners),
        wanted=wanted,
        pattern=owned.pattern,
        path=path,
        left=f" ({left})" if left else "",
    )
