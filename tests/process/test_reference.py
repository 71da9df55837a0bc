import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.process.incidents import check_incidents
from infraspec.checks.process.playbooks import check_playbooks
from infraspec.checks.process.process import check_process
from infraspec.contract.models import Contract
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict
from infraspec.process.checklist import PullRequest
from infraspec.process.markdown import parse_page
from infraspec.process.playbooks import Playbook, playbook_of, read_playbooks

REFERENCE = Path(__file__).parents[2] / "fixtures" / "daily-report-tool"
PLAYBOOKS = sorted(path.relative_to(REFERENCE) for path in (REFERENCE / "docs/playbooks").rglob("*.md"))
RECORDS = sorted(path.relative_to(REFERENCE) for path in (REFERENCE / "docs/incidents").glob("*.md"))
TEMPLATE = Path(".github/pull_request_template.md")
LABELS = Path(".github/labels.yml")
OWNERS = Path(".github/CODEOWNERS")
RULESET = Path(".github/rulesets/main.json")
WORKFLOWS = sorted(path.relative_to(REFERENCE) for path in (REFERENCE / ".github/workflows").iterdir())
PULL_REQUEST, SCHEDULED = (Path(".github/workflows", f"{name}.yml") for name in ("pull-request", "scheduled"))
Edit = Callable[[str], str]


def copy_process(directory: Path) -> Path:
    """Return a copy of what the rules about the process read, but for the playbooks."""
    for name in ("docs/incidents", ".github", "organization"):
        shutil.copytree(REFERENCE / name, directory / name)
    for name in ("Makefile", "infraspec.toml"):
        shutil.copy(REFERENCE / name, directory / name)
    (directory / "docs/playbooks").mkdir()
    return directory


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy for a test."""
    return copy_process(tmp_path)


@cache
def reference_playbooks() -> tuple[Playbook, ...]:
    """Read the playbooks of the reference infrastructure."""
    return read_playbooks(REFERENCE / "docs/playbooks", "docs/playbooks")


@cache
def reference_contract() -> Contract:
    """Read the contract of the reference infrastructure, without its environments."""
    return contracts.load(REFERENCE / "infraspec.toml", environments=[])


def judged(directory: Path, request: PullRequest | None = None) -> list[Finding]:
    """Return the findings of the rules on incidents and the process."""
    contract = contracts.load(directory / "infraspec.toml", environments=[])
    assert contract.incidents
    assert contract.process
    return [
        *check_incidents(contract, contract.incidents, reference_playbooks()),
        *check_process(contract, contract.process, request),
    ]


def judged_playbooks(playbooks: Sequence[Playbook]) -> list[Finding]:
    """Return the findings of the rule on playbooks."""
    contract = reference_contract()
    assert contract.playbooks
    return check_playbooks(contract, contract.playbooks, playbooks)


def removed(pattern: str, count: int = 1) -> Edit:
    """Return an edit that takes out what a pattern matches; it has to match."""

    def edit(text: str) -> str:
        changed, times = re.subn(pattern, "", text, count=count, flags=re.MULTILINE)
        assert times, pattern
        return changed

    return edit


def replaced(pattern: str, new: str) -> Edit:
    """Return an edit that replaces what a pattern matches; it has to match."""

    def edit(text: str) -> str:
        changed, times = re.subn(pattern, new, text, count=1, flags=re.MULTILINE)
        assert times, pattern
        return changed

    return edit


def mutations() -> Iterator[tuple[str, Path, Edit | None]]:
    """Yield what can go missing: a name, the file, and the edit (None: the file is removed)."""
    for path in (*WORKFLOWS, TEMPLATE, LABELS, OWNERS, RULESET):
        yield "file", path, None
    yield from of_records()
    yield from of_lists()
    yield from of_workflows()


def of_a_playbook() -> Iterator[tuple[str, Edit]]:
    """Yield what a playbook can lack."""
    for number in range(1, 5):
        yield f"phase {number}", removed(rf"^## {number}\..*$")
        yield f"time of phase {number}", replaced(rf"^(## {number}\..*?)\d+", r"\g<1>77")
    for key in ("id", "language", "owner", "targets"):
        yield key, removed(rf"^{key}: .*\n")
    yield "target", replaced(r"restore: 15", "restore: 60")
    yield "owner unknown", replaced(r"^owner: .*$", "owner: nobody")
    yield "program", replaced(r"^(aws|gh) ", "awz ")
    yield "link", replaced(r"\]\(\.\./(en|ja)/", "](../none/")


def of_records() -> Iterator[tuple[str, Path, Edit]]:
    """Yield what an incident record can lack."""
    for path in RECORDS:
        yield "timeline", path, removed(r"^## .*(タイムライン|Timeline).*$")
        yield "why", path, removed(r"^### (Why|なぜ) 3.*$")
    record = next(path for path in RECORDS if path.name != "template.md")
    yield "playbook of a record", record, replaced(r"^playbook: .*$", "playbook: none")
    yield "start of a record", record, removed(r"^started: .*\n")
    yield "order of a record", record, replaced(r"^restored: .*$", 'restored: "2000-01-01T00:00:00+09:00"')


def of_lists() -> Iterator[tuple[str, Path, Edit]]:
    """Yield the items of the checklist, labels, owners and settings that can go missing."""
    for item in re.findall(r"^- \[ \] (.*)$", (REFERENCE / TEMPLATE).read_text("utf-8"), re.MULTILINE):
        yield f"item {item}", TEMPLATE, removed(rf"^- \[ \] {re.escape(item)}\n")
    for label in re.findall(r"^- name: (.*)$", (REFERENCE / LABELS).read_text("utf-8"), re.MULTILINE):
        yield f"label {label}", LABELS, removed(rf"^- name: {re.escape(label)}\n(  .*\n)*")
    for pattern in ("/terraform/", "/terraform/modules/iam/", "/.github/", "/infraspec.toml"):
        yield f"owner of {pattern}", OWNERS, replaced(rf"^({re.escape(pattern)}) .*$", r"\g<1>")
    for key in ("require_code_owner_review", "required_approving_review_count", "enforcement"):
        yield key, RULESET, removed(rf'^ *"{key}": .*\n')
    for context in ("static suite", "security scan", "terraform validate"):
        yield f"status check {context}", RULESET, replaced(rf'"{context}"', '"none"')


def of_workflows() -> Iterator[tuple[str, Path, Edit]]:
    """Yield what a workflow can lack."""
    for path in WORKFLOWS:
        yield "permissions", path, replaced(r"^    permissions:\n(      .*\n)+", "    permissions: write-all\n")
        yield "pin", path, replaced(r"@[0-9a-f]{40}", "@v4")
    yield "event", PULL_REQUEST, replaced(r"^  pull_request:", "  workflow_call:")
    for run in ("make test-static", r"terraform .* validate$", "pipx run checkov", "gh pr comment"):
        yield f"run {run}", PULL_REQUEST, replaced(run, "true")
    yield "schedule", SCHEDULED, replaced(r"^  schedule:\n.*\n", "")


MUTATIONS = list(mutations())
PLAYBOOK_MUTATIONS = [("file", path, None) for path in PLAYBOOKS] + [
    (name, path, edit) for path in PLAYBOOKS if path.parent.name == "ja" for name, edit in of_a_playbook()
]


def changed_copy(copy: Path, path: Path, edit: Edit | None) -> list[Finding]:
    """Return the findings after an edit in a copy, which is taken back."""
    changed = copy / path
    text = changed.read_text(encoding="utf-8")
    if edit is None:
        changed.unlink()
    else:
        changed.write_text(edit(text), encoding="utf-8")
    try:
        return judged(copy)
    finally:
        changed.write_text(text, encoding="utf-8")


def changed_playbook(path: Path, edit: Edit | None) -> list[Finding]:
    """Return the findings after an edit of a playbook."""
    others = [playbook for playbook in reference_playbooks() if playbook.page.file != path.as_posix()]
    if edit is not None:
        text = edit((REFERENCE / path).read_text(encoding="utf-8"))
        others.append(playbook_of(parse_page(text, path.as_posix(), REFERENCE / path)))
    return judged_playbooks(others)


def golden(work: Path) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    """Yield each edit, for tools/golden.py."""
    copy_process(work)
    yield from ((f"{path}: {name}", partial(changed_copy, work, path, edit)) for name, path, edit in MUTATIONS)
    yield from ((f"{path}: {name}", partial(changed_playbook, path, edit)) for name, path, edit in PLAYBOOK_MUTATIONS)


def test_reference_is_proven() -> None:
    """Everything that the rules look at is there."""
    findings = [*judged(REFERENCE), *judged_playbooks(reference_playbooks())]

    assert not [str(finding) for finding in findings if finding.verdict is not Verdict.PROVEN]


def assert_found(judge: Callable[[], list[Finding]], path: Path) -> None:
    """Assert that there is a finding with everything that fixes it, or an error that names the file."""
    try:
        violated = [finding for finding in judge() if finding.verdict is Verdict.VIOLATED]
    except InfraspecError as error:
        assert path.name in str(error)  # noqa: PT017 - either is right
        return
    assert violated
    assert all(finding.expected and finding.reason and finding.remedy and finding.location for finding in violated)


def test_a_playbook_without_phases() -> None:
    """A page that has front matter and no numbered heading is a playbook that lacks its phases, and no crash."""
    page = parse_page("---\nid: a\nlanguage: en\nowner: b\ntargets: {confirm: 5}\n---\n# A\n", "a.md")

    assert playbook_of(page).phases == ()
