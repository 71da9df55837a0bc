"""Alarms, metric filters and rules to add, as HCL ready to paste."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from infraspec.checks.alarms.alarm_routes import OPERATORS, Routes
from infraspec.checks.common.statement_hcl import reference_from
from infraspec.contract.alarms import AlarmItem, Bounds, Metric
from infraspec.core.finding import SourceChange
from infraspec.core.unknown import Text, Unknown, Value, parts_of
from infraspec.monitoring.catalogue import AlarmSubject, metrics_of
from infraspec.monitoring.sample_events import SAMPLES
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
Line = tuple[str, str]


class Suggestions(Struct, frozen=True):
    """Writes what is missing, in the terms of one plan."""

    attributes: AwsAttributes
    facts: Mapping[str, str]
    routes: Routes

    @property
    def prefix(self) -> str:
        """What names begin with."""
        return f"{self.facts['application']}-{self.facts['environment']}"

    @property
    def first(self) -> str:
        """The topics of all levels and what belongs to them, if there is none yet."""
        return self.routes.first(self.prefix)

    def alarm(
        self, name: str, item: AlarmItem, subject: AlarmSubject, remark: str = ""
    ) -> tuple[str, tuple[SourceChange, ...]]:
        """Return the alarm of an item for a subject, with the metric filters it needs and a remark to describe it."""
        text, changes = self._suggested(item, subject, lambda writer: writer.alarm(writer.named(name), item, remark))
        topics = self.routes.topics_of(str(item.level))
        topic = topics[0] if topics else None
        finder = _Writer(self.attributes, self.prefix, subject, "", topic)
        own = f"{self.prefix}-{finder.named(name)}"
        for alarm in self.attributes.plan.managed("aws_cloudwatch_metric_alarm"):
            if self.attributes.name(alarm, "alarm_name") == own:
                writer = _Writer(self.attributes, self.prefix, subject, alarm.module, topic)
                return text, (*writer.repaired(alarm, writer.named(name), item), *changes)
        return text, changes

    def rule(self, name: str, item: AlarmItem, subject: AlarmSubject) -> tuple[str, tuple[SourceChange, ...]]:
        """Return the rule and the target that send an event to the topic of its level."""
        return self._suggested(item, subject, lambda writer: writer.rule(writer.named(name), item))

    def _suggested(
        self, item: AlarmItem, subject: AlarmSubject, write: Callable[[_Writer], str]
    ) -> tuple[str, tuple[SourceChange, ...]]:
        topics = self.routes.topics_of(str(item.level))
        topic = topics[0] if topics else None
        module = topic.module if topic else subject.resource.module if subject.resource else ""
        prefix = self.prefix
        writer = _Writer(self.attributes, prefix, subject, module, topic)
        text, changes = writer.suggested(write(writer))
        first = self.first if topic is None else ""
        anchor = subject.resource or next(iter(self.attributes.plan.managed()), None)
        if first and anchor:
            of_root = _Writer(self.attributes, prefix, subject, "", None)
            written = write(of_root).replace(_quoted(f"/aws/events/{prefix}"), "aws_cloudwatch_log_group.events.name")
            own = f"{first}\n\n{written}"
            changes = (SourceChange("root", anchor.address, text=own, references=of_root.references),)
        return text, changes


class _Writer(Struct):
    """Writes for one subject, as seen from one module; collects what has to be passed into that."""

    attributes: AwsAttributes
    prefix: str
    subject: AlarmSubject
    module: str
    topic: Resource | None
    _comments: list[str] = field(default_factory=list)
    _references: list[tuple[str, str]] = field(default_factory=list)

    def named(self, name: str) -> str:
        """Return a name that is the subject's own where there are several of a kind."""
        resource = self.subject.resource
        if resource is None or len(self.attributes.plan.managed(resource.type)) == 1:
            return name
        alike = [one for one in self.attributes.plan.managed(resource.type) if one.name == resource.name]
        others = [one for one in self.attributes.plan.managed(resource.type) if one.name != resource.name]
        own = resource.name if resource.key is None else str(resource.key)
        if resource.key in {one.key for one in others if one.key is not None}:
            own = f"{resource.name}-{own}"
        if len({one.module for one in alike}) > 1:
            own = f"{resource.module.removeprefix('module.')}-{own}"
        return f"{name}-{re.sub(r'[^a-z0-9]+', '-', own.lower()).strip('-')}"

    @property
    def references(self) -> tuple[tuple[str, str], ...]:
        """The attributes that what was written names, each with the expression that names it."""
        return tuple(self._references)

    def suggested(self, text: str) -> tuple[str, tuple[SourceChange, ...]]:
        """Return blocks with what has to be known of their place before them, and what adds them to the source."""
        place = [f"# in {self.module}"] if self.module else []
        changes: tuple[SourceChange, ...] = ()
        if self.topic is not None:
            changes = (SourceChange("beside", self.topic.address, text=text, references=self.references),)
        return "\n".join([*place, *dict.fromkeys(self._comments), text]), changes

    def alarm(self, name: str, item: AlarmItem, remark: str) -> str:
        """Return the metric filters and the alarm."""
        metrics = metrics_of(item)
        blocks = [self._filter(_joined(name, key), metric) for key, metric in metrics.items() if metric.counts]
        head: list[Line] = [
            ("alarm_name", _quoted(f"{self.prefix}-{name}")),
            ("alarm_description", _quoted(f"{item.reason or name}{remark and '.' + remark}")),
            *self._conditions(item)[:2],
        ]
        if "" in metrics:
            head += self._series(metrics[""], name, item, "statistic")
        head += [
            *self._conditions(item)[2:],
            ("alarm_actions", f"[{self._topic(str(item.level))}]"),
        ]
        dimensions = self._dimensions(metrics[""]) if "" in metrics else ""
        queries = [] if "" in metrics else self._queries(name, item)
        body = "\n\n".join(["\n".join(_aligned(head, "  ")), *([dimensions] if dimensions else []), *queries])
        label = name.replace("-", "_")
        return "\n\n".join([*blocks, f'resource "aws_cloudwatch_metric_alarm" "{label}" {{\n{body}\n}}'])

    def repaired(self, alarm: Resource, name: str, item: AlarmItem) -> Iterator[SourceChange]:
        """Yield what sets right an alarm that has the name of an item and does not watch what it is to."""
        metrics = metrics_of(item)
        head = self._conditions(item)
        series = self._series(metrics[""], name, item, "statistic") if "" in metrics else []
        wrong = tuple(line for line in [*head, *series] if _differs(alarm.stated(line[0]), line[1]))
        if wrong:
            yield self._arguments(alarm, "", wrong)
        if "" in metrics and metrics[""].dimensions:
            inner = "\n".join(_aligned(self._pairs(metrics[""]), "  "))
            yield self._arguments(alarm, "", (*wrong, ("dimensions", f"{{\n{inner}\n}}")))
        blocks = alarm.stated("metric_query")
        for index, block in enumerate(blocks if isinstance(blocks, list | tuple) and "" not in metrics else ()):
            metric = item.metrics.get(str(block.get("id"))) if isinstance(block, dict) else None
            if metric is None:
                expression = (("expression", _quoted(str(item.expression))), ("return_data", "true"))
                yield self._arguments(alarm, f"metric_query.{index}", expression)
            else:
                lines = tuple(self._series(metric, _joined(name, str(block.get("id"))), item, "stat"))
                yield self._arguments(alarm, f"metric_query.{index}.metric.0", lines)

    def _arguments(self, alarm: Resource, path: str, lines: tuple[Line, ...]) -> SourceChange:
        return SourceChange("arguments", alarm.address, path, entries=lines, references=self.references)

    def rule(self, name: str, item: AlarmItem) -> str:
        """Return the rule and its target."""
        sample = SAMPLES[str(item.event)]
        label = name.replace("-", "_")
        text = _PLACEHOLDER.sub(lambda match: json.dumps(self._shown(match[1], is_json=True))[1:-1], sample.pattern)
        pattern = _with_wildcards(json.loads(text))
        return (
            f'resource "aws_cloudwatch_event_rule" "{label}" {{\n'
            f"  name          = {_quoted(f'{self.prefix}-{name}')}\n"
            f"  event_pattern = jsonencode({_object(pattern, '  ')})\n}}\n\n"
            f'resource "aws_cloudwatch_event_target" "{label}" {{\n'
            f"  rule = aws_cloudwatch_event_rule.{label}.name\n"
            f"  arn  = {self._topic(str(item.level))}\n}}"
        )

    def _filter(self, name: str, metric: Metric) -> str:
        samples = [SAMPLES[event] for event in metric.counts]
        pattern = _PLACEHOLDER.sub(lambda match: self._shown(match[1]), _any_of([sample.filter for sample in samples]))
        pattern = re.sub(r"\*+", "*", pattern)
        group = f"/aws/events/{self.prefix}"
        if samples[0].origin == "postgresql":
            group = f"/aws/rds/instance/{self._shown('database')}/postgresql"
        return (
            f'resource "aws_cloudwatch_log_metric_filter" "{name.replace("-", "_")}" {{\n'
            f"  name           = {_quoted(f'{self.prefix}-{name}')}\n"
            f"  log_group_name = {self._group(group)}\n"
            f"  pattern        = {_quoted(pattern)}\n\n"
            f"  metric_transformation {{\n"
            f"    namespace = {_quoted(self.prefix)}\n"
            f"    name      = {_quoted(_camel(name))}\n"
            f'    value     = "1"\n  }}\n}}'
        )

    def _group(self, name: str) -> str:
        """Name a log group by its resource, so that it is made before what names it, or by its text."""
        groups = self.attributes.plan.managed("aws_cloudwatch_log_group")
        found = next((one for one in groups if self.attributes.name(one) == name), None)
        return self._reference(f"{found.address}.name") if found else _quoted(name)

    def _series(self, metric: Metric, name: str, item: AlarmItem, statistic: str) -> list[Line]:
        namespace, metric_name = metric.namespace, metric.name
        if metric.counts:
            namespace, metric_name = self.prefix, _camel(name)
        return [
            ("namespace", self._filled(str(namespace))),
            ("metric_name", self._filled(str(metric_name))),
            (statistic, _quoted((metric.statistic or ["Average"])[0])),
            ("period", _number(item.period, 300)),
        ]

    @staticmethod
    def _conditions(item: AlarmItem) -> list[Line]:
        return [
            ("comparison_operator", _quoted(OPERATORS[str(item.comparison)])),
            ("threshold", _number(item.threshold, 0)),
            ("evaluation_periods", _number(item.evaluation_periods, 1)),
            ("treat_missing_data", _quoted((item.missing or ["missing"])[0])),
        ]

    def _pairs(self, metric: Metric) -> list[Line]:
        return [(key, self._expression(value)) for key, value in metric.dimensions.items()]

    def _dimensions(self, metric: Metric) -> str:
        if not metric.dimensions:
            return ""
        return "\n".join(["  dimensions = {", *_aligned(self._pairs(metric), "    "), "  }"])

    def _queries(self, name: str, item: AlarmItem) -> list[str]:
        result = [("id", '"result"'), ("expression", _quoted(str(item.expression))), ("return_data", "true")]
        queries = ["\n".join(["  metric_query {", *_aligned(result, "    "), "  }"])]
        for key, metric in item.metrics.items():
            inner = "\n".join(_aligned(self._series(metric, _joined(name, key), item, "stat"), "      "))
            queries.append(f'  metric_query {{\n    id = "{key}"\n\n    metric {{\n{inner}\n    }}\n  }}')
        return queries

    def _topic(self, level: str) -> str:
        return self._reference(f"{self.topic.address}.arn") if self.topic else f"aws_sns_topic.{level}.arn"

    def _reference(self, address: str) -> str:
        """Name an attribute from inside the module."""
        expression, lines = reference_from(self.module, address)
        self._comments.extend(lines)
        self._references.append((address, expression))
        return expression

    def _named(self, name: str, value: Value) -> str:
        """Return the attribute that has a fact which is not known as a whole; nothing if there is none."""
        address = self.subject.attributes.get(name)
        return self._reference(address) if address and isinstance(value, Unknown | Text) else ""

    def _shown(self, name: str, *, is_json: bool = False) -> str:
        """Return a fact as text of a template: an attribute that has it, or `*` for what is not known of it."""
        value = self.attributes.narrow(self.subject.facts.get(name, Unknown(name)))
        if (named := self._named(name, value)) and not is_json:
            return f"${{{named}}}"
        parts = parts_of(value)
        text = "".join(part if isinstance(part, str) else "*" for part in parts)
        return re.sub(r"\*+", "*", text)

    def _filled(self, text: str) -> str:
        """Return text of the catalogue as an HCL template."""
        return _quoted(_PLACEHOLDER.sub(lambda match: self._shown(match[1]), text))

    def _expression(self, text: str) -> str:
        match = _PLACEHOLDER.fullmatch(text)
        value = self.attributes.narrow(self.subject.facts.get(match[1], Unknown(match[1]))) if match else text
        if type(value) is Unknown and self.attributes.plan.find(value):
            return self._reference(value.address)
        if match and (named := self._named(match[1], value)):
            return named
        return self._filled(text)


def _differs(value: Value, expression: str) -> bool:
    """Tell whether a value is missing, or a text that is not the one which an expression is.

    Of a number, the fault of the alarm that is set right tells whether it is in its bounds.
    """
    known = json.loads(expression) if "${" not in expression else None
    return value is None or (isinstance(value, str) and known is not None and value != known)


def _joined(name: str, key: str) -> str:
    return f"{name}-{key.replace('_', '-')}" if key else name


def _any_of(patterns: list[str]) -> str:
    """Return a pattern that takes what one of several takes."""
    bodies = list(dict.fromkeys(pattern.removeprefix("{").removesuffix("}").strip() for pattern in patterns))
    if not patterns[0].startswith("{"):
        return " ".join(dict.fromkeys(patterns))
    return f"{{ {bodies[0]} }}" if len(bodies) == 1 else f"{{ ({') || ('.join(bodies)}) }}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(number: float | Bounds | None, otherwise: float) -> str:
    value = otherwise if number is None else number
    if isinstance(value, Bounds):
        value = value.max if value.max is not None else value.min or otherwise
    return str(int(value)) if float(value).is_integer() else str(value)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"[-_]", name))


def _with_wildcards(pattern: Any) -> Any:
    """Return an event pattern whose texts with `*`, where a part is not known, match any text there."""
    if isinstance(pattern, dict):
        return {key: _with_wildcards(value) for key, value in pattern.items()}
    if isinstance(pattern, list):
        return [{"wildcard": one} if isinstance(one, str) and "*" in one else _with_wildcards(one) for one in pattern]
    return pattern


def _aligned(lines: list[Line], indent: str) -> list[str]:
    width = max((len(key) for key, _ in lines), default=0)
    return [f"{indent}{key:{width}} = {value}" for key, value in lines]


def _object(value: Value, indent: str) -> str:
    """Write a JSON value as an HCL expression."""
    if isinstance(value, dict):
        inner = "\n".join(
            f"{indent}  {key if re.fullmatch(r'[A-Za-z_]+', key) else _quoted(key)} = {_object(item, indent + '  ')}"
            for key, item in value.items()
        )
        return f"{{\n{inner}\n{indent}}}"
    if isinstance(value, list):
        return f"[{', '.join(_object(item, indent) for item in value)}]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)
