"""Rule `process`: a change of the infrastructure is asked about, owned, tested and reviewed before it is merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from infraspec.checks.process.merging import Gate, other_pipeline, owner_of, owners_in_force, rules_of_branch
from infraspec.contract.models import Contract
from infraspec.contract.operations import Process
from infraspec.contract.paths import display, resolve
from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Finding, Location
from infraspec.core.rules import RULES
from infraspec.core.runtime import read_regular
from infraspec.process.branch_rules import read_rules
from infraspec.process.checklist import PullRequest, normalized
from infraspec.process.code_owners import Owners
from infraspec.process.gitlab.project import ProjectSettings, read_project
from infraspec.process.gitlab.runs import is_gitlab
from infraspec.process.markdown import line_of, parse_sequence, read_page
from infraspec.process.workflows import Job, read_workflows

RULE = RULES["process"]

_MOST_FILES = 500


def check_process(contract: Contract, settings: Process, pull_request: PullRequest | None = None) -> list[Finding]:
    """Judge the files of `[process]`, and the checklist of a pull request if the run is for one.

    Raises ProcessFileError for files that cannot be read.
    """
    findings: list[Finding] = []
    if settings.template is not None:
        findings += _template(contract, settings, settings.template)
    if pull_request is not None and settings.checklist:
        findings += _ticked(pull_request, settings.checklist)
    if settings.labels_file is not None:
        findings += _labels(contract, settings, settings.labels_file)
    gate = _gate(contract, settings) if settings.workflows is not None else None
    findings += _of_pipeline(contract, settings, gate)
    findings += _merging(contract, settings, gate)
    if settings.codeowners is not None:
        findings += _owned(contract, settings, settings.codeowners, gate)
    return findings


def _gate(contract: Contract, settings: Process) -> Gate | None:
    """Return the required jobs with what runs them; None for the pipeline of a system that is not gone through."""
    place = resolve(contract, settings.workflows or Path())
    if place.is_file():
        return Gate(contract, settings, (), place) if is_gitlab(place.name) else None
    return Gate(contract, settings, read_workflows(place, display(contract, place)), place)


def _of_pipeline(contract: Contract, settings: Process, gate: Gate | None) -> Iterator[Finding]:
    if gate is not None:
        yield from gate.jobs()
        yield from (one for flow in gate.workflows for job in flow.jobs for one in _hardened(flow.file, job))
    elif settings.workflows is not None:
        yield from other_pipeline(display(contract, resolve(contract, settings.workflows)), settings)


def _merging(contract: Contract, settings: Process, gate: Gate | None) -> Iterator[Finding]:
    if gate is not None and gate.pipeline is not None:
        yield from gate.merging_by_project(_project(contract, settings))
        return
    rules = None
    if settings.ruleset is not None:
        shown = display(contract, settings.ruleset)
        rules = read_rules(_text(contract, settings.ruleset), shown, settings.branch)
        yield from rules_of_branch(rules, shown)
    if gate is not None:
        yield from gate.merging(rules)


def _project(contract: Contract, settings: Process) -> ProjectSettings | None:
    if settings.ruleset is None:
        return None
    return read_project(_text(contract, settings.ruleset), display(contract, settings.ruleset), settings.branch)


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


def _owned(contract: Contract, settings: Process, path: Path, gate: Gate | None) -> Iterator[Finding]:
    shown, root = display(contract, path), gate.root if gate else contract.directory
    yield owners_in_force(root, resolve(contract, path), shown)
    owners = Owners(_text(contract, path))
    of_gate = [*gate.files(), path.as_posix()] if gate and any(gate.gates()) else []
    for wanted in dict.fromkeys((*settings.owned, *of_gate)):
        yield from (owner_of(owners, shown, file) for file in _below(root, wanted))


def _below(root: Path, wanted: str) -> Iterator[str]:
    """Yield a path, or, for a directory, what is in it and what may come."""
    directory = root / wanted.lstrip("/")
    if not directory.is_dir():
        yield wanted
        return
    base = wanted.rstrip("/")
    yield f"{base}/…"
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    yield from (f"{base}/{path.relative_to(directory).as_posix()}" for path in islice(files, _MOST_FILES))


def _labels(contract: Contract, settings: Process, path: Path) -> Iterator[Finding]:
    shown = display(contract, path)
    tree = parse_sequence(_text(contract, path), shown)
    lines = {str(n["name"]): line_of(tree, at) for at, n in enumerate(tree) if isinstance(n, Mapping) and "name" in n}
    for label in settings.labels:
        yield RULE.about(shown, f"label {label}", Location(shown, lines.get(label, 0))).judge(
            "no-label", holds=label in lines, label=label, others=len(lines)
        )


def _hardened(file: str, job: Job) -> Iterator[Finding]:
    subject = RULE.about(file, f"job {job.name}: permissions", job.location)
    wording = "all-permissions" if job.permissions else "no-permissions"
    yield subject.judge(wording, holds=job.permissions not in (None, "write-all"))
    for use in job.uses:
        name, _, version = use.target.partition("@")
        yield RULE.about(file, f"job {job.name}: {use.target}", use.location).judge(
            "not-pinned", holds=use.pinned, target=use.target, name=name, version=version or "version"
        )


def _text(contract: Contract, path: Path) -> str:
    try:
        shown = display(contract, path)
        return read_regular(resolve(contract, path), shown, within=contract.directory).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProcessFileError(f"the file cannot be read: {error}", place=display(contract, path)) from None
