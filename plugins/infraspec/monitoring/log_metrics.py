"""Metrics that metric filters count in logs: whether one counts a kind of event about a subject.

The way of an event is followed: who writes it to the log group, and whether the pattern of the filter takes it there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from infraspec.iam.answer import Answer, both
from infraspec.iam.context import Context
from infraspec.monitoring.filter_pattern import counts
from infraspec.monitoring.grants import grants
from infraspec.monitoring.rules import EventRules
from infraspec.monitoring.samples import Sample
from infraspec.monitoring.specimen import Specimens
from infraspec.monitoring.watched import Subject
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource
from infraspec.unknown import Unknown, Value, render

_OFF = ("", "0", "off", "false")
_WRITE = ("logs:CreateLogStream", "logs:PutLogEvents")


class Counted(Struct, frozen=True):
    """Whether a filter counts a kind of event, and why it does not, or may not."""

    answer: bool | None
    reason: str = ""


class _Written(Struct, frozen=True):
    """How an event stands in a log group: its lines, and whether it is written there at all."""

    lines: list[str]
    answer: bool | None = True
    reason: str = ""


@dataclass
class LogMetrics:
    """The metric filters of a plan."""

    attributes: AwsAttributes
    rules: EventRules
    _allowed: dict[tuple[Value, tuple[str, ...]], Answer] = field(default_factory=dict)

    def filters(self, namespace: Value, name: Value) -> list[Resource]:
        """Return the filters that count into a metric."""
        return self._by_metric.get((self.attributes.narrow(namespace), self.attributes.narrow(name)), [])

    def counted(self, metric_filter: Resource, sample: Sample, subject: Subject) -> Counted:
        """Tell whether a filter counts every event of a kind about a subject."""
        specimens = Specimens(self.attributes)
        written = self._written(metric_filter, sample, subject, specimens)
        pattern = specimens.text(metric_filter.attribute("pattern"))
        answers = [counts(pattern, line) for line in written.lines]
        if written.answer is False:
            return Counted(answer=False, reason=written.reason)
        if all(answer is True for answer in answers):
            absent = self._all_absent([metric_filter], subject)
            return Counted(None, absent) if absent and written.answer else Counted(written.answer, written.reason)
        if False in answers and specimens.certain:
            return Counted(
                answer=False, reason=f"the pattern of {metric_filter.address} does not take the event {sample.name}"
            )
        return Counted(None, f"whether the pattern of {metric_filter.address} takes {sample.name} cannot be told")

    def _all_absent(self, resources: Sequence[Resource], subject: Subject) -> str:
        """Say that of the resources on the way of an event about a subject none may be there; nothing if one is."""
        plan = self.attributes.plan
        if any(plan.is_certain(resource, subject.resource) for resource in resources):
            return ""
        return f"there may be no {resources[0].address}: {plan.doubt_of(resources[0])}"

    @cached_property
    def _by_metric(self) -> dict[tuple[Value, Value], list[Resource]]:
        found: dict[tuple[Value, Value], list[Resource]] = {}
        for metric_filter in self.attributes.plan.managed("aws_cloudwatch_log_metric_filter"):
            blocks = metric_filter.get("metric_transformation")
            for block in blocks if isinstance(blocks, list | tuple) else ():
                if isinstance(block, dict) and not block.get("dimensions") and _adds(block.get("value")):
                    narrow = self.attributes.narrow
                    found.setdefault((narrow(block.get("namespace")), narrow(block.get("name"))), []).append(
                        metric_filter
                    )
        return found

    def _written(self, metric_filter: Resource, sample: Sample, subject: Subject, specimens: Specimens) -> _Written:
        group = self.attributes.narrow(metric_filter.attribute("log_group_name"))
        fill = subject.fill(specimens)
        if sample.origin == "postgresql":
            return self._of_database(group, sample, subject, specimens)
        trails = self.attributes.plan.managed("aws_cloudtrail") if sample.origin == "cloudtrail" else ()
        writing = [trail for trail in trails if self._group_of(trail.get("cloud_watch_logs_group_arn")) == group]
        if writing:
            absent = self._all_absent(writing, subject)
            return _Written(sample.lines(fill), None if absent else True, absent)
        lines = [json.dumps(envelope) for envelope in sample.envelopes(fill)]
        for rule, answer in self.rules.taking(sample, subject):
            targets = [target for target in rule.targets if self._group_of(target.get("arn")) == group]
            if targets:
                absent = self._all_absent(targets, subject)
                if absent:
                    return _Written(lines, None, absent)
                if answer is None:
                    return _Written(lines, None, f"whether {rule.resource.address} takes {sample.name} cannot be told")
                if self._writes_events(group, subject.resource) is Answer.YES:
                    return _Written(lines)
                shown = render(group)
                return _Written(
                    lines, None, f"no aws_cloudwatch_log_resource_policy of the plan lets EventBridge write to {shown}"
                )
        return _Written(lines, None, f"nothing in the plan writes {sample.name} to the log group {render(group)}")

    def _of_database(self, group: Value, sample: Sample, subject: Subject, specimens: Specimens) -> _Written:
        name, shown = specimens.text(subject.facts["database"]), specimens.text(group)
        lines = sample.lines(subject.fill(specimens))
        if shown != f"/aws/rds/instance/{name}/postgresql":
            return _Written(lines, False if specimens.certain else None, f"{shown} is not the log of {name}")
        exports = subject.resource.get("enabled_cloudwatch_logs_exports") if subject.resource else None
        if isinstance(exports, list | tuple) and "postgresql" in exports:
            reason = self._silence(subject) if sample.name == "database-connection" else ""
            return _Written(lines, None if reason else True, reason)
        certain = exports is None or isinstance(exports, list | tuple)
        return _Written(lines, False if certain else None, f"{subject.address} does not export the log postgresql")

    def _silence(self, subject: Subject) -> str:
        """Say why a database does not log connections: no parameter group of its own, or one that leaves that off.

        A parameter group from elsewhere is taken to turn it on.
        """
        resource = subject.resource
        given = self.attributes.narrow(resource.get("parameter_group_name")) if resource else Unknown("")
        if given is None or (isinstance(given, str) and given.startswith("default.")):
            return f"{subject.address} has the default parameter group, in which log_connections is off"
        groups = self.attributes.plan.managed("aws_db_parameter_group")
        group = next((one for one in groups if self.attributes.name(one) == given), None)
        parameters = group.get("parameter") if group else None
        if group is None or isinstance(parameters, Unknown):
            return ""
        written = {entry.get("name"): entry.get("value") for entry in parameters or () if isinstance(entry, dict)}
        value = written.get("log_connections")
        is_off = value is None or str(value).lower() in _OFF
        return f"log_connections of {group.address} is off" if is_off else ""

    def _writes_events(self, group: Value, beside: Resource | None) -> Answer:
        """Tell whether EventBridge, which makes the log streams itself, may write to a log group wherever one is."""
        given = tuple(self.attributes.plan.uncertainties(beside.address)) if beside else ()
        if (group, given) not in self._allowed:
            self._allowed[group, given] = self._may_write(group, beside)
        return self._allowed[group, given]

    def _may_write(self, group: Value, beside: Resource | None) -> Answer:
        plan = self.attributes.plan
        groups = plan.managed("aws_cloudwatch_log_group")
        own = next((one for one in groups if self.attributes.name(one) == group), None)
        head = self.attributes.join("arn:", plan.partition, ":logs:", plan.region, ":", plan.account, ":log-group:")
        arn = self.attributes.narrow(own.reference("arn")) if own else self.attributes.join(head, group)
        policies = plan.managed("aws_cloudwatch_log_resource_policy")
        certain = [policy for policy in policies if plan.is_certain(policy, beside)]
        stream = self.attributes.join(arn, ":log-stream:events")
        return both(
            *(
                grants(
                    self.attributes,
                    [(policy, "policy_document") for policy in there],
                    service="events.amazonaws.com",
                    action=action,
                    resource=stream,
                    context=Context(),
                )
                for action in _WRITE
                for there in (policies, certain)
            )
        )

    def _group_of(self, arn: Value) -> Value:
        """Return the name of the log group that an ARN is of."""
        if isinstance(arn, Unknown):
            found = self.attributes.plan.find(arn)
            if found and found[0].type == "aws_cloudwatch_log_group":
                return self.attributes.name(found[0])
        text = render(self.attributes.narrow(arn)) if arn is not None else ""
        name = text.partition(":log-group:")[2].removesuffix(":*")
        return name or None


def _adds(value: Value) -> bool:
    """Tell whether a filter adds a number for each event that it counts; one from the event may be nothing."""
    try:
        return float(value) > 0
    except (TypeError, ValueError):
        return False
