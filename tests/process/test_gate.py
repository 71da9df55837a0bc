import os
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from infraspec import contract as contracts
from infraspec.checks.process.process import check_process
from infraspec.core.finding import Finding, Verdict
from tests.process.gates import EDITS, LAYOUTS, Edit, Repo, written

_ORDER = (Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.PROVEN)
WHOLE = "GATE_LAYOUTS" in os.environ
"""Whether every edit is judged in every layout; else each is in one, which its name chooses."""


def cases() -> Iterator[tuple[Edit, str]]:
    """Yield the edits with layouts for them."""
    for edit in EDITS:
        layouts = [layout for layout in LAYOUTS if layout in edit.layouts]
        yield from (
            (edit, layout) for layout in (layouts if WHOLE else [layouts[crc32(edit.name.encode()) % len(layouts)]])
        )


CASES = list(cases())


def judged(directory: Path) -> list[Finding]:
    """Return what the rule says of a repository, but of pins and permissions."""
    contract = contracts.load(directory / "infraspec.toml", environments=[])
    assert contract.process
    findings = check_process(contract, contract.process)
    return [one for one in findings if "permissions" not in one.subject and "@" not in one.subject]


def verdict_of(findings: list[Finding]) -> str:
    """Return the worst verdict of findings."""
    return min((finding.verdict for finding in findings), key=_ORDER.index).value


@pytest.mark.parametrize(("edit", "layout"), CASES, ids=[f"{edit.name}-{layout}" for edit, layout in CASES])
def test_an_edit_of_the_gate(edit: Edit, layout: str, tmp_path: Path) -> None:
    """An edit that opens the gate is violated, one that leaves it shut proven, in every layout."""
    findings = judged(written(tmp_path, layout, edit.applied(Repo())))

    assert edit.verdict == verdict_of(findings), "\n".join(
        str(one) for one in findings if one.verdict is not Verdict.PROVEN
    )
    assert all(
        one.location and one.expected and one.found and one.reason and one.remedy
        for one in findings
        if one.verdict is not Verdict.PROVEN
    )


def test_a_pipeline_of_another_system(tmp_path: Path) -> None:
    """Of a pipeline of neither GitHub nor GitLab it is not known what it runs, and nothing wrong is said of it."""
    directory = written(tmp_path, "inline", Repo(files={"Jenkinsfile": "pipeline {}\n"}))
    contract = directory / "infraspec.toml"
    text = contract.read_text(encoding="utf-8").replace('".github/workflows"', '"Jenkinsfile"')
    contract.write_text(text, encoding="utf-8")
    found = {one.subject: one.verdict for one in judged(directory)}

    assert {Verdict.UNDETERMINED} == {verdict for subject, verdict in found.items() if subject.startswith("job ")}
    assert Verdict.VIOLATED not in found.values()


@pytest.mark.parametrize(
    ("push", "expected"),
    [
        (None, Verdict.UNDETERMINED),
        ({"branches": ["**"]}, Verdict.UNDETERMINED),
        ({"branches-ignore": ["release/**"]}, Verdict.UNDETERMINED),
        ({"branches": ["*"]}, Verdict.VIOLATED),
        ({"branches": ["main"]}, Verdict.VIOLATED),
        ({"tags": ["v*"]}, Verdict.VIOLATED),
        ({"paths": ["docs/**"]}, Verdict.VIOLATED),
    ],
)
def test_a_workflow_of_pushes(tmp_path: Path, push: dict[str, list[str]] | None, expected: Verdict) -> None:
    """Where every push starts the suite, its check is on the change too, unless that comes from a fork."""
    findings = judged(written(tmp_path, "inline", Repo(on={"push": push})))
    assert [expected] == [one.verdict for one in findings if one.subject == "job static"]


@pytest.mark.parametrize(
    ("runs", "paths", "expected"),
    [
        ("terraform validate", ["terraform/**"], Verdict.PROVEN),
        ("terraform validate", ["docs/**"], Verdict.VIOLATED),
        ("infraspec check", ["terraform/**"], Verdict.VIOLATED),
        ("infraspec check", ["terraform/**", "infraspec.toml"], Verdict.PROVEN),
    ],
)
def test_a_filter_may_leave_out_what_the_job_does_not_read(
    tmp_path: Path, runs: str, paths: list[str], expected: Verdict
) -> None:
    """A change of the contract alone has to start what runs a suite, and no other program."""
    directory = written(tmp_path, "inline", Repo(run=runs, on={"pull_request": {"paths": paths}}))
    contract = directory / "infraspec.toml"
    text = contract.read_text(encoding="utf-8").replace("pytest --pyargs infraspec.tests_static", runs)
    contract.write_text(text, encoding="utf-8")

    assert [expected] == [one.verdict for one in judged(directory) if one.subject == "job static"]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ("terraform fmt -check", Verdict.PROVEN),
        ("terraform fmt -recursive -check=true", Verdict.PROVEN),
        ("terraform fmt -check=false", Verdict.VIOLATED),
        ("terraform fmt", Verdict.VIOLATED),
    ],
)
def test_a_flag_with_true_is_the_flag(tmp_path: Path, runs: str, expected: Verdict) -> None:
    """Terraform reads `-check=true` as `-check`, and `-check=false` is another command."""
    directory = written(tmp_path, "inline", Repo(run=runs))
    contract = directory / "infraspec.toml"
    asked = contract.read_text(encoding="utf-8").replace(
        "pytest --pyargs infraspec.tests_static", "terraform fmt -check"
    )
    contract.write_text(asked, encoding="utf-8")

    assert [expected] == [one.verdict for one in judged(directory) if one.subject == "job static"]
