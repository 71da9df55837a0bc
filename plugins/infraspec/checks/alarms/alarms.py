"""Rule `alarms`: the alarms of the catalogue exist, are as it says, and reach the people of their level.

Source: Amazon ECS Developer Guide, "Amazon ECS service deployment state change events": SERVICE_DEPLOYMENT_FAILED is
sent for services whose deployment circuit breaker is on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.checks.access.secret_access import placed
from infraspec.checks.alarms.alarm_candidates import AlarmCandidates
from infraspec.checks.alarms.alarm_hcl import Suggestions
from infraspec.checks.alarms.alarm_routes import AlarmFault, Routes, RouteUse
from infraspec.checks.alarms.publishers import Publishers
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent, unless_unlisted
from infraspec.contract import located
from infraspec.contract.alarms import AlarmItem, Alarms
from infraspec.contract.models import Contract
from infraspec.conventions.hcl_lines import attribute_line
from infraspec.conventions.placeholders import facts_of
from infraspec.core.finding import Finding, Related, SourceChange, Verdict
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.unknown import Value, is_known, parts_of, render
from infraspec.monitoring.catalogue import AlarmSubject, catalogue, is_of_postgresql, metrics_of, subjects
from infraspec.monitoring.delivery import Delivery, Route, publisher_of
from infraspec.monitoring.event_rules import EventRule, EventRules
from infraspec.monitoring.sample_events import SAMPLES
from infraspec.process.playbooks import Playbook
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["alarms"]

_FAILED = "deployment-failed"
_OFF = (None, False, "false")


def unless_silent(finding: Finding, item: AlarmItem, subject: AlarmSubject) -> Finding:
    """Return a finding about an alarm, or that the event it waits for is not sent of its subject."""
    waits = item.event == _FAILED or any(_FAILED in metric.counts for metric in metrics_of(item).values())
    service = subject.resource
    if not waits or service is None or finding.verdict is not Verdict.PROVEN:
        return finding
    enabled = service.of_block("deployment_circuit_breaker", "enable")
    if enabled in (True, "true"):
        return finding
    is_other = enabled not in _OFF or service.of_block("alarms", "enable") not in _OFF
    is_other = is_other or service.of_block("deployment_controller", "type") not in (None, "ECS")
    return replace(
        finding,
        verdict=Verdict.UNDETERMINED if is_other else Verdict.VIOLATED,
        location=service.location_of("deployment_circuit_breaker"),
        expected="a deployment circuit breaker: ECS sends the event of a failed deployment where it is on",
        found="whether it is on is unknown, or something else ends a deployment" if is_other else "none that is on",
        reason=f"the alarm exists ({finding.reason}), but a failed deployment does not reach it",
        remedy=f"in {service.address}\n{_BREAKER}",
        changes=(_breaker(service),),
    )


_BREAKER = "deployment_circuit_breaker {\n  enable   = true\n  rollback = true\n}"


def _breaker(service: Resource) -> SourceChange:
    if not service.stated("deployment_circuit_breaker"):
        return SourceChange("block", service.address, text=_BREAKER)
    return SourceChange("arguments", service.address, "deployment_circuit_breaker.0", entries=(("enable", "true"),))


LEVEL = "critical"
_ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
_LISTED = (
    *_ALARMS, "aws_cloudwatch_log_metric_filter", "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target",
    "aws_sns_topic", "aws_sns_topic_subscription",
)  # fmt: skip
"""What makes up the way of an alert: one of them that nobody could see may be the one that is missed."""
_PAGE = re.compile(r"[^\s<>()\[\]{}\"'`,;、。「」（）]+\.md(?![A-Za-z0-9])")
_ANY = "ID"


class AlarmPlaybooks(Struct):
    """The playbooks that the descriptions of the critical alarms name; None where the contract asks for none.

    An alarm is critical if it tells of a critical item of the catalogue, or goes to a topic of that level alone.
    Paths of pages start at `directory`, that of the contract.
    """

    routes: Routes
    playbooks: Sequence[Playbook] | None
    directory: Path
    _critical: set[str] = field(default_factory=set)

    def use(self, level: str, alarm: Resource) -> None:
        """Note the alarm of an item of the catalogue."""
        if level == LEVEL:
            self._critical.update(source.address for source in self.routes.delivery.telling(alarm))

    def suggestion(self, level: str, name: str) -> str:
        """Return what the description of an alarm has to end with: ` Playbook: ID.`, or nothing."""
        return f" Playbook: {self._about(name)}." if level == LEVEL and self.playbooks else ""

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each critical alarm."""
        if self.playbooks is None:
            return
        for alarm in self.routes.delivery.attributes.plan.managed(*_ALARMS):
            if alarm.address in self._critical or self._goes_to_critical(alarm):
                yield self._judge_playbook(alarm, self.playbooks)

    def _goes_to_critical(self, alarm: Resource) -> bool:
        topics = self.routes.delivery.own(alarm).topics
        levels = self.routes.alarms.levels
        return any([level for level in levels if topic in self.routes.topics_of(level)] == [LEVEL] for topic in topics)

    def _judge_playbook(self, alarm: Resource, playbooks: Sequence[Playbook]) -> Finding:
        description = alarm.stated("alarm_description")
        subject = RULE.about(alarm, "playbook", alarm.location_of("alarm_description"))
        for playbook in playbooks:
            if self._is_named(playbook, description):
                return subject.proven(f"it names {playbook.page.file}")
        head = description.strip() if isinstance(description, str) else "…" if description else ""
        name = self._about(render(self.routes.delivery.attributes.name(alarm, "alarm_name")))
        line = attribute_line("alarm_description", f"{head} Playbook: {name}.".strip())
        ids = ", ".join(sorted({playbook.id for playbook in playbooks})) or "there is none"
        found = render(description) if description else "no alarm_description"
        remedy = f"{line} # {_ANY}: that of the playbook that fits" if name == _ANY else line
        wording = "no-playbook" if is_known(description) else "perhaps-playbook"
        said = subject.say(wording, ids=ids, found=found, remedy=remedy)
        if name == _ANY or "…" in head:
            return said
        return replace(said, changes=(SourceChange("arguments", alarm.address, entries=(split_argument(line),)),))

    def _about(self, name: str) -> str:
        """Return the id of the playbook whose id, failure class or alarm the name of an alarm holds."""
        topics = {topic: playbook.id for playbook in self.playbooks or () for topic in (playbook.id, *playbook.covers)}
        return next((topics[topic] for topic in sorted(topics, key=len, reverse=True) if topic in name), _ANY)

    def _is_named(self, playbook: Playbook, description: Value) -> bool:
        """Tell whether the known text of a description names a playbook, by its path, a web address of it, or its id.

        An id counts as a whole word, one without a hyphen only after a colon: `escalation` is a word of the language.
        """
        page = playbook.page
        path = Path(os.path.relpath(page.path, self.directory)).as_posix() if page.path else page.file
        before = r"(?<![A-Za-z0-9_-])" if "-" in playbook.id else r"[:：]\s*"
        word = re.compile(rf"{before}{re.escape(playbook.id)}(?![A-Za-z0-9_-])")
        parts = parts_of(description)
        return any(
            word.search(_PAGE.sub(" ", text)) or any(f"/{named}".endswith(f"/{path}") for named in _PAGE.findall(text))
            for text in parts
            if isinstance(text, str)
        )


@of_what_may_be_absent
def check_alarms(plan: Plan, contract: Contract, environment: str, playbooks: Sequence[Playbook] = ()) -> list[Finding]:
    """Judge each alarm of the catalogue for each thing it watches, then each route that the alarms take.

    Where the contract has `[playbooks]`, each critical alarm has to name one of `playbooks`.
    Raises ContractError if the catalogue is wrong, PolicyError if a policy on the way is malformed.
    """
    return _Check(plan, contract, environment, None if contract.playbooks is None else playbooks).findings()


def used_routes(plan: Plan, contract: Contract, environment: str) -> list[RouteUse]:
    """Return the routes that the alarms and rules of the catalogue take, by level; those in doubt are not among them.

    Raises as check_alarms does.
    """
    check = _Check(plan, contract, environment, None)
    check.findings()
    return list(check.routes.used)


class _Check:
    def __init__(self, plan: Plan, contract: Contract, environment: str, playbooks: Sequence[Playbook] | None) -> None:
        self.plan, self.contract, self.environment = placed(plan, contract, environment), contract, environment
        self.alarms = contract.alarms or Alarms()
        self.attributes = self.plan.derived(AwsAttributes)
        self.routes = Routes(RULE, Delivery(self.attributes), self.alarms)
        self.playbooks = AlarmPlaybooks(self.routes, playbooks, contract.directory)
        self.rules = EventRules(self.attributes)
        self.candidates = AlarmCandidates(self.attributes, self.rules, self.routes)

    @cached_property
    def facts(self) -> dict[str, str]:
        return facts_of(self.contract, self.environment, region=self.plan.region, account=self.plan.account)

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
        found = [*judged, *self.routes.findings(), *self.playbooks.findings()]
        if self.plan.source is None:
            found += Publishers(self.plan, self.contract, self.environment, self.facts).findings()
        return [unless_unlisted(self.plan, finding, *_LISTED) for finding in found]

    def _judge(self, name: str, item: AlarmItem, subject: AlarmSubject) -> Finding:
        if item.event:
            return self._event(name, item, subject)
        candidates = self.candidates.of(item, subject)
        if not candidates:
            return self._missing(name, item, subject)
        best, level = min(candidates, key=lambda candidate: candidate.rank), str(item.level)
        if best.certain:
            self.playbooks.use(level, best.alarm.resource)
        if best.certain and self.routes.fault(level, best.route) is None:
            self.routes.use(level, best.route, best.alarm.resource)
        alarm = best.alarm.resource
        if not best.faults:
            reason = f"{alarm.address} goes to {best.route.addresses}"
            about = RULE.about(subject.address, name, alarm.location)
            return about.proven(reason, expected=str(item.reason or ""))
        worst = min(best.faults, key=lambda fault: fault.verdict is not Verdict.VIOLATED)
        shown = [fault for fault in best.faults if fault.verdict is worst.verdict]
        lines = list(dict.fromkeys(fault.remedy for fault in shown if fault.remedy))
        location = alarm.location_of(worst.attribute) if worst.attribute else alarm.location
        finding = _say(worst, RULE.about(subject.address, name, location, _related("alarm", alarm, subject)))(
            expected="\n".join(fault.expected for fault in shown),
            found="\n".join(fault.found for fault in shown),
            reason="\n".join(dict.fromkeys(fault.reason for fault in shown)),
            remedy="\n".join([f"in {alarm.address}", *lines]) if lines else "",
        )
        change = _change(alarm, shown)
        if change is not None and any("aws_sns_topic." in name for name, _ in change.references):
            change = replace(change, needs=self.suggestions.first)
        if change is not None and [one.attribute for one in shown] == ["alarm_actions"]:
            kind: Literal["items", "arguments"] = "items" if self.routes.is_of_no_level(best.route) else "arguments"
            change = replace(change, kind=kind)
        return replace(finding, changes=(change,) if change else ())

    def _missing(self, name: str, item: AlarmItem, subject: AlarmSubject) -> Finding:
        told = f"nobody is alerted if {item.reason}" if item.reason else "nobody is alerted"
        doubtful = is_of_postgresql(item) and subject.is_postgresql is None
        about = RULE.about(subject.address, name, subject.resource.location if subject.resource else None)
        found, wanted = self.candidates.nearest or self._nothing(item), item.reason or name
        remark = self.playbooks.suggestion(str(item.level), name)
        remedy, changes = self.suggestions.alarm(name, item, subject, remark)
        wording = "perhaps-missing" if doubtful else "missing"
        if (perhaps := self.candidates.perhaps(item, subject)) and not doubtful:
            wording, found, changes = "perhaps-watched", perhaps[0].address, ()
            remedy = f"in {perhaps[0].address}\n{how_to_know(perhaps[1])}"
        said = about.say(wording, level=item.level, wanted=wanted, found=found, told=told, remedy=remedy)
        return replace(said, changes=changes)

    def _nothing(self, item: AlarmItem) -> str:
        counted = sorted({event for metric in metrics_of(item).values() for event in metric.counts})
        if not counted:
            return "no alarm of the plan watches it"
        tried = len(self.plan.managed("aws_cloudwatch_log_metric_filter"))
        return f"no alarm of the plan counts {', '.join(counted)}; {tried} metric filters were tried on them"

    def _event(self, name: str, item: AlarmItem, subject: AlarmSubject) -> Finding:
        sample, level = SAMPLES[str(item.event)], str(item.level)
        doubt: tuple[EventRule, Route] | None = None
        for rule, answer in self.rules.taking(sample, subject):
            route = self.routes.delivery.of_rule(rule.resource, rule.targets)
            if answer is True and route.topics:
                return self._routed(name, level, subject, rule, route)
            perhaps = self._perhaps(rule)
            if route.topics or route.unknown or perhaps:
                doubt = rule, Route(route.topics, (*route.unknown, *perhaps))
        wanted = f"and sends it to a topic of level {level}"
        if doubt is None:
            about = RULE.about(subject.address, name, subject.resource.location if subject.resource else None)
            remedy, changes = self.suggestions.rule(name, item, subject)
            absent = about.say(
                "no-rule",
                event=item.event,
                wanted=wanted,
                reason=f"nobody is alerted if {item.reason}" if item.reason else "nobody is alerted",
                remedy=remedy,
            )
            return replace(absent, changes=changes)
        rule, route = doubt
        uncertain = self.plan.doubt_of(rule.resource)
        unknown = [*route.unknown, *([str(uncertain)] if uncertain else ())]
        told = ", ".join(unknown) or "its pattern or state"
        remedy = "give a plan file in which it is known, or write a pattern of known text"
        about = RULE.about(subject.address, name, rule.resource.location)
        said = {"wanted": wanted, "unknown": told, "remedy": how_to_know(uncertain.value) if uncertain else remedy}
        return about.say("perhaps-rule", event=sample.name, rule=rule.resource.address, **said)

    def _perhaps(self, rule: EventRule) -> tuple[str, ...]:
        """Say which targets with a topic may be those of a rule."""
        routes = [(target, self.routes.delivery.of_targets((target,))) for target in rule.perhaps]
        return tuple(f"the rule of {target.address}" for target, route in routes if route.topics or route.unknown)

    def _routed(self, name: str, level: str, subject: AlarmSubject, rule: EventRule, route: Route) -> Finding:
        """Judge the route of a rule that certainly takes the event."""
        fault = self.routes.fault(level, route)
        if fault is None:
            self.routes.use(level, route, rule.resource, publisher_of(rule.targets))
            about = RULE.about(subject.address, name, rule.resource.location)
            return about.proven(f"{rule.resource.address} sends it to {route.addresses}")
        location = rule.targets[0].location_of("arn")
        return _say(fault, RULE.about(subject.address, name, location, _related("rule", rule.resource, subject)))(
            expected=fault.expected,
            found=fault.found,
            reason=fault.reason,
            remedy=fault.remedy.replace("alarm_actions = [", "arn = ").replace(".arn]", ".arn"),
        )


def split_argument(line: str) -> tuple[str, str]:
    """Return the name and the expression of an argument."""
    name, _, expression = line.partition(" = ")
    return name.strip(), expression


def _change(alarm: Resource, faults: Sequence[AlarmFault]) -> SourceChange | None:
    """Return what sets right all that is wrong with an alarm, if it is in one place and known."""
    if not all(fault.is_argument for fault in faults):
        return None
    entries = tuple(dict.fromkeys(split_argument(fault.remedy) for fault in faults))
    places = {"" if fault.attribute in dict(entries) else fault.attribute for fault in faults}
    if len(places) != 1:
        return None
    references = tuple((name, name) for fault in faults for name in fault.references)
    return SourceChange("arguments", alarm.address, places.pop(), entries=entries, references=references)


def _say(fault: AlarmFault, about: Subject) -> Callable[..., Finding]:
    return about.violated if fault.verdict is Verdict.VIOLATED else about.undetermined


def _related(role: str, resource: Resource, subject: AlarmSubject) -> tuple[Related, ...]:
    watched = (Related("watched", subject.address, subject.resource.location),) if subject.resource else ()
    return (Related(role, resource.address, resource.location), *watched)
