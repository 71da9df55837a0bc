"""The checklist of a pull request: what its template asks, and what a pull request has ticked.

Source: GitHub Docs, "Webhook events and payloads: pull_request" (the file that GITHUB_EVENT_PATH names) and the list of
`gh pr list --json number,body`; GitHub CLI manual, "gh pr list": its `commits` and `files`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.process.history import moment_of, read_json
from infraspec.process.markdown import Item, task_list

_COMMAND = "gh pr list --state merged --limit 500 --json number,body,mergedAt,commits,files"
_REMEDY = f"write the file again: {_COMMAND}"
_KINDS = {dict: "an object", list: "a list", type(None): "null"}
_TERRAFORM = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json")
_EVENT = "GitHub Actions does for every run, leave its variable alone"


class PullRequest(Struct, frozen=True):
    """A pull request: its number, the task list of its description, and when it was merged, if the list says so.

    `begun` is when the first of its commits was written, if the list has commits.
    """

    number: int
    items: tuple[Item, ...]
    merged: datetime | None = None
    begun: datetime | None = None
    is_infrastructure: bool = True
    """Whether it changes a file of Terraform; taken to be so if the list has no files."""
    author: str = ""
    head: str = ""
    """The newest commit; an event has it."""
    base: str = ""
    """The commit of the branch that it is to be merged into; an event has it."""

    def open_items(self, checklist: Sequence[str]) -> tuple[str, ...]:
        """Return the items of a checklist that the pull request does not have, or has not ticked."""
        ticked = {normalized(item.text) for item in self.items if item.ticked}
        return tuple(text for text in checklist if normalized(text) not in ticked)


def normalized(text: str) -> str:
    """Return an item's text as it is compared: without case, blanks and emphasis."""
    return " ".join(text.replace("*", "").replace("`", "").split()).casefold()


def pull_request_of(tree: Any, place: str, *, remedy: str = _REMEDY) -> PullRequest:
    """Read a pull request as GitHub's API and `gh` write it."""
    if not isinstance(tree, Mapping) or not isinstance(tree.get("number"), int):
        raise ProcessFileError(
            "no pull request",
            place=place,
            expected='an object with "number" and "body"',
            found=f"an object with {', '.join(map(str, tree)) or 'nothing'}"
            if isinstance(tree, Mapping)
            else _kind(tree),
            remedy=remedy,
        )
    return PullRequest(
        tree["number"],
        task_list(str(tree.get("body") or "")),
        moment_of(tree.get("mergedAt")),
        _begun(tree.get("commits"), place, remedy),
        _is_infrastructure(tree.get("files")),
        _text(tree.get("user"), "login"),
        _text(tree.get("head"), "sha"),
        _text(tree.get("base"), "sha"),
    )


def _text(tree: Any, name: str) -> str:
    return str(tree.get(name) or "") if isinstance(tree, Mapping) else ""


def _begun(commits: Any, place: str, remedy: str) -> datetime | None:
    """Return when the first commit was written; an event has the number of commits alone."""
    if not isinstance(commits, list) or not commits:
        return None
    moments = [moment_of(one.get("authoredDate")) if isinstance(one, Mapping) else None for one in commits]
    known = [one for one in moments if one is not None]
    if len(known) < len(moments):
        raise ProcessFileError(
            "no commit of a pull request",
            place=place,
            expected='"commits": objects with "authoredDate", a time with an offset',
            remedy=remedy,
        )
    return min(known)


def _is_infrastructure(files: Any) -> bool:
    if not isinstance(files, list):
        return True
    paths = (str(one.get("path")) for one in files if isinstance(one, Mapping))
    return any(path.endswith(_TERRAFORM) for path in paths)


def current_pull_request(environ: Mapping[str, str] = os.environ) -> PullRequest | None:
    """Return the pull request that a GitHub workflow runs for, None if it runs for none."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path or environ.get("GITHUB_EVENT_NAME") not in {"pull_request", "pull_request_target"}:
        return None
    tree = read_json(Path(path), "GITHUB_EVENT_PATH", _EVENT)
    request = tree.get("pull_request") if isinstance(tree, Mapping) else None
    return pull_request_of(request, "GITHUB_EVENT_PATH", remedy=f"write the file again: {_EVENT}")


def read_pull_requests(path: Path, shown: str) -> tuple[PullRequest, ...]:
    """Read a list of pull requests, as `gh pr list --state merged --json number,body` writes it."""
    tree = read_json(path, shown, _COMMAND)
    if not isinstance(tree, list):
        raise ProcessFileError(
            "no list of pull requests",
            place=shown,
            expected="a list of objects",
            found=_kind(tree),
            remedy=_REMEDY,
        )
    return tuple(pull_request_of(item, shown) for item in tree)


def _kind(tree: Any) -> str:
    return _KINDS.get(type(tree), "a single value")


def compliance(requests: Sequence[PullRequest], checklist: Sequence[str]) -> float | None:
    """Return the share of ticked items over all pull requests, from 0 to 1; None if nothing was asked of any."""
    asked = len(requests) * len(checklist)
    missing = sum(len(request.open_items(checklist)) for request in requests)
    return 1 - missing / asked if asked else None
