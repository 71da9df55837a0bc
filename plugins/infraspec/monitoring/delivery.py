"""How an alert travels: from an alarm or a rule to topics, and from a topic through policy, key and subscriptions.

Sources: Amazon CloudWatch User Guide, "Notifying users on alarm changes"; Amazon EventBridge User Guide, "Using
resource-based policies for Amazon EventBridge"; Amazon SNS Developer Guide, "Manage Amazon SNS encryption keys and
costs". CloudWatch publishes to a topic with the policy that SNS gives it, EventBridge does not; neither can use the
AWS managed key of SNS; and EventBridge does not say for whom it uses a key, so a condition on the source refuses it.
With a role_arn at the target EventBridge publishes as that role, so the policy of the topic does not decide; an older
text of the same page says that such events may not arrive. What the role may do is not judged here.

Sources: Amazon SNS Developer Guide, "Subscription protocols"; Amazon Q Developer in chat applications, which subscribes
to the topics of its configuration itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, product

from msgspec import Struct

from infraspec.contract.alarms import Channel
from infraspec.core.json_text import decode_json
from infraspec.core.regular_expressions import begins
from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import (
    AtRunTime,
    Cause,
    Sensitive,
    Text,
    Unknown,
    Value,
    computed_from,
    is_known,
    render,
    unknowns,
)
from infraspec.iam.policy.context import Context
from infraspec.monitoring.boolean_expressions import STATES, AlarmRule, UnreadableError
from infraspec.monitoring.event_rules import grants
from infraspec.monitoring.sample_events import Specimens
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource, Uncertain

_ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
_MOST_OTHERS = 8
"""Alarms whose states are gone through, three to the power of it."""


def fires_with(rule: str, *names: str) -> bool | None:
    """Tell whether a rule is true whenever the alarm of the names (its name, its ARN) is in ALARM.

    None if the rule cannot be read, or names too many alarms to go through their states.
    """
    try:
        parser = AlarmRule(rule)
        parsed = parser.parse()
    except UnreadableError:
        return None
    own = [name for name in parser.names if name in names]
    others = [name for name in parser.names if name not in names]
    if not own or len(others) > _MOST_OTHERS:
        return None if own else False
    fixed = dict.fromkeys(own, ("ALARM",))
    return all(
        parsed({**fixed, **{name: (state,) for name, state in zip(others, states, strict=True)}})
        for states in product(STATES, repeat=len(others))
    )


CLOUDWATCH, EVENTBRIDGE = "cloudwatch.amazonaws.com", "events.amazonaws.com"
EVENTBRIDGE_BY_ROLE = f"{EVENTBRIDGE} by a role"
"""EventBridge for a target with a role_arn."""
_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")


class Route(Struct, frozen=True):
    """Where alerts go: topics of the plan, and what is not known of it."""

    topics: tuple[Resource, ...]
    unknown: tuple[str, ...] = ()

    @property
    def addresses(self) -> str:
        """The topics, for a message."""
        return ", ".join(topic.address for topic in self.topics)


class DeliveryStep(Struct, frozen=True):
    """One step of a route: whether it lets an alert through; `resource` is where to fix it."""

    answer: Truth
    resource: Resource | None
    attribute: str = ""
    found: str = ""
    reason: str = ""


@dataclass
class Delivery:
    """The routes of a plan."""

    attributes: AwsAttributes
    _of_topics: dict[str, dict[str, list[Resource]]] = field(default_factory=dict)

    def of_alarm(self, alarm: Resource) -> Route:
        """Return where an alarm goes: its own actions, and those of composite alarms that fire whenever it does."""
        known = (action for source in self._sources(alarm) for action in self._actions(source, alarm))
        return self._route(chain(known, self._perhaps(alarm)))

    def _actions(self, source: Resource, alarm: Resource) -> Iterator[Value]:
        """Yield the actions of an alarm, or of a composite one that fires with it, which may not be there."""
        plan, actions = self.attributes.plan, list(_actions(source))
        if actions and not plan.is_certain(source, alarm):
            doubt = plan.doubt_of(source)
            actions = [Unknown(f"what {source.address} does: {doubt}", _of(doubt))]
        yield from actions

    def own(self, alarm: Resource) -> Route:
        """Return where the actions of an alarm itself go."""
        return self._route(_actions(alarm))

    def acting(self, alarm: Resource) -> Route:
        """Return where the actions of an alarm go while no suppressor keeps them back."""
        return self._route(_enabled_actions(alarm))

    def telling(self, alarm: Resource) -> list[Resource]:
        """Return the alarms that somebody hears of when an alarm fires: itself and composite ones, with an action."""
        return [source for source in self._sources(alarm) if next(_actions(source), None) is not None]

    def _sources(self, alarm: Resource) -> list[Resource]:
        arns = (alarm.reference("arn"), self.attributes.narrow(alarm.attribute("arn")))
        names = [render(one) for one in (self.attributes.name(alarm, "alarm_name"), *arns)]
        composites = (
            composite
            for composite, rule in self._composites
            if any(name in rule for name in names) and fires_with(rule, *names)
        )
        return [alarm, *composites]

    def of_targets(self, targets: tuple[Resource, ...]) -> Route:
        """Return where targets go."""
        return self._route(target.attribute("arn") for target in targets)

    def of_rule(self, rule: Resource, targets: tuple[Resource, ...]) -> Route:
        """Return where the targets of a rule go, so far as it certainly has them."""
        return self._route(self._target(target, rule) for target in targets)

    def _target(self, target: Resource, rule: Resource) -> Value:
        plan = self.attributes.plan
        if plan.belongs_to(target, rule):
            return target.attribute("arn")
        doubt = plan.doubt_of(target, rule)
        return Unknown(f"where {target.address} sends it: {doubt}", _of(doubt))

    def _route(self, actions: Iterator[Value]) -> Route:
        topics: dict[str, Resource] = {}
        unknown: list[str] = []
        for action in actions:
            if topic := self.topic(action):
                topics[topic.address] = topic
            elif self._may_be_topic(action):
                unknown.append(render(action))
        return Route(tuple(topics[address] for address in sorted(topics)), tuple(dict.fromkeys(unknown)))

    def topic(self, reference: Value) -> Resource | None:
        """Return the topic of the plan that an ARN, or an attribute, refers to."""
        referred = self.attributes.plan.find(reference) if isinstance(reference, Unknown) else None
        if referred:
            return referred[0] if referred[0].type == "aws_sns_topic" and referred[0].mode == "managed" else None
        return self._topics.get(render(self.attributes.narrow(reference)))

    def _may_be_topic(self, reference: Value) -> bool:
        if isinstance(reference, Unknown):
            referred = self.attributes.plan.find(reference)
            return referred is None or referred[0].mode == "data"
        return ":sns:" in render(reference)

    def _perhaps(self, alarm: Resource) -> Iterator[Value]:
        """Yield what composite alarms do of which it is not known whether they fire with an alarm."""
        names, sources = self.attributes.name(alarm, "alarm_name"), self._sources(alarm)
        for composite, _ in self._composites:
            rule = composite.stated("alarm_rule")
            strangers = [one for one in unknowns(rule) if not self._is_alarm(one)]
            perhaps = strangers or (not is_known(names) and not any(map(self._is_alarm, unknowns(rule))))
            if perhaps and composite not in sources and next(_actions(composite), None) is not None:
                found = next(unknowns([*strangers, names]))
                yield Unknown(f"what {composite.address} does: its rule or names in it are unknown", found.cause)

    def _is_alarm(self, reference: Unknown) -> bool:
        found = self.attributes.plan.find(reference)
        return found is not None and found[0].type in _ALARMS

    @cached_property
    def _composites(self) -> tuple[tuple[Resource, str], ...]:
        composites = self.attributes.plan.managed("aws_cloudwatch_composite_alarm")
        return tuple((alarm, render(self.attributes.narrow(alarm.stated("alarm_rule")))) for alarm in composites)

    def by_topic(self, type_: str, attribute: str) -> Mapping[str, list[Resource]]:
        """Return the resources of a type that belong to a topic of the plan, by its address."""
        if type_ not in self._of_topics:
            by_topic = self._of_topics[type_] = {}
            for resource in self.attributes.plan.managed(type_):
                if topic := self.topic(resource.attribute(attribute)):
                    by_topic.setdefault(topic.address, []).append(resource)
        return self._of_topics[type_]

    def perhaps_of(self, topic: Resource, type_: str, attribute: str) -> list[Resource]:
        """Return the resources of a type that belong to a topic, or of which it is not known to which they do."""
        known = self.by_topic(type_, attribute).get(topic.address, [])
        return [*known, *(one for one in self.attributes.plan.managed(type_) if self.is_open(one.attribute(attribute)))]

    def is_open(self, reference: Value) -> bool:
        """Tell whether a reference may be to a topic of the plan, and it is not known to which."""
        return isinstance(reference, Unknown | Text) and self.topic(reference) is None and self._may_be_topic(reference)

    @cached_property
    def _topics(self) -> Mapping[str, Resource]:
        topics = self.attributes.plan.managed("aws_sns_topic")
        return {render(self.attributes.narrow(topic.reference("arn"))): topic for topic in topics}

    def policy(self, topic: Resource, publisher: str) -> DeliveryStep:
        """Tell whether the policy of a topic lets a service publish."""
        if publisher == EVENTBRIDGE_BY_ROLE:
            reason = "EventBridge publishes as the role of the target, and what that may do is not judged"
            return DeliveryStep(Truth.MAYBE, topic, "", "a target with role_arn", reason)
        sources = self.by_topic("aws_sns_topic_policy", "arn").get(topic.address, [])
        open_ = [] if sources else self.perhaps_of(topic, "aws_sns_topic_policy", "arn")
        return self._as_far_as_certain(
            sources or open_, open_, topic, lambda there: self._policy(there, topic, publisher)
        )

    def _as_far_as_certain(
        self,
        sources: list[Resource],
        strangers: list[Resource],
        owner: Resource,
        ask: Callable[[list[Resource]], DeliveryStep],
    ) -> DeliveryStep:
        """Ask with all the policies of an owner, and without those that may not be its own: both have to say the same.

        These are what may not be there, and the `strangers`, of which it is not known whose policy they are.
        """
        plan, step = self.attributes.plan, ask(sources)
        certain = [source for source in sources if plan.belongs_to(source, owner) and source not in strangers]
        if len(certain) == len(sources) or ask(certain).answer is step.answer:
            return step
        absent = next(source for source in sources if source not in certain)
        doubt = plan.doubt_of(absent, owner) or "its argument has no known value"
        reason = f"whether it is the policy of {owner.address} is unknown: {doubt}"
        return DeliveryStep(Truth.MAYBE, absent, "policy", absent.address, reason)

    def _policy(self, sources: list[Resource], topic: Resource, publisher: str) -> DeliveryStep:
        given = [source for source in sources or [topic] if _is_given(source, "policy")]
        if not given and publisher == CLOUDWATCH:
            return DeliveryStep(Truth.YES, topic)
        if not given:
            reason = "the default policy of an SNS topic allows only its own account"
            return DeliveryStep(Truth.NO, topic, "policy", "no aws_sns_topic_policy", reason)
        answer = self._grants(given, publisher, "sns:Publish", topic, self._context(publisher))
        holder = given[0]
        reason = f"no statement of it certainly allows {publisher} to publish"
        return DeliveryStep(answer, holder, "policy", holder.address, reason)

    def key(self, topic: Resource, publisher: str) -> DeliveryStep:
        """Tell whether a service may use the key that a topic is encrypted with."""
        configured = topic.stated("kms_master_key_id")
        if not configured or publisher == EVENTBRIDGE_BY_ROLE:
            return DeliveryStep(Truth.YES, topic)
        shown = render(self.attributes.narrow(configured))
        if shown.endswith("alias/aws/sns"):
            reason = f"the policy of the AWS managed key does not let {publisher} use it"
            return DeliveryStep(Truth.NO, topic, "kms_master_key_id", shown, reason)
        key = self.key_of(configured)
        if key is None:
            return DeliveryStep(Truth.MAYBE, topic, "kms_master_key_id", shown, "the key is not in the plan")
        if key.stated("is_enabled") is False:
            reason = "a key that is disabled, or is being deleted, encrypts nothing"
            return DeliveryStep(Truth.NO, key, "is_enabled", f"{key.address} is not enabled", reason)
        if isinstance(key.stated("is_enabled"), Unknown):
            return DeliveryStep(Truth.MAYBE, key, "is_enabled", key.address, "whether the key is enabled is unknown")
        policies = self.attributes.plan.managed("aws_kms_key_policy")
        sources = [policy for policy in policies if self.key_of(policy.stated("key_id")) is key]
        open_ = [] if sources else [policy for policy in policies if self._is_open_key(policy.stated("key_id"))]
        return self._as_far_as_certain(
            sources or open_, open_, key, lambda there: self._policy_of_key(there, key, publisher)
        )

    def _policy_of_key(self, sources: list[Resource], key: Resource, publisher: str) -> DeliveryStep:
        holder = sources[0] if sources else key
        if not _is_given(holder, "policy"):
            reason = f"it leaves access to IAM policies, and {publisher} has none"
            return DeliveryStep(Truth.NO, key, "policy", "the default key policy", reason)
        context = self._context(publisher, for_key=True)
        answer = all_of(*(self._grants([holder], publisher, action, key, context) for action in _KEY_ACTIONS))
        reason = f"no statement of it certainly allows {publisher} to perform kms:Decrypt and kms:GenerateDataKey*"
        return DeliveryStep(answer, holder, "policy", holder.address, reason)

    def _grants(
        self, sources: list[Resource], service: str, action: str, resource: Resource, context: Context
    ) -> Truth:
        policies = [(source, "policy") for source in sources]
        arn = resource.reference("arn")
        return grants(self.attributes, policies, service=service, action=action, resource=arn, context=context)

    def _context(self, publisher: str, *, for_key: bool = False) -> Context:
        """Return what is known of a request of a service. EventBridge tells KMS nothing of its source."""
        account = self.attributes.plan.account
        if publisher == CLOUDWATCH:
            return Context.of({"aws:SourceAccount": account, "aws:SourceOwner": account, "aws:SecureTransport": True})
        source = ("aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID") if for_key else ()
        return Context.of({"aws:SecureTransport": True}, absent=(*source, "aws:SourceOwner"))

    def key_of(self, reference: Value) -> Resource | None:
        """Return the key of the plan that an id, an ARN or an alias names."""
        plan = self.attributes.plan
        referred = plan.find(reference) if isinstance(reference, Unknown) else None
        if referred and referred[0].type == "aws_kms_key" and referred[0].mode == "managed":
            return referred[0]
        if referred and referred[0].type == "aws_kms_alias":
            return self.key_of(referred[0].attribute("target_key_id"))
        if isinstance(reference, str) and "alias/" in reference:
            name = reference[reference.index("alias/") :]
            alias = next((a for a in plan.managed("aws_kms_alias") if self.attributes.name(a) == name), None)
            return self.key_of(alias.attribute("target_key_id")) if alias else None
        keys = plan.managed("aws_kms_key") if isinstance(reference, str) else ()
        return next(
            (key for key in keys if reference in {key.stated("arn"), key.stated("key_id"), key.stated("id")}), None
        )

    def _is_open_key(self, reference: Value) -> bool:
        is_open = isinstance(reference, Unknown | Text) and self.key_of(reference) is None
        return is_open and not (isinstance(reference, Unknown) and self.attributes.plan.find(reference))


def publisher_of(targets: Iterable[Resource]) -> str:
    """Return who publishes what EventBridge sends to targets: itself, or a role that one of them names."""
    return EVENTBRIDGE_BY_ROLE if any(target.stated("role_arn") for target in targets) else EVENTBRIDGE


def _of(doubt: Uncertain | None) -> Cause:
    return computed_from(doubt and doubt.value)


def _is_given(resource: Resource, attribute: str) -> bool:
    value = resource.stated(attribute)
    return bool(value) and value != resource.reference(attribute)


def _actions(source: Resource) -> Iterator[Value]:
    if source.stated("actions_suppressor") and source.stated("actions_enabled") is not False:
        yield Unknown(f"what {source.address} does while its suppressor is in ALARM", AtRunTime("the suppressor"))
        return
    yield from _enabled_actions(source)


def _enabled_actions(source: Resource) -> Iterator[Value]:
    if source.stated("actions_enabled") is False:
        return
    actions = source.stated("alarm_actions")
    if isinstance(actions, Unknown):
        yield actions
    yield from actions if isinstance(actions, list | tuple) else ()


_CHATBOTS = ("aws_chatbot_slack_channel_configuration", "aws_chatbot_teams_channel_configuration")


def channels_of(delivery: Delivery, topics: Sequence[Resource], channels: Mapping[str, Channel]) -> dict[str, Truth]:
    """Return, by channel, whether one of the topics has a subscription of it."""
    answers = dict.fromkeys(channels, Truth.NO)
    for topic in topics:
        for protocol, endpoint, certainty in _subscriptions(delivery, topic):
            for name, channel in channels.items():
                answer = min(certainty, _is_of(channel, protocol, endpoint, Specimens(delivery.attributes)))
                answers[name] = max(answers[name], answer)
    return answers


def _subscriptions(delivery: Delivery, topic: Resource) -> Iterator[tuple[Value, Value, Truth]]:
    """Yield protocol and endpoint of each subscription, and whether it is one of the topic that lets alerts through."""
    plan = delivery.attributes.plan
    for subscription in delivery.perhaps_of(topic, "aws_sns_topic_subscription", "topic_arn"):
        if subscription.stated("pending_confirmation") is True:  # SNS sends nothing before it is confirmed
            continue
        is_its_own = delivery.topic(subscription.attribute("topic_arn")) is topic
        certain = is_its_own and plan.belongs_to(subscription, topic) and drops_alerts(subscription) is Truth.NO
        if drops_alerts(subscription) is not Truth.YES:
            certainty = Truth.YES if certain else Truth.MAYBE
            endpoint = subscription.stated("endpoint")
            revealed = endpoint.reveal() if isinstance(endpoint, Sensitive) else endpoint  # compared, and never shown
            told = endpoint if revealed is None else revealed  # a plan withholds what is sensitive
            yield subscription.attribute("protocol"), told, certainty
    for chatbot in plan.managed(*_CHATBOTS):
        arns = chatbot.stated("sns_topic_arns")
        for arn in arns if isinstance(arns, list | tuple) else (arns,):
            if delivery.topic(arn) is topic:
                yield "chatbot", "", Truth.YES if plan.belongs_to(chatbot, topic) else Truth.MAYBE
            elif delivery.is_open(arn):
                yield "chatbot", "", Truth.MAYBE


def drops_alerts(subscription: Resource) -> Truth:
    """Tell whether the filter policy of a subscription keeps every alert out, as alerts have no message attributes.

    Source: Amazon SNS Developer Guide, "Amazon SNS message filtering" and "Subscription filter policy scope".
    """
    policy, scope = subscription.stated("filter_policy"), subscription.stated("filter_policy_scope")
    if not policy or policy == "{}":
        return Truth.NO
    try:
        tree = decode_json(policy)
    except (ValueError, TypeError, AttributeError):
        return Truth.MAYBE
    if scope not in {None, "", "MessageAttributes"} or not isinstance(tree, Mapping):
        return Truth.MAYBE
    asked = [wanted for name, wanted in tree.items() if not name.startswith("$") and wanted != [{"exists": False}]]
    return Truth.YES if any(isinstance(wanted, list) for wanted in asked) else Truth.MAYBE


def _is_of(channel: Channel, protocol: Value, endpoint: Value, specimens: Specimens) -> Truth:
    if not isinstance(protocol, str):
        return Truth.MAYBE
    if protocol not in channel.protocols:
        return Truth.NO
    if protocol == "chatbot":
        return Truth.YES
    if not endpoint:
        return Truth.NO
    if channel.endpoint is None or begins(channel.endpoint, specimens.text(endpoint)):
        return Truth.YES
    return Truth.NO if specimens.certain else Truth.MAYBE
