"""All verdicts of the static suite, of the source as it is or with edits, without a run of pytest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import cache, partial, reduce
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
_OF_ENVIRONMENTS = frozenset({"plan", "root_module", "task_definitions", "environment"})
"""Fixtures of rules that are judged in each environment; what the others find is of the repository."""
_OF_TERRAFORM = _OF_ENVIRONMENTS | {"sources", "root_settings"}
"""Fixtures of rules that an edit of Terraform files may change."""


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
        self._judged: dict[str, EnvironmentJudgement] = {}
        self._without_terraform: dict[str, Sequence[Finding]] = {}
        """What rules find that no edit of Terraform files can change."""
        self._playbooks = cache(partial(Session.playbooks, self.contract))

    def edited(self, texts: Mapping[Path, str]) -> Infrastructure:
        """Return the infrastructure with other texts of some files, by resolved path."""
        result = copy(self)
        result.texts = {**self.texts, **texts}
        result.environments = self.environments.edited(texts)
        result._judged = {}  # noqa: SLF001 - one of its own
        return result

    def text(self, path: Path) -> str:
        """Return the text of a file."""
        return self.texts[path] if path in self.texts else read_text(path, str(path))

    def _begun(self) -> Session:
        return Session(self._settings, self._hooks)

    def judged(self) -> Mapping[str, EnvironmentJudgement]:
        """Judge every environment, and the repository as a whole, once."""
        if not self._judged:
            session = self._begun()
            session.contract, session.environments = self.contract, self.environments
            with paused_collector():
                self._judged = {name: self._of(session, name) for name in (*self.names, REPOSITORY)}
        return self._judged

    def _of(self, session: Session, name: str) -> EnvironmentJudgement:
        findings: list[Finding] = []
        failed: dict[str, str] = {}
        for rule in RULES.values():
            if "static" not in rule.suites or rule.of_one_plan:
                continue
            try:
                found = self._found(session, rule, name)
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

    def _found(self, session: Session, rule: Rule, name: str) -> Sequence[Finding]:
        """Return what a rule finds in an environment, or in the repository if it is about no environment."""
        check, contract, environments = RuleCheck.of(rule, "static"), session.contract, session.environments
        fixtures = check.fixtures(rule)
        tables = [reduce(getattr, table.split("."), contract) for table in rule.tables]
        if (tables and not any(tables)) or _OF_ENVIRONMENTS.isdisjoint(fixtures) is (name != REPOSITORY):
            return ()
        if "root_module" in fixtures and name not in environments.settings():
            return ()
        if rule.id in self._without_terraform:
            return self._without_terraform[rule.id]
        given: dict[str, Callable[[], Any]] = {
            "environment": lambda: name,
            "plan": lambda: environments.plan(name),
            "task_definitions": lambda: session.task_definitions(environments.plan(name), name),
            "settings": lambda: tables[0],
            "sources": environments.sources,
            "root_settings": environments.settings,
            "root_module": lambda: environments.settings()[name],
            "playbooks": self._playbooks,
            "deployed": lambda: False,
            "decisions": dict,
        }

        def value(wanted: str) -> Any:
            return given[wanted]() if wanted in given else getattr(session, wanted)

        is_skipped = check.skip is not None and call(check.skip, value)
        found = () if is_skipped else tuple(call(check.run, value))
        if _OF_TERRAFORM.isdisjoint(fixtures):
            self._without_terraform[rule.id] = found
        return found


def _of_source(contract: Contract) -> Contract:
    """Return a contract whose environments are those of the source alone."""
    environments = {
        name: one.model_copy(update={"plan": None, "state": None}) for name, one in contract.environments.items()
    }
    return contract.model_copy(update={"environments": environments})


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
