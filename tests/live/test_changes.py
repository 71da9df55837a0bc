from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from infraspec.live.diagnosing import changes_of
from tests.live.answers import Answers
from tests.live.fleet import NOW, SECRET

SINCE = NOW - timedelta(hours=2)


def event(name: str, parameters: Mapping[str, Any], **record: Any) -> dict[str, Any]:
    """Return an event as CloudTrail has it."""
    text = json.dumps(
        {"userIdentity": {"arn": "arn:aws:iam::111122223333:user/kim"}, **record} | {"requestParameters": parameters}
    )
    return {"EventTime": NOW, "EventName": name, "CloudTrailEvent": text}


def asked(*events: dict[str, Any], region: str = "eu-west-1", partition: str = "aws") -> Answers:
    """Return answers that have these events."""

    def answer(LookupAttributes: list[Mapping[str, str]], **_: Any) -> Mapping[str, Any]:  # noqa: N803 - AWS's name
        wanted = LookupAttributes[0]["AttributeValue"]
        return {"Events": [one for one in events if one["EventName"] == wanted]}

    return Answers({("cloudtrail", "lookup_events"): answer}, region=region, partition=partition)


@pytest.mark.parametrize(
    ("parameters", "name", "is_about"),
    [
        ({"service": "web"}, "web", True),
        ({"service": "arn:aws:ecs:eu-west-1:111122223333:service/shop/web"}, "web", True),
        ({"service": "web-admin"}, "web", False),
        ({"service": "my-web"}, "web", False),
        ({"secretId": SECRET}, "db", True),
        ({"secretId": "db"}, "db", True),
        ({"secretId": "db2"}, "db", False),
    ],
)
def test_what_a_change_is_about(parameters: Mapping[str, Any], name: str, is_about: object) -> None:
    """A name counts where it stands whole, or with the suffix of a secret's ARN."""
    found = changes_of(asked(event("UpdateService", parameters)), [name], SINCE).found

    assert [change.what for change in found] == ([(name,)] if is_about else [])


def test_events_of_iam_are_in_one_region() -> None:
    """IAM is global; its events are in the region of the partition that it lives in."""
    calls = asked(region="eu-west-1")
    changes_of(calls, ["execution"], SINCE)
    regions = {
        parameters["LookupAttributes"][0]["AttributeValue"]: parameters.get("region")
        for _, _, parameters in calls.asked
    }

    assert regions["UpdateService"] is None
    assert regions["PutRolePolicy"] == "us-east-1"
    home = asked(region="us-east-1")
    changes_of(home, ["execution"], SINCE)
    assert not any("region" in parameters for _, _, parameters in home.asked)


def test_events_of_another_region_are_there() -> None:
    """Those of a service are in its region, wherever the run asks."""
    calls = asked(region="eu-west-1")
    changes_of(calls, ["web"], SINCE, "ap-northeast-1")
    regions = {
        parameters["LookupAttributes"][0]["AttributeValue"]: parameters.get("region")
        for _, _, parameters in calls.asked
    }

    assert (regions["UpdateService"], regions["PutRolePolicy"]) == ("ap-northeast-1", "us-east-1")


def test_a_change_that_failed_and_one_of_a_service() -> None:
    """The error is kept; who is the name that CloudTrail has if there is no ARN."""
    failed = event("PutRolePolicy", {"roleName": "execution"}, errorCode="AccessDenied")
    nameless = {**event("DeleteSecret", {"secretId": "db"}), "Username": "robot"}
    nameless["CloudTrailEvent"] = json.dumps({"requestParameters": {"secretId": "db"}})

    found = changes_of(asked(failed, nameless), ["execution", "db"], SINCE).found

    assert {(change.operation, change.who, change.error) for change in found} == {
        ("PutRolePolicy", "arn:aws:iam::111122223333:user/kim", "AccessDenied"),
        ("DeleteSecret", "robot", ""),
    }
