"""Reviews of a pull request: who has approved it, and whether the owners of a file are among them.

Source: GitHub Docs, "REST API endpoints for pull request reviews" (list reviews for a pull request), "About code
owners" and "About pull request reviews".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.core.truth import Truth
from infraspec.process.history import read_json

COMMAND = "gh api repos/{owner}/{repo}/pulls/NUMBER/reviews --paginate"
_REMEDY = f"write the file again: {COMMAND}"
_DECIDING = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
"""States that say something of the whole: a comment leaves an approval as it is."""


class PullRequestReview(Struct, frozen=True):
    """What somebody has said of a pull request, at which commit; a moment is compared as text, all are in UTC."""

    login: str
    state: str
    commit: str = ""
    moment: str = ""


class Approval(Struct, frozen=True):
    """Somebody's approval; MAYBE if it is not known for which commit it was given."""

    login: str
    answer: Truth


class OwnersAnswer(Struct, frozen=True):
    """Whether one of the owners of a file has approved, who it was, and which owners cannot be decided."""

    answer: Truth
    by: tuple[str, ...] = ()
    open_owners: tuple[str, ...] = ()


def read_reviews(path: Path, shown: str) -> tuple[PullRequestReview, ...]:
    """Read a list of reviews, or a list of such pages. Raises ProcessFileError."""
    tree = read_json(path, shown, COMMAND)
    pages = tree if isinstance(tree, list) and tree and all(isinstance(one, list) for one in tree) else [tree]
    if not all(isinstance(page, list) for page in pages):
        raise ProcessFileError("no list of reviews", place=shown, expected="a list of objects", remedy=_REMEDY)
    return tuple(_review(one, f"{shown}: review {at}") for at, one in enumerate(chain.from_iterable(pages), 1))


def _review(tree: Any, place: str) -> PullRequestReview:
    user = tree.get("user") if isinstance(tree, Mapping) else None
    login = user.get("login") if isinstance(user, Mapping) else ""
    if not isinstance(tree, Mapping) or not isinstance(tree.get("state"), str) or not isinstance(login, str):
        expected = 'an object with "user" (with "login"), "state", "commit_id" and "submitted_at"'
        raise ProcessFileError("no review of a pull request", place=place, expected=expected, remedy=_REMEDY)
    commit, moment = (str(tree.get(name) or "") for name in ("commit_id", "submitted_at"))
    return PullRequestReview(login, tree["state"].upper(), commit, moment)


def approvals(reviews: Sequence[PullRequestReview], *, author: str = "", head: str = "") -> tuple[Approval, ...]:
    """Return who approves the commit at the head, by what each has said last; the author does not count.

    Without `head` every commit counts. What is said before a dismissal or a request for changes counts no more.
    """
    said: dict[str, list[PullRequestReview]] = {}
    for review in sorted(reviews, key=lambda one: one.moment):
        login = review.login.casefold()
        if review.state in _DECIDING and login not in {"", author.casefold()}:
            said[login] = [*said.get(login, ()), review] if review.state == "APPROVED" else []
    found = ((each, max((_holds(one, head) for one in given), default=Truth.NO)) for each, given in said.items())
    return tuple(Approval(each, answer) for each, answer in found if answer is not Truth.NO)


def _holds(review: PullRequestReview, head: str) -> Truth:
    if not head or review.commit == head:
        return Truth.YES
    return Truth.NO if review.commit else Truth.MAYBE


def approved(owners: Collection[str], given: Sequence[Approval], teams: Mapping[str, Collection[str]]) -> OwnersAnswer:
    """Tell whether one of the owners has approved. `teams` has the logins of teams; of others they are not known."""
    members = {team.casefold(): {one.casefold().lstrip("@") for one in logins} for team, logins in teams.items()}
    people: set[str] = set()
    open_owners = []
    for owner in owners:
        name = owner.casefold()
        if name in members:
            people |= members[name]
        elif "/" in name or not name.startswith("@"):
            open_owners.append(owner)
        else:
            people.add(name.lstrip("@"))
    by = [one for one in given if one.login in people]
    perhaps = Truth.MAYBE if open_owners and given else Truth.NO
    answer = max((one.answer for one in by), default=Truth.NO)
    return OwnersAnswer(max(answer, perhaps), tuple(one.login for one in by), tuple(open_owners))
