"""What has to be true before a change reaches a branch: rulesets and branch protection, as GitHub has them.

Sources: GitHub Docs, "REST API endpoints for rules", "REST API endpoints for protected branches" and "Available rules
for rulesets".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Location

ACTIONS_APP = 15368
"""The number of the GitHub App that reports the checks of workflows."""

_ROLES = {1: "read", 2: "maintain", 3: "triage", 4: "write", 5: "admin"}
_ADMINISTRATORS = frozenset({"OrganizationAdmin", "EnterpriseOwner"})


class Bypass(Struct, frozen=True):
    """Somebody to whom the rules do not apply: everybody, an administrator, or who is not known."""

    name: str
    who: Literal["everybody", "administrator", "somebody"]
    location: Location


class BranchRules(Struct, frozen=True):
    """The rules of a branch, from one file."""

    location: Location
    enforcement: str | None
    applies: bool | None
    """Whether they are about the branch; None if nobody says which branch that is."""
    included: str
    approvals: int
    by_owners: bool
    stale_dismissed: bool
    last_push: bool
    checks: Mapping[str, int | None]
    """The required checks, each with the app that has to report it."""
    places: Mapping[str, int]
    queue: bool
    bypasses: tuple[Bypass, ...] | None
    """None if the file does not say who is exempt."""
    strict: bool = True

    @property
    def counted(self) -> tuple[str, ...]:
        """Return the required checks that a workflow can report."""
        return tuple(name for name, app in self.checks.items() if app in {None, ACTIONS_APP})

    def place(self, key: str) -> Location:
        """Return the line on which a key or a name stands; that of the file if it is not there."""
        return Location(self.location.file, self.places.get(key, 0))


def read_rules(text: str, shown: str, branch: str | None) -> BranchRules:
    """Read a ruleset, a list of them, or the protection of a branch. Raises ProcessFileError."""
    try:
        tree = json.loads(text)
        trees = tree if isinstance(tree, list) and tree else [tree]
        if isinstance(tree, dict) and "rules" not in tree and {"required_status_checks", "enforce_admins"} & set(tree):
            return _protection(tree, text, shown)
        found = [_ruleset(one, text, shown, branch) for one in trees]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProcessFileError(
            "no branch ruleset", place=shown, expected='{"enforcement": "active", "rules": [...]}', found=repr(error)
        ) from None
    effective = [one for one in found if one.enforcement == "active" and one.applies]
    return _together(effective) if len(effective) > 1 else (effective or found)[0]


def _places(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for name in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
            found.setdefault(name, number)
    return found


def _ruleset(tree: Mapping[str, Any], text: str, shown: str, branch: str | None) -> BranchRules:
    parameters = {rule["type"]: rule.get("parameters") or {} for rule in tree["rules"]}
    review = parameters.get("pull_request", {})
    status = parameters.get("required_status_checks", {})
    named = (tree.get("conditions") or {}).get("ref_name") or {}
    places = _places(text)
    return BranchRules(
        Location(shown),
        tree.get("enforcement"),
        tree.get("target", "branch") == "branch" and _applies(named, branch),
        f"{tree.get('target', 'branch')} {', '.join(named.get('include') or []) or 'none'}"
        + (f", but {', '.join(named['exclude'])}" if named.get("exclude") else ""),
        int(review.get("required_approving_review_count") or 0),
        bool(review.get("require_code_owner_review")),
        bool(review.get("dismiss_stale_reviews_on_push")),
        bool(review.get("require_last_push_approval")),
        {str(check["context"]): check.get("integration_id") for check in status.get("required_status_checks", [])},
        places,
        "merge_queue" in parameters,
        tuple(_bypasses(tree["bypass_actors"], shown, places)) if isinstance(tree.get("bypass_actors"), list) else None,
        bool(status.get("strict_required_status_checks_policy", not status)),
    )


def _together(rules: Sequence[BranchRules]) -> BranchRules:
    """Return what several rulesets of a branch come to: each rule holds that one of them has."""
    first = rules[0]
    bypasses = [one.bypasses for one in rules]
    return BranchRules(
        first.location,
        first.enforcement,
        first.applies,
        first.included,
        max(one.approvals for one in rules),
        any(one.by_owners for one in rules),
        any(one.stale_dismissed for one in rules),
        any(one.last_push for one in rules),
        {name: app for one in rules for name, app in one.checks.items()},
        first.places,
        any(one.queue for one in rules),
        None if None in bypasses else tuple(dict.fromkeys(actor for one in bypasses for actor in one or ())),
        any(one.strict for one in rules),
    )


def _applies(named: Mapping[str, Any], branch: str | None) -> bool | None:
    include, exclude = (list(named.get(key) or []) for key in ("include", "exclude"))
    if branch is None:
        answers = {_applies(named, one) for one in ("main", "master", "trunk")}
        return answers.pop() if len(answers) == 1 else None
    return any(_fits(one, branch) for one in include) and not any(_fits(one, branch) for one in exclude)


def _fits(pattern: str, branch: str) -> bool:
    """Tell whether a pattern of a ruleset matches a branch. Source: GitHub Docs, "Using fnmatch syntax"."""
    if pattern in {"~ALL", "~DEFAULT_BRANCH"}:
        return True
    tokens = re.findall(r"\*\*/|\*|\?|\[[^\]]*\]|.", pattern.removeprefix("refs/heads/"))
    known = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    parts = [
        known.get(token) or (token if token[0] == "[" and len(token) > 1 else re.escape(token)) for token in tokens
    ]
    return re.fullmatch("".join(parts), branch) is not None


def _bypasses(actors: Sequence[Mapping[str, Any]], shown: str, places: Mapping[str, int]) -> Iterator[Bypass]:
    for actor in actors:
        kind, number = str(actor["actor_type"]), actor.get("actor_id")
        role = _ROLES.get(number, "") if kind == "RepositoryRole" and isinstance(number, int) else ""
        who: Literal["everybody", "administrator", "somebody"] = "somebody"
        if kind in _ADMINISTRATORS or role == "admin":
            who = "administrator"
        elif role in {"read", "triage", "write"}:
            who = "everybody"
        name = f"the role {role}" if role else f"{kind} {number}" if number is not None else kind
        yield Bypass(f"{name} ({actor.get('bypass_mode', 'always')})", who, Location(shown, places.get(kind, 0)))


def _protection(tree: Mapping[str, Any], text: str, shown: str) -> BranchRules:
    """Read the protection of a branch, as `gh api repos/OWNER/REPOSITORY/branches/BRANCH/protection` gives it."""
    places = _places(text)
    review = tree.get("required_pull_request_reviews") or {}
    status = tree.get("required_status_checks") or {}
    checks: dict[str, int | None] = {str(name): None for name in status.get("contexts") or []}
    checks |= {str(one["context"]): _app(one.get("app_id")) for one in status.get("checks") or []}
    admins = tree.get("enforce_admins")
    enforced = admins.get("enabled") if isinstance(admins, Mapping) else admins
    bypasses = (
        []
        if enforced
        else [Bypass("administrators", "administrator", Location(shown, places.get("enforce_admins", 0)))]
    )
    for kind, names in (review.get("bypass_pull_request_allowances") or {}).items():
        place = Location(shown, places.get("bypass_pull_request_allowances", 0))
        bypasses += [Bypass(f"{kind} {one.get('slug') or one.get('login')}", "somebody", place) for one in names]
    return BranchRules(
        location=Location(shown),
        enforcement="active",
        applies=True,
        included="the protected branch",
        approvals=int(review.get("required_approving_review_count") or 0),
        by_owners=bool(review.get("require_code_owner_reviews")),
        stale_dismissed=bool(review.get("dismiss_stale_reviews")),
        last_push=bool(review.get("require_last_push_approval")),
        checks=checks,
        places=places,
        queue=False,
        bypasses=tuple(bypasses),
        strict=bool(status.get("strict", not status)),
    )


def _app(number: Any) -> int | None:
    return number if isinstance(number, int) and number > 0 else None
