"""Rule `alarm-delivery`: the topics that alarms and rules of the source name let an alert through, to people.

A topic exists, its policy and its key let CloudWatch or EventBridge publish, the rule that sends to it is on, and
somebody has confirmed a subscription of each channel of its level.

Sources: Amazon SNS Developer Guide, "Fanout to Amazon SQS queues", "Message filtering" and "Amazon SNS subscription
prerequisites: permissions"; Amazon SQS Developer Guide, "Configure KMS permissions for AWS services".
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from infraspec.checks.alarms.alarm_routes import Routes
from infraspec.checks.alarms.alarms import used_routes
from infraspec.checks.common.live_comparison import ResolvedSource, looked_at
from infraspec.checks.common.unknown_remedies import doubted, left_open
from infraspec.contract.alarms import Alarms
from infraspec.contract.live import Canary
from infraspec.contract.models import Contract
from infraspec.core.arn import Arn
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rules import ALARM_DELIVERY as RULE
from infraspec.core.truth import Truth
from infraspec.core.unknown import render
from infraspec.iam.evaluation.decision import decide
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.monitoring.delivery import CLOUDWATCH, Delivery, publisher_of
from infraspec.monitoring.event_rules import EventRules
from infraspec.monitoring.live_readings import CanaryFacts, LiveSubscription, reached
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

_SUBJECT = "canary"
_SNS = "sns.amazonaws.com"
_AWS_KEY = "alias/aws/sqs"


def check_canary(canary: Canary, facts: CanaryFacts) -> Finding:
    """Judge the way of one message by whether it arrived, and if it did not, name what kept it."""
    queue = (Related("queue", facts.queue),)
    if facts.seconds is not None:
        reason = f"a test message was in the queue after {facts.seconds:.1f} s"
        return Finding(RULE.id, Verdict.PROVEN, facts.topic, _SUBJECT, reason=reason, related=queue)
    broken = _before(facts) or _after(facts)
    found = f"not there after {canary.seconds} s" if facts.published else "nothing was published: it could not arrive"
    link = broken or _Link(
        "no link of the chain is seen to be broken: another reader of the queue took it, it takes longer"
        + (", or the policy of the queue's key keeps SNS out" if facts.key else ""),
        "let nobody else read the queue, or give it more time:\n"
        f"[environments.NAME.live.canary]\nseconds = {min(300, canary.seconds * 2)}",
    )
    return Finding(
        RULE.id,
        Verdict.VIOLATED if broken else Verdict.UNDETERMINED,
        facts.topic,
        _SUBJECT,
        expected=f"a test message arrives in the queue within {canary.seconds} s",
        found=found,
        reason=link.reason,
        remedy=link.remedy,
        related=queue,
    )


class _Link(Struct, frozen=True):
    reason: str
    remedy: str


def _before(facts: CanaryFacts) -> _Link | None:
    """Return what makes it vain to publish."""
    if not facts.is_topic:
        return _Link("the topic: AWS has none of this ARN", "apply the topic, or correct the contract's canary.topics")
    if not facts.is_queue:
        return _Link("the queue: AWS has none of this ARN", "apply the queue, or correct the contract's canary.queue")
    if facts.subscription is None:
        return _Link("the subscription: the topic has none of the queue", _subscription(facts))
    if not facts.subscription.confirmed:
        return _Link("the subscription: the queue's is not confirmed", "confirm it, or subscribe again")
    return None


def _after(facts: CanaryFacts) -> _Link | None:
    """Return what keeps a published message out of the queue."""
    if facts.subscription is not None and facts.subscription.filtered:
        return _Link(
            "the filter policy of the queue's subscription: alerts, and the test message, have no message attributes",
            "take filter_policy out of the aws_sns_topic_subscription of the queue",
        )
    if _lets_in(facts) is Truth.NO:
        return _Link(f"the policy of the queue: no statement of it lets {_SNS} do sqs:SendMessage", _statement(facts))
    if facts.key == _AWS_KEY:
        return _Link(
            f"the key of the queue: {_SNS} cannot use {_AWS_KEY}, whose policy nobody can change",
            "set sqs_managed_sse_enabled = true in place of kms_master_key_id, or take a key of your own that lets "
            f"{_SNS} do kms:Decrypt and kms:GenerateDataKey",
        )
    return None


def _lets_in(facts: CanaryFacts) -> Truth:
    if not facts.policy:
        return Truth.NO
    document = PolicyDocument.from_value(facts.policy, place=facts.queue, with_principals=True)
    context = {
        "aws:SourceArn": facts.topic,
        "aws:SourceAccount": Arn.parse(facts.topic).account,
        "aws:SecureTransport": True,
    }
    return decide(
        (),
        "sqs:SendMessage",
        PartialArn.of(facts.queue),
        resource_policies=[IdentityPolicy.of(facts.queue, document)],
        principal=Principal.of(_SNS),
        context=Context.of(context),
    ).allowed


def _subscription(facts: CanaryFacts) -> str:
    return (
        'resource "aws_sns_topic_subscription" "canary" {\n'
        f'  topic_arn = "{facts.topic}"\n  protocol  = "sqs"\n  endpoint  = "{facts.queue}"\n}}'
    )


def _statement(facts: CanaryFacts) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": _SNS},
        "Action": "sqs:SendMessage",
        "Resource": facts.queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": facts.topic}},
    }
    return f"add to the policy of the queue:\n{json.dumps(statement, indent=2)}"


_ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
_ON = {"ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}
Subscriptions = Mapping[str, Sequence[LiveSubscription]]
"""The subscriptions by the ARN of their topic."""


def alert_topics(plan: Plan, live: Plan) -> list[str]:
    """Return the ARNs of the live topics that alarms and rules of a source send to."""
    bound = ResolvedSource(plan, live)
    found = (bound.resource(one) for one in _Uses.of(plan).publishers)
    return sorted(str(topic.get("arn")) for topic in found if topic is not None)


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
    return [*check.topics(), *check.rules(), *check.others]


class _Uses(Struct):
    """The topics of a source that something sends to, each with who publishes and what for."""

    publishers: dict[Resource, dict[str, list[Resource]]] = field(default_factory=dict)
    rules: list[tuple[Resource, Resource, Resource]] = field(default_factory=list)
    """The rules that send to a topic, with the target and the topic."""

    @classmethod
    def of(cls, plan: Plan) -> _Uses:
        uses, attributes = cls(), AwsAttributes(plan)
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
        _, self.others = looked_at(RULE.id, dict.fromkeys([*self.uses.publishers, *senders]), self.bound.whereabouts)

    def _is_here(self, source: Resource) -> bool:
        return self.bound.whereabouts.has(source) is Truth.YES

    def topics(self) -> Iterator[Finding]:
        self.live.managed("aws_sns_topic", "aws_sns_topic_policy", "aws_kms_key", "aws_kms_alias", "aws_kms_key_policy")
        routes = Routes(RULE.id, Delivery(AwsAttributes(self.live)), self.alarms)
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
        certain = isinstance(name, str)
        used = sorted({one.address for sources in publishers.values() for one in sources})
        return Finding(
            RULE.id,
            Verdict.VIOLATED if certain else Verdict.UNDETERMINED,
            source.address,
            "",
            source.location,
            expected=f"a topic {render(name)}",
            found="AWS has none of this name" if certain else "its name is not known before apply",
            reason=f"the alerts of {_few(used)} reach nobody" if certain else "whether alerts arrive cannot be told",
            remedy=f"terraform apply -target='{source.address}'",
        )

    def _subscribed(self, source: Resource, topic: Resource) -> Finding:
        arn = str(topic.get("arn"))
        found = self.subscriptions.get(arn, ())
        answers = reached(found, self.alarms.channels)
        wanted = sorted({name for level in self.levels.get(source.address, ()) for name in self.alarms.levels[level]})
        confirmed = [one for one in found if one.confirmed]
        if wanted:
            worst = min(answers[name] for name in wanted)
        elif confirmed:
            worst = Truth.MAYBE if all(one.filtered for one in confirmed) else Truth.YES
        else:
            worst = Truth.NO
        missing = [name for name in wanted if answers[name] is not Truth.YES]
        if worst is Truth.YES:
            reason = f"confirmed: {', '.join(wanted) or _counted(len(confirmed))}"
            return Finding(
                RULE.id, Verdict.PROVEN, source.address, "subscriptions", source.location, reason=reason,
                related=(Related("topic", arn),),
            )  # fmt: skip
        return Finding(
            RULE.id,
            Verdict.VIOLATED if worst is Truth.NO else Verdict.UNDETERMINED,
            source.address,
            "subscriptions",
            source.location,
            expected=f"a confirmed subscription of {', '.join(wanted)}" if wanted else "a confirmed subscription",
            found=_state(found),
            reason=_reason(missing, worst),
            remedy=_remedy(source, found, worst),
            related=(Related("topic", arn),),
        )

    def rules(self) -> Iterator[Finding]:
        for rule, target, topic in self.uses.rules:
            if not self._is_here(rule):
                continue
            found = self._rule(rule, target, topic)
            absent = next((one for one in (rule, target) if self.bound.resource(one) is None), None)
            yield doubted(found, *self.plan.uncertainties(absent.address).values()) if absent else found

    def _rule(self, rule: Resource, target: Resource, topic: Resource) -> Finding:
        live, sent, reached_topic = (self.bound.resource(one) for one in (rule, target, topic))
        state = "ENABLED" if live is None else str(live.get("state") or "ENABLED")
        if live is None:
            found = "AWS has no such rule"
        elif state not in _ON and rule.get("state") != state:
            found = f"the rule is {state}"
        elif sent is None:
            found = "the rule has no such target"
        elif reached_topic is not None and sent.get("arn") != reached_topic.get("arn"):
            found = f"it sends to {render(sent.get('arn'))}"
        else:
            return Finding(
                RULE.id, Verdict.PROVEN, rule.address, "rule", rule.location, reason=f"{state}, to {topic.address}"
            )
        return Finding(
            RULE.id,
            Verdict.VIOLATED,
            rule.address,
            "rule",
            target.location if sent is None and live is not None else rule.location,
            expected=f"a rule that is on and sends to {topic.address}",
            found=found,
            reason="the events that it is for reach nobody",
            remedy=f"terraform apply -target='{rule.address}' -target='{target.address}'",
        )


def _state(found: Sequence[LiveSubscription]) -> str:
    """Say what subscriptions there are, without their endpoints."""
    if not found:
        return "no subscription"
    words = {(True, False): "confirmed", (True, True): "confirmed, with a filter policy"}
    told = [f"{one.protocol}: {words.get((one.confirmed, one.filtered), 'not confirmed')}" for one in found]
    return "\n".join(dict.fromkeys(told))


def _reason(missing: Sequence[str], worst: Truth) -> str:
    whom = ", ".join(missing) or "anybody"
    if worst is Truth.NO:
        return f"no alert reaches {whom}; a subscription that nobody confirmed gets no message"
    return f"whether an alert reaches {whom} depends on a filter policy: alerts have no message attributes"


def _remedy(source: Resource, found: Sequence[LiveSubscription], worst: Truth) -> str:
    if worst is Truth.MAYBE:
        return "take filter_policy out of the aws_sns_topic_subscription"
    if any(not one.confirmed for one in found):
        return "confirm it by the link that SNS sent; if two days have passed, subscribe again"
    return f"terraform apply, or add an aws_sns_topic_subscription to {source.address}"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if names[3:] else "")


def _counted(number: int) -> str:
    return "1 subscription" if number == 1 else f"{number} subscriptions"
