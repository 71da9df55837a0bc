"""From findings to the outcome of a test: waivers applied, verdicts weighed, the record for reports kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from infraspec.contract import place_of
from infraspec.contract.baseline import Baseline, BaselineResult, Move
from infraspec.contract.models import Contract, Level
from infraspec.contract.waivers import InlineWaiver, Waived, WaiverResult, apply
from infraspec.core.errors import EmptySelectionError, counted, listing
from infraspec.core.finding import Finding, Location, Related, Verdict, by_mistake
from infraspec.core.rules import RULES
from infraspec.reporting.run.recorder import REPOSITORY
from infraspec.reporting.run.results import Acceptance, Entry, State, by_place

if TYPE_CHECKING:  # a run starts faster without
    from infraspec.iam.evaluation.decision import Decision
    from infraspec.terraform.plan import Plan

WITNESS = "infraspec-allure"
"""The name of the plugin that shows the results of rules elsewhere; it is there if Allure's results are wanted."""


class RuleResult(Struct, frozen=True):
    """What the findings of one rule in one environment come to."""

    rule: str
    result: WaiverResult
    undetermined_fails: bool
    may_be_empty: bool = False
    keep_proven: bool = False
    known: tuple[Finding, ...] = ()
    used: tuple[int, ...] = ()
    advised: frozenset[str] = frozenset()
    """What the findings are about that the contract only takes advice on."""

    @property
    def is_empty(self) -> bool:
        """Whether the rule looked at nothing, although the contract does not allow it that."""
        return self.total == 0 and not self.may_be_empty

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that fail the test, violations first, each kind in order of place."""
        return self._in("failing")

    @property
    def doubtful(self) -> tuple[Finding, ...]:
        """The undetermined findings that the contract asks only to warn of."""
        return self._in("warning")

    @property
    def total(self) -> int:
        """How many subjects were looked at."""
        return len(self.result.active) + len(self.result.waived) + len(self.known)

    def record(self) -> dict[str, Any]:
        """Return what reports need, as builtin types: it travels from xdist workers to the controller."""
        counts = Counter(finding.verdict.value for finding in self.result.active)
        return {
            **self.result.to_builtins(),
            "rule": self.rule,
            "counts": {verdict.value: counts[verdict.value] for verdict in Verdict},
            "total": self.total,
            "known": len(self.known),
            "baseline": list(self.used),
            "empty": self.is_empty,
            "advice": [str(finding) for finding in self.result.active if finding.advice],
            "findings": msgspec.to_builtins(self.entries()),
        }

    def entries(self) -> tuple[Entry, ...]:
        """Return what the results file keeps: what is not proven, describes something, or says what it rests on."""
        name = self.result.environment
        lapsed = {entry.finding.key: _acceptance(entry) for entry in self.result.lapsed}
        active = [
            Entry(name, self._state(finding), finding, lapsed.get(finding.key))
            for finding in self.result.active
            if self.keep_proven or finding.advice or finding.rests_on or finding.verdict is not Verdict.PROVEN
        ]
        waived = [Entry(name, "waived", entry.finding, _acceptance(entry)) for entry in self.result.waived]
        known = [Entry(name, "known", finding) for finding in self.known]
        return tuple(sorted([*active, *waived, *known], key=lambda entry: by_place(entry.finding)))

    def _state(self, finding: Finding) -> State:
        if finding.verdict is Verdict.PROVEN:
            return "advice" if finding.advice else "proven"
        is_doubt = finding.verdict is Verdict.UNDETERMINED
        return "warning" if is_doubt and (not self.undetermined_fails or finding.key in self.advised) else "failing"

    def _in(self, state: State) -> tuple[Finding, ...]:
        return tuple(sorted((one for one in self.result.active if self._state(one) == state), key=by_place))


class Witness(Protocol):
    """What is told of each result of a rule while its test runs."""

    def judged(self, result: RuleResult, plan: Callable[[], Plan] | None, decisions: Mapping[str, Decision]) -> None:
        """Take note of a result; `decisions` are those of IAM by finding."""


def witness_of(config: pytest.Config) -> Witness | None:
    """Return the plugin that shows the results of rules elsewhere, if there is one."""
    plugin: Witness | None = config.pluginmanager.get_plugin(WITNESS)
    return plugin


def judge(
    rule: str,
    findings: Sequence[Finding],
    contract: Contract,
    environment: str,
    today: date,
    *,
    keep_proven: bool = False,
    baseline: Baseline | None = None,
    moves: Sequence[Move] = (),
    inline: Sequence[InlineWaiver] = (),
) -> RuleResult:
    """Apply the levels of the contract, the waivers of contract and source, then the baseline to what is left."""
    judged = switched(rule, findings, contract.rules)
    result = apply(judged.findings, contract.waivers, environment, today, [rule], inline=inline)
    parted = (
        baseline.part(result.active, rule, environment, today, moves) if baseline else BaselineResult(result.active)
    )
    return RuleResult(
        rule,
        replace(result, active=by_mistake(parted.active)),
        contract.suite.undetermined == "fail",
        rule in contract.suite.allow_empty or len(judged.findings) < len(findings),
        keep_proven,
        parted.known,
        parted.used,
        judged.advised,
    )


class Switched(Struct, frozen=True):
    """Findings as the contract takes them; `advised` is what those are about of which it only takes advice."""

    findings: tuple[Finding, ...]
    advised: frozenset[str] = frozenset()


def switched(rule: str, findings: Sequence[Finding], levels: Mapping[str, Level]) -> Switched:
    """Return the findings of a rule as `[rules]` of the contract says.

    What is off is not among them. Of what is advice, a violation is said as one, and a doubt stays a doubt that fails
    nothing: what is not known is not proven.
    """
    if not any(name.partition(".")[0] == rule for name in levels):
        return Switched(tuple(findings))
    kept: list[Finding] = []
    advised: set[str] = set()
    for finding in findings:
        level = _level(rule, finding, levels)
        if level == "advice" and finding.verdict is not Verdict.PROVEN:
            advised.add(finding.key)
            is_certain = finding.verdict is Verdict.VIOLATED
            kept.append(replace(finding, verdict=Verdict.PROVEN, advice=True) if is_certain else finding)
        elif level == "violated" and finding.advice:
            kept.append(replace(finding, verdict=Verdict.VIOLATED, advice=False))
        elif level != "off":
            kept.append(finding)
    return Switched(tuple(kept), frozenset(advised))


_ACTION = re.compile(r"(?<![\w:-])([a-z0-9-]+):[A-Z]\w+")


def _level(rule: str, finding: Finding, levels: Mapping[str, Level]) -> Level | None:
    """Return the level of a finding: that of its checks, if they have the same one, else that of the rule."""
    named = {levels.get(f"{rule}.{check}") for check in _ACTION.findall(finding.subject.rpartition(": ")[2])}
    own = named.pop() if len(named) == 1 else None
    return own or levels.get(rule)


SWITCHED_OFF = "switched off at"
"""What the reason begins with of what the contract switches off."""


def switched_off(contract: Contract, rule: str) -> str:
    """Return why a rule is not judged, if the contract has switched it off, or else an empty text."""
    return f"{SWITCHED_OFF} {place_of(contract, 'rules', rule)}" if contract.rules.get(rule) == "off" else ""


def checks_off(contract: Contract) -> list[dict[str, str]]:
    """Return the checks of rules that the contract has switched off, as tests that did not look."""
    return [
        {"test": name, "environment": REPOSITORY, "reason": f"{SWITCHED_OFF} {place_of(contract, 'rules', name)}"}
        for name, level in contract.rules.items()
        if level == "off" and "." in name
    ]


def empty_selection(rule: str, contract: Contract, environment: str) -> EmptySelectionError:
    """Return the error of a rule without findings: a check that looked at nothing has proven nothing."""
    return EmptySelectionError(
        f'the rule "{rule}" matched nothing in {environment}',
        place=place_of(contract, "suite", "allow_empty"),
        expected="at least one resource or file that the rule is about",
        remedy="if there should be none, allow it:\n" + allowing(contract.suite.allow_empty, [rule]),
    )


_OF_STYLE = frozenset({"conventions", "policies"})
"""The rooms of rules about how something is written."""


def at_calls(rule: str, findings: Iterable[Finding], plan: Plan) -> list[Finding]:
    """Return findings, those in modules that the user does not own at the call of the module.

    How such a module is written is advice: who uses it cannot change it, and may choose another one.
    """
    told = []
    for finding in findings:
        place = next((at for module, at in plan.fetched.items() if finding.address.startswith(f"{module}.")), None)
        if place is not None and finding.verdict is not Verdict.PROVEN:
            inside = Related("in the module", finding.address, finding.location)
            finding = replace(finding, location=place, related=(*finding.related, inside))  # noqa: PLW2901 - the same
            if finding.verdict is Verdict.VIOLATED and rule in RULES and RULES[rule].room in _OF_STYLE:
                finding = replace(finding, verdict=Verdict.PROVEN, advice=True)  # noqa: PLW2901 - the same
        told.append(finding)
    return told


UNJUDGED = "secret-access:source"
"""What `allow_empty` says for the run to look past resources of the source that no environment makes."""


def unjudged_error(
    contract: Contract, found: Mapping[str, Sequence[Location]], absent: Sequence[str]
) -> EmptySelectionError | None:
    """Return the error of what is in the source and was not judged; None where there is nothing such.

    `found` has the places by type of resource, `absent` the modules that may make some and are not here.
    """
    from infraspec.adoption.roots import WORKLOADS  # noqa: PLC0415 - pytest starts faster without

    if not found and not absent:
        return None
    kinds = ", ".join(counted(len(places), WORKLOADS[type_]) for type_, places in found.items())
    places = [str(place) for all_ in found.values() for place in all_]
    return EmptySelectionError(
        f"the source has {kinds}, and none is checked: no environment creates any"
        if found
        else f"nothing was checked: {counted(len(absent), 'module')} not downloaded",
        place=place_of(contract, "environments"),
        expected="an environment for each root module that creates task definitions, functions or roles",
        found=listing([*places, *absent], _MOST_PLACES),
        remedy="download the modules with `terraform init -backend=false`, name the root module under [environments], "
        "or set the variables that its count depends on; if nobody deploys it, allow it:\n"
        + allowing(contract.suite.allow_empty, [UNJUDGED]),
    )


_MOST_PLACES = 5


def allowing(present: Sequence[str], further: Sequence[str]) -> str:
    """Return the lines of the contract that allow rules to match nothing, those of before among them."""
    entries = ", ".join(f'"{rule}"' for rule in dict.fromkeys([*present, *further]))
    return f"[suite]\nallow_empty = [{entries}]"


def _acceptance(entry: Waived) -> Acceptance:
    return Acceptance(entry.waiver.reason, entry.waiver.owner, entry.waiver.expires.isoformat(), entry.place)
