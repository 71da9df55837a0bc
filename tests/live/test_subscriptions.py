"""The subscriptions of topics, from a table of answers."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.live.facts.alarms import live_subscriptions
from tests.live.answers import Answers

TOPIC = "arn:aws:sns:eu-west-1:111122223333:critical"


def confirmed(arn: str, **attributes: str) -> tuple[bool, bool]:
    """Return whether one subscription is confirmed, and whether it is filtered."""
    listed = {"SubscriptionArn": arn, "Protocol": "email", "Endpoint": "a@b.example"}
    calls = Answers(
        {
            ("sns", "list_subscriptions_by_topic"): {"Subscriptions": [listed]},
            ("sns", "get_subscription_attributes"): {"Attributes": attributes},
        }
    )
    ((one,),) = live_subscriptions(calls, [TOPIC]).values()
    return one.confirmed, one.filtered


@pytest.mark.parametrize(
    ("arn", "attributes", "expected"),
    [
        (f"{TOPIC}:1", {}, (True, False)),
        (f"{TOPIC}:1", {"PendingConfirmation": "false"}, (True, False)),
        (f"{TOPIC}:1", {"PendingConfirmation": "true"}, (False, False)),
        (f"{TOPIC}:1", {"FilterPolicy": '{"level":["critical"]}'}, (True, True)),
        (f"{TOPIC}:1", {"FilterPolicy": "{}"}, (True, False)),
        ("PendingConfirmation", {}, (False, False)),
        ("Deleted", {}, (False, False)),
    ],
)
def test_only_what_somebody_confirmed_is_confirmed(
    arn: str, attributes: dict[str, str], expected: tuple[bool, bool]
) -> None:
    """What stands in the place of the ARN tells, and the attributes tell again."""
    assert expected == confirmed(arn, **attributes)


def test_a_topic_or_a_subscription_that_is_gone_has_none() -> None:
    """Between the two questions somebody may have deleted it."""
    listed: dict[str, Any] = {"SubscriptionArn": f"{TOPIC}:1", "Protocol": "email", "Endpoint": "a@b.example"}
    table: dict[tuple[str, str], Any] = {
        ("sns", "list_subscriptions_by_topic"): {"Subscriptions": [listed]},
        ("sns", "get_subscription_attributes"): None,
    }
    ((one,),) = live_subscriptions(Answers(table), [TOPIC]).values()
    assert not one.confirmed
    assert {TOPIC: ()} == live_subscriptions(Answers({("sns", "list_subscriptions_by_topic"): None}), [TOPIC])


def test_a_topic_of_another_region_is_asked_for_there() -> None:
    """A contract may name one for its test messages."""
    listed = {"SubscriptionArn": f"{TOPIC}:1", "Protocol": "email", "Endpoint": "a@b.example"}
    calls = Answers(
        {
            ("sns", "list_subscriptions_by_topic"): {"Subscriptions": [listed]},
            ("sns", "get_subscription_attributes"): {"Attributes": {}},
        }
    )
    live_subscriptions(calls, [TOPIC.replace("eu-west-1", "us-east-1")])
    assert ["us-east-1", "us-east-1"] == [parameters["region"] for _, _, parameters in calls.asked]
