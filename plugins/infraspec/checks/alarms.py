"""Rule `alarms`: the alarms of the catalogue exist, are as it says, and reach the people of their level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from infraspec.checks.alarm_candidates import Candidate, Candidates
from infraspec.checks.alarm_faults import Fault
from infraspec.checks.alarm_playbooks import AlarmPlaybooks
from infraspec.checks.alarm_routes import Routes, Use
from infraspec.checks.alarm_silence import unless_silent
from infraspec.checks.alarm_text import Suggestions
from infraspec.checks.existence import of_what_may_be_absent
from infraspec.checks.secret_access import placed
from infraspec.checks.unknown_remedies import how_to_know
from infraspec.contract import located
from infraspec.contract.alarms import AlarmItem, Alarms
from infraspec.contract.models import Contract
from infraspec.conventions.facts import facts_of
from infraspec.core.rules import ALARMS as RULE
from infraspec.finding import Finding, Related, Verdict
from infraspec.monitoring.catalogue import catalogue, is_of_postgresql, metrics_of
from infraspec.monitoring.delivery import Delivery, Route, publisher_of
from infraspec.monitoring.rules import EventRules, Rule
from infraspec.monitoring.samples import SAMPLES
from infraspec.monitoring.watched import Subject, subjects
from infraspec.process.playbooks import Playbook
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan


@of_what_may_be_absent
def check_alarms(plan: Plan, contract: Contract, environment: str, playbooks: Sequence[Playbook] = ()) -> list[Finding]:
    """Judge each alarm of the catalogue for each thing it watches, then each route that the alarms take.

    Where the contract has `[playbooks]`, each critical alarm has to name one of `playbooks`.
    Raises ContractError if the catalogue is wrong, PolicyError if a policy on the way is malformed.
    """
    asked = None if contract.playbooks is None else playbooks
    return _check(plan, contract, environment, asked).findings()


def used_routes(plan: Plan, contract: Contract, environment: str) -> list[Use]:
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
    attributes: AwsAttributes = field(init=False)
    routes: Routes = field(init=False)
    playbooks: AlarmPlaybooks = field(init=False)

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
    def candidates(self) -> Candidates:
        return Candidates(self.attributes, self.rules, self.routes)

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

    def _judge(self, name: str, item: AlarmItem, subject: Subject) -> Finding:
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

    def _of_candidate(self, name: str, item: AlarmItem, subject: Subject, best: Candidate) -> Finding:
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

    def _missing(self, name: str, item: AlarmItem, subject: Subject) -> Finding:
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

    def _event(self, name: str, item: AlarmItem, subject: Subject) -> Finding:
        sample = SAMPLES[str(item.event)]
        doubt: tuple[Rule, Route] | None = None
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

    def _misdirected(self, name: str, subject: Subject, rule: Rule, fault: Fault) -> Finding:
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

    def _no_rule(self, name: str, item: AlarmItem, subject: Subject) -> Finding:
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


def _watched(subject: Subject) -> tuple[Related, ...]:
    return (Related("watched", subject.address, subject.resource.location),) if subject.resource else ()


def _remedy(address: str, faults: list[Fault]) -> str:
    lines = list(dict.fromkeys(fault.remedy for fault in faults if fault.remedy))
    return "\n".join([f"in {address}", *lines]) if lines else ""
