"""The routes that alerts take: each is judged once for each level and publisher that uses it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.common.statement_hcl import principal_change
from infraspec.contract.alarms import AlarmItem, Alarms, Bounds
from infraspec.core.finding import Finding, Related, SourceChange, Verdict
from infraspec.core.rule import Rule
from infraspec.core.truth import Truth
from infraspec.core.unknown import Text, Unknown, Value, render
from infraspec.monitoring.alarms import Alarm, UnreadableExpressionError, difference, names, substituted
from infraspec.monitoring.catalogue import metrics_of
from infraspec.monitoring.delivery import CLOUDWATCH, EVENTBRIDGE_BY_ROLE, Delivery, DeliveryStep, Route, channels_of
from infraspec.terraform.plan import Resource

OPERATORS = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
}
_SIGNS = {name: sign for sign, name in OPERATORS.items()}
_PERCENT = 100
_KEY_POLICY = """jsonencode({
  Version = "2012-10-17"
  Statement = [
    {
      Effect    = "Allow"
      Action    = "kms:*"
      Resource  = "*"
      Principal = { AWS = "arn:%s:iam::%s:root" }
    },
    {
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = "*"
      Principal = { Service = "%s" }
    },
  ]
})"""
"""The default policy of a key with a service. Source: AWS KMS Developer Guide, "Default key policy"."""
_CHATBOTS = ("aws_chatbot_slack_channel_configuration", "aws_chatbot_teams_channel_configuration")
_WITH_ENDPOINTS = frozenset({"email", "email-json", "http", "https", "sms"})
_FIRST = (Path(__file__).with_name("first_alarms.hcl")).read_text(encoding="utf-8")
"""What the first alarms of a repository need beside topics: the chat that these are shown in, and a log of events.

Sources: Amazon EventBridge User Guide, "Amazon CloudWatch Logs" (resource policies of targets) and "AWS service events
delivered via CloudTrail" (read-only management events); Amazon Q Developer in chat applications Administrator Guide,
"Getting started with Slack".
"""
_TOPIC_POLICY = """resource "aws_sns_topic_policy" "TOPIC" {
  arn = aws_sns_topic.TOPIC.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.TOPIC.arn
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
    }]
  })
}"""
_ARGUMENT = re.compile(r"\w+ = ")


class AlarmFault(Struct, frozen=True):
    """What is wrong with one alarm, or not known of it. `attribute` is where; `remedy` lines to paste."""

    verdict: Verdict
    expected: str
    found: str
    reason: str
    attribute: str = ""
    remedy: str = ""
    references: tuple[str, ...] = ()
    """The attributes that the remedy names by their addresses."""

    @property
    def is_argument(self) -> bool:
        """Whether the remedy is an argument to set."""
        return bool(_ARGUMENT.match(self.remedy))


def is_opposite(item: AlarmItem, alarm: Alarm) -> bool:
    """Tell whether an alarm certainly fires on the other side of its threshold than an item asks for."""
    sign = _SIGNS.get(str(alarm.get("comparison_operator")), "")
    return bool(sign) and sign[0] != str(item.comparison)[0]


def faults_of(item: AlarmItem, alarm: Alarm, pairs: Mapping[str, str]) -> Iterator[AlarmFault]:
    """Yield the faults of an alarm; `pairs` has the id of the alarm's series by the id of the item's."""
    scale = 1
    if item.expression:
        scale, problems = _expression(item.expression, alarm, pairs)
        yield from problems
    for name, metric in metrics_of(item).items():
        series = alarm.series[pairs[name]]
        yield from _one_of("statistic", metric.statistic, series.statistic, series.path)
        yield from _within("period", item.period, series.period, series.path)
        if series.unit is not None and series.unit != metric.unit:
            yield _unit(metric.unit, series.unit, series.path)
    yield from _threshold(item, alarm, scale)
    yield from _within("evaluation_periods", item.evaluation_periods, alarm.get("evaluation_periods"))
    yield from _one_of("treat_missing_data", item.missing or [], alarm.get("treat_missing_data"))
    enabled = alarm.get("actions_enabled")
    if enabled is not True:
        line = "actions_enabled = true"
        yield _wrong("actions_enabled", line, enabled, "the alarm alerts nobody", line)


def _expression(wanted: str, alarm: Alarm, pairs: Mapping[str, str]) -> tuple[int, list[AlarmFault]]:
    """Return what the alarm's expression has to be multiplied with to be the wanted one, and what is wrong with it."""
    found, line = alarm.expression, f'expression = "{wanted}"'
    if not isinstance(found, str):
        return 1, [_wrong("metric_query", line, found, "the expression is unknown")]
    renamed = substituted(found, {own: name for name, own in pairs.items()})
    try:
        strangers = sorted(names(found) - set(pairs.values()))
        problem = f"no metric_query has the id {strangers[0]}" if strangers else ""
        problem = problem or difference(wanted, renamed, list(pairs))
        if problem and not strangers and not difference(wanted, f"{_PERCENT} * ({renamed})", list(pairs)):
            return _PERCENT, []
    except UnreadableExpressionError as error:
        expected, reason = f"an expression that computes {wanted}", f"{error} of metric math is not evaluated here"
        return 1, [AlarmFault(Verdict.UNDETERMINED, expected, found, reason, "metric_query", line)]
    return 1, [_wrong("metric_query", line, found, problem, line)] if problem else []


def _unit(wanted: str | None, found: Value, path: str) -> AlarmFault:
    expected, reason = "no unit, which fits every metric", "a metric has no data under another unit"
    if wanted:
        return _wrong(path or "unit", f"unit {wanted}, or none", found, reason, "unit = null", named="unit")
    fault = _wrong(path or "unit", expected, found, reason, "unit = null", named="unit")
    return replace(fault, verdict=Verdict.UNDETERMINED)


def _threshold(item: AlarmItem, alarm: Alarm, scale: int) -> Iterator[AlarmFault]:
    operator, wanted = alarm.get("comparison_operator"), str(item.comparison)
    sign, threshold = _SIGNS.get(str(operator), ""), alarm.get("threshold")
    if isinstance(threshold, int | float) and sign:
        threshold = float(Decimal(str(threshold)) * scale)  # as it is written: 0.07 times 100 is 7
        if item.whole and not sign.endswith("="):
            threshold = math.floor(threshold) if sign == ">" else math.ceil(threshold)
        ranged = isinstance(item.threshold, Bounds)
        threshold, sign = _normal(threshold, sign, wanted, whole=bool(item.whole), ranged=ranged)
    if sign != wanted:
        name, reason = OPERATORS[wanted], "it fires at the wrong values"
        yield _wrong("comparison_operator", name, operator, reason, f'comparison_operator = "{name}"')
        return
    yield from _within("threshold", item.threshold, threshold, shown=alarm.get("threshold"))


def _normal(threshold: float, sign: str, wanted: str, *, whole: bool, ranged: bool) -> tuple[float, str]:
    """Return the comparison in the wanted form, if it says the same: `>= 1` of whole numbers is `> 0`."""
    if sign[0] != wanted[0] or sign == wanted:
        return threshold, sign
    if whole and float(threshold).is_integer():
        step = 1 if sign[0] == ">" else -1
        return (threshold - step if sign.endswith("=") else threshold + step), wanted
    return (threshold, wanted) if ranged and sign.endswith("=") else (threshold, sign)


def _within(
    name: str, wanted: float | Bounds | None, found: Value, path: str = "", shown: Value = None
) -> Iterator[AlarmFault]:
    if wanted is None:
        return
    low, high = (wanted.min, wanted.max) if isinstance(wanted, Bounds) else (wanted, wanted)
    number = isinstance(found, int | float) and not isinstance(found, bool)
    if number and (low is None or found >= low) and (high is None or found <= high):
        return
    fixed = high if high is not None else low
    value = found if shown is None else shown
    reason = f"the {name.replace('_', ' ')} is outside of what the catalogue allows"
    remedy = f"{name} = {_number(fixed or 0)}"
    yield _wrong(path or name, f"{name} {_said(low, high)}", value, reason, remedy, named=name)


def _said(low: float | None, high: float | None) -> str:
    if low == high and low is not None:
        return _number(low)
    bounds = (("at least", low), ("at most", high))
    return " and ".join(f"{word} {_number(bound)}" for word, bound in bounds if bound is not None)


def _number(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _one_of(name: str, allowed: Sequence[str], found: Value, path: str = "") -> Iterator[AlarmFault]:
    if not allowed or found in allowed:
        return
    reason = f"the {name.replace('_', ' ')} is another than the catalogue allows"
    written = "stat" if path and name == "statistic" else name
    expected, remedy = f"{name} {' or '.join(allowed)}", f'{written} = "{allowed[0]}"'
    yield _wrong(path or name, expected, found, reason, remedy, named=name)


def _wrong(
    attribute: str, expected: str, found: Value, reason: str, remedy: str = "", *, named: str = ""
) -> AlarmFault:
    unknown = isinstance(found, Unknown | Text)
    return AlarmFault(
        Verdict.UNDETERMINED if unknown else Verdict.VIOLATED,
        expected,
        f"{named or attribute} {'not set' if found is None else render(found)}",
        f"{render(found)} is unknown" if unknown else reason,
        attribute,
        remedy,
    )


class RouteUse(Struct, frozen=True):
    """A route that alarms or rules, `sources`, of a level take; `publisher` is the service that publishes."""

    level: str
    route: Route
    publisher: str
    sources: tuple[Resource, ...]


class Routes(Struct):
    """The routes of a plan; remembers which are used."""

    rule: Rule
    delivery: Delivery
    alarms: Alarms
    _used: dict[tuple[str, str, str], tuple[Route, list[Resource]]] = field(default_factory=dict)
    _channels: dict[str, dict[str, Truth]] = field(default_factory=dict)
    _topics: dict[str, list[Resource]] = field(default_factory=dict)

    def use(self, level: str, route: Route, source: Resource, publisher: str = CLOUDWATCH) -> None:
        """Note that an alarm or a rule uses a route."""
        if route.topics:
            _, sources = self._used.setdefault((level, route.addresses, publisher), (route, []))
            if source not in sources:
                sources.append(source)

    @property
    def used(self) -> Iterator[RouteUse]:
        """The routes that were noted, by level."""
        for (level, _, publisher), (route, sources) in sorted(self._used.items(), key=lambda item: item[0]):
            yield RouteUse(level, route, publisher, tuple(sources))

    def channels(self, route: Route) -> dict[str, Truth]:
        """Return the channels that a route reaches."""
        if route.addresses not in self._channels:
            self._channels[route.addresses] = channels_of(self.delivery, route.topics, self.alarms.channels)
        return self._channels[route.addresses]

    def topics_of(self, level: str) -> list[Resource]:
        """Return the topics that reach the channels of a level and no other."""
        if level not in self._topics:
            topics = self.delivery.attributes.plan.managed("aws_sns_topic")
            fitting = (topic for topic in topics if self._fits(level, Route((topic,))))
            self._topics[level] = sorted(fitting, key=lambda topic: topic.name != level)
        return self._topics[level]

    @property
    def _protocols(self) -> dict[str, str]:
        """The protocol of each channel of a level."""
        used = {name for each in self.alarms.levels.values() for name in each}
        return {name: self.alarms.channels[name].protocols[0] for name in used}

    @property
    def beginning(self) -> Mapping[str, Sequence[str]]:
        """The channels of the levels that no topic reaches yet, by level; none if their way cannot be written."""
        levels = {level: names for level, names in self.alarms.levels.items() if not self.topics_of(level)}
        protocols = {self._protocols[name] for names in levels.values() for name in names}
        is_taken = "chatbot" in protocols and self.delivery.attributes.plan.managed(*_CHATBOTS)
        return levels if protocols <= {*_WITH_ENDPOINTS, "chatbot"} and not is_taken else {}

    def first(self, prefix: str) -> str:
        """Return topics of levels that have none, with their subscriptions: variables ask who is told."""
        levels = self.beginning
        if not levels:
            return ""
        protocols = self._protocols
        blocks, chat = list[str](), list[str]()
        for level, names_ in levels.items():
            topic = f'resource "aws_sns_topic" "{level}" {{\n  name = "{prefix}-{level}"\n}}'
            blocks += [topic, _TOPIC_POLICY.replace("TOPIC", level)]
            blocks += [_subscribed(level, name, protocols[name]) for name in names_ if protocols[name] != "chatbot"]
            chat += [f"aws_sns_topic.{level}.arn" for name in names_ if protocols[name] == "chatbot"]
        rest = _FIRST.replace("PREFIX", prefix).replace("TOPICS", ", ".join(chat))
        begin = rest.index('resource "aws_cloudwatch_log_group"')
        events = f"/aws/events/{prefix}"
        groups = self.delivery.attributes.plan.managed("aws_cloudwatch_log_group")
        is_logged = any(self.delivery.attributes.name(one) == events for one in groups)
        own = rest[0 if chat else begin : begin if is_logged else None]
        return "\n\n".join([*blocks, own.strip()])

    def is_of_no_level(self, route: Route) -> bool:
        """Tell whether a route has topics, none of which is that of a level."""
        of_levels = [topic for level in self.alarms.levels for topic in self.topics_of(level)]
        return bool(route.topics) and not any(topic in of_levels for topic in route.topics)

    def fault(self, level: str, route: Route) -> AlarmFault | None:
        """Say what is wrong with an alarm that takes a route: nowhere to go, or the topic of another level."""
        own = self.topics_of(level)
        remedy = f"alarm_actions = [{own[0].address}.arn]" if own else ""
        wanted = ", ".join(self.alarms.levels.get(level, []))
        verdict, expected = Verdict.VIOLATED, f"alarm_actions that reach {wanted}, as an alert of level {level} has to"
        if not route.topics and route.unknown:
            verdict, found, reason = Verdict.UNDETERMINED, ", ".join(route.unknown), "the topic is not in the plan"
            remedy = remedy or "bring the topic, its policy and its subscriptions into the plan"
        elif not route.topics:
            found, reason = "no topic", "the alert reaches nobody"
            remedy = remedy or f"alarm_actions = [aws_sns_topic.{level}.arn]"
        elif own and not self._fits(level, route) and not self._perhaps(level, route):
            reached = ", ".join(name for name, answer in self.channels(route).items() if answer is Truth.YES)
            found = f"{route.addresses}, which reaches {reached or 'nobody'}"
            reason = "it is the topic of another level"
        else:
            return None
        references = (f"{own[0].address}.arn",) if own else ()
        if not own and not route.topics and not route.unknown and self.beginning:
            references = (f"aws_sns_topic.{level}.arn",)
        return AlarmFault(verdict, expected, found, reason, "alarm_actions", remedy, references)

    def _fits(self, level: str, route: Route) -> bool:
        reached = {name for name, answer in self.channels(route).items() if answer is Truth.YES}
        return reached == set(self.alarms.levels.get(level, ()))

    def _perhaps(self, level: str, route: Route) -> bool:
        wanted, answers = set(self.alarms.levels.get(level, ())), self.channels(route)
        return all(
            (answer is not Truth.NO) if name in wanted else (answer is not Truth.YES)
            for name, answer in answers.items()
        )

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each route: subscriptions once, policy and key for each publisher."""
        told: set[tuple[str, str]] = set()
        for (level, addresses, publisher), (route, sources) in sorted(self._used.items()):
            if (level, addresses) not in told:
                told.add((level, addresses))
                yield self._subscriptions(level, route)
            for topic in route.topics:
                yield self.publishing(topic, publisher, sources, f"{publisher}, level {level}")

    def _subscriptions(self, level: str, route: Route) -> Finding:
        wanted, answers, topic = self.alarms.levels[level], self.channels(route), route.topics[0]
        missing = [name for name in wanted if answers[name] is not Truth.YES]
        reached = [name for name, answer in answers.items() if answer is Truth.YES]
        excess = ", ".join(name for name in reached if name not in wanted)
        subject = self.rule.about(route.addresses, f"subscriptions of level {level}", topic.location)
        if not missing and not excess:
            return subject.proven(f"it reaches {', '.join(wanted)}")
        certain = bool(excess) or any(answers[name] is Truth.NO for name in missing)
        remedies = [self._subscription(level, name, topic) for name in missing]
        if excess:
            remedies.append(f"remove the subscription of {excess}, or use a separate topic")
        return (subject.violated if certain else subject.undetermined)(
            expected=f"subscriptions of {', '.join(wanted)}",
            found=f"subscriptions of {', '.join(reached)}" if reached else "no subscription of a channel",
            reason=f"an alert of level {level} does not certainly reach {', '.join(missing)}"
            if missing
            else f"it also reaches {excess}",
            remedy="\n".join(remedies),
        )

    def _subscription(self, level: str, name: str, topic: Resource) -> str:
        protocol = self.alarms.channels[name].protocols[0]
        local = _local(topic)
        if protocol == "chatbot":
            return f"add {local}.arn to sns_topic_arns of aws_chatbot_slack_channel_configuration"
        return _subscribed(level, name, protocol, local)

    def publishing(self, topic: Resource, publisher: str, sources: Sequence[Resource], subject: str) -> Finding:
        """Judge whether the policy and the key of a topic let a service publish the alerts of `sources`."""
        steps = (self.delivery.policy(topic, publisher), self.delivery.key(topic, publisher))
        worst = min(steps, key=lambda step: step.answer)
        if worst.answer is Truth.YES:
            return self.rule.about(topic, subject).proven("policy and key let it publish")
        used = ", ".join(source.address for source in sources[:3]) + (", …" if sources[3:] else "")
        where = (worst.resource or topic).location_of(worst.attribute)
        about = self.rule.about(topic.address, subject, where, (Related("topic", topic.address, topic.location),))
        certain = worst.answer is Truth.NO
        finding = (about.violated if certain else about.undetermined)(
            expected=f"{publisher} must be allowed to publish to it, by its policy and its key",
            found=worst.found,
            reason=f"{worst.reason}; the alerts of {used} do not arrive"
            if certain
            else f"{worst.reason}; whether the alerts of {used} arrive cannot be decided",
            remedy=_statement(worst, topic, publisher),
        )
        changes = self._changes(worst, topic, publisher) if certain else ()
        return replace(finding, changes=changes)

    def _changes(self, step: DeliveryStep, topic: Resource, publisher: str) -> tuple[SourceChange, ...]:
        """Return what lets a service publish: in the policy that there is, or by one for a topic or key without."""
        holder, plan = step.resource, self.delivery.attributes.plan
        if holder is None or step.attribute != "policy":
            return ()
        is_key = holder.type in {"aws_kms_key", "aws_kms_key_policy"}
        actions = ("kms:Decrypt", "kms:GenerateDataKey*") if is_key else ("sns:Publish",)
        if holder.stated("policy"):
            into = plan.derived(arn_index).document_of(holder) or holder
            on: Value = "*" if is_key else topic.reference("arn")
            return (principal_change(actions, "Service", publisher, into, "policy", on),)
        if is_key and isinstance(plan.account, str):
            policy = _KEY_POLICY % (plan.partition, plan.account, publisher)
            return (SourceChange("arguments", holder.address, entries=(("policy", policy),)),)
        if holder is topic and not isinstance(topic.key, int):
            text = _TOPIC_POLICY.replace("TOPIC", topic.name)
            if topic.key is not None:
                own = f"aws_sns_topic.{topic.name}"
                text = text.replace(f"{own}.arn", f"{own}[each.key].arn").replace(
                    "{\n", f"{{\n  for_each = {own}\n\n", 1
                )
            return (SourceChange("beside", topic.address, text=text),)
        return ()


def _subscribed(level: str, name: str, protocol: str, topic: str = "") -> str:
    """Return the subscription of a channel, whose endpoint is a variable."""
    return (
        f'resource "aws_sns_topic_subscription" "{level}_{name}" {{\n'
        f"  topic_arn = {topic or f'aws_sns_topic.{level}'}.arn\n"
        f'  protocol  = "{protocol}"\n'
        f"  endpoint  = var.{level}_{name}_endpoint\n}}\n\n"
        f'variable "{level}_{name}_endpoint" {{\n  type = string\n}}'
    )


def _statement(step: DeliveryStep, topic: Resource, publisher: str) -> str:
    if publisher == EVENTBRIDGE_BY_ROLE:
        return "take role_arn out of the aws_cloudwatch_event_target: the policy of the topic decides then"
    if step.attribute == "is_enabled":
        return "enable the key (a deletion that is scheduled has to be cancelled before): is_enabled = true"
    if step.attribute == "kms_master_key_id":
        where, resources = "encrypt the topic with a customer managed key whose policy has the statement", '"*"'
    elif step.resource is not None and step.resource.type in {"aws_kms_key", "aws_kms_key_policy"}:
        where, resources = "add to the key's policy the statement", '"*"'
    else:
        where = "add to the policy of the topic (aws_sns_topic_policy) the statement"
        resources = f"{_local(topic)}.arn"
    actions = '"kms:Decrypt", "kms:GenerateDataKey*"' if resources == '"*"' else '"sns:Publish"'
    return (
        f"{where}\nstatement {{\n  actions   = [{actions}]\n  resources = [{resources}]\n\n"
        f'  principals {{\n    type        = "Service"\n    identifiers = ["{publisher}"]\n  }}\n}}'
    )


def _local(topic: Resource) -> str:
    """Return the address of a topic inside of its module."""
    return topic.address.removeprefix(f"{topic.module}.") if topic.module else topic.address
