"""A subscription that waits to be confirmed has no ARN to be told by."""

from __future__ import annotations

from infraspec.live.plan import live_plan
from tests.live.answers import Answers
from tests.live.deployed import CONTRACT, reference

TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:daily-report-tool-prod-critical"
KEY = "canary-of-a-key"


def test_the_key_of_a_pager_is_in_no_address_and_no_name() -> None:
    """The endpoint of its subscription holds it, and is masked in the live plan."""
    endpoint = f"https://events.pagerduty.com/x/{KEY}"
    pending = {"SubscriptionArn": "PendingConfirmation", "Protocol": "https", "Endpoint": endpoint}
    calls = Answers(
        {
            ("sns", "list_topics"): {"Topics": [{"TopicArn": TOPIC}]},
            ("sns", "get_topic_attributes"): {"Attributes": {}},
            ("sns", "list_subscriptions_by_topic"): {"Subscriptions": [pending]},
            ("resourcegroupstaggingapi", "get_resources"): {},
        },
        "123456789012",
        region="ap-northeast-1",
    )
    without = reference().replaced(
        resources=tuple(one for one in reference().resources if one.type != "aws_sns_topic_subscription")
    )
    (one,) = live_plan(calls, without, CONTRACT, "prod").managed("aws_sns_topic_subscription")
    assert one.address.startswith(f"{TOPIC} https ")
    assert KEY not in one.address + one.name
    assert KEY not in f"{one} {one!r} {one.values} {one.values['endpoint']}"
