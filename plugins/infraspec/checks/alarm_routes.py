"""The routes that alerts take: each is judged once for each level and publisher that uses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from infraspec.checks.alarm_faults import Fault
from infraspec.contract.alarms import Alarms
from infraspec.finding import Finding, Related, Verdict
from infraspec.iam.answer import Answer
from infraspec.monitoring.delivery import CLOUDWATCH, EVENTBRIDGE_BY_ROLE, Delivery, Route, Step
from infraspec.monitoring.subscriptions import channels_of
from infraspec.terraform.plan import Resource

_VERDICTS = {Answer.YES: Verdict.PROVEN, Answer.MAYBE: Verdict.UNDETERMINED, Answer.NO: Verdict.VIOLATED}
_FEW = 3


class Use(Struct, frozen=True):
    """A route that alarms or rules, `sources`, of a level take; `publisher` is the service that publishes."""

    level: str
    route: Route
    publisher: str
    sources: tuple[Resource, ...]


class Routes(Struct):
    """The routes of a plan; remembers which are used."""

    rule: str
    delivery: Delivery
    alarms: Alarms
    _used: dict[tuple[str, str, str], tuple[Route, list[Resource]]] = field(default_factory=dict)
    _channels: dict[str, dict[str, Answer]] = field(default_factory=dict)
    _topics: dict[str, list[Resource]] = field(default_factory=dict)

    def use(self, level: str, route: Route, source: Resource, publisher: str = CLOUDWATCH) -> None:
        """Note that an alarm or a rule uses a route."""
        if route.topics:
            _, sources = self._used.setdefault((level, route.addresses, publisher), (route, []))
            if source not in sources:
                sources.append(source)

    @property
    def used(self) -> Iterator[Use]:
        """The routes that were noted, by level."""
        for (level, _, publisher), (route, sources) in sorted(self._used.items(), key=lambda item: item[0]):
            yield Use(level, route, publisher, tuple(sources))

    def channels(self, route: Route) -> dict[str, Answer]:
        """Return the channels that a route reaches."""
        if route.addresses not in self._channels:
            self._channels[route.addresses] = channels_of(self.delivery, route.topics, self.alarms.channels)
        return self._channels[route.addresses]

    def topics_of(self, level: str) -> list[Resource]:
        """Return the topics that reach the channels of a level and no other."""
        if level not in self._topics:
            topics = self.delivery.attributes.plan.managed("aws_sns_topic")
            self._topics[level] = [topic for topic in topics if self._fits(level, Route((topic,)))]
        return self._topics[level]

    def fault(self, level: str, route: Route) -> Fault | None:
        """Say what is wrong with an alarm that takes a route: nowhere to go, or the topic of another level."""
        wanted = self.alarms.levels.get(level, [])
        own = self.topics_of(level)
        remedy = f"alarm_actions = [{own[0].address}.arn]" if own else ""
        expected = f"alarm_actions that reach {', '.join(wanted)}, as an alert of level {level} has to"
        if not route.topics:
            if route.unknown:
                shown = ", ".join(route.unknown)
                remedy = remedy or "bring the topic, its policy and its subscriptions into the plan"
                reason = "the topic is not in the plan"
                return Fault(Verdict.UNDETERMINED, expected, shown, reason, "alarm_actions", remedy)
            return Fault(
                Verdict.VIOLATED,
                expected,
                "no topic",
                "the alert reaches nobody",
                "alarm_actions",
                remedy or f"alarm_actions = [aws_sns_topic.{level}.arn]",
            )
        if own and not self._fits(level, route) and not self._perhaps(level, route):
            reached = ", ".join(name for name, answer in self.channels(route).items() if answer is Answer.YES)
            return Fault(
                Verdict.VIOLATED,
                expected,
                f"{route.addresses}, which reaches {reached or 'nobody'}",
                "it is the topic of another level",
                "alarm_actions",
                remedy,
            )
        return None

    def _fits(self, level: str, route: Route) -> bool:
        reached = {name for name, answer in self.channels(route).items() if answer is Answer.YES}
        return reached == set(self.alarms.levels.get(level, ()))

    def _perhaps(self, level: str, route: Route) -> bool:
        wanted, answers = set(self.alarms.levels.get(level, ())), self.channels(route)
        return all(
            (answer is not Answer.NO) if name in wanted else (answer is not Answer.YES)
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
        wanted, answers = self.alarms.levels[level], self.channels(route)
        missing = [name for name in wanted if answers[name] is not Answer.YES]
        excess = [name for name, answer in answers.items() if answer is Answer.YES and name not in wanted]
        topic = route.topics[0]
        subject = f"subscriptions of level {level}"
        if not missing and not excess:
            reason = f"it reaches {', '.join(wanted)}"
            return Finding(self.rule, Verdict.PROVEN, route.addresses, subject, topic.location, reason=reason)
        certain = bool(excess) or any(answers[name] is Answer.NO for name in missing)
        reached = [name for name, answer in answers.items() if answer is Answer.YES]
        reason = (
            f"an alert of level {level} does not certainly reach {', '.join(missing)}"
            if missing
            else f"it also reaches {', '.join(excess)}"
        )
        remedy = "\n".join(self._subscription(level, name, topic) for name in missing)
        if excess:
            remedy = "\n".join(
                filter(None, [remedy, f"take the subscription of {', '.join(excess)} out, or use a topic of its own"])
            )
        return Finding(
            self.rule,
            Verdict.VIOLATED if certain else Verdict.UNDETERMINED,
            route.addresses,
            subject,
            topic.location,
            expected=f"subscriptions of {', '.join(wanted)}",
            found=f"subscriptions of {', '.join(reached)}" if reached else "no subscription of a channel",
            reason=reason,
            remedy=remedy,
        )

    def _subscription(self, level: str, name: str, topic: Resource) -> str:
        protocol = self.alarms.channels[name].protocols[0]
        local = topic.address.removeprefix(f"{topic.module}.") if topic.module else topic.address
        if protocol == "chatbot":
            return f"add {local}.arn to sns_topic_arns of aws_chatbot_slack_channel_configuration"
        return (
            f'resource "aws_sns_topic_subscription" "{level}_{name}" {{\n'
            f"  topic_arn = {local}.arn\n"
            f'  protocol  = "{protocol}"\n'
            f"  endpoint  = var.{level}_{name}_endpoint\n}}\n\n"
            f'variable "{level}_{name}_endpoint" {{\n  type = string\n}}'
        )

    def publishing(self, topic: Resource, publisher: str, sources: Sequence[Resource], subject: str) -> Finding:
        """Judge whether the policy and the key of a topic let a service publish the alerts of `sources`."""
        steps = (self.delivery.policy(topic, publisher), self.delivery.key(topic, publisher))
        worst = min(steps, key=lambda step: step.answer.value)
        if worst.answer is Answer.YES:
            return Finding(
                self.rule,
                Verdict.PROVEN,
                topic.address,
                subject,
                topic.location,
                reason="policy and key let it publish",
            )
        used = ", ".join(source.address for source in sources[:_FEW]) + (", …" if sources[_FEW:] else "")
        holder = worst.resource or topic
        return Finding(
            self.rule,
            _VERDICTS[worst.answer],
            topic.address,
            subject,
            holder.location_of(worst.attribute),
            expected=f"{publisher} may publish to it, through its policy and its key",
            found=worst.found,
            reason=f"{worst.reason}; the alerts of {used} do not arrive"
            if worst.answer is Answer.NO
            else f"{worst.reason}; whether the alerts of {used} arrive cannot be told",
            remedy=_statement(worst, topic, publisher),
            related=(Related("topic", topic.address, topic.location),),
        )


def _statement(step: Step, topic: Resource, publisher: str) -> str:
    if publisher == EVENTBRIDGE_BY_ROLE:
        return "take role_arn out of the aws_cloudwatch_event_target: the policy of the topic decides then"
    about_key = step.resource is not None and step.resource.type in {"aws_kms_key", "aws_kms_key_policy"}
    if step.attribute == "kms_master_key_id":
        return "encrypt the topic with a key of its own, whose policy has the statement\n" + _block(publisher, key=True)
    if about_key:
        return "add to the key's policy the statement\n" + _block(publisher, key=True)
    local = topic.address.removeprefix(f"{topic.module}.") if topic.module else topic.address
    return "add to the policy of the topic (aws_sns_topic_policy) the statement\n" + _block(publisher, topic=local)


def _block(publisher: str, *, topic: str = "", key: bool = False) -> str:
    actions = '"kms:Decrypt", "kms:GenerateDataKey*"' if key else '"sns:Publish"'
    resources = '"*"' if key else f"{topic}.arn"
    return (
        f"statement {{\n  actions   = [{actions}]\n  resources = [{resources}]\n\n"
        f'  principals {{\n    type        = "Service"\n    identifiers = ["{publisher}"]\n  }}\n}}'
    )
