"""Rule `process`: a change of the infrastructure is asked about, owned, tested and reviewed before it is merged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from codeowners import CodeOwners

from infraspec.contract.models import Contract
from infraspec.contract.operations import Process, RequiredJob
from infraspec.contract.paths import display, resolve
from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rules import PROCESS as RULE
from infraspec.process.checklist import PullRequest, normalized
from infraspec.process.markdown import line_of, parse_sequence, read_page
from infraspec.process.workflows import Job, Workflow, read_workflows


def check_process(contract: Contract, settings: Process, pull_request: PullRequest | None = None) -> list[Finding]:
    """Judge the files of `[process]`, and the checklist of a pull request if the run is for one.

    Raises ProcessFileError for files that cannot be read.
    """
    findings: list[Finding] = []
    if settings.template is not None:
        findings += _template(contract, settings, settings.template)
    if pull_request is not None and settings.checklist:
        findings += _ticked(pull_request, settings.checklist)
    if settings.codeowners is not None:
        findings += _owned(contract, settings, settings.codeowners)
    if settings.labels_file is not None:
        findings += _labels(contract, settings, settings.labels_file)
    workflows: Sequence[Workflow] = ()
    if settings.workflows is not None:
        directory = resolve(contract, settings.workflows)
        shown = display(contract, directory)
        workflows = read_workflows(directory, shown)
        findings += _jobs(workflows, settings.jobs, shown)
        findings += _hardened(workflows)
    if settings.ruleset is not None:
        findings += _ruleset(contract, settings, settings.ruleset, workflows)
    return findings


def _template(contract: Contract, rules: Process, path: Path) -> Iterator[Finding]:
    page = read_page(resolve(contract, path), display(contract, path))
    lines = {normalized(item.text): item.line for item in page.items}
    for text in rules.checklist:
        line = lines.get(normalized(text))
        if line is not None:
            yield _proven(page.file, f"item {text}", Location(page.file, line))
            continue
        yield _violated(
            page.file,
            f"item {text}",
            Location(page.file),
            expected=f"- [ ] {text}",
            found=f"{len(page.items)} other items",
            reason="the contract's [process] checklist asks it of every change",
            remedy=f"- [ ] {text}",
        )


def _ticked(request: PullRequest, checklist: Sequence[str]) -> Iterator[Finding]:
    address = f"pull request #{request.number}"
    missing = set(request.open_items(checklist))
    for text in checklist:
        if text not in missing:
            yield _proven(address, f"item {text}", None)
            continue
        yield _violated(
            address,
            f"item {text}",
            None,
            expected=f"- [x] {text}",
            found="not ticked in the description",
            reason="the change is not ready before everything on the checklist is done",
            remedy="do it, then tick the item in the pull request's description",
        )


def _owned(contract: Contract, rules: Process, path: Path) -> Iterator[Finding]:
    shown = display(contract, path)
    owners = CodeOwners(_text(contract, path))
    for wanted in rules.owned:
        found, line, pattern, _ = owners.matching_line(wanted.lstrip("/"))
        if found:
            yield _proven(shown, f"owner of {wanted}", Location(shown, line or 0))
            continue
        yield _violated(
            shown,
            f"owner of {wanted}",
            Location(shown, line or 0),
            expected=f"an owner of {wanted}",
            found=f"the last pattern that matches, {pattern}, names none" if pattern else "no pattern that matches",
            reason="a change of it needs nobody's review",
            remedy=f"/{wanted.lstrip('/')} @your-organization/your-team",
        )


def _labels(contract: Contract, rules: Process, path: Path) -> Iterator[Finding]:
    shown = display(contract, path)
    tree = parse_sequence(_text(contract, path), shown)
    lines = {str(n["name"]): line_of(tree, at) for at, n in enumerate(tree) if isinstance(n, Mapping) and "name" in n}
    for label in rules.labels:
        if label in lines:
            yield _proven(shown, f"label {label}", Location(shown, lines[label]))
            continue
        yield _violated(
            shown,
            f"label {label}",
            Location(shown),
            expected=f"a label {label}",
            found=f"{len(lines)} other labels",
            reason="the contract's [process] labels names it",
            remedy=f'- name: {label}\n  color: "ededed"\n  description: …',
        )


def _jobs(workflows: Sequence[Workflow], wanted: Mapping[str, RequiredJob], shown: str) -> Iterator[Finding]:
    for name, rule in wanted.items():
        job = next(
            (job for flow in workflows if rule.event in flow.events for job in flow.jobs if _runs(job, rule)), None
        )
        if job is not None:
            yield _proven(shown, f"job {name}", job.location)
            continue
        yield _violated(
            shown,
            f"job {name}",
            Location(shown),
            expected=f"a job that runs `{rule.runs}` on {rule.event}",
            found=", ".join(f"{job.name} on {'/'.join(flow.events)}" for flow in workflows for job in flow.jobs)
            or "no job",
            reason="nothing runs it when it has to run",
            remedy=f"on: {rule.event}\njobs:\n  {name}:\n    runs-on: ubuntu-latest\n"
            f"    steps:\n      - run: {rule.runs}",
        )


def _runs(job: Job, rule: RequiredJob) -> bool:
    return rule.runs in job.commands or any(use.target.partition("@")[0] == rule.runs for use in job.uses)


def _hardened(workflows: Sequence[Workflow]) -> Iterator[Finding]:
    for flow in workflows:
        for job in flow.jobs:
            subject = f"job {job.name}"
            if job.permissions is None or job.permissions == "write-all":
                yield _violated(
                    flow.file,
                    f"{subject}: permissions",
                    job.location,
                    expected="the permissions that the job needs, each by its name",
                    found="write-all" if job.permissions else "none, so those that the repository grants by default",
                    reason="a step that goes astray can write wherever the token can",
                    remedy="permissions:\n  contents: read",
                )
            else:
                yield _proven(flow.file, f"{subject}: permissions", job.location)
            for use in job.uses:
                name, _, version = use.target.partition("@")
                if use.pinned:
                    yield _proven(flow.file, f"{subject}: {use.target}", use.location)
                    continue
                yield _violated(
                    flow.file,
                    f"{subject}: {use.target}",
                    use.location,
                    expected="the 40 digits of a commit after @",
                    found=use.target,
                    reason="a tag or a branch can be moved to other code",
                    remedy=f"uses: {name}@<commit> # {version or 'version'}",
                )


def _ruleset(contract: Contract, rules: Process, path: Path, workflows: Sequence[Workflow]) -> Iterator[Finding]:
    """Judge a ruleset as GitHub exports it: review by owners, and the required jobs as status checks."""
    shown = display(contract, path)
    try:
        tree = json.loads(_text(contract, path))
        parameters = {rule["type"]: rule.get("parameters") or {} for rule in tree["rules"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProcessFileError(
            "no branch ruleset", place=shown, expected='{"enforcement": "active", "rules": [...]}', found=repr(error)
        ) from None
    review = parameters.get("pull_request", {})
    yield _setting(shown, "enforcement", tree.get("enforcement"), wanted="active")
    yield _setting(shown, "require_code_owner_review", review.get("require_code_owner_review"), wanted=True)
    count = review.get("required_approving_review_count", 0)
    yield _setting(shown, "required_approving_review_count", count, wanted=max(1, count))
    checks = [
        check.get("context") for check in parameters.get("required_status_checks", {}).get("required_status_checks", [])
    ]
    for rule in rules.jobs.values():
        if rule.event != "pull_request":
            continue
        for job in (job for flow in workflows if rule.event in flow.events for job in flow.jobs if _runs(job, rule)):
            yield _setting(shown, f"status check {job.title}", job.title in checks, wanted=True)


def _setting(shown: str, subject: str, found: Any, *, wanted: Any) -> Finding:
    if found == wanted:
        return _proven(shown, subject, Location(shown))
    return _violated(
        shown,
        subject,
        Location(shown),
        expected=json.dumps(wanted),
        found=json.dumps(found),
        reason="a pull request could be merged without it",
        remedy=f'"{subject}": {json.dumps(wanted)}',
    )


def _text(contract: Contract, path: Path) -> str:
    try:
        return resolve(contract, path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProcessFileError(f"the file cannot be read: {error}", place=display(contract, path)) from None


def _proven(address: str, subject: str, location: Location | None) -> Finding:
    return Finding(RULE.id, Verdict.PROVEN, address, subject, location)


def _violated(
    address: str, subject: str, location: Location | None, *, expected: str, found: str, reason: str, remedy: str
) -> Finding:
    return Finding(
        RULE.id,
        Verdict.VIOLATED,
        address,
        subject,
        location,
        expected=expected,
        found=found,
        reason=reason,
        remedy=remedy,
    )
