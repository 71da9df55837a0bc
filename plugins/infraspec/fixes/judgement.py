"""All verdicts of the static suite, of the source as it is or with edits, without a run of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import pluggy
from msgspec import Struct

from infraspec.contract.models import Contract
from infraspec.contract.waivers import InlineWaiver, apply
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rule import Rule
from infraspec.core.rules import RULES
from infraspec.core.runtime import paused_collector
from infraspec.hcl.files import read_text
from infraspec.pytest_plugin import hookspecs
from infraspec.pytest_plugin.options import Setting, Settings
from infraspec.pytest_plugin.own_checks import Hooks
from infraspec.pytest_plugin.rule_tests import RuleCheck, call
from infraspec.pytest_plugin.session import Session
from infraspec.reporting.run.recorder import REPOSITORY
from infraspec.reporting.run.rule_result import at_calls, switched

_RANKS = tuple(Verdict)
_ABOUT_PLANS = frozenset({"plan", "sources", "root_settings", "root_module", "task_definitions", "environment"})
"""Fixtures of rules that Terraform has a say in."""


class EnvironmentJudgement(Struct, frozen=True):
    """What rules find in an environment; `failed` has the rules that an error of the input stopped, and the errors."""

    findings: tuple[Finding, ...]
    failed: Mapping[str, str]


class Infrastructure:
    """The source of a repository, whose environments are judged; a plan file says nothing of an edited source."""

    def __init__(self, directory: Path, environments: str = "") -> None:
        unset = Setting("", "default")
        chosen = Setting(environments, "option" if environments else "default")
        others = dict.fromkeys(set(Settings.__struct_fields__) - {"directory", "environments"}, unset)
        self._settings = Settings(Setting(str(directory), "option"), chosen, **others)
        manager = pluggy.PluginManager("pytest")
        manager.add_hookspecs(hookspecs)
        self._hooks = Hooks(manager.hook)
        session = self._begun()
        self.contract = session.contract = _of_source(session.contract)
        self.chosen: Sequence[str] = session.names
        self.names: Sequence[str] = list(self.contract.environments)
        """All environments: a patch for one must not make another one worse."""
        self.environments = session.environments

        self.texts: dict[Path, str] = {}

    def edited(self, texts: Mapping[Path, str]) -> Infrastructure:
        """Return the infrastructure with other texts of some files, by resolved path."""
        result = copy(self)
        result.texts = {**self.texts, **texts}
        result.environments = self.environments.edited(texts)
        return result

    def text(self, path: Path) -> str:
        """Return the text of a file."""
        return self.texts[path] if path in self.texts else read_text(path, str(path))

    def _begun(self) -> Session:
        return Session(self._settings, self._hooks)

    def judged(self) -> dict[str, EnvironmentJudgement]:
        """Judge every environment, and the repository as a whole."""
        session = self._begun()
        session.contract, session.environments = self.contract, self.environments
        with paused_collector():
            return {name: self._judged(session, name) for name in (*self.names, REPOSITORY)}

    def _judged(self, session: Session, name: str) -> EnvironmentJudgement:
        findings: list[Finding] = []
        failed: dict[str, str] = {}
        for rule in RULES.values():
            if "static" not in rule.suites or rule.of_one_plan:
                continue
            try:
                found = list(_found(session, rule, name))
            except InfraspecError as error:
                failed[rule.id] = str(error).splitlines()[0]
                continue
            inline: Sequence[InlineWaiver] = ()
            if name != REPOSITORY and session.environments.has(name):
                plan = session.environments.plan(name)
                found, inline = at_calls(rule.id, found, plan), plan.waivers
            today, told = datetime.now(UTC).date(), switched(rule.id, found, self.contract.rules).findings
            findings += apply(told, self.contract.waivers, name, today, [rule.id], inline=inline).active
        return EnvironmentJudgement(tuple(findings), failed)


def _of_source(contract: Contract) -> Contract:
    """Return a contract whose environments are those of the source alone."""
    environments = {
        name: one.model_copy(update={"plan": None, "state": None}) for name, one in contract.environments.items()
    }
    return contract.model_copy(update={"environments": environments})


def _found(session: Session, rule: Rule, name: str) -> Iterator[Finding]:
    """Yield what a rule finds in an environment, or in the repository if it is about no environment."""
    check, contract = RuleCheck.of(rule, "static"), session.contract
    fixtures = check.fixtures(rule)
    tables = [reduce(getattr, table.split("."), contract) for table in rule.tables]
    is_about_plans = not _ABOUT_PLANS.isdisjoint(fixtures)
    if (tables and not any(tables)) or is_about_plans is (name == REPOSITORY):
        return
    if "root_module" in fixtures and name not in session.environments.settings():
        return
    environments = session.environments
    given: dict[str, Callable[[], Any]] = {
        "environment": lambda: name,
        "plan": lambda: environments.plan(name),
        "task_definitions": lambda: session.task_definitions(environments.plan(name), name),
        "settings": lambda: tables[0],
        "sources": environments.sources,
        "root_settings": environments.settings,
        "root_module": lambda: environments.settings()[name],
        "playbooks": lambda: session.playbooks(contract),
        "deployed": lambda: False,
        "decisions": dict,
    }

    def value(wanted: str) -> Any:
        return given[wanted]() if wanted in given else getattr(session, wanted)

    if check.skip is None or not call(check.skip, value):
        yield from call(check.run, value)


def worst(findings: Sequence[Finding]) -> dict[tuple[str, str], Verdict]:
    """Return the worst verdict by rule and key."""
    result: dict[tuple[str, str], Verdict] = {}
    for finding in findings:
        key = finding.rule, finding.key
        result[key] = max(finding.verdict, result.get(key, Verdict.PROVEN), key=rank)
    return result


def rank(verdict: Verdict) -> int:
    """Return how bad a verdict is: UNDETERMINED is between the others."""
    return (0, 2, 1)[_RANKS.index(verdict)]
