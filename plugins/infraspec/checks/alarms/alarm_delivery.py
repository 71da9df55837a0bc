"""Rule `alarm-delivery`: the topics that alarms and rules of the source name let an alert through, to people.

A topic exists, its policy and its key let CloudWatch or EventBridge publish, the rule that sends to it is on, and
somebody has confirmed a subscription of each channel of its level.

Sources: Amazon SNS Developer Guide, "Fanout to Amazon SQS queues", "Message filtering" and "Amazon SNS subscription
prerequisites: permissions"; Amazon SQS Developer Guide, "Configure KMS permissions for AWS services".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct, field

from infraspec.checks.alarms.alarm_routes import Routes
from infraspec.checks.alarms.alarms import used_routes
from infraspec.checks.common.live_comparison import Difference, ResolvedSource, looked_at
from infraspec.checks.common.nested_comparison import nested_differences
from infraspec.checks.common.unknown_remedies import doubted, left_open, unless_unlisted
from infraspec.contract.alarms import Alarms
from infraspec.contract.live import Canary
from infraspec.contract.models import Contract
from infraspec.core.arn import Arn
from infraspec.core.finding import Finding, Related
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth, any_of
from infraspec.core.unknown import Sensitive, render
from infraspec.iam.evaluation.decision import decide
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.monitoring.delivery import CLOUDWATCH, Delivery, publisher_of
from infraspec.monitoring.event_rules import EventRules
from infraspec.monitoring.live_readings import CanaryFacts, LiveSubscription, reached
from infraspec.resource_types import DriftAttributes, NestedFields, resource_type
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["alarm-delivery"]

_SNS = "sns.amazonaws.com"
_AWS_KEY = "alias/aws/sqs"


def check_canary(canary: Canary, facts: CanaryFacts) -> Finding:
    """Judge the way of one message by whether it arrived, and if it did not, name what kept it."""
    subject = RULE.about(facts.topic, "canary", related=(Related("queue", facts.queue),))
    if facts.seconds is not None:
        return subject.proven(f"a test message was in the queue after {facts.seconds:.1f} s")
    wording, seconds = _broken(facts), canary.seconds
    found = f"not received after {seconds} s" if facts.published else "nothing was published: it could not arrive"
    said = {"topic": facts.topic, "queue": facts.queue, "longer": min(300, seconds * 2)}
    return subject.say(wording, seconds=seconds, found=found, **said)


def _broken(facts: CanaryFacts) -> str:
    """Name what makes it vain to publish, or keeps a published message out of the queue, so far as it is seen."""
    if not facts.is_topic:
        return "no-topic"
    if not facts.is_queue:
        return "no-queue"
    if facts.subscription is None:
        return "not-subscribed"
    if not facts.subscription.confirmed:
        return "not-confirmed"
    if facts.subscription.filtered:
        return "queue-filtered"
    if _lets_in(facts) is Truth.NO:
        return "queue-policy"
    if facts.key == _AWS_KEY:
        return "key-of-aws"
    return "perhaps-key" if facts.key else "nothing-broken"


def _lets_in(facts: CanaryFacts) -> Truth:
    if not facts.policy:
        return Truth.NO
    document = PolicyDocument.from_value(facts.policy, place=facts.queue, with_principals=True)
    context = {
        "aws:SourceArn": facts.topic,
        "aws:SourceAccount": Arn.parse(facts.topic).account,
        "aws:SecureTransport": True,
    }
    policies, about = [IdentityPolicy.of(facts.queue, document)], Context.of(context)
    queue, principal = PartialArn.of(facts.queue), Principal.of(_SNS)
    return decide((), "sqs:SendMessage", queue, resource_policies=policies, principal=principal, context=about).allowed


_SUBSCRIPTION = "aws_sns_topic_subscription"
_ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
_WAY = ("aws_sns_topic", _SUBSCRIPTION, "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target")
_ON = {"ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}
Subscriptions = Mapping[str, Sequence[LiveSubscription]]
"""The subscriptions by the ARN of their topic."""


def alert_topics(plan: Plan, live: Plan) -> list[str]:
    """Return the ARNs of the live topics that alarms and rules of a source send to."""
    bound = ResolvedSource(plan, live)
    topics = (bound.resource(source) for source in _Uses.of(plan).publishers)
    arns = (topic.stated("arn") for topic in topics if topic is not None)
    return sorted(arn for arn in arns if isinstance(arn, str))


def check_alarm_delivery(
    plan: Plan, live_plan: Plan, subscriptions: Subscriptions, contract: Contract, environment: str
) -> list[Finding]:
    """Judge each topic that an alarm or a rule of the source sends to, and each rule that sends to one.

    `live_plan` has the live resources at the addresses of the source. Raises PolicyError if a live policy is malformed.
    """
    alarms = contract.alarms or Alarms()
    levels: dict[str, set[str]] = {}
    for use in used_routes(plan, contract, environment) if contract.alarms is not None else ():
        for topic in use.route.topics:
            levels.setdefault(topic.address, set()).add(use.level)
    check = _Check(plan, live_plan, subscriptions, alarms, levels)
    found = [*check.topics(), *check.subscriptions_of_source(), *check.rules(), *check.others]
    return [unless_unlisted(live_plan, finding, *_WAY) for finding in found]


class _Uses(Struct):
    """The topics of a source that something sends to, each with who publishes and what for."""

    publishers: dict[Resource, dict[str, list[Resource]]] = field(default_factory=dict)
    rules: list[tuple[Resource, Resource, Resource]] = field(default_factory=list)
    """The rules that send to a topic, with the target and the topic."""

    @classmethod
    def of(cls, plan: Plan) -> _Uses:
        uses, attributes = cls(), plan.derived(AwsAttributes)
        delivery = Delivery(attributes)
        for alarm in plan.managed(*_ALARMS):
            for topic in delivery.own(alarm).topics:
                uses.add(topic, CLOUDWATCH, alarm)
        for rule in EventRules(attributes).rules:
            for target in rule.targets:
                for topic in delivery.of_targets((target,)).topics:
                    uses.add(topic, publisher_of((target,)), rule.resource)
                    uses.rules.append((rule.resource, target, topic))
        return uses

    def add(self, topic: Resource, publisher: str, source: Resource) -> None:
        self.publishers.setdefault(topic, {}).setdefault(publisher, []).append(source)


@dataclasses.dataclass
class _Check:
    plan: Plan
    live: Plan
    subscriptions: Subscriptions
    alarms: Alarms
    levels: Mapping[str, set[str]]
    uses: _Uses = dataclasses.field(init=False)
    bound: ResolvedSource = dataclasses.field(init=False)
    others: list[Finding] = dataclasses.field(init=False)
    """About the topics and rules that are not certainly where the run asks."""

    def __post_init__(self) -> None:
        self.uses = _Uses.of(self.plan)
        self.bound = ResolvedSource(self.plan, self.live)
        senders = [rule for rule, _, _ in self.uses.rules]
        _, self.others = looked_at(RULE, dict.fromkeys([*self.uses.publishers, *senders]), self.bound.whereabouts)

    def _is_here(self, source: Resource) -> bool:
        return self.bound.whereabouts.has(source) is Truth.YES

    def topics(self) -> Iterator[Finding]:
        self.live.managed("aws_sns_topic", "aws_sns_topic_policy", "aws_kms_key", "aws_kms_alias", "aws_kms_key_policy")
        routes = Routes(RULE, Delivery(self.live.derived(AwsAttributes)), self.alarms)
        for source, publishers in sorted(self.uses.publishers.items(), key=lambda item: item[0].address):
            if not self._is_here(source):
                continue
            topic = self.bound.resource(source)
            if topic is None:
                yield left_open(self.plan, self._missing(source, publishers))
                continue
            for publisher, sources in publishers.items():
                if own := list(filter(self._is_here, sources)):
                    yield routes.publishing(topic, publisher, own, publisher)
            yield self._subscribed(source, topic)

    def _missing(self, source: Resource, publishers: Mapping[str, list[Resource]]) -> Finding:
        name = self.bound.value(self.bound.attributes.name(source))
        used = sorted({alarm.address for sources in publishers.values() for alarm in sources})
        shown = f"{', '.join(used[:3])}{', …' if used[3:] else ''}"
        return RULE.about(source).say("absent" if isinstance(name, str) else "unnamed", name=render(name), used=shown)

    def _subscribed(self, source: Resource, topic: Resource) -> Finding:
        arn = str(topic.stated("arn"))
        subscriptions = self.subscriptions.get(arn, ())
        answers = reached(subscriptions, self.alarms.channels)
        wanted = sorted({name for level in self.levels.get(source.address, ()) for name in self.alarms.levels[level]})
        confirmed = [subscription for subscription in subscriptions if subscription.confirmed]
        subject = RULE.about(source, "subscriptions", related=(Related("topic", arn),))
        if wanted:
            worst = min(answers[name] for name in wanted)
        else:
            worst = any_of(Truth.MAYBE if subscription.filtered else Truth.YES for subscription in confirmed)
        if worst is Truth.YES:
            counted = "1 subscription" if len(confirmed) == 1 else f"{len(confirmed)} subscriptions"
            return subject.proven(f"confirmed: {', '.join(wanted) or counted}")
        expected = f"a confirmed subscription of {', '.join(wanted)}" if wanted else "a confirmed subscription"
        whom = ", ".join(name for name in wanted if answers[name] is not Truth.YES) or "anybody"
        wording = "not-subscribed-to" if len(confirmed) == len(subscriptions) else "unconfirmed"
        if worst is Truth.MAYBE:
            wording = "filtered"
        return subject.say(wording, expected=expected, found=_shown(subscriptions), whom=whom)

    def subscriptions_of_source(self) -> Iterator[Finding]:
        """Judge each subscription of the source to a topic that something sends to: it is there, and as it says."""
        delivery = Delivery(self.bound.attributes)
        for topic in sorted(self.uses.publishers, key=lambda topic: topic.address):
            for source in delivery.by_topic(_SUBSCRIPTION, "topic_arn").get(topic.address, ()):
                if self._is_here(source) and self.bound.resource(topic) is not None:
                    yield self._subscription(source, self.bound.resource(source))

    def _subscription(self, source: Resource, live: Resource | None) -> Finding:
        """Say nothing of an endpoint: it may be the key of a pager."""
        protocol, endpoint = (self.bound.value(source.stated(name)) for name in ("protocol", "endpoint"))
        if live is None:
            known = isinstance(protocol, str) and isinstance(endpoint, str)
            absent = RULE.about(source, "subscription", source.location_of("endpoint"))
            return left_open(self.plan, absent.say("no-subscription" if known else "perhaps-no-subscription"))
        about = partial(RULE.about, source, "subscription", related=(Related("live", live.address),))
        if live.stated("pending_confirmation"):
            return about().say("not-confirmed-yet", protocol=render(protocol))
        changed = [one for one in self._changed(source, live) if one.attribute not in source.ignore_changes]
        if not changed:
            return about().proven("confirmed, and delivers as the source says")
        names = ", ".join(dict.fromkeys(one.attribute.partition(".")[0] for one in changed))
        subject = about(location=source.location_of(changed[0].attribute))
        if any(one.answer is Truth.NO for one in changed):
            return subject.say("delivers-otherwise", names=names)
        return subject.say("endpoint-unknown" if names == "endpoint" else "perhaps-delivers-otherwise", names=names)

    def _changed(self, source: Resource, live: Resource) -> Iterator[Difference]:
        compared = resource_type(_SUBSCRIPTION).drift or DriftAttributes()
        for name in compared.compared:
            fields = compared.nested.get(name, NestedFields())
            stated, default = source.stated(name), compared.defaults.get(name)
            expected = self.bound.value(stated.reveal() if isinstance(stated, Sensitive) else stated)
            if name not in compared.left_out or expected is not None:
                given = default if expected is None else expected
                yield from nested_differences(name, given, live.stated(name) or default, fields)

    def rules(self) -> Iterator[Finding]:
        for rule, target, topic in self.uses.rules:
            if self._is_here(rule):
                finding = self._rule(rule, target, topic)
                absent = next((source for source in (rule, target) if self.bound.resource(source) is None), None)
                yield doubted(finding, *self.plan.uncertainties(absent.address).values()) if absent else finding

    def _rule(self, rule: Resource, target: Resource, topic: Resource) -> Finding:
        live, sent, reached_topic = (self.bound.resource(source) for source in (rule, target, topic))
        state = "ENABLED" if live is None else str(live.stated("state") or "ENABLED")
        if live is None:
            found = "AWS has no such rule"
        elif state not in _ON and rule.stated("state") != state:
            found = f"the rule is {state}"
        elif sent is None:
            found = "the rule has no such target"
        elif reached_topic is not None and sent.stated("arn") != reached_topic.stated("arn"):
            found = f"it sends to {render(sent.stated('arn'))}"
        else:
            return RULE.about(rule, "rule").proven(f"{state}, to {topic.address}")
        at = target.location if sent is None and live is not None else None
        broken = RULE.about(rule, "rule", at)
        return broken.say("no-rule", topic=topic.address, found=found, target=target.address)


def _shown(subscriptions: Sequence[LiveSubscription]) -> str:
    """Say what subscriptions there are, without their endpoints."""
    words = {(True, False): "confirmed", (True, True): "confirmed, with a filter policy"}
    told = [
        f"{subscription.protocol}: {words.get((subscription.confirmed, subscription.filtered), 'not confirmed')}"
        for subscription in subscriptions
    ]
    return "\n".join(dict.fromkeys(told)) or "no subscription"
