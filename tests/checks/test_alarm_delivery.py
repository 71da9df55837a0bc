"""Topics, policies, keys, rules and subscriptions as AWS has them beside the reference infrastructure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.alarms.alarm_delivery import alert_topics, check_alarm_delivery, check_canary
from infraspec.contract.live import Canary
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Sensitive, Text, Unknown, Value
from infraspec.monitoring.live_readings import CHATBOT, CanaryFacts, LiveSubscription
from infraspec.terraform.plan import Plan
from tests.live.deployed import CONTRACT, changed, deployed, moved, reference, without

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
TOPIC = 'module.monitoring.aws_sns_topic.level["critical"]'
WARNING = 'module.monitoring.aws_sns_topic.level["warning"]'
POLICY = 'module.monitoring.aws_sns_topic_policy.level["critical"]'
SUBSCRIPTION = "module.monitoring.aws_sns_topic_subscription.pager"
KEY = "module.monitoring.aws_kms_key.notifications"
RULE = 'module.monitoring.aws_cloudwatch_event_rule.this["secret-deletion"]'
TARGET = 'module.monitoring.aws_cloudwatch_event_target.topic["secret-deletion"]'
PAGER = "https://events.pagerduty.com/integration/canary-of-a-key/enqueue"
ARN = "arn:aws:sns:ap-northeast-1:123456789012:daily-report-tool-prod-"
BY_NOBODY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sns:Publish","Resource":"*"}]}'  # noqa: E501
CHAT = LiveSubscription("https", CHATBOT, confirmed=True)
EMAIL = LiveSubscription("email", "platform-team@example.com", confirmed=True)
PAGE = LiveSubscription("https", PAGER, confirmed=True)
UNCONFIRMED = LiveSubscription("email", "a@b.example", confirmed=False)
FILTERED = LiveSubscription("email", "a@b.example", confirmed=True, filtered=True)
OTHER = LiveSubscription("https", "https://other.example/", confirmed=True)
WITHOUT_ALARMS = CONTRACT.model_copy(update={"alarms": None})


def subscribed(**changes: Sequence[LiveSubscription]) -> Mapping[str, Sequence[LiveSubscription]]:
    """Return the subscriptions of the three topics."""
    levels = {"critical": (CHAT, EMAIL, PAGE), "warning": (CHAT, EMAIL), "info": (CHAT,), **changes}
    return {f"{ARN}{level}": found for level, found in levels.items()}


def bad(
    live: Plan, subscriptions: Mapping[str, Sequence[LiveSubscription]] | None = None, contract: Contract = CONTRACT
) -> list[Finding]:
    """Return the findings that are not proven."""
    given = subscribed() if subscriptions is None else subscriptions
    found = check_alarm_delivery(reference(), live, given, contract, "prod")
    return [finding for finding in found if finding.verdict is not PROVEN]


def test_the_reference_infrastructure_is_proven() -> None:
    """Three topics, two publishers each, or one; and the rules that send to them."""
    findings = check_alarm_delivery(reference(), deployed(), subscribed(), CONTRACT, "prod")
    assert {PROVEN} == {finding.verdict for finding in findings}
    assert 3 == sum(finding.subject == "subscriptions" for finding in findings)
    assert 4 == sum(finding.subject == "rule" for finding in findings)
    assert [f"{ARN}{level}" for level in ("critical", "info", "warning")] == alert_topics(reference(), deployed())


@pytest.mark.parametrize(
    ("source", "live", "verdict"),
    [
        (None, None, PROVEN),
        (None, "https://events.pagerduty.com/integration/other/enqueue", VIOLATED),
        (Sensitive("var.key", "https://pager.example/key"), "https://pager.example/key", PROVEN),
        (Sensitive("var.key", "https://pager.example/key"), "https://pager.example/other", VIOLATED),
        (Text(("https://pager.example/", Sensitive("var.key", "key"))), "https://pager.example/key", PROVEN),
        (Text(("https://pager.example/", Sensitive("var.key", "key"))), "https://pager.example/other", VIOLATED),
        (Text(("https://pager.example/", Unknown("data.x.y.key"))), "https://pager.example/key", UNDETERMINED),
        (Text(("https://pager.example/", Unknown("data.x.y.key"))), "https://others.example/key", VIOLATED),
    ],
)
def test_an_endpoint_is_the_one_that_the_source_names(source: Value, live: str | None, verdict: Verdict) -> None:
    """Part of it may be the key of a pager: it is compared, and no message has it."""
    own = reference().by_address[SUBSCRIPTION]
    given = own.values if source is None else {**own.values, "endpoint": source}
    changed_source = replace(own, values=given)
    plan = reference().replaced(resources=tuple(changed_source if one is own else one for one in reference().resources))
    account = deployed() if live is None else changed(SUBSCRIPTION, endpoint=Sensitive("the endpoint", live))
    findings = check_alarm_delivery(plan, account, subscribed(), CONTRACT, "prod")
    (finding,) = [one for one in findings if one.address == SUBSCRIPTION]
    assert verdict is finding.verdict
    assert "pager.example" not in repr(finding)
    assert verdict is not UNDETERMINED or "TF_VAR_" in finding.remedy


def test_an_endpoint_that_only_the_pipeline_knows_is_undetermined() -> None:
    """In an account nobody here knows what a variable was given."""
    account = Plan(**{one.name: getattr(deployed(), one.name) for one in fields(Plan) if one.init})
    findings = check_alarm_delivery(reference(), account, subscribed(), CONTRACT, "prod")
    assert [UNDETERMINED] == [one.verdict for one in findings if one.address == SUBSCRIPTION]


def test_a_topic_that_is_not_there_is_found() -> None:
    """With the alarms that reach nobody, and nothing more of it."""
    (finding,) = bad(without(TOPIC))
    assert (VIOLATED, TOPIC) == (finding.verdict, finding.address)
    assert "reach nobody" in finding.reason


@pytest.mark.parametrize(
    ("address", "values", "subjects"),
    [
        (POLICY, {"policy": BY_NOBODY}, ["cloudwatch.amazonaws.com", "events.amazonaws.com"]),
        (POLICY, {"policy": None}, ["events.amazonaws.com"]),
        (TOPIC, {"kms_master_key_id": "alias/aws/sns"}, ["cloudwatch.amazonaws.com", "events.amazonaws.com"]),
    ],
)
def test_a_policy_or_key_that_keeps_a_publisher_out_is_found(
    address: str, values: dict[str, str | None], subjects: list[str]
) -> None:
    """One finding for each publisher."""
    findings = bad(changed(address, **values))
    assert {(VIOLATED, TOPIC)} == {(finding.verdict, finding.address) for finding in findings}
    assert subjects == sorted(finding.subject for finding in findings)


def test_what_a_role_publishes_does_not_depend_on_the_policy_of_the_topic() -> None:
    """EventBridge sends to a target with a role_arn as that role: neither policy nor key decides it."""
    target = reference().by_address[TARGET]
    by_role = replace(target, values={**target.values, "role_arn": "arn:aws:iam::123456789012:role/events"})
    plan = reference().replaced(
        resources=tuple(by_role if one is target else one for one in reference().resources),
    )
    found = check_alarm_delivery(plan, deployed(), subscribed(), CONTRACT, "prod")
    (finding,) = [one for one in found if one.verdict is not PROVEN]
    assert (UNDETERMINED, "events.amazonaws.com by a role") == (finding.verdict, finding.subject)
    assert "take role_arn out" in finding.remedy


def test_a_key_policy_that_keeps_publishers_out_is_found_for_each_topic() -> None:
    """The three topics share the key."""
    findings = bad(changed(KEY, policy=BY_NOBODY))
    assert {VIOLATED} == {finding.verdict for finding in findings}
    assert 3 == len({finding.address for finding in findings})


def test_a_key_that_is_not_known_is_undetermined() -> None:
    """Nothing is said of the policy of a key that was not found."""
    assert {UNDETERMINED} == {finding.verdict for finding in bad(changed(TOPIC, kms_master_key_id="other"))}


@pytest.mark.parametrize(
    ("subscriptions", "verdict", "found"),
    [
        ((), VIOLATED, "no subscription"),
        ((CHAT, PAGE), VIOLATED, "https: confirmed"),
        ((CHAT, PAGE, UNCONFIRMED), VIOLATED, "https: confirmed\nemail: not confirmed"),
        ((CHAT, EMAIL, OTHER), VIOLATED, None),
        ((CHAT, PAGE, FILTERED), UNDETERMINED, "https: confirmed\nemail: confirmed, with a filter policy"),
        ((CHAT, PAGE, EMAIL, UNCONFIRMED), None, None),
    ],
)  # fmt: skip
def test_each_channel_of_a_level_needs_a_confirmed_subscription(
    subscriptions: Sequence[LiveSubscription], verdict: Verdict | None, found: str | None
) -> None:
    """One that nobody confirmed counts as none; an endpoint is never shown."""
    findings = bad(deployed(), subscribed(critical=subscriptions))
    assert [verdict] * (verdict is not None) == [finding.verdict for finding in findings]
    for finding in findings:
        assert (TOPIC, "subscriptions") == (finding.address, finding.subject)
        assert found is None or found == finding.found
        assert "canary-of-a-key" not in str(finding)
        assert "canary-of-a-key" not in repr(subscriptions)


def test_without_a_catalogue_one_confirmed_subscription_is_enough() -> None:
    """Topics of a contract that says nothing of levels still have to reach somebody."""
    assert [] == bad(deployed(), subscribed(critical=(EMAIL,)), WITHOUT_ALARMS)
    (finding,) = bad(deployed(), subscribed(critical=()), WITHOUT_ALARMS)
    assert "a confirmed subscription" == finding.expected


@pytest.mark.parametrize(
    ("live", "found"),
    [
        (without(RULE), "AWS has no such rule"),
        (without(TARGET), "the rule has no such target"),
        (changed(RULE, state="DISABLED"), "the rule is DISABLED"),
        (changed(TARGET, arn=f"{ARN}info"), f"it sends to {ARN}info"),
    ],
)
def test_a_rule_that_does_not_send_is_found(live: Plan, found: str) -> None:
    """It is on, has its target, and the target is the topic."""
    (finding,) = bad(live)
    assert (VIOLATED, RULE, found) == (finding.verdict, finding.address, finding.found)


@pytest.mark.parametrize("address", [TOPIC, RULE])
@pytest.mark.parametrize("is_there", [False, True])
def test_what_is_in_another_region_is_left_out(address: str, *, is_there: bool) -> None:
    """A topic, or a rule, is neither missing nor the one of its name; that it was left out is said."""
    live = deployed() if is_there else without(address)
    found = check_alarm_delivery(moved(address, region="us-east-1"), live, subscribed(), CONTRACT, "prod")
    assert address not in {one.address for one in found}
    (advice,) = [one for one in found if one.advice]
    assert advice.found.endswith(" in us-east-1 (1)")


@pytest.mark.parametrize("address", [TOPIC, RULE])
@pytest.mark.parametrize("is_there", [False, True])
def test_what_may_be_in_another_account_is_undetermined(address: str, *, is_there: bool) -> None:
    """Nothing else is said of it."""
    live = deployed() if is_there else without(address)
    source = moved(address, account=Unknown("var.account"))
    found = check_alarm_delivery(source, live, subscribed(), CONTRACT, "prod")
    assert [(UNDETERMINED, "")] == [(one.verdict, one.subject) for one in found if one.address == address]


def test_an_alarm_of_another_account_is_no_publisher_here() -> None:
    """Whether the policy lets that account in is not what the topic of this one is asked."""
    alarms = reference().managed("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
    source = moved(*(one.address for one in alarms), account="222233334444")
    found = check_alarm_delivery(source, deployed(), subscribed(), CONTRACT, "prod")
    assert "cloudwatch.amazonaws.com" not in {one.subject for one in found}
    assert "events.amazonaws.com" in {one.subject for one in found}


SUBSCRIBED = LiveSubscription("sqs", "", confirmed=True)
CANARY_QUEUE = "arn:aws:sqs:ap-northeast-1:123456789012:canary"
CANARY_TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:critical"


def policy(**changes: Any) -> str:
    """Return the policy of a queue with one statement."""
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": CANARY_QUEUE, **changes}]})


def only(arn: str) -> dict[str, Any]:
    """Return the condition on the topic."""
    return {"ArnEquals": {"aws:SourceArn": arn}}


@pytest.mark.parametrize(
    ("facts", "verdict", "reason"),
    [
        ({"policy": policy(), "seconds": 0.26}, PROVEN, "after 0.3 s"),
        ({"policy": policy()}, UNDETERMINED, "nothing in the chain"),
        ({"policy": policy(Condition=only(CANARY_TOPIC))}, UNDETERMINED, "nothing in the chain"),
        ({"policy": policy(Condition=only(f"{CANARY_TOPIC}-other"))}, VIOLATED, "the queue's policy"),
        ({"policy": policy(Action="sqs:ReceiveMessage")}, VIOLATED, "the queue's policy"),
        ({"policy": policy(Effect="Deny")}, VIOLATED, "the queue's policy"),
        ({"policy": ""}, VIOLATED, "the queue's policy"),
        ({"policy": policy(), "key": "alias/aws/sqs"}, VIOLATED, "encrypted with alias/aws/sqs"),
        ({"policy": policy(), "key": "alias/own"}, UNDETERMINED, "policy of the queue's key"),
        (
            {"subscription": LiveSubscription("sqs", "", confirmed=False), "published": False},
            VIOLATED,
            "not confirmed",
        ),
        ({"subscription": None, "published": False}, VIOLATED, "the queue is not subscribed"),
        ({"is_topic": False, "published": False}, VIOLATED, "the topic does not exist"),
        ({"is_queue": False, "published": False}, VIOLATED, "the queue does not exist"),
        ({"subscription": LiveSubscription("sqs", "", confirmed=True, filtered=True)}, VIOLATED, "the filter policy"),
    ],
)
def test_the_link_that_is_suspected(facts: dict[str, Any], verdict: Verdict, reason: str) -> None:
    """By what AWS has on the way; without one that is broken nothing is certain."""
    known = {"subscription": SUBSCRIBED, "published": True, **facts}
    canary = Canary(topics=[CANARY_TOPIC], queue=CANARY_QUEUE, seconds=200)
    finding = check_canary(canary, CanaryFacts(CANARY_TOPIC, CANARY_QUEUE, **known))
    assert (verdict, CANARY_TOPIC, "canary") == (finding.verdict, finding.address, finding.subject)
    assert reason in finding.reason
