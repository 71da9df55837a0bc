"""Rule `alarm-delivery`, by a message: what is published to a topic arrives, or the link that is suspected.

Sources: Amazon SNS Developer Guide, "Fanout to Amazon SQS queues", "Message filtering" and "Amazon SNS subscription
prerequisites: permissions"; Amazon SQS Developer Guide, "Configure KMS permissions for AWS services".
"""

from __future__ import annotations

import json

from msgspec import Struct

from infraspec.arn import Arn
from infraspec.contract.live import Canary
from infraspec.core.rules import ALARM_DELIVERY as RULE
from infraspec.finding import Finding, Related, Verdict
from infraspec.iam.answer import Answer
from infraspec.iam.context import Context
from infraspec.iam.decision import decide
from infraspec.iam.document import PolicyDocument
from infraspec.iam.pattern import Subject
from infraspec.iam.policy import IdentityPolicy
from infraspec.iam.principal import Principal
from infraspec.monitoring.canary import CanaryFacts

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
    if _lets_in(facts) is Answer.NO:
        return _Link(f"the policy of the queue: no statement of it lets {_SNS} do sqs:SendMessage", _statement(facts))
    if facts.key == _AWS_KEY:
        return _Link(
            f"the key of the queue: {_SNS} cannot use {_AWS_KEY}, whose policy nobody can change",
            "set sqs_managed_sse_enabled = true in place of kms_master_key_id, or take a key of your own that lets "
            f"{_SNS} do kms:Decrypt and kms:GenerateDataKey",
        )
    return None


def _lets_in(facts: CanaryFacts) -> Answer:
    if not facts.policy:
        return Answer.NO
    document = PolicyDocument.from_value(facts.policy, place=facts.queue, with_principals=True)
    context = {
        "aws:SourceArn": facts.topic,
        "aws:SourceAccount": Arn.parse(facts.topic).account,
        "aws:SecureTransport": True,
    }
    return decide(
        (),
        "sqs:SendMessage",
        Subject.of(facts.queue),
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
