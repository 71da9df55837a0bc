"""Owners and a plan with a risk: who has to approve it, by the files that it changes."""

from __future__ import annotations

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
        ".git": "",
    }
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
