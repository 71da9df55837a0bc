"""What the rules of the live suite say of a deployed infrastructure, without pytest in between."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from msgspec import Struct, field

from infraspec import contract as contracts
from infraspec.aws.access import AccountAccess
from infraspec.contract.models import Contract
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import RULES
from infraspec.ecs.fleet import declared_services
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.facts.services import read_fleet
from infraspec.live.plan import live_plan
from infraspec.process.playbooks import read_playbooks
from infraspec.pytest_plugin.rule_tests import RuleCheck, prove
from infraspec.sandbox.applying import reasons
from tests.out_of_band.account import Deployed
from tests_live import test_rules

BROKEN = "broken"
Told = tuple[str, str, str]
"""Rule, verdict (or `broken`, `advice`), and what the finding is about."""


class Looked(Struct, frozen=True):
    """What one run of the suite has to say."""

    findings: tuple[Finding, ...]
    broken: Mapping[str, str]
    """By rule, why it could not be judged."""

    def told(self) -> dict[Told, str]:
        """Return what was found by rule, verdict and subject, each with its text."""
        said = {(one.rule, _verdict(one), one.key): str(one) for one in self.findings}
        return said | {(rule, BROKEN, ""): text for rule, text in self.broken.items()}


def _verdict(finding: Finding) -> str:
    return "advice" if finding.advice else finding.verdict.value


def look(deployed: Deployed, contract: Contract | None = None, access: AccountAccess | None = None) -> Looked:
    """Judge what is deployed by every rule of the live suite."""
    fixtures = _Fixtures(deployed, contract or deployed.contract, access or deployed.access(contract))
    broken: dict[str, str] = {}
    for rule in (rule for rule in RULES.values() if "live" in rule.suites and rule.id != "hosts"):
        try:
            prove(rule, RuleCheck.of(rule, "live"), fixtures)  # type: ignore[arg-type] # all that it asks for
        except InfraspecError as error:
            broken[rule.id] = str(error)
        except pytest.skip.Exception:
            continue
    return Looked(tuple(fixtures.findings), broken)


class _Fixtures(Struct):
    """The fixtures of the suite by name, each made once, as a request of pytest hands them out."""

    deployed: Deployed
    contract: Contract
    access: AccountAccess
    findings: list[Finding] = field(default_factory=list)
    _made: dict[str, Any] = field(default_factory=dict)

    def getfixturevalue(self, name: str) -> Any:
        """Return a fixture."""
        if name not in self._made:
            made = _OWN.get(name) or _of_suite(name)
            self._made[name] = made(self)
        return self._made[name]

    def assert_proven(self, _rule: str, findings: Sequence[Finding], **_: Any) -> None:
        """Keep what a rule has found."""
        self.findings += findings


def _of_suite(name: str) -> Callable[[_Fixtures], Any]:
    function = inspect.unwrap(getattr(test_rules, name))
    names = inspect.signature(function).parameters
    return lambda fixtures: function(**{one: fixtures.getfixturevalue(one) for one in names})


def _playbooks(fixtures: _Fixtures) -> Any:
    playbooks = fixtures.contract.playbooks
    if playbooks is None:
        return ()
    return _pages(contracts.resolve(fixtures.contract, playbooks.directory), str(playbooks.directory))


_pages = cache(read_playbooks)


def _tag_policy(fixtures: _Fixtures) -> TagPolicy | None:
    path = fixtures.contract.tags.policy
    if path is None:
        return None
    return TagPolicy.from_json(contracts.resolve(fixtures.contract, path).read_text(encoding="utf-8"), place=str(path))


def _live_plan(fixtures: _Fixtures) -> Any:
    deployed = fixtures.deployed
    lacking = reasons(deployed.applied.not_applied)
    return live_plan(
        fixtures.access.snapshot, deployed.plan, fixtures.contract, deployed.environment, not_applied=lacking
    )


_OWN: dict[str, Callable[[_Fixtures], Any]] = {
    "contract": lambda fixtures: fixtures.contract,
    "environment": lambda fixtures: fixtures.deployed.environment,
    "plan": lambda fixtures: fixtures.deployed.plan,
    "task_definitions": lambda fixtures: task_definitions(fixtures.deployed.plan),
    "snapshot": lambda fixtures: fixtures.access.snapshot,
    "secret_values": lambda fixtures: fixtures.access.secret_values,
    "live_plan": _live_plan,
    "live_task_definitions": lambda fixtures: task_definitions(fixtures.getfixturevalue("live_plan")),
    "fleet": lambda fixtures: read_fleet(fixtures.access.snapshot, declared_services(fixtures.deployed.plan)),
    "expected_revisions": lambda _fixtures: {},
    "root_settings": lambda fixtures: fixtures.deployed.environments.settings(),
    "root_module": lambda fixtures: fixtures.deployed.environments.settings()[fixtures.deployed.environment],
    "playbooks": _playbooks,
    "tag_policy": _tag_policy,
    "approvals": lambda _fixtures: (),
    "pull_request": lambda _fixtures: None,
    "assert_proven": lambda fixtures: fixtures.assert_proven,
}


def news(before: Looked, after: Looked) -> Iterator[tuple[Told, str]]:
    """Yield what is not proven after a change and was not said before it."""
    known = before.told()
    for told, text in after.told().items():
        if told not in known and told[1] not in {Verdict.PROVEN.value, "advice"}:
            yield told, text
