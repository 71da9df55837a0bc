"""How a test of a suite is named and placed in Allure: ids that last, behaviours, suites, severity."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5
from typing import Any, NamedTuple

import pytest

from infraspec.contract.models import Contract
from infraspec.core.rule import Rule, Severity
from infraspec.core.rules import RULES, rule_of
from infraspec.reporting.recorder import environment_of

SEVERITIES: tuple[Severity, ...] = ("blocker", "critical", "normal", "minor", "trivial")
_SUITES = ("tests_static", "tests_live")


class Identity(NamedTuple):
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
    names = (name.removeprefix("test_").replace("_", "-") for name in (function, item.path.stem))
    return tuple([name for name in names if name in RULES][:1])


def identity(item: pytest.Item, rules: Sequence[str]) -> Identity:
    """Return the names of a test of infraspec's own: neither a folder nor a line is in them."""
    function = getattr(item, "originalname", None) or item.name
    callspec = getattr(item, "callspec", None)
    full_name = f"infraspec.{item.path.parent.name}.{item.path.stem}#{function}"
    what = ", ".join(rules) if function.removeprefix("test_").replace("_", "-") in rules else function
    return Identity(
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
