"""Whether owners of the changed files have approved a plan with risks.

Source: GitHub Docs, "About code owners": an approval of one of the owners of a file is enough.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from infraspec.contract.models import Contract
from infraspec.contract.paths import names_in
from infraspec.contract.static import PlanReview
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rules import RULES
from infraspec.core.runtime import repository_of
from infraspec.core.truth import Truth
from infraspec.process.checklist import PullRequest
from infraspec.process.code_owners import LOCATIONS, OwnedPath, Owners, owners_file, owners_file_at
from infraspec.process.reviews import COMMAND, OwnersAnswer, PullRequestReview, approvals, approved

RULE = RULES["plan-review"]
SUBJECT = "approval by owners"
_TERRAFORM = (".tf", ".tofu", ".tf.json", ".tofu.json")


def owners_approve(
    contract: Contract,
    environment: str,
    risks: Sequence[Finding],
    reviews: Sequence[PullRequestReview] | None,
    request: PullRequest | None,
) -> Iterator[Finding]:
    """Judge, for files with the same owners together, whether one of these has approved; nothing without a risk.

    `risks` are the findings of critical risks. Without `reviews` nobody knows who has approved.
    """
    rules, root = contract.plan_review or PlanReview(), repository_of(contract.directory)
    if not risks:
        return
    base = request.base if request else ""
    file_of_owners = owners_file_at(root, base) if base else owners_file(root)
    if file_of_owners is None:
        yield RULE.about("CODEOWNERS", SUBJECT).say("no-base", base=base)
        return
    place, owners = file_of_owners.place, Owners(file_of_owners.text)
    by_owners: dict[tuple[str, ...], list[tuple[str, OwnedPath]]] = {}
    for file in dict.fromkeys(_files(contract, environment, risks, root)):
        owned = owners.of(file)
        by_owners.setdefault(owned.owners, []).append((file, owned))
    given = approvals(reviews or (), author=request.author if request else "", head=request.head if request else "")
    for found, files in by_owners.items():
        answer = approved(found, given, rules.teams)
        certain = any(risk.verdict is Verdict.VIOLATED for risk in risks)
        yield _judged(files, place, answer, is_given=reviews is not None, is_certain=certain)


def _judged(
    files: Sequence[tuple[str, OwnedPath]], place: str, answer: OwnersAnswer, *, is_given: bool, is_certain: bool
) -> Finding:
    (file, owned), more = files[0], len(files) - 1
    about = RULE.about(file, SUBJECT, Location(place, owned.line) if owned.line else None)
    shown = f"{file} and {more} more" if more else file
    names = ", ".join(owned.owners)
    if answer.answer is Truth.YES:
        expected, found = f"an approval of one of the owners of {shown}: {names}", f"{', '.join(answer.by)} approved it"
        return about.proven(expected=expected, found=found)
    values = {"files": shown, "owners": names, "file": file, "place": place or LOCATIONS[0], "command": COMMAND}
    if not is_given:
        return about.say("no-reviews", **values)
    if answer.answer is Truth.MAYBE:
        open_owners = ", ".join(answer.open_owners)
        if not open_owners:
            return about.say("no-commit", **values)
        teams = "\n".join(f'"{one}" = ["LOGIN"]' for one in answer.open_owners)
        return about.say("open-owners", open=open_owners, teams=teams, **values)
    if not is_certain:
        return about.say("open-risk", **values)
    return about.say("not-approved" if owned.owners else "owned-by-nobody", **values)


def _files(contract: Contract, environment: str, risks: Sequence[Finding], root: Path) -> Iterator[str]:
    """Yield the files that the risks are written in, from the root; all of the root module for one that is gone."""
    directory = contract.directory / contract.environments[environment].root
    for risk in risks:
        named = risk.location.file if risk.location else ""
        bases = (Path(os.curdir), contract.directory)
        found = next((base / named for base in bases if named and (base / named).is_file()), None)
        files = [found] if found else [directory / one for one in names_in(directory) if one.endswith(_TERRAFORM)]
        for file in files or [directory / "main.tf"]:
            really = Path(os.path.realpath(file))
            yield really.relative_to(root).as_posix() if really.is_relative_to(root) else really.as_posix()
