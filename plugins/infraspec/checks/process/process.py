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
from infraspec.core.finding import Finding, Location
from infraspec.core.rules import RULES
from infraspec.process.checklist import PullRequest, normalized
from infraspec.process.markdown import line_of, parse_sequence, read_page
from infraspec.process.workflows import Job, Workflow, read_workflows

RULE = RULES["process"]


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
        findings += (finding for flow in workflows for job in flow.jobs for finding in _hardened(flow.file, job))
    if settings.ruleset is not None:
        findings += _ruleset(contract, settings, settings.ruleset, workflows)
    return findings


def _template(contract: Contract, settings: Process, path: Path) -> Iterator[Finding]:
    page = read_page(resolve(contract, path), display(contract, path))
    lines = {normalized(item.text): item.line for item in page.items}
    for text in settings.checklist:
        line = lines.get(normalized(text))
        yield RULE.about(page.file, f"item {text}", Location(page.file, line or 0)).judged(
            holds=line is not None,
            expected=f"- [ ] {text}",
            found=f"{len(page.items)} other items",
            reason="the contract's [process] checklist asks it of every change",
            remedy=f"- [ ] {text}",
        )


def _ticked(request: PullRequest, checklist: Sequence[str]) -> Iterator[Finding]:
    missing = set(request.open_items(checklist))
    for text in checklist:
        yield RULE.about(f"pull request #{request.number}", f"item {text}").judged(
            holds=text not in missing,
            expected=f"- [x] {text}",
            found="not ticked in the description",
            reason="the change is not ready before everything on the checklist is done",
            remedy="do it, then tick the item in the pull request's description",
        )


def _owned(contract: Contract, settings: Process, path: Path) -> Iterator[Finding]:
    shown = display(contract, path)
    codeowners = CodeOwners(_text(contract, path))
    for wanted in settings.owned:
        owners, line, pattern, _ = codeowners.matching_line(wanted.lstrip("/"))
        yield RULE.about(shown, f"owner of {wanted}", Location(shown, line or 0)).judged(
            holds=bool(owners),
            expected=f"an owner of {wanted}",
            found=f"the last pattern that matches, {pattern}, names none" if pattern else "no pattern that matches",
            reason="a change of it needs nobody's review",
            remedy=f"/{wanted.lstrip('/')} @your-organization/your-team",
        )


def _labels(contract: Contract, settings: Process, path: Path) -> Iterator[Finding]:
    shown = display(contract, path)
    tree = parse_sequence(_text(contract, path), shown)
    lines = {str(n["name"]): line_of(tree, at) for at, n in enumerate(tree) if isinstance(n, Mapping) and "name" in n}
    for label in settings.labels:
        yield RULE.about(shown, f"label {label}", Location(shown, lines.get(label, 0))).judged(
            holds=label in lines,
            expected=f"a label {label}",
            found=f"{len(lines)} other labels",
            reason="the contract's [process] labels names it",
            remedy=f'- name: {label}\n  color: "ededed"\n  description: …',
        )


def _jobs(workflows: Sequence[Workflow], wanted: Mapping[str, RequiredJob], shown: str) -> Iterator[Finding]:
    for name, rule in wanted.items():
        job = next(_running(workflows, rule), None)
        yield RULE.about(shown, f"job {name}", job.location if job else Location(shown)).judged(
            holds=job is not None,
            expected=f"a job that runs `{rule.runs}` on {rule.event}",
            found=", ".join(f"{job.name} on {'/'.join(flow.events)}" for flow in workflows for job in flow.jobs)
            or "no job",
            reason="nothing runs it when it has to run",
            remedy=f"on: {rule.event}\njobs:\n  {name}:\n    runs-on: ubuntu-latest\n"
            f"    steps:\n      - run: {rule.runs}",
        )


def _running(workflows: Sequence[Workflow], rule: RequiredJob) -> Iterator[Job]:
    """Yield the jobs that run what a rule asks for, on its event."""
    for flow in workflows:
        for job in flow.jobs if rule.event in flow.events else ():
            if rule.runs in job.commands or any(use.target.partition("@")[0] == rule.runs for use in job.uses):
                yield job


def _hardened(file: str, job: Job) -> Iterator[Finding]:
    yield RULE.about(file, f"job {job.name}: permissions", job.location).judged(
        holds=job.permissions not in (None, "write-all"),
        expected="the permissions that the job needs, each by its name",
        found="write-all" if job.permissions else "none, so those that the repository grants by default",
        reason="a step that goes astray can write wherever the token can",
        remedy="permissions:\n  contents: read",
    )
    for use in job.uses:
        name, _, version = use.target.partition("@")
        yield RULE.about(file, f"job {job.name}: {use.target}", use.location).judged(
            holds=use.pinned,
            expected="the 40 digits of a commit after @",
            found=use.target,
            reason="a tag or a branch can be moved to other code",
            remedy=f"uses: {name}@<commit> # {version or 'version'}",
        )


def _ruleset(contract: Contract, settings: Process, path: Path, workflows: Sequence[Workflow]) -> Iterator[Finding]:
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
    count = review.get("required_approving_review_count", 0)
    checks = parameters.get("required_status_checks", {}).get("required_status_checks", [])
    contexts = [check.get("context") for check in checks]
    wanted: list[tuple[str, Any, Any]] = [
        ("enforcement", tree.get("enforcement"), "active"),
        ("require_code_owner_review", review.get("require_code_owner_review"), True),
        ("required_approving_review_count", count, max(1, count)),
    ]
    for rule in settings.jobs.values():
        if rule.event == "pull_request":
            titles = (job.title for job in _running(workflows, rule))
            wanted += ((f"status check {title}", title in contexts, True) for title in titles)
    for name, value, asked in wanted:
        yield RULE.about(shown, name, Location(shown)).judged(
            holds=value == asked,
            expected=json.dumps(asked),
            found=json.dumps(value),
            reason="a pull request could be merged without it",
            remedy=f'"{name}": {json.dumps(asked)}',
        )


def _text(contract: Contract, path: Path) -> str:
    try:
        return resolve(contract, path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProcessFileError(f"the file cannot be read: {error}", place=display(contract, path)) from None
