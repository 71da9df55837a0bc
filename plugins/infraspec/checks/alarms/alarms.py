"""Rule `alarms`: the alarms of the catalogue exist, are as it says, and reach the people of their level.

Source: Amazon ECS Developer Guide, "Amazon ECS service deployment state change events": SERVICE_DEPLOYMENT_FAILED is
sent for services whose deployment circuit breaker is on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as datacla_field
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.checks.access.secret_access import placed
from infraspec.checks.alarms.alarm_candidates import AlarmCandidate, AlarmCandidates
from infraspec.checks.alarms.alarm_hcl import Suggestions
from infraspec.checks.alarms.alarm_routes import AlarmFault, Routes, RouteUse
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent
from infraspec.contract import located
from infraspec.contract.alarms import AlarmItem, Alarms
from infraspec.contract.models import Contract
from infraspec.conventions.hcl_lines import attribute_line
from infraspec.conventions.placeholders import facts_of
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rules import ALARMS as RULE
from infraspec.core.unknown import Text, Value, is_known, render
from infraspec.monitoring.catalogue import AlarmSubject, catalogue, is_of_postgresql, metrics_of, subjects
from infraspec.monitoring.delivery import Delivery, Route, publisher_of
from infraspec.monitoring.event_rules import EventRule, EventRules
from infraspec.monitoring.sample_events import SAMPLES
from infraspec.process.playbooks import Playbook
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

_FAILED = "deployment-failed"
_OFF = (None, False, "false")


def unless_silent(finding: Finding, item: AlarmItem, subject: AlarmSubject) -> Finding:
    """Return a finding about an alarm, or that the event it waits for is not sent of its subject."""
    waits = item.event == _FAILED or any(_FAILED in metric.counts for metric in metrics_of(item).values())
    service = subject.resource
    if not waits or service is None or finding.verdict is not Verdict.PROVEN:
        return finding
    enabled = _of_block(service, "deployment_circuit_breaker", "enable")
    if enabled in (True, "true"):
        return finding
    is_other = enabled not in _OFF or _of_block(service, "alarms", "enable") not in _OFF
    is_other = is_other or _of_block(service, "deployment_controller", "type") not in (None, "ECS")
    return replace(
        finding,
        verdict=Verdict.UNDETERMINED if is_other else Verdict.VIOLATED,
        location=service.location_of("deployment_circuit_breaker"),
        expected="a deployment circuit breaker: ECS sends the event of a failed deployment where it is on",
        found="whether it is on is not known, or something else ends a deployment" if is_other else "none that is on",
        reason=f"the alarm is there ({finding.reason}), and is told nothing of a deployment that fails",
        remedy=f"in {service.address}\ndeployment_circuit_breaker {{\n  enable   = true\n  rollback = true\n}}",
    )


def _of_block(service: Resource, name: str, attribute: str) -> Value:
    """Return an attribute of a block that may be given once; None without the block, or what hides it."""
    block = service.get(name)
    first = block[0] if isinstance(block, list | tuple) and block else block
    if isinstance(first, Mapping):
        return first.get(attribute)
    return None if first in (None, [], ()) else first


LEVEL = "critical"
_ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
_PAGE = re.compile(r"[^\s<>()\[\]{}\"'`,;、。「」（）]+\.md(?![A-Za-z0-9])")
_ANY = "ID"


class AlarmPlaybooks(Struct):
    """The playbooks that the descriptions of the critical alarms name; None where the contract asks for none.

    An alarm is critical if it tells of a critical item of the catalogue, or goes to a topic of that level alone.
    Paths of pages start at `directory`, that of the contract.
    """

    rule: str
    routes: Routes
    playbooks: Sequence[Playbook] | None
    directory: Path
    _critical: dict[str, Resource] = field(default_factory=dict)

    def use(self, level: str, alarm: Resource) -> None:
        """Note the alarm of an item of the catalogue."""
        if level == LEVEL:
            self._critical.update((one.address, one) for one in self.routes.delivery.telling(alarm))

    def suggestion(self, level: str, name: str) -> str:
        """Return what the description of an alarm has to end with: ` Playbook: ID.`, or nothing."""
        return f" Playbook: {self._about(name)}." if level == LEVEL and self.playbooks else ""

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each critical alarm."""
        if self.playbooks is None:
            return
        for alarm in self.routes.delivery.attributes.plan.managed(*_ALARMS):
            if alarm.address in self._critical or self._goes_to_critical(alarm):
                yield self._judge(alarm, self.playbooks)

    def _goes_to_critical(self, alarm: Resource) -> bool:
        topics = self.routes.delivery.own(alarm).topics
        levels = self.routes.alarms.levels
        return any([level for level in levels if topic in self.routes.topics_of(level)] == [LEVEL] for topic in topics)

    def _judge(self, alarm: Resource, playbooks: Sequence[Playbook]) -> Finding:
        description = alarm.get("alarm_description")
        named = next((book for book in playbooks if self._is_named(book, description)), None)
        location = alarm.location_of("alarm_description")
        if named is not None:
            return Finding(
                self.rule, Verdict.PROVEN, alarm.address, "playbook", location, reason=f"it names {named.page.file}"
            )
        shown = ", ".join(sorted({book.id for book in playbooks}))
        known = is_known(description)
        return Finding(
            self.rule,
            Verdict.VIOLATED if known else Verdict.UNDETERMINED,
            alarm.address,
            "playbook",
            location,
            expected=f"an alarm_description with the id or the path of a playbook: {shown or 'there is none'}",
            found=render(description) if description else "no alarm_description",
            reason="who is woken by it has to search for what to do" if known else "a part of it is not known",
            remedy=self._remedy(alarm, description),
        )

    def _remedy(self, alarm: Resource, description: Value) -> str:
        head = description.strip() if isinstance(description, str) else "…" if description else ""
        name = self._about(render(self.routes.delivery.attributes.name(alarm, "alarm_name")))
        line = attribute_line("alarm_description", f"{head} Playbook: {name}.".strip())
        return f"{line} # {_ANY}: that of the playbook that fits" if name == _ANY else line

    def _about(self, name: str) -> str:
        """Return the id of the playbook whose id, failure class or alarm the name of an alarm holds."""
        topics = {topic: book.id for book in self.playbooks or () for topic in (book.id, *book.covers)}
        return next((topics[topic] for topic in sorted(topics, key=len, reverse=True) if topic in name), _ANY)

    def _is_named(self, playbook: Playbook, description: Value) -> bool:
        """Tell whether the known text of a description names a playbook, by its path, a web address of it, or its id.

        An id counts as a whole word, one without a hyphen only after a colon: `escalation` is a word of the language.
        """
        page = playbook.page
        path = Path(os.path.relpath(page.path, self.directory)).as_posix() if page.path else page.file
        before = r"(?<![A-Za-z0-9_-])" if "-" in playbook.id else r"[:：]\s*"
        word = re.compile(rf"{before}{re.escape(playbook.id)}(?![A-Za-z0-9_-])")
        parts = description.parts if isinstance(description, Text) else (description,)
        return any(
            word.search(_PAGE.sub(" ", text)) or any(f"/{one}".endswith(f"/{path}") for one in _PAGE.findall(text))
            for text in parts
            if isinstance(text, str)
        )


@of_what_may_be_absent
def check_alarms(plan: Plan, contract: Contract, environment: str, playbooks: Sequence[Playbook] = ()) -> list[Finding]:
    """Judge each alarm of the catalogue for each thing it watches, then each route that the alarms take.

    Where the contract has `[playbooks]`, each critical alarm has to name one of `playbooks`.
    Raises ContractError if the catalogue is wrong, PolicyError if a policy on the way is malformed.
    """
    asked = None if contract.playbooks is None else playbooks
    return _check(plan, contract, environment, asked).findings()


def used_routes(plan: Plan, contract: Contract, environment: str) -> list[RouteUse]:
    """Return the routes that the alarms and rules of the catalogue take, by level; those in doubt are not among them.

    Raises as check_alarms does.
    """
    check = _check(plan, contract, environment, None)
    check.findings()
    return list(check.routes.used)


def _check(plan: Plan, contract: Contract, environment: str, asked: Sequence[Playbook] | None) -> _Check:
    return _Check(placed(plan, contract, environment), contract, contract.alarms or Alarms(), environment, asked)


@dataclass
class _Check:
    plan: Plan
    contract: Contract
    alarms: Alarms
    environment: str
    asked: Sequence[Playbook] | None
    attributes: AwsAttributes = datacla_field(init=False)
    routes: Routes = datacla_field(init=False)
    playbooks: AlarmPlaybooks = datacla_field(init=False)

    def __post_init__(self) -> None:
        self.attributes = AwsAttributes(self.plan)
        self.routes = Routes(RULE.id, Delivery(self.attributes), self.alarms)
        self.playbooks = AlarmPlaybooks(RULE.id, self.routes, self.asked, self.contract.directory)

    @cached_property
    def facts(self) -> dict[str, str]:
        return facts_of(self.contract, self.environment, region=self.plan.region, account=self.plan.account)

    @cached_property
    def rules(self) -> EventRules:
        return EventRules(self.attributes)

    @cached_property
    def candidates(self) -> AlarmCandidates:
        return AlarmCandidates(self.attributes, self.rules, self.routes)

    @cached_property
    def suggestions(self) -> Suggestions:
        return Suggestions(self.attributes, self.facts, self.routes)

    def findings(self) -> list[Finding]:
        with located(self.contract):
            items = catalogue(self.alarms)
        judged = [
            unless_silent(self._judge(name, item, subject), item, subject)
            for name, item in items.items()
            for subject in subjects(str(item.watches), self.attributes, self.facts, self.environment)
            if subject.is_postgresql is not False or not is_of_postgresql(item)
        ]
        return [*judged, *self.routes.findings(), *self.playbooks.findings()]

    def _judge(self, name: str, item: AlarmItem, subject: AlarmSubject) -> Finding:
        if item.event:
            return self._event(name, item, subject)
        candidates = self.candidates.of(item, subject)
        if not candidates:
            return self._missing(name, item, subject)
        best = min(candidates, key=lambda candidate: candidate.rank)
        if best.certain:
            self.playbooks.use(str(item.level), best.alarm.resource)
        if best.certain and self.routes.fault(str(item.level), best.route) is None:
            self.routes.use(str(item.level), best.route, best.alarm.resource)
        return self._of_candidate(name, item, subject, best)

    def _of_candidate(self, name: str, item: AlarmItem, subject: AlarmSubject, best: AlarmCandidate) -> Finding:
        alarm = best.alarm.resource
        if not best.faults:
            reason = f"{alarm.address} goes to {best.route.addresses}"
            return Finding(
                RULE.id, Verdict.PROVEN, subject.address, name, alarm.location, str(item.reason or ""), reason=reason
            )
        worst = min(best.faults, key=lambda fault: fault.verdict is not Verdict.VIOLATED)
        shown = [fault for fault in best.faults if fault.verdict is worst.verdict]
        return Finding(
            RULE.id,
            worst.verdict,
            subject.address,
            name,
            alarm.location_of(worst.attribute) if worst.attribute else alarm.location,
            expected="\n".join(fault.expected for fault in shown),
            found="\n".join(fault.found for fault in shown),
            reason="\n".join(dict.fromkeys(fault.reason for fault in shown)),
            remedy=_remedy(alarm.address, shown),
            related=(Related("alarm", alarm.address, alarm.location), *_watched(subject)),
        )

    def _missing(self, name: str, item: AlarmItem, subject: AlarmSubject) -> Finding:
        doubtful = is_of_postgresql(item) and subject.is_postgresql is None
        told = f"nobody is told if {item.reason}" if item.reason else "nobody is told"
        return Finding(
            RULE.id,
            Verdict.UNDETERMINED if doubtful else Verdict.VIOLATED,
            subject.address,
            name,
            subject.resource.location if subject.resource else None,
            expected=f"an alarm of level {item.level}: {item.reason or name}",
            found=self.candidates.nearest or self._nothing(item),
            reason=f"whether it is PostgreSQL is not known; if it is, {told}" if doubtful else told,
            remedy=self.suggestions.alarm(name, item, subject, self.playbooks.suggestion(str(item.level), name)),
        )

    def _nothing(self, item: AlarmItem) -> str:
        counted = sorted({event for metric in metrics_of(item).values() for event in metric.counts})
        if not counted:
            return "no alarm of the plan watches it"
        tried = len(self.plan.managed("aws_cloudwatch_log_metric_filter"))
        return f"no alarm of the plan counts {', '.join(counted)}; {tried} metric filters were tried on them"

    def _event(self, name: str, item: AlarmItem, subject: AlarmSubject) -> Finding:
        sample = SAMPLES[str(item.event)]
        doubt: tuple[EventRule, Route] | None = None
        for rule, answer in self.rules.taking(sample, subject):
            route = self.routes.delivery.of_rule(rule.resource, rule.targets)
            if not route.topics and not route.unknown:
                continue
            if answer is True and route.topics:
                fault = self.routes.fault(str(item.level), route)
                if fault is None:
                    self.routes.use(str(item.level), route, rule.resource, publisher_of(rule.targets))
                    reason = f"{rule.resource.address} sends it to {route.addresses}"
                    return Finding(
                        RULE.id, Verdict.PROVEN, subject.address, name, rule.resource.location, reason=reason
                    )
                return self._misdirected(name, subject, rule, fault)
            doubt = rule, route
        if doubt is None:
            return self._no_rule(name, item, subject)
        rule, route = doubt
        absent = self.plan.doubt_of(rule.resource)
        unknown = [*route.unknown, *([str(absent)] if absent else ())]
        return Finding(
            RULE.id,
            Verdict.UNDETERMINED,
            subject.address,
            name,
            rule.resource.location,
            expected=f"a rule that takes the event {sample.name} and sends it to a topic of level {item.level}",
            found=f"{rule.resource.address}; not known: {', '.join(unknown) or 'its pattern or state'}",
            reason="whether the event arrives depends on it",
            remedy=how_to_know(absent.value)
            if absent
            else "give a plan file in which it is known, or write a pattern of known text",
        )

    def _misdirected(self, name: str, subject: AlarmSubject, rule: EventRule, fault: AlarmFault) -> Finding:
        return Finding(
            RULE.id,
            fault.verdict,
            subject.address,
            name,
            rule.targets[0].location_of("arn"),
            expected=fault.expected,
            found=fault.found,
            reason=fault.reason,
            remedy=fault.remedy.replace("alarm_actions = [", "arn = ").replace(".arn]", ".arn"),
            related=(Related("rule", rule.resource.address, rule.resource.location), *_watched(subject)),
        )

    def _no_rule(self, name: str, item: AlarmItem, subject: AlarmSubject) -> Finding:
        return Finding(
            RULE.id,
            Verdict.VIOLATED,
            subject.address,
            name,
            subject.resource.location if subject.resource else None,
            expected=f"a rule that takes the event {item.event} and sends it to a topic of level {item.level}",
            found="no rule of the plan takes it and has a topic as its target",
            reason=f"nobody is told if {item.reason}" if item.reason else "nobody is told",
            remedy=self.suggestions.rule(name, item, subject),
        )


def _watched(subject: AlarmSubject) -> tuple[Related, ...]:
    return (Related("watched", subject.address, subject.resource.location),) if subject.resource else ()


def _remedy(address: str, faults: list[AlarmFault]) -> str:
    lines = list(dict.fromkeys(fault.remedy for fault in faults if fault.remedy))
    return "\n".join([f"in {address}", *lines]) if lines else ""
