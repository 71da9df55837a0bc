"""Metrics that metric filters count in logs: whether one counts a kind of event about a subject.

The way of an event is followed: who writes it to the log group, and whether the pattern of the filter takes it there.

Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax for metric filters". Patterns of JSON and of plain
text are read; space-delimited ones, regular expressions and whatever else is not known give None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.contract.waivers import matches
from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import Unknown, Value, is_known, render, unknowns
from infraspec.iam.policy.context import Context
from infraspec.monitoring.boolean_expressions import Condition, Expression, UnreadableError
from infraspec.monitoring.catalogue import AlarmSubject
from infraspec.monitoring.event_rules import EventRules, grants
from infraspec.monitoring.sample_events import Answer, Sample, Specimens, all_hold, any_holds, is_vague
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<selector>\$(?:\.[\w$@-]+|\.?\[\s*(?:'[^']*'|"[^"]*"|\d+|\*)\s*\])*)
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<operator>&&|\|\||!=|<=|>=|=|<|>|\(|\))
    | (?P<regex>%[^%]*%)
    | (?P<word>[^\s()=<>!&|"]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([\w$@-]+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+)|(\*))\s*\]""")
_Steps: TypeAlias = tuple[str | int | None, ...]
_TERM = re.compile(r'([?-]?)("(?:[^"\\]|\\.)*"|[^\s"]+)')


def counts(pattern: str, event: str) -> Answer:
    """Tell whether a metric filter with the pattern counts the log event, a line or a JSON document."""
    stripped = pattern.strip()
    try:
        if not stripped.startswith("{"):
            return _text(stripped, event)
        if not stripped.endswith("}"):
            return None
        try:
            document = json.loads(event)
        except json.JSONDecodeError:
            return False
        return _parsed(stripped[1:-1])(document)
    except UnreadableError:
        return None


def _text(pattern: str, event: str) -> Answer:
    """Match terms: all plain ones, no `-` one; `?` ones are alternatives, which count only among themselves."""
    if pattern.startswith("["):
        return None
    found: dict[str, list[Answer]] = {"": [], "-": [], "?": []}
    for sign, term in _TERM.findall(pattern):
        if term.startswith("%"):
            return None
        text = _unquoted(term) if term.startswith('"') else term
        found[sign].append(True if text in event else None if is_vague(event) or is_vague(text) else False)
    if found["?"] and not found[""] and not found["-"]:
        return any_holds(found["?"])
    excluded = any_holds(found["-"])
    return all_hold([*found[""], None if excluded is None else not excluded])


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError:  # an escape that is none of JSON
        raise UnreadableError from None


class _Json(Expression):
    """The inside of `{ … }`."""

    token = _TOKEN
    either, both, negation = "||", "&&", ""

    def atom(self) -> Condition:
        kind, selector = self.next()
        if kind != "selector":
            raise UnreadableError
        steps, (kind, operator) = _steps(selector), self.next()
        if operator in {"IS", "NOT", "EXISTS"}:
            return self._property(operator, steps)
        kind, wanted = self.next()
        if kind not in {"text", "word"} or operator not in _COMPARE:
            raise UnreadableError

        def compares(document: Any) -> Answer:
            found = _select(document, steps)
            answers = [_COMPARE[operator](value, kind, wanted) for value in found]
            return None if operator == "!=" and not found else any_holds(answers)

        return compares

    def _property(self, operator: str, steps: _Steps) -> Condition:
        if operator == "EXISTS":
            return lambda document: bool(_select(document, steps))
        _, word = self.next()
        if operator == "NOT" and word == "EXISTS":
            return lambda document: not _select(document, steps)
        if operator == "IS" and word in {"NULL", "TRUE", "FALSE"}:
            wanted = {"NULL": None, "TRUE": True, "FALSE": False}[word]
            return lambda document: any(value is wanted for value in _select(document, steps))
        raise UnreadableError


@lru_cache(maxsize=4096)
def _parsed(pattern: str) -> Condition:
    """Return the inside of a pattern read; it is tried on many events."""
    return _Json(pattern).parse()


def selected(selector: str, event: str) -> list[Any]:
    """Return what a selector such as `$.bytes` finds in a log event; nothing if that is no JSON."""
    try:
        return _select(json.loads(event), _steps(selector))
    except (UnreadableError, json.JSONDecodeError):
        return []


def _steps(selector: str) -> _Steps:
    """Return the keys and indices of a selector; None is every element."""
    steps: list[str | int | None] = []
    rest = selector[1:].replace(".[", "[")
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None:
            raise UnreadableError
        at = match.end()
        key = next((part for part in match.groups()[:3] if part is not None), None)
        steps.append(int(match[4]) if match[4] is not None else key)
    return tuple(steps)


def _select(document: Any, steps: _Steps) -> list[Any]:
    """Return what a selector finds: nothing where a step is missing."""
    values = [document]
    for step in steps:
        values = [item for value in values for item in _step(value, step)]
    return values


def _step(value: Any, step: str | int | None) -> list[Any]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, Mapping) and step in value else []
    if not isinstance(value, list):
        return []
    return value if step is None else value[step : step + 1]


def _equals(value: Any, kind: str, wanted: str) -> Answer:
    text = _unquoted(wanted) if kind == "text" else wanted
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return False
    if isinstance(value, str):
        return True if matches(text, value) else None if is_vague(value) or is_vague(text) else False
    try:
        return bool(float(text) == value)
    except ValueError:
        return False


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Any, str, str], Answer]:
    def answer(value: Any, _kind: str, wanted: str) -> Answer:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None if is_vague(value) else False
        try:
            return compare(value, float(wanted.strip('"')))
        except ValueError:
            return None

    return answer


def _differs(value: Any, kind: str, wanted: str) -> Answer:
    same = _equals(value, kind, wanted)
    return None if same is None else not same


_COMPARE: Mapping[str, Callable[[Any, str, str], Answer]] = {
    "=": _equals,
    "!=": _differs,
    "<": _ordered(lambda left, right: left < right),
    ">": _ordered(lambda left, right: left > right),
    "<=": _ordered(lambda left, right: left <= right),
    ">=": _ordered(lambda left, right: left >= right),
}


_OFF = ("", "0", "off", "false")
_WRITE = ("logs:CreateLogStream", "logs:PutLogEvents")


class Counted(Struct, frozen=True):
    """Whether a filter counts a kind of event, and why it does not, or may not."""

    answer: Answer
    reason: str = ""


class WrittenLines(Struct, frozen=True):
    """How an event stands in a log group: its lines, and whether it is written there at all."""

    lines: list[str]
    answer: Answer = True
    reason: str = ""


_INPUTS = ("input", "input_path", "input_transformer")
"""What a target passes on in place of the event. Source: Amazon EventBridge User Guide, "Input transformation"."""


@dataclass
class LogMetrics:
    """The metric filters of a plan."""

    attributes: AwsAttributes
    rules: EventRules
    _allowed: dict[tuple[Value, tuple[str, ...]], Truth] = field(default_factory=dict)
    _events: dict[tuple[str, str, bool], tuple[list[str], bool]] = field(default_factory=dict)

    def filters(self, namespace: Value, name: Value) -> list[Resource]:
        """Return the filters that count into a metric."""
        return self._by_metric.get((self.attributes.narrow(namespace), self.attributes.narrow(name)), [])

    def counted(self, metric_filter: Resource, sample: Sample, subject: AlarmSubject) -> Counted:
        """Tell whether a filter counts every event of a kind about a subject."""
        specimens = Specimens(self.attributes)
        written = self.written(metric_filter, sample, subject, specimens)
        pattern = specimens.text(metric_filter.attribute("pattern"))
        answers = [counts(pattern, line) for line in written.lines]
        if written.answer is False:
            return Counted(answer=False, reason=written.reason)
        if all(answers):
            absent = self._all_absent([metric_filter], subject)
            return Counted(None, absent) if absent and written.answer else Counted(written.answer, written.reason)
        if False in answers:
            reason = f"the pattern of {metric_filter.address} does not take the event {sample.name}"
            return Counted(answer=False, reason=reason)
        return Counted(None, f"whether the pattern of {metric_filter.address} matches {sample.name} cannot be decided")

    def _all_absent(self, resources: Sequence[Resource], subject: AlarmSubject) -> str:
        """Say that of the resources on the way of an event about a subject none may be there; nothing if one is."""
        plan = self.attributes.plan
        if any(plan.is_certain(resource, subject.resource) for resource in resources):
            return ""
        return f"there may be no {resources[0].address}: {plan.doubt_of(resources[0])}"

    @cached_property
    def open_filters(self) -> tuple[tuple[Resource, Unknown], ...]:
        """The filters of which it is not known into which metric they count, or what, with the unknown."""
        filters = self.attributes.plan.managed("aws_cloudwatch_log_metric_filter")
        counting = ((one, self.attributes.narrow(one.stated("metric_transformation"))) for one in filters)
        return tuple((one, unknown) for one, blocks in counting for unknown in islice(unknowns(blocks), 1))

    @cached_property
    def _by_metric(self) -> dict[tuple[Value, Value], list[Resource]]:
        filters: dict[tuple[Value, Value], list[Resource]] = {}
        narrow = self.attributes.narrow
        for metric_filter in self.attributes.plan.managed("aws_cloudwatch_log_metric_filter"):
            blocks = metric_filter.stated("metric_transformation")
            for block in blocks if isinstance(blocks, list | tuple) else ():
                if isinstance(block, dict) and not block.get("dimensions") and _adds(block.get("value")):
                    key = (narrow(block.get("namespace")), narrow(block.get("name")))
                    filters.setdefault(key, []).append(metric_filter)
        return filters

    def written(
        self, metric_filter: Resource, sample: Sample, subject: AlarmSubject, specimens: Specimens
    ) -> WrittenLines:
        """Return how events of a kind about a subject stand in the log group that a filter reads."""
        group = self.attributes.narrow(metric_filter.attribute("log_group_name"))
        if sample.origin == "postgresql":
            return self._of_database(group, sample, subject, specimens)
        trails = self.attributes.plan.managed("aws_cloudtrail") if sample.origin == "cloudtrail" else ()
        writing = [trail for trail in trails if self._group_of(trail.stated("cloud_watch_logs_group_arn")) == group]
        if writing:
            absent = self._all_absent(writing, subject)
            return WrittenLines(self._lines(sample, subject, specimens), None if absent else True, absent)
        lines = self._lines(sample, subject, specimens, enveloped=True)
        for rule, answer in self.rules.taking(sample, subject):
            targets = [target for target in rule.targets if self._group_of(target.stated("arn")) == group]
            if targets:
                absent = self._all_absent(targets, subject)
                if absent:
                    return WrittenLines(lines, None, absent)
                changing = [target for target in targets if any(target.stated(name) for name in _INPUTS)]
                if len(changing) == len(targets):
                    return WrittenLines(lines, None, f"{changing[0].address} passes on its own text, not the event")
                if answer is None:
                    return WrittenLines(
                        lines, None, f"whether {rule.resource.address} matches {sample.name} cannot be decided"
                    )
                if self._writes_events(group, subject.resource) is Truth.YES:
                    return WrittenLines(lines)
                missing = "no aws_cloudwatch_log_resource_policy of the plan"
                return WrittenLines(lines, None, f"{missing} allows EventBridge to write to {render(group)}")
        return WrittenLines(lines, None, f"nothing in the plan writes {sample.name} to the log group {render(group)}")

    def _lines(
        self, sample: Sample, subject: AlarmSubject, specimens: Specimens, *, enveloped: bool = False
    ) -> list[str]:
        """Return the events of a kind about a subject as lines, `enveloped` as EventBridge passes them on."""
        key = (sample.name, subject.address, enveloped)
        if key not in self._events:
            own = Specimens(self.attributes)
            fill = subject.fill(own)
            lines = [json.dumps(envelope) for envelope in sample.envelopes(fill)] if enveloped else sample.lines(fill)
            self._events[key] = lines, own.certain
        lines, certain = self._events[key]
        specimens.certain = specimens.certain and certain
        return lines

    def _of_database(self, group: Value, sample: Sample, subject: AlarmSubject, specimens: Specimens) -> WrittenLines:
        name, shown = specimens.text(subject.facts["database"]), specimens.text(group)
        lines = self._lines(sample, subject, specimens)
        if shown != f"/aws/rds/instance/{name}/postgresql":
            return WrittenLines(lines, False if specimens.certain else None, f"{shown} is not the log of {name}")
        exports = subject.resource.stated("enabled_cloudwatch_logs_exports") if subject.resource else None
        if isinstance(exports, list | tuple) and "postgresql" in exports:
            reason = self._silence(subject) if sample.name == "database-connection" else ""
            return WrittenLines(lines, None if reason else True, reason)
        certain = is_known(exports)
        return WrittenLines(lines, False if certain else None, f"{subject.address} does not export the log postgresql")

    def _silence(self, subject: AlarmSubject) -> str:
        """Say why a database does not log connections: no parameter group of its own, or one that leaves that off.

        A parameter group from elsewhere is taken to turn it on.
        """
        resource = subject.resource
        given = self.attributes.narrow(resource.stated("parameter_group_name")) if resource else Unknown("")
        if given is None or (isinstance(given, str) and given.startswith("default.")):
            return f"{subject.address} has the default parameter group, in which log_connections is off"
        groups = self.attributes.plan.managed("aws_db_parameter_group")
        group = next((one for one in groups if self.attributes.name(one) == given), None)
        parameters = group.stated("parameter") if group else None
        if group is None or isinstance(parameters, Unknown):
            return ""
        written = {entry.get("name"): entry.get("value") for entry in parameters or () if isinstance(entry, dict)}
        value = written.get("log_connections")
        is_off = value is None or str(value).lower() in _OFF
        return f"log_connections of {group.address} is off" if is_off else ""

    def _writes_events(self, group: Value, beside: Resource | None) -> Truth:
        """Tell whether EventBridge, which makes the log streams itself, may write to a log group wherever one is."""
        key = (group, tuple(self.attributes.plan.uncertainties(beside.address)) if beside else ())
        if key not in self._allowed:
            self._allowed[key] = self._may_write(group, beside)
        return self._allowed[key]

    def _may_write(self, group: Value, beside: Resource | None) -> Truth:
        plan = self.attributes.plan
        groups = plan.managed("aws_cloudwatch_log_group")
        own = next((one for one in groups if self.attributes.name(one) == group), None)
        head = self.attributes.join("arn:", plan.partition, ":logs:", plan.region, ":", plan.account, ":log-group:")
        arn = self.attributes.narrow(own.reference("arn")) if own else self.attributes.join(head, group)
        policies = plan.managed("aws_cloudwatch_log_resource_policy")
        certain = [policy for policy in policies if plan.is_certain(policy, beside)]
        stream = self.attributes.join(arn, ":log-stream:events")
        return all_of(
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
