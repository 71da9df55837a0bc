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
from infraspec.core.runtime import read_regular
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
        yield RULE.about(page.file, f"item {text}", Location(page.file, line or 0)).judge(
            "no-item", holds=line is not None, text=text, others=len(page.items)
        )


def _ticked(request: PullRequest, checklist: Sequence[str]) -> Iterator[Finding]:
    missing = set(request.open_items(checklist))
    for text in checklist:
        yield RULE.about(f"pull request #{request.number}", f"item {text}").judge(
            "not-ticked", holds=text not in missing, text=text
        )


def _owned(contract: Contract, settings: Process, path: Path) -> Iterator[Finding]:
    shown = display(contract, path)
    codeowners = CodeOwners(_text(contract, path))
    for wanted in settings.owned:
        owners, line, pattern, _ = codeowners.matching_line(wanted.lstrip("/"))
        subject = RULE.about(shown, f"owner of {wanted}", Location(shown, line or 0))
        wording = "no-owner" if pattern else "no-pattern"
        yield subject.judge(wording, holds=bool(owners), wanted=wanted, pattern=pattern, path=wanted.lstrip("/"))


def _labels(contract: Contract, settings: Process, path: Path) -> Iterator[Finding]:
    shown = display(contract, path)
    tree = parse_sequence(_text(contract, path), shown)
    lines = {str(n["name"]): line_of(tree, at) for at, n in enumerate(tree) if isinstance(n, Mapping) and "name" in n}
    for label in settings.labels:
        yield RULE.about(shown, f"label {label}", Location(shown, lines.get(label, 0))).judge(
            "no-label", holds=label in lines, label=label, others=len(lines)
        )


def _jobs(workflows: Sequence[Workflow], wanted: Mapping[str, RequiredJob], shown: str) -> Iterator[Finding]:
    for name, rule in wanted.items():
        job = next(_running(workflows, rule), None)
        subject = RULE.about(shown, f"job {name}", job.location if job else Location(shown))
        jobs = ", ".join(f"{job.name} on {'/'.join(flow.events)}" for flow in workflows for job in flow.jobs)
        said = {"runs": rule.runs, "event": rule.event, "name": name, "jobs": jobs or "no job"}
        yield subject.judge("no-job", holds=job is not None, **said)


def _running(workflows: Sequence[Workflow], rule: RequiredJob) -> Iterator[Job]:
    """Yield the jobs that run what a rule asks for, on its event."""
    for flow in workflows:
        for job in flow.jobs if rule.event in flow.events else ():
            if rule.runs in job.commands or any(use.target.partition("@")[0] == rule.runs for use in job.uses):
                yield job


def _hardened(file: str, job: Job) -> Iterator[Finding]:
    subject = RULE.about(file, f"job {job.name}: permissions", job.location)
    wording = "all-permissions" if job.permissions else "no-permissions"
    yield subject.judge(wording, holds=job.permissions not in (None, "write-all"))
    for use in job.uses:
        name, _, version = use.target.partition("@")
        yield RULE.about(file, f"job {job.name}: {use.target}", use.location).judge(
            "not-pinned", holds=use.pinned, target=use.target, name=name, version=version or "version"
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
        said = {"name": name, "asked": json.dumps(asked), "value": json.dumps(value)}
        yield RULE.about(shown, name, Location(shown)).judge("not-in-ruleset", holds=value == asked, **said)


def _text(contract: Contract, path: Path) -> str:
    try:
        shown = display(contract, path)
        return read_regular(resolve(contract, path), shown, within=contract.directory).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProcessFileError(f"the file cannot be read: {error}", place=display(contract, path)) from None
