"""The alarms of AWS, from a table of answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from infraspec.live.facts.alarms import alarm_states
from infraspec.monitoring.live_readings import Watched
from tests.live.answers import Answers

START = Answers({}).taken - timedelta(hours=3)
CPU = {
    "AlarmName": "cpu",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:cpu",
    "StateValue": "OK",
    "StateReason": "Threshold Crossed",
    "StateUpdatedTimestamp": Answers({}).taken,
    "StateTransitionedTimestamp": START,
    "Namespace": "AWS/ECS",
    "Dimensions": [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}],
}
DOWN = {"AlarmName": "down", "AlarmArn": "arn:aws:cloudwatch:::alarm:down", "StateValue": "ALARM"}
CLUSTER = {"clusters": [{"clusterName": "shop", "status": "ACTIVE"}]}


def update(name: str, state: str, data: str | None = None) -> dict[str, Any]:
    """Return a transition as the history has it."""
    text = json.dumps({"newState": {"stateValue": state}}) if data is None else data
    return {"AlarmName": name, "HistoryData": text, "HistorySummary": f"Alarm updated from OK to {state}"}


def answers(**table: Any) -> Answers:
    """Return AWS with one metric alarm and a composite one; `table` by operation."""
    operations: dict[tuple[str, str], Any] = {
        ("cloudwatch", "describe_alarms"): {"MetricAlarms": [CPU], "CompositeAlarms": [DOWN]},
        ("cloudwatch", "describe_alarm_history"): {},
        ("ecs", "describe_clusters"): CLUSTER,
        ("ecs", "describe_services"): {"services": [{"serviceName": "web", "status": "ACTIVE"}]},
    }
    return Answers({key: table.get(key[1], answer) for key, answer in operations.items()})


def test_metric_and_composite_alarms_are_asked_for() -> None:
    """Without AlarmTypes, AWS tells only of metric alarms."""
    calls = answers()
    states = alarm_states(calls, ["down", "cpu"], 24)

    assert {"cpu", "down"} == set(states.by_name)
    assert START == states.by_name["cpu"].since
    assert states.by_name["down"].since is None
    for service, _, parameters in calls.asked:
        if service == "cloudwatch":
            assert ["MetricAlarm", "CompositeAlarm"] == parameters["AlarmTypes"]


def test_names_are_asked_for_by_the_hundred() -> None:
    """A hundred and one are two calls, and two more for composite alarms, which a snapshot answers from the first."""
    calls = answers()
    alarm_states(calls, [f"alarm-{number:03d}" for number in range(101)], 24)
    sizes = [
        len(parameters["AlarmNames"]) for _, operation, parameters in calls.asked if operation == "describe_alarms"
    ]
    assert [100, 1, 100, 1] == sizes


@pytest.mark.parametrize(
    ("answer", "operation", "cluster", "service"),
    [
        ({}, "none", True, True),
        ({"services": [{"serviceName": "web", "status": "INACTIVE"}]}, "describe_services", True, False),
        (None, "describe_services", True, False),
        ({"clusters": []}, "describe_clusters", False, True),
    ],
)
def test_what_the_dimensions_name_is_looked_up(
    answer: Mapping[str, Any], operation: str, *, cluster: bool, service: bool
) -> None:
    """A service that is INACTIVE is gone."""
    states = alarm_states(answers(**{operation: answer}), ["cpu"], 24)
    expected = (Watched("ClusterName shop", exists=cluster), Watched("ServiceName web", exists=service))
    assert expected == states.by_name["cpu"].watched


def test_targets_and_databases_are_looked_up() -> None:
    """By the end of the ARN, and by the identifier; other namespaces are left alone."""
    queries = [
        {"MetricStat": {"Metric": {"Namespace": namespace, "Dimensions": [{"Name": name, "Value": value}]}}}
        for namespace, name, value in [
            ("AWS/ApplicationELB", "LoadBalancer", "app/shop/1"),
            ("AWS/ApplicationELB", "TargetGroup", "targetgroup/shop/2"),
            ("AWS/RDS", "DBInstanceIdentifier", "shop"),
            ("shop", "DBInstanceIdentifier", "anything"),
        ]
    ]
    alarm = {"AlarmName": "cpu", "AlarmArn": "arn", "Metrics": [{"Expression": "a / b"}, *queries]}
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:"
    calls = Answers(
        {
            ("cloudwatch", "describe_alarms"): {"MetricAlarms": [alarm]},
            ("cloudwatch", "describe_alarm_history"): {},
            ("elbv2", "describe_load_balancers"): {
                "LoadBalancers": [{"LoadBalancerArn": f"{arn}loadbalancer/app/shop/1"}]
            },
            ("elbv2", "describe_target_groups"): {"TargetGroups": [{"TargetGroupArn": f"{arn}targetgroup/shop/1"}]},
            ("rds", "describe_db_instances"): {"DBInstances": [{"DBInstanceIdentifier": "shop-old"}]},
        }
    )
    watched = alarm_states(calls, ["cpu"], 24).by_name["cpu"].watched
    found = {one.name: one.exists for one in watched}
    assert {
        "LoadBalancer app/shop/1": True,
        "TargetGroup targetgroup/shop/2": False,
        "DBInstanceIdentifier shop": False,
    } == found


@pytest.mark.parametrize(
    ("account", "expected"),
    [("111122223333", ["ClusterName shop"]), ("222233334444", []), (None, ["ClusterName shop"])],
)
def test_what_another_account_has_is_not_looked_up_here(account: str | None, expected: list[str]) -> None:
    """The metric of an alarm may be of another account, and so is what its dimensions name."""
    metric = {"Namespace": "AWS/ECS", "Dimensions": [{"Name": "ClusterName", "Value": "shop"}]}
    query = {"MetricStat": {"Metric": metric}, **({"AccountId": account} if account else {})}
    alarm = {"AlarmName": "cpu", "AlarmArn": "arn", "Metrics": [query]}
    states = alarm_states(answers(describe_alarms={"MetricAlarms": [alarm]}), ["cpu"], 24)
    assert expected == [one.name for one in states.by_name["cpu"].watched]


def test_services_are_asked_for_by_the_ten() -> None:
    """Whatever the alarms are; each cluster is asked for by itself, and all clusters in one call."""
    alarms = [
        {
            "AlarmName": f"cpu-{number}",
            "AlarmArn": "arn",
            "Namespace": "AWS/ECS",
            "Dimensions": [
                {"Name": "ClusterName", "Value": f"shop-{number % 2}"},
                {"Name": "ServiceName", "Value": f"web-{number}"},
            ],
        }
        for number in range(40)
    ]
    calls = answers(describe_alarms={"MetricAlarms": alarms})
    alarm_states(calls, ["cpu"], 24)

    asked = [parameters for _, operation, parameters in calls.asked if operation == "describe_services"]
    assert [("shop-0", 10), ("shop-0", 10), ("shop-1", 10), ("shop-1", 10)] == [
        (one["cluster"], len(one["services"])) for one in asked
    ]
    assert 1 == calls.count("ecs", "describe_clusters")


def test_the_history_is_counted_by_alarm() -> None:
    """Transitions to ALARM, whatever form they are told in, and actions that failed; other alarms are not ours."""
    failed = "Failed to execute action arn:aws:sns:eu-west-1:111122223333:critical"
    items = {
        "StateUpdate": [
            update("cpu", "ALARM"),
            update("cpu", "OK"),
            update("cpu", "ALARM", "no JSON"),
            update("other", "ALARM"),
        ],
        "Action": [
            {"AlarmName": "cpu", "HistorySummary": failed},
            {"AlarmName": "cpu", "HistorySummary": "Successfully executed action arn:…"},
            {"AlarmName": "other", "HistorySummary": failed},
        ],
    }
    calls = answers(describe_alarm_history=lambda **given: {"AlarmHistoryItems": items[given["HistoryItemType"]]})
    history = alarm_states(calls, ["cpu"], 3).history

    assert history is not None
    assert ({"cpu": 2}, {"cpu": (failed,)}) == (history.fired, history.failed)
    (asked, _) = [parameters for _, operation, parameters in calls.asked if operation == "describe_alarm_history"]
    assert (START, calls.taken) == (asked["StartDate"], asked["EndDate"])
