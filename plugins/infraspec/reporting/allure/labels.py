"""How a test of a suite is named and placed in Allure: ids that last, behaviours, suites, severity."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from hashlib import md5
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infraspec.contract.models import Contract
from infraspec.contract.paths import display, resolve
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding
from infraspec.core.rule import Rule, Severity
from infraspec.core.rules import RULES, SECRET_ACCESS, TASK_DEFINITIONS, rule_named, rule_of
from infraspec.core.runtime import text_or_nothing
from infraspec.ecs.stop_cause import FailureClass
from infraspec.process.playbooks import read_playbooks
from infraspec.reporting.run.recorder import environment_of
from infraspec.reporting.run.repository import Repository

SEVERITIES: tuple[Severity, ...] = ("blocker", "critical", "normal", "minor", "trivial")
_SUITES = ("tests_static", "tests_live")


class TestIdentity(NamedTuple):
    """The names that Allure knows a test by: the same wherever it is installed, and whatever lines were moved."""

    name: str
    full_name: str
    test_case: str
    history: str


def is_bundled(item: pytest.Item) -> bool:
    """Tell whether a test is one of infraspec's own suites."""
    return item.path.parent.name in _SUITES


def rules_of(item: pytest.Item, judged: Sequence[str]) -> tuple[str, ...]:
    """Return the rules that a test has judged, or the one that it is named after, or else that its module is."""
    if judged:
        return tuple(dict.fromkeys(judged))
    function = getattr(item, "originalname", None) or item.name
    return tuple([name for name in map(rule_named, (function, item.path.stem)) if name in RULES][:1])


def identity(item: pytest.Item, rules: Sequence[str]) -> TestIdentity:
    """Return the names of a test of infraspec's own: neither a folder nor a line is in them."""
    function = getattr(item, "originalname", None) or item.name
    callspec = getattr(item, "callspec", None)
    full_name = f"infraspec.{item.path.parent.name}.{item.path.stem}#{function}"
    what = ", ".join(rules) if rule_named(function) in rules else function
    return TestIdentity(
        f"{what}: {environment_of(item)}",
        full_name,
        _id(full_name),
        _id(full_name, callspec.id if callspec else environment_of(item)),
    )


def labels(item: pytest.Item, rules: Sequence[str], contract: Contract) -> dict[str, tuple[str, ...]]:
    """Return the labels of a test by name: epic, feature, story, severity, and the tree of suites."""
    is_live = item.get_closest_marker("live") is not None or item.path.parent.name == "tests_live"
    epic = "Live suite" if is_live else "Static suite"
    domains = tuple(dict.fromkeys(rule_of(rule).domain for rule in rules)) or (_module(item),)
    levels = [contract.suite.severity.get(rule, rule_of(rule).severity) for rule in rules] or ["normal"]
    return {
        "epic": (epic,),
        "feature": domains,
        "story": tuple(rules),
        "severity": (min(levels, key=SEVERITIES.index),),
        "parentSuite": (epic,),
        "suite": (environment_of(item),),
        "subSuite": domains[:1],
    }


def _module(item: pytest.Item) -> str:
    """Return what a test that judges no rule belongs to: its module says, of infraspec's own suites."""
    return (
        item.path.stem.removeprefix("test_").replace("_", " ").capitalize() if is_bundled(item) else Rule.own("").domain
    )


def description(rules: Sequence[str], documentation: str | None) -> tuple[str, list[tuple[str, str]]]:
    """Return what the rules are about, in Markdown, and the links to the pages about them, as (address, title)."""
    lines, links = [], []
    for rule in rules:
        about = rule_of(rule)
        page = about.page
        lines.append(f"**{rule}**: {about.sentence}" + (f" See docs/{page}.md of infraspec." if page else ""))
        if page and documentation:
            links.append((documentation.replace("{page}", page), f"docs/{page}.md"))
    return "\n\n".join(lines), links


def _id(*parts: Any) -> str:
    return md5("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


_FOLDERS = (".github", ".gitlab", "docs", "")


def owners_of(files: Iterable[str], contract: Contract, repository: Repository) -> tuple[str, ...]:
    """Return the owners of files, paths from the root of the repository, each once; none if nobody says.

    The CODEOWNERS file is the one that the contract names, or that lies where platforms look for it.
    """
    found = _codeowners(contract, repository)
    if found is None:
        return ()
    from codeowners import CodeOwners  # noqa: PLC0415 - runs without findings need none of it

    try:
        owners = CodeOwners(text_or_nothing(found, contract.directory))
    except ValueError:  # the rule `process` says what is wrong with it
        return ()
    base = found.parent.parent if found.parent.name in _FOLDERS else found.parent
    paths = [os.path.relpath(Path(repository.root) / file, base) for file in dict.fromkeys(files)]
    names = (name for path in paths if not path.startswith("..") for _, name in owners.of(Path(path).as_posix()))
    return tuple(dict.fromkeys(names))


def _codeowners(contract: Contract, repository: Repository) -> Path | None:
    if contract.process and contract.process.codeowners:
        return resolve(contract, contract.process.codeowners)
    roots = (resolve(contract, Path()), Path(repository.root))
    candidates = (root / folder / "CODEOWNERS" for root in roots for folder in _FOLDERS)
    return next((path for path in candidates if path.is_file()), None)


_BY_ACTION = (
    ("secretsmanager:", FailureClass.SECRET_ACCESS_DENIED),
    ("ssm:GetParameters", FailureClass.PARAMETER_UNREADABLE),
    ("kms:", FailureClass.KMS_ACCESS_DENIED),
    ("ecr:", FailureClass.IMAGE_PULL_FAILED),
    ("logs:", FailureClass.LOGGING_FAILED),
)


class PlaybookPage(NamedTuple):
    """A playbook: its id, its language, and its file as people see it."""

    id: str
    language: str
    file: str


def failure_classes(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return what a task would stop with because of the findings, by the action that a role may not do."""
    found: list[str] = []
    for finding in findings:
        action = finding.subject.rpartition(": ")[2]
        if finding.rule == SECRET_ACCESS.id:
            found += [kind.value for start, kind in _BY_ACTION if action.startswith(start)]
        elif finding.rule == TASK_DEFINITIONS.id:
            found.append(FailureClass.SECRET_REFERENCE_INVALID.value)
    return tuple(dict.fromkeys(found))


def playbook_pages(contract: Contract, findings: Iterable[Finding]) -> tuple[PlaybookPage, ...]:
    """Return the playbooks of the contract for findings, in order of their paths.

    Playbooks that are malformed are left to the rule about them.
    """
    wanted = failure_classes(findings)
    if not wanted or contract.playbooks is None:
        return ()
    directory = contract.playbooks.directory
    try:
        playbooks = read_playbooks(resolve(contract, directory), display(contract, directory))
    except InfraspecError:
        return ()
    return tuple(
        PlaybookPage(playbook.id, playbook.language, playbook.page.file)
        for playbook in playbooks
        if any(kind in playbook.covers for kind in wanted)
    )
