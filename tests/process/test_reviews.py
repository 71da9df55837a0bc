"""Reviews of a pull request: who approves, and whether owners of a file are among them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import ProcessFileError
from infraspec.core.truth import Truth
from infraspec.process.reviews import Approval, PullRequestReview, approvals, approved, read_reviews

YES, NO, MAYBE = Truth.YES, Truth.NO, Truth.MAYBE
TEAMS = {"@acme/infra": ["kaori", "@Ken"]}


def reviews(*said: str) -> list[PullRequestReview]:
    """Return reviews in the order of time: `LOGIN STATE COMMIT`, without a commit if it is not known."""
    parts = (one.split() for one in said)
    return [
        PullRequestReview(login, state, "".join(commit), moment=f"{at:04}")
        for at, (login, state, *commit) in enumerate(parts)
    ]


CASES: dict[str, tuple[list[str], str, Truth]] = {
    "nobody said anything": ([], "@kaori", NO),
    "the owner": (["kaori APPROVED new"], "@kaori", YES),
    "the owner in other letters": (["Kaori APPROVED new"], "@KAORI", YES),
    "somebody else": (["ken APPROVED new"], "@kaori", NO),
    "one of two owners": (["ken APPROVED new"], "@kaori @ken", YES),
    "somebody else, and then the owner": (["ken APPROVED new", "kaori APPROVED new"], "@kaori", YES),
    "a comment": (["kaori COMMENTED new"], "@kaori", NO),
    "a comment afterwards": (["kaori APPROVED new", "kaori COMMENTED new"], "@kaori", YES),
    "a review that is not sent": (["kaori PENDING new"], "@kaori", NO),
    "a request for changes": (["kaori CHANGES_REQUESTED new"], "@kaori", NO),
    "a request for changes afterwards": (["kaori APPROVED new", "kaori CHANGES_REQUESTED new"], "@kaori", NO),
    "a request for changes before": (["kaori CHANGES_REQUESTED new", "kaori APPROVED new"], "@kaori", YES),
    "another's request for changes": (["ken CHANGES_REQUESTED new", "kaori APPROVED new"], "@kaori", YES),
    "dismissed": (["kaori DISMISSED new"], "@kaori", NO),
    "dismissed afterwards": (["kaori APPROVED new", "kaori DISMISSED new"], "@kaori", NO),
    "approved again": (["kaori DISMISSED new", "kaori APPROVED new"], "@kaori", YES),
    "an older commit": (["kaori APPROVED old"], "@kaori", NO),
    "an older commit and the newest": (["kaori APPROVED old", "kaori APPROVED new"], "@kaori", YES),
    "the newest commit and an older one": (["kaori APPROVED new", "kaori APPROVED old"], "@kaori", YES),
    "a commit that is not known": (["kaori APPROVED"], "@kaori", MAYBE),
    "the author": (["author APPROVED new"], "@author", NO),
    "the author in other letters": (["Author APPROVED new"], "@author", NO),
    "a team that is known": (["ken APPROVED new"], "@acme/infra", YES),
    "a team in other letters": (["KEN APPROVED new"], "@Acme/Infra", YES),
    "somebody who is not in the team": (["mio APPROVED new"], "@acme/infra", NO),
    "a team that is not known": (["mio APPROVED new"], "@acme/data", MAYBE),
    "a team that is not known, and nobody": ([], "@acme/data", NO),
    "a team that is not known, and its author alone": (["author APPROVED new"], "@acme/data", NO),
    "a team that is not known beside the owner": (["kaori APPROVED new"], "@acme/data @kaori", YES),
    "an address": (["mio APPROVED new"], "mio@example.com", MAYBE),
    "no owner": (["kaori APPROVED new"], "", NO),
}


@pytest.mark.parametrize("name", CASES)
def test_who_approves(name: str) -> None:
    """What somebody said last counts, at the newest commit; the author does not, and teams are as far as told."""
    said, owners, expected = CASES[name]
    given = approvals(reviews(*said), author="author", head="new")

    assert expected is approved(owners.split(), given, TEAMS).answer


def test_without_the_event_every_commit_counts() -> None:
    """Where the newest commit is not known, no approval is known to be stale."""
    assert (Approval("kaori", YES),) == approvals(reviews("kaori APPROVED old"))


@pytest.mark.parametrize("seed", range(60))
def test_an_approval_less_is_never_better(seed: int) -> None:
    """Whatever else was said, without one of the approvals the answer is the same or worse."""
    choose = random.Random(seed)  # noqa: S311 - to choose cases
    states = ["APPROVED", "APPROVED", "COMMENTED", "CHANGES_REQUESTED", "DISMISSED"]
    people, commits = ["kaori", "ken", "mio", "author"], ["old", "new", ""]
    said = [f"{choose.choice(people)} {choose.choice(states)} {choose.choice(commits)}" for _ in range(8)]
    owners = choose.sample(["@kaori", "@mio", "@acme/infra", "@acme/data", "@author"], 2)
    whole = reviews(*said)

    def answer(given: list[PullRequestReview]) -> Truth:
        return approved(owners, approvals(given, author="author", head="new"), TEAMS).answer

    for at, one in enumerate(whole):
        if one.state == "APPROVED":
            assert answer([*whole[:at], *whole[at + 1 :]]) <= answer(whole)


OF_GITHUB: dict[str, Any] = {
    "id": 1,
    "user": {"login": "kaori"},
    "state": "APPROVED",
    "commit_id": "new",
    "submitted_at": "2026-11-25T09:00:00Z",
}


@pytest.mark.parametrize("tree", [[OF_GITHUB], [[OF_GITHUB]], [[], [OF_GITHUB]]])
def test_reviews_are_read(tmp_path: Path, tree: Any) -> None:
    """A list, or a list of pages, as `gh api` writes it; somebody who left GitHub has no name."""
    file = tmp_path / "reviews.json"
    file.write_text(json.dumps(tree), encoding="utf-8")
    assert (PullRequestReview("kaori", "APPROVED", "new", "2026-11-25T09:00:00Z"),) == read_reviews(
        file, "reviews.json"
    )
    file.write_text(json.dumps([OF_GITHUB | {"user": None}]), encoding="utf-8")
    assert () == approvals(read_reviews(file, "reviews.json"))


@pytest.mark.parametrize("text", ["{", "{}", "[1]", '[{"state": 1}]', '[{"user": {"login": 1}, "state": "APPROVED"}]'])
def test_what_is_no_list_of_reviews_is_an_error(tmp_path: Path, text: str) -> None:
    """It is named, with the command that writes it."""
    file = tmp_path / "reviews.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProcessFileError, match=r"(?s)reviews\.json.*gh api repos"):
        read_reviews(file, "reviews.json")
