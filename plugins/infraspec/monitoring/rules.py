"""The EventBridge rules of a plan with their targets, and which events they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from msgspec import Struct

from infraspec.json_text import decode_json
from infraspec.monitoring.event_pattern import takes
from infraspec.monitoring.samples import Sample
from infraspec.monitoring.specimen import Specimens
from infraspec.monitoring.watched import Subject
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource
from infraspec.unknown import JsonText, Text, Unknown, Value

_ENABLED, _ENABLED_WITH_READS = "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


class Rule(Struct, frozen=True, eq=False):
    """A rule with the resources that name its targets."""

    resource: Resource
    targets: tuple[Resource, ...]


@dataclass
class EventRules:
    """All rules of a plan that are on the default event bus."""

    attributes: AwsAttributes
    _answers: dict[tuple[str, str, str], bool | None] = field(default_factory=dict)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that have a pattern."""
        targets: dict[str, list[Resource]] = {}
        for target in self.attributes.plan.managed("aws_cloudwatch_event_target"):
            rule = self._rule_of(target)
            if rule is not None:
                targets.setdefault(rule.address, []).append(target)
        return tuple(
            Rule(rule, tuple(targets.get(rule.address, ())))
            for rule in self.attributes.plan.managed("aws_cloudwatch_event_rule")
            if rule.get("event_pattern") and rule.get("event_bus_name") in {None, "default"}
        )

    def taking(self, sample: Sample, subject: Subject) -> Iterator[tuple[Rule, bool | None]]:
        """Yield the rules that take every event of a kind about a subject, or may."""
        for rule in self.rules:
            key = (rule.resource.address, sample.name, subject.address)
            if key not in self._answers:
                answer = self._takes(rule.resource, sample, subject)
                is_there = self.attributes.plan.is_certain(rule.resource, subject.resource)
                self._answers[key] = answer if is_there else answer and None
            if self._answers[key] is not False:
                yield rule, self._answers[key]

    def _takes(self, rule: Resource, sample: Sample, subject: Subject) -> bool | None:
        enabled = self._enabled(rule, sample)
        if enabled is False:
            return False
        specimens = Specimens(self.attributes)
        try:
            pattern = _concrete(decode_json(rule.attribute("event_pattern")), specimens)
        except ValueError:
            return False
        envelopes = sample.envelopes(subject.fill(specimens))
        answers = [takes(pattern, envelope) for envelope in envelopes] or [False]
        if all(answer is True for answer in answers):
            return enabled
        return False if False in answers and specimens.certain else None

    @staticmethod
    def _enabled(rule: Resource, sample: Sample) -> bool | None:
        state = rule.get("state") or (_ENABLED if rule.get("is_enabled") in {None, True} else "DISABLED")
        if not isinstance(state, str):
            return None
        return state == _ENABLED_WITH_READS or (state == _ENABLED and not sample.read_only)

    def _rule_of(self, target: Resource) -> Resource | None:
        reference = target.attribute("rule")
        found = self.attributes.plan.find(reference) if isinstance(reference, Unknown) else None
        if found:
            return found[0]
        return self._by_name.get(self.attributes.narrow(reference))

    @cached_property
    def _by_name(self) -> dict[Value, Resource]:
        rules = self.attributes.plan.managed("aws_cloudwatch_event_rule")
        return {self.attributes.name(rule): rule for rule in rules}


def _concrete(tree: Value, specimens: Specimens) -> Any:
    """Return a tree without unknown parts."""
    if isinstance(tree, dict):
        return {str(key): _concrete(item, specimens) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [_concrete(item, specimens) for item in tree]
    if isinstance(tree, JsonText):
        return _concrete(tree.tree, specimens)
    return specimens.text(tree) if isinstance(tree, Unknown | Text) else tree
