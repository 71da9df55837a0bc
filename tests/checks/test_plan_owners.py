"""Owners and a plan with a risk: who has to approve it, by the files that it changes."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.plan_review.plan_review import check_plan_review
from infraspec.core.finding import Finding, Verdict
from infraspec.process.checklist import PullRequest
from infraspec.process.reviews import PullRequestReview
from tests.checks.test_plan_review import DB, DELETE, change, plan

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = """[project]
application = "app"
[environments.prod]
root = "live"
[plan_review]
approved_by_owners = true
"""
RISK = change("aws_db_instance.this", DELETE, before=DB)
REQUEST = PullRequest(1, (), author="author", head="new")


def judged(
    directory: Path, owners: str, *logins: str, request: PullRequest = REQUEST, table: str = ""
) -> list[Finding]:
    """Return what is found about owners where these people have approved the newest commit."""
    files = {
        "infraspec.toml": CONTRACT + table,
        "live/main.tf": "",
        "live/data.tf": "",
        "live/notes.md": "",
    }
    if not (directory / ".git").exists():
        files[".git"] = ""
    files |= {".github/CODEOWNERS": owners} if owners else {}
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    contract, reviews = contracts.load(directory), [PullRequestReview(one, "APPROVED", "new") for one in logins]
    found = check_plan_review(plan(RISK), contract, "prod", reviews, request)
    return [one for one in found if one.subject == "approval by owners"]


@pytest.mark.parametrize(
    ("owners", "logins", "expected"),
    [
        ("* @kaori", ["kaori"], [PROVEN]),
        ("* @kaori", ["ken"], [VIOLATED]),
        ("* @kaori", [], [VIOLATED]),
        ("* @kaori\n/live/ @ken", ["kaori"], [VIOLATED]),
        ("/live/ @ken\n* @kaori", ["kaori"], [PROVEN]),
        ("/live/*.tf @kaori\n/live/data.tf @ken", ["kaori"], [PROVEN, VIOLATED]),
        ("/live/*.tf @kaori\n/live/data.tf @ken", ["kaori", "ken"], [PROVEN, PROVEN]),
        ("/live/*.md @ken\n/live/*.tf @kaori", ["kaori"], [PROVEN]),
        ("* @acme/infra", ["kaori"], [UNDETERMINED]),
        ("* @acme/infra @kaori", ["kaori"], [PROVEN]),
        ("* kaori@example.com", ["kaori"], [UNDETERMINED]),
        ("* @kaori\n/live/main.tf", ["kaori"], [PROVEN, VIOLATED]),
        ("*.md @kaori", ["kaori"], [VIOLATED]),
        ("", ["kaori"], [VIOLATED]),
        ("* @author", ["author"], [VIOLATED]),
        ("!* @kaori", ["kaori"], [VIOLATED]),
    ],
)
def test_owners_of_the_files_have_to_approve(
    tmp_path: Path, owners: str, logins: list[str], expected: list[Verdict]
) -> None:
    """For a resource that is gone, those of all files of its root: the last pattern that matches counts."""
    found = judged(tmp_path, owners, *logins)

    assert Counter(expected) == Counter(one.verdict for one in found)
    assert all(one.remedy and one.reason for one in found if one.verdict is not PROVEN)


def test_the_contract_tells_the_people_of_a_team(tmp_path: Path) -> None:
    """Whoever is in it is an owner, and nobody else."""
    table = '[plan_review.teams]\n"@acme/infra" = ["kaori"]\n'

    assert [PROVEN] == [one.verdict for one in judged(tmp_path, "* @acme/infra", "kaori", table=table)]
    assert [VIOLATED] == [one.verdict for one in judged(tmp_path, "* @acme/infra", "ken", table=table)]


def test_an_approval_of_an_older_commit_is_stale(tmp_path: Path) -> None:
    """It counts where the newest one is not known."""
    newer, unknown = PullRequest(1, (), head="newer"), PullRequest(1, ())

    assert [VIOLATED] == [one.verdict for one in judged(tmp_path, "* @kaori", "kaori", request=newer)]
    assert [PROVEN] == [one.verdict for one in judged(tmp_path, "* @kaori", "kaori", request=unknown)]


def committed(directory: Path, owners: str) -> str:
    """Commit a CODEOWNERS file, none if it is empty, and return the commit."""

    def git(*words: str) -> str:
        identity = ("-c", "user.name=kaori", "-c", "user.email=kaori@example.com")
        command = ["git", "-C", str(directory), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    file = directory / ".github" / "CODEOWNERS"
    file.parent.mkdir(exist_ok=True)
    file.write_text(owners, encoding="utf-8") if owners else (directory / "other").touch()
    git("add", "--all")
    git("commit", "--quiet", "--message", "base")
    return git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("base", "checkout", "login", "expected"),
    [
        ("* @kaori", "* @ken", "kaori", PROVEN),
        ("* @kaori", "* @ken", "ken", VIOLATED),
        ("* @kaori", "", "ken", VIOLATED),
        ("", "* @ken", "ken", VIOLATED),
        ("* @kaori", "* @kaori", "kaori", PROVEN),
    ],
)
def test_a_change_does_not_choose_its_owners(
    tmp_path: Path, base: str, checkout: str, login: str, expected: Verdict
) -> None:
    """CODEOWNERS counts as the base branch has it, whatever the change makes of it."""
    request = PullRequest(1, (), head="new", base=committed(tmp_path, base))
    (tmp_path / ".github" / "CODEOWNERS").unlink(missing_ok=True)

    assert [expected] == [one.verdict for one in judged(tmp_path, checkout, login, request=request)]


@pytest.mark.parametrize("base", ["0" * 40, "--output=made", "HEAD"])
def test_a_checkout_without_the_base_commit(tmp_path: Path, base: str) -> None:
    """Nobody knows then who has to approve, and the finding says how to have the commit."""
    committed(tmp_path, "* @kaori")
    found = judged(tmp_path, "* @kaori", "kaori", request=PullRequest(1, (), head="new", base=base))

    assert [UNDETERMINED] == [one.verdict for one in found]
    assert "fetch-depth: 2" in found[0].remedy
