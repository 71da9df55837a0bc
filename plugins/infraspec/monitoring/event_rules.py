"""The EventBridge rules of a plan with their targets, and which events they take.

Source: Amazon EventBridge User Guide, "Creating Amazon EventBridge event patterns" and "Comparison operators".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from msgspec import Struct

from infraspec.contract.waivers import matches
from infraspec.core.json_text import decode_json
from infraspec.core.truth import Truth
from infraspec.core.unknown import JsonText, Text, Unknown, Value
from infraspec.iam.evaluation.decision import decide
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.monitoring.catalogue import AlarmSubject
from infraspec.monitoring.sample_events import Answer, Sample, Specimens, all_hold, any_holds, is_vague
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource


def grants(
    attributes: AwsAttributes,
    policies: Iterable[tuple[Resource, str]],
    *,
    service: str,
    action: str,
    resource: Value,
    context: Context,
) -> Truth:
    """Tell whether policies of a resource, each an attribute of a resource of the plan, allow a request of a service.

    Raises PolicyError if one of them is malformed.
    """
    compiled = [
        IdentityPolicy.of(
            source.address,
            PolicyDocument.from_value(source.attribute(name), place=f"{source.address}.{name}", with_principals=True),
            resolve=attributes.narrow,
        )
        for source, name in policies
    ]
    arn, principal = PartialArn.of(resource, attributes.narrow), Principal.of(service)
    return decide((), action, arn, resource_policies=compiled, principal=principal, context=context).allowed


def takes(pattern: Any, event: Mapping[str, Any]) -> Answer:
    """Tell whether a pattern, decoded from JSON, matches an event: all of its fields have to."""
    if not isinstance(pattern, Mapping):
        return None
    return all_hold([_field(key, wanted, event) for key, wanted in pattern.items()])


def _field(key: str, wanted: Any, event: Mapping[str, Any]) -> Answer:
    if key == "$or":
        return any_holds([takes(alternative, event) for alternative in wanted]) if isinstance(wanted, list) else None
    found = event.get(key)
    if isinstance(wanted, Mapping):
        return None if isinstance(found, list) else takes(wanted, found if isinstance(found, Mapping) else {})
    if not isinstance(wanted, list):
        return None
    values = found if isinstance(found, list) else [found]
    return any_holds([_matches(matcher, value, present=key in event) for matcher in wanted for value in values])


def _matches(matcher: Any, value: Any, *, present: bool) -> Answer:
    if not isinstance(matcher, Mapping):
        same = present and value == matcher and isinstance(value, bool) == isinstance(matcher, bool)
        return None if present and not same and (is_vague(value) or is_vague(matcher)) else same
    if len(matcher) != 1:
        return None
    ((operator, operand),) = matcher.items()
    if operator == "exists":
        return present is operand
    if not present:
        return False
    if operator == "anything-but":
        operands = operand if isinstance(operand, list) else [operand]
        answer = any_holds([_matches(one, value, present=True) for one in operands])
        return None if answer is None else not answer
    compare = _OPERATORS.get(operator)
    if compare is None or not isinstance(operand, str):
        return None
    answer = compare(value, operand) if isinstance(value, str) else False
    return None if not answer and (is_vague(value) or is_vague(operand)) else answer


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "prefix": lambda value, operand: value.startswith(operand),
    "suffix": lambda value, operand: value.endswith(operand),
    "equals-ignore-case": lambda value, operand: value.lower() == operand.lower(),
    "wildcard": lambda value, operand: matches(operand, value),
}


_ENABLED, _ENABLED_WITH_READS = "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


class EventRule(Struct, frozen=True, eq=False):
    """A rule with the resources that name its targets."""

    resource: Resource
    targets: tuple[Resource, ...]
    perhaps: tuple[Resource, ...] = ()
    """Those of which it is not known whether they name this rule."""


@dataclass
class EventRules:
    """All rules of a plan that are on the default event bus."""

    attributes: AwsAttributes
    _answers: dict[tuple[str, str, str], Answer] = field(default_factory=dict)

    @cached_property
    def rules(self) -> tuple[EventRule, ...]:
        """The rules that have a pattern."""
        targets: dict[str, list[Resource]] = {}
        of_none: list[Resource] = []
        for target in self.attributes.plan.managed("aws_cloudwatch_event_target"):
            rule = self._rule_of(target)
            own = of_none if rule is None else targets.setdefault(rule.address, [])
            own.append(target)
        return tuple(
            EventRule(
                rule,
                tuple(targets.get(rule.address, ())),
                tuple(target for target in of_none if self._may_be_of(target, rule)),
            )
            for rule in self.attributes.plan.managed("aws_cloudwatch_event_rule")
            if rule.stated("event_pattern") and rule.stated("event_bus_name") in {None, "default"}
        )

    def taking(self, sample: Sample, subject: AlarmSubject) -> Iterator[tuple[EventRule, Answer]]:
        """Yield the rules that take every event of a kind about a subject, or may."""
        for rule in self.rules:
            key = (rule.resource.address, sample.name, subject.address)
            if key not in self._answers:
                answer = self._takes(rule.resource, sample, subject)
                is_there = self.attributes.plan.is_certain(rule.resource, subject.resource)
                self._answers[key] = answer if is_there else answer and None
            if self._answers[key] is not False:
                yield rule, self._answers[key]

    def _takes(self, rule: Resource, sample: Sample, subject: AlarmSubject) -> Answer:
        enabled = self._enabled(rule, sample)
        if enabled is False:
            return False
        specimens = Specimens(self.attributes)
        try:
            pattern = _concrete(decode_json(rule.attribute("event_pattern")), specimens)
        except ValueError:
            return False
        answers = [takes(pattern, envelope) for envelope in sample.envelopes(subject.fill(specimens))] or [False]
        if all(answers):
            return enabled
        return False if False in answers else None

    @staticmethod
    def _enabled(rule: Resource, sample: Sample) -> Answer:
        state = rule.stated("state") or (_ENABLED if rule.stated("is_enabled") in {None, True} else "DISABLED")
        if not isinstance(state, str):
            return None
        return state == _ENABLED_WITH_READS or (state == _ENABLED and not sample.read_only)

    def _rule_of(self, target: Resource) -> Resource | None:
        reference = target.attribute("rule")
        referred = self.attributes.plan.find(reference) if isinstance(reference, Unknown) else None
        if referred:
            return referred[0]
        return self._by_name.get(self.attributes.narrow(reference))

    def _may_be_of(self, target: Resource, rule: Resource) -> bool:
        """Tell whether a target that names no rule of the plan may name this one: one of the two names is not known."""
        names = self.attributes.narrow(target.attribute("rule")), self.attributes.name(rule)
        return any(isinstance(name, Unknown | Text) for name in names)

    @cached_property
    def _by_name(self) -> dict[Value, Resource]:
        name = self.attributes.name
        return {name(rule): rule for rule in self.attributes.plan.managed("aws_cloudwatch_event_rule")}


def _concrete(tree: Value, specimens: Specimens) -> Any:
    """Return a tree without unknown parts."""
    if isinstance(tree, dict):
        return {str(key): _concrete(item, specimens) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [_concrete(item, specimens) for item in tree]
    if isinstance(tree, JsonText):
        return _concrete(tree.tree, specimens)
    return specimens.text(tree) if isinstance(tree, Unknown | Text) else tree
