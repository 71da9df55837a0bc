"""Whether GitLab adds a job to a pipeline: `rules`, `only` and `except`, and their conditions.

Sources: GitLab Docs, "Specify when jobs run with rules", "CI/CD variable expressions", "Predefined CI/CD variables" and
"Deprecated keywords: only / except".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from msgspec import Struct

from infraspec.core.finding import Location
from infraspec.process.checkout import CheckedOut
from infraspec.process.gitlab.files import GitlabJob, Written
from infraspec.process.markdown import line_of
from infraspec.process.worlds import World

_TOKEN = re.compile(
    r"\s*(?:\$\{?(?P<variable>\w+)\}?|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<null>null)"
    r"|(?P<regex>/(?:\\.|[^/])+/\w*)|(?P<operator>==|!=|=~|!~|&&|\|\||\(|\)))"
)
_FREE = frozenset(
    {
        "CI_COMMIT_AUTHOR", "CI_COMMIT_BRANCH", "CI_COMMIT_DESCRIPTION", "CI_COMMIT_MESSAGE", "CI_COMMIT_REF_NAME",
        "CI_COMMIT_REF_SLUG", "CI_COMMIT_TITLE", "CI_MERGE_REQUEST_DESCRIPTION", "CI_MERGE_REQUEST_DRAFT",
        "CI_MERGE_REQUEST_LABELS", "CI_MERGE_REQUEST_MILESTONE", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
        "CI_MERGE_REQUEST_TITLE", "GITLAB_USER_EMAIL", "GITLAB_USER_ID", "GITLAB_USER_LOGIN", "GITLAB_USER_NAME",
    }
)  # fmt: skip
"""What each merge request brings anew."""
_OF_REQUESTS = "CI_MERGE_REQUEST_"
_KINDS = {
    "branches": frozenset[str](),
    "pushes": {"push"},
    "merge_requests": {"merge_request_event"},
    "schedules": {"schedule"},
    "web": {"web"},
    "api": {"api"},
    "triggers": {"trigger"},
    "pipelines": {"pipeline"},
    "tags": frozenset[str](),
    "chat": frozenset[str](),
    "external": frozenset[str](),
    "external_pull_requests": frozenset[str](),
}
"""The sources of pipelines that the words of `only` stand for."""


class Added(Struct, frozen=True):
    """How a job is in a pipeline."""

    when: str
    allow_failure: Any
    location: Location
    variables: Mapping[str, Any] = {}


class RuleContext:
    """What rules are evaluated with, in one world."""

    def __init__(
        self,
        repository: CheckedOut,
        world: World,
        source: str,
        branch: str | None,
        files: Sequence[str],
        *,
        on_branch: bool = False,
    ) -> None:
        self.repository, self.world, self.source, self.branch, self.files = repository, world, source, branch, files
        self.on_branch = on_branch
        """Whether the pipeline is one of the branch itself, and not of a change."""
        self.of_request = source == "merge_request_event"
        self.skipped: list[tuple[Location, str]] = []

    def value(self, name: str, own: Mapping[str, str]) -> str | Unsure | None:
        """Return a variable: text, None if it is not set, or that it is not known."""
        chosen = self.world.values.get(f"${name}")
        if isinstance(chosen, str):
            return chosen
        known: dict[str, str | Unsure | None] = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_PIPELINE_SOURCE": self.source,
            "CI_COMMIT_TAG": None,
            "CI_DEFAULT_BRANCH": self.branch or Unsure(name),
            "CI_OPEN_MERGE_REQUESTS": None if self.on_branch else "group/project!1",
        }
        branch = (self.branch or Unsure(name)) if self.on_branch else Unsure(name, free=True)
        known |= {"CI_COMMIT_BRANCH": branch, "CI_COMMIT_REF_NAME": branch}
        if self.of_request:
            known |= {"CI_COMMIT_BRANCH": None, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": self.branch or Unsure(name)}
            known |= {"CI_MERGE_REQUEST_IID": "1", "CI_MERGE_REQUEST_ID": "1"}
        elif name.startswith(_OF_REQUESTS):
            return None
        if name in known:
            return known[name]
        return own[name] if name in own else Unsure(name, free=name in _FREE)

    def holds(self, text: str, own: Mapping[str, str]) -> bool:
        """Tell whether a condition holds; the world says so where that is not known."""
        return _Condition(self, text, own).holds()


class Unsure(Struct, frozen=True):
    """The value of a variable that is not in the files; `free` if every change brings its own."""

    name: str
    free: bool = False


class _Condition:
    """A condition, evaluated from left to right as far as that decides; `&&` binds closer than `||`."""

    def __init__(self, context: RuleContext, text: str, own: Mapping[str, str]) -> None:
        self.context, self.text, self.own = context, text, own
        self.tokens: list[re.Match[str]] = []
        at = 0
        while match := _TOKEN.match(text, at):
            self.tokens.append(match)
            at = match.end()
        self.readable = not text[at:].strip() and bool(self.tokens)
        self.at = 0

    def holds(self) -> bool:
        if not self.readable:
            return self._ask(self.text, doubt=f"whether `{self.text}` holds")
        found = self._either()
        return found if self.at == len(self.tokens) else self._ask(self.text, doubt=f"whether `{self.text}` holds")

    def _ask(self, key: str, *, doubt: str) -> bool:
        return bool(self.context.world.choose(("gitlab", self.context.source, key), doubt=doubt))

    def _peek(self) -> str:
        return (self.tokens[self.at]["operator"] or "") if self.at < len(self.tokens) else ""

    def _either(self, *, live: bool = True) -> bool:
        found = self._both(live=live)
        while self._peek() == "||":
            self.at += 1
            found = self._both(live=live and not found) or found
        return found

    def _both(self, *, live: bool) -> bool:
        found = self._atom(live=live)
        while self._peek() == "&&":
            self.at += 1
            found = self._atom(live=live and found) and found
        return found

    def _atom(self, *, live: bool) -> bool:
        """Return what a comparison comes to; of what does not decide any more nothing is asked."""
        if self._peek() == "(":
            self.at += 1
            found = self._either(live=live)
            self.at += self._peek() == ")"
            return found
        left = self._operand()
        operator = self._peek()
        if operator not in {"==", "!=", "=~", "!~"}:
            return live and self._compared(left, "!=", (None, ""))
        self.at += 1
        right = self._operand()
        if not live:
            return False
        return self._matched(left, operator, right) if "~" in operator else self._compared(left, operator, (right,))

    def _operand(self) -> Any:
        if self.at >= len(self.tokens):
            return None
        token = self.tokens[self.at]
        self.at += 1
        if token["variable"]:
            return self.context.value(token["variable"], self.own)
        return next((one for one in (token["double"], token["single"], token["regex"]) if one is not None), None)

    def _compared(self, left: Any, operator: str, others: tuple[Any, ...]) -> bool:
        wanted = operator == "=="
        if isinstance(left, Unsure):
            return self._same(left, others) == wanted
        if isinstance(others[0], Unsure):
            return self._same(others[0], (left,)) == wanted
        return (left in others) == wanted

    def _same(self, unsure: Unsure, others: tuple[Any, ...]) -> bool:
        """Let the world say whether a variable has a value; it has it from then on."""
        if unsure.free and unsure.name in {"CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME"} and self.context.branch in others:
            return False  # the branch of a change is not the one that it is merged into
        if unsure.free and None in others:
            return False
        if any(isinstance(one, Unsure) for one in others):
            return self._ask(f"{unsure.name}=={others}", doubt=f"what ${unsure.name} is")
        shown = " or ".join("not set" if one is None else repr(one) for one in others)
        doubt = "" if unsure.free else f"whether the CI/CD variable {unsure.name} is {shown}"
        found = self._ask(f"{unsure.name}=={others}", doubt=doubt)
        if found and len(others) == 1 and isinstance(others[0], str):
            self.context.world.values[f"${unsure.name}"] = others[0]
        return found

    def _matched(self, left: Any, operator: str, right: Any) -> bool:
        if isinstance(left, Unsure) or isinstance(right, Unsure) or right is None:
            unsure = next((one for one in (left, right) if isinstance(one, Unsure)), None)
            named = unsure.name if unsure else str(left)
            doubt = "" if unsure and unsure.free else f"whether ${named} matches {right}"
            return self._ask(f"{named}=~{right}", doubt=doubt) == (operator == "=~")
        return _matches(str(right), left or "") == (operator == "=~")


def _matches(pattern: str, text: str) -> bool:
    body, _, flags = pattern.strip().removeprefix("/").rpartition("/") if pattern.startswith("/") else (pattern, "", "")
    try:
        return re.search(body, text, re.IGNORECASE if "i" in flags else 0) is not None
    except re.error:
        return False


def added(context: RuleContext, job: GitlabJob, own: Mapping[str, str], *, everywhere: bool) -> Added | None:
    """Return how a job is in a pipeline; None if it is not.

    `everywhere` says that a job is in all pipelines that begin unless it says otherwise: where `workflow` has rules.
    """
    when = str(job.get("when") or "on_success")
    if "rules" in job.keys:
        return _by_rules(
            context, job.keys["rules"], f"job {job.name}", own, when=when, allowed=job.get("allow_failure")
        )
    if not _by_words(context, job, own, everywhere=everywhere):
        return None
    optional = job.get("allow_failure", when == "manual")
    return None if when == "never" else Added(when, optional, job.at("when"))


def creates(context: RuleContext, workflow: Written | None, own: Mapping[str, str]) -> bool:
    """Tell whether `workflow: rules` let a pipeline begin."""
    return workflow is None or _by_rules(context, workflow, "the pipeline", own) is not None


def _by_rules(
    context: RuleContext,
    rules: Written,
    what: str,
    own: Mapping[str, str],
    *,
    when: str = "always",
    allowed: Any = None,
) -> Added | None:
    given = rules.value if isinstance(rules.value, list) else []
    for at, rule in enumerate(given):
        place = Location(rules.location.file, line_of(given, at, rules.location.line))
        if not isinstance(rule, Mapping) or not _applies(context, rule, own):
            continue
        chosen = str(rule.get("when") or when)
        if chosen == "never":
            condition = rule.get("if") or rule.get("changes") or rule.get("exists") or "always"
            context.skipped.append((place, f"{what} is left out by `when: never` for `{condition}`"))
            return None
        optional = rule.get("allow_failure", allowed if allowed is not None else False)
        return Added(chosen, optional, place, rule.get("variables") or {})
    context.skipped.append((rules.location, f"{what} is left out: none of its rules applies"))
    return None


def _applies(context: RuleContext, rule: Mapping[str, Any], own: Mapping[str, str]) -> bool:
    if "if" in rule and not context.holds(str(rule["if"]), own):
        return False
    if "changes" in rule and not _changed(context, rule["changes"]):
        return False
    return "exists" not in rule or _exists(context, rule["exists"])


def _paths(value: Any) -> list[str]:
    value = value.get("paths") if isinstance(value, Mapping) else value
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def _changed(context: RuleContext, value: Any) -> bool:
    """Tell whether files changed: of each file of the infrastructure there may be a change of it alone."""
    if context.source not in {"merge_request_event", "push"}:
        return True
    patterns = _paths(value)
    if any("$" in pattern for pattern in patterns):
        return bool(context.world.choose(("changes", str(patterns)), doubt=f"which files {patterns} are"))
    outside = [file for file in context.files if not any(_glob(pattern, file) for pattern in patterns)]
    if not outside:
        return True
    if len(outside) == len(context.files) and not context.files:
        return bool(context.world.choose(("changes", str(patterns)), doubt="which files change"))
    return not context.world.choose(("changes", outside[0]), (False, True))


def _exists(context: RuleContext, value: Any) -> bool:
    if isinstance(value, Mapping) and "project" in value:
        return bool(context.world.choose(("exists", str(value)), doubt="what is in another project"))
    return any(context.repository.matches(pattern.lstrip("/"), "") for pattern in _paths(value))


def _glob(pattern: str, path: str) -> bool:
    """Tell whether a pattern matches a path: `*` within a folder, `**` through them. Source: "rules:changes"."""
    parts = []
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\{[^}]*\}|\[[^\]]*\]|.", pattern.removeprefix("/")):
        known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(token)
        if known is None and token[0] == "{":
            known = "(?:" + "|".join(re.escape(one).replace(r"\*", "[^/]*") for one in token[1:-1].split(",")) + ")"
        parts.append(known or (token if token[0] == "[" and len(token) > 1 else re.escape(token)))
    return re.fullmatch("".join(parts), PurePosixPath(path).as_posix()) is not None


def _by_words(context: RuleContext, job: GitlabJob, own: Mapping[str, str], *, everywhere: bool) -> bool:
    """Tell whether `only` and `except` let a job in; without `only` it is in the pipelines of branches and tags."""
    only = job.get("only", ["branches", "tags"])
    if ("only" in job.keys or not everywhere) and not _selected(context, only, own, everything=True):
        place = job.at("only")
        context.skipped.append((place, f"job {job.name} is left out by `only`, which by default is branches and tags"))
        return False
    if "except" in job.keys and _selected(context, job.get("except"), own, everything=False):
        context.skipped.append((job.at("except"), f"job {job.name} is left out by `except`"))
        return False
    return True


def _selected(context: RuleContext, given: Any, own: Mapping[str, str], *, everything: bool) -> bool:
    """Tell whether a pipeline is one of those given: by all kinds of conditions, or, of `except`, by any."""
    if not isinstance(given, Mapping):
        return _named(context, _paths(given))
    answers = []
    if given.get("refs") is not None or everything:
        answers.append(_named(context, _paths(given.get("refs") or ["branches", "tags"])))
    if "variables" in given:
        answers.append(any(context.holds(str(one), own) for one in given["variables"]))
    if "changes" in given:
        answers.append(_changed(context, given["changes"]))
    if "kubernetes" in given:
        answers.append(bool(context.world.choose("kubernetes", doubt="whether a cluster is connected")))
    return all(answers) if everything else any(answers)


def _named(context: RuleContext, names: Sequence[str]) -> bool:
    for name in names:
        word = name.partition("@")[0]
        if word in _KINDS:
            if context.source in _KINDS[word] or (word == "branches" and not context.of_request):
                return True
        elif not context.of_request:
            pattern = f"$CI_COMMIT_BRANCH =~ {word}" if word.startswith("/") else f'$CI_COMMIT_BRANCH == "{word}"'
            if context.holds(pattern, {}):
                return True
    return False
