"""Data move alarms, and alarms tell who has to hear of it.

Sources: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms"; Amazon CloudWatch Logs User Guide, "Creating
metrics from log events using filters"; Amazon SNS Developer Guide, "Key management".
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from infraspec.sandbox.running import Running
from tests.sandbox.test_inbox import inbox

ACCOUNT = "111122223333"


def alarm(running: Running, name: str, **settings: Any) -> None:
    """Put an alarm on the sum of Errors in a namespace of its name."""
    own = {"Statistic": "Sum"} if "ExtendedStatistic" not in settings else {}
    metric = {"Namespace": name, "MetricName": "Errors", "Period": 60, **own}
    common = {"EvaluationPeriods": 1, "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch = running.account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        **{"AlarmName": name, **({} if "Metrics" in settings else metric), **common, **settings}
    )


def put(running: Running, namespace: str, *data: dict[str, Any], name: str = "Errors") -> None:
    """Put data of a metric, each as it is in a MetricDatum."""
    cloudwatch = running.account.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": name, **datum} for datum in data])


def state(running: Running, name: str, kind: str = "MetricAlarm") -> str:
    """Return the state of an alarm."""
    found = running.account.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
    return str(found[f"{kind}s"][0]["StateValue"])


class Case(NamedTuple):
    """Settings of an alarm, values of each minute, the newest last, and the state that comes of them."""

    settings: dict[str, Any]
    minutes: list[list[float]]
    state: str


THREE = {"EvaluationPeriods": 3}
CASES = {
    "a value above": Case({}, [[1]], "ALARM"),
    "a value that is not": Case({}, [[0]], "OK"),
    "below": Case({"ComparisonOperator": "LessThanThreshold", "Threshold": 5.0}, [[4]], "ALARM"),
    "three periods, all": Case(THREE, [[1], [1], [1]], "ALARM"),
    "three periods, not all": Case(THREE, [[1], [0], [1]], "OK"),
    "two of three": Case({**THREE, "DatapointsToAlarm": 2}, [[1], [0], [1]], "ALARM"),
    "missing data are breaching": Case({**THREE, "TreatMissingData": "breaching"}, [[1]], "ALARM"),
    "missing data are not": Case({**THREE, "TreatMissingData": "notBreaching"}, [[1]], "OK"),
    "the average": Case({"Statistic": "Average", "Threshold": 2.0}, [[1, 2, 3]], "OK"),
    "the sum": Case({"Threshold": 5.0}, [[1, 2, 3]], "ALARM"),
    "a percentile": Case({"ExtendedStatistic": "p90", "Threshold": 8.0}, [[1.0] * 9 + [9]], "OK"),
    "a higher percentile": Case({"ExtendedStatistic": "p95", "Threshold": 8.0}, [[1.0] * 9 + [9]], "ALARM"),
    "a percentile of few values": Case(
        {"ExtendedStatistic": "p95", "EvaluateLowSampleCountPercentile": "ignore"}, [[9]], "INSUFFICIENT_DATA"
    ),
    "another unit": Case({"Unit": "Seconds"}, [[1]], "INSUFFICIENT_DATA"),
}


@pytest.mark.parametrize("name", CASES)
def test_data_move_an_alarm(empty: Running, name: str) -> None:
    """Period, evaluation periods, datapoints to alarm, statistic, percentile, unit and missing data decide."""
    case, now = CASES[name], datetime.now(UTC)
    alarm(empty, name, **case.settings)
    count = len(case.minutes)
    put(empty, name, *(
        {"Timestamp": now - timedelta(minutes=count - at), "Values": values}
        for at, values in enumerate(case.minutes, 1)
    ))  # fmt: skip
    assert case.state == state(empty, name)


def test_an_expression_is_evaluated(empty: Running) -> None:
    """Metric math over two metrics, with one expression in another; it has no value before both have data."""
    queries: list[dict[str, Any]] = [
        {"Id": name, "ReturnData": False, "MetricStat": {
            "Metric": {"Namespace": "math", "MetricName": name}, "Period": 60, "Stat": "Sum"}}
        for name in ("failed", "started")
    ]  # fmt: skip
    queries += [
        {"Id": "rate", "Expression": "failed / all", "ReturnData": True},
        {"Id": "all", "Expression": "failed + started", "ReturnData": False},
    ]
    alarm(empty, "math", Metrics=queries, Threshold=0.5)
    put(empty, "math", {"Value": 3}, name="failed")
    assert "INSUFFICIENT_DATA" == state(empty, "math")
    put(empty, "math", {"Value": 1}, name="started")
    assert "ALARM" == state(empty, "math")
    put(empty, "math", {"Value": 9}, name="started")
    assert "OK" == state(empty, "math")


def test_a_statistic_set_counts_as_its_values(empty: Running) -> None:
    """The average of a set of ten values is that of its sum."""
    alarm(empty, "set", Statistic="Average", Threshold=4.0)
    told = {"SampleCount": 10, "Sum": 50, "Minimum": 1, "Maximum": 9}
    put(empty, "set", {"StatisticValues": told})
    assert "ALARM" == state(empty, "set")


def test_dimensions_tell_metrics_apart(empty: Running) -> None:
    """Data of another dimension, or of none, move nothing."""
    dimensions = [{"Name": "Service", "Value": "one"}]
    alarm(empty, "dimensions", Dimensions=dimensions)
    put(empty, "dimensions", {"Value": 1}, {"Value": 1, "Dimensions": [{"Name": "Service", "Value": "two"}]})
    assert "INSUFFICIENT_DATA" == state(empty, "dimensions")
    put(empty, "dimensions", {"Value": 1, "Dimensions": dimensions})
    assert "ALARM" == state(empty, "dimensions")


def topic_of(running: Running, name: str, **attributes: str) -> str:
    """Make a topic that a person hears of."""
    sns = running.account.client("sns")
    topic = str(sns.create_topic(Name=name, Attributes=attributes)["TopicArn"])
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=f"{name}@example.com")
    sns.confirm_subscription(TopicArn=topic, Token=f"{name}@example.com")
    return topic


def heard(running: Running, topic: str) -> list[tuple[str, str]]:
    """Return the subjects and states that arrived of a topic."""
    return [
        (one["subject"], json.loads(one["message"])["NewStateValue"]) for one in inbox(running) if one["topic"] == topic
    ]


def test_changes_are_told_and_recorded(empty: Running) -> None:
    """ALARM and OK reach the topic of each, the history has both, and a composite alarm follows with its own action."""
    topic = topic_of(empty, "told")
    alarm(empty, "told", AlarmActions=[topic], OKActions=[topic])
    cloudwatch = empty.account.client("cloudwatch")
    cloudwatch.put_composite_alarm(AlarmName="above-told", AlarmRule="ALARM(told)", AlarmActions=[topic])
    put(empty, "told", {"Value": 1})
    assert "ALARM" == state(empty, "above-told", "CompositeAlarm")
    put(empty, "told", {"Value": -1})
    assert [
        ('ALARM: "told" in eu-west-1', "ALARM"),
        ('ALARM: "above-told" in eu-west-1', "ALARM"),
        ('OK: "told" in eu-west-1', "OK"),
    ] == heard(empty, topic)
    items = cloudwatch.describe_alarm_history(AlarmName="told", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f"Successfully executed action {topic}",
        "Alarm updated from ALARM to OK",
        f"Successfully executed action {topic}",
    ] == [item["HistorySummary"] for item in items][1:]


def _closed(empty: Running, topic: str) -> str:
    only = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [only]})
    empty.account.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return "is not authorized to perform: SNS:Publish"


def _own_key(empty: Running, topic: str) -> str:
    empty.account.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
    )
    return "AccessDeniedException"


def _disabled_key(empty: Running, topic: str) -> str:
    kms = empty.account.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    empty.account.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=key)
    return "DisabledException"


def _gone(empty: Running, topic: str) -> str:
    empty.account.client("sns").delete_topic(TopicArn=topic)
    return "Topic does not exist"


@pytest.mark.parametrize("close", [_closed, _own_key, _disabled_key, _gone])
def test_an_action_that_fails_says_so(empty: Running, close: Any) -> None:
    """A topic or a key that keeps CloudWatch out, or a topic that is gone: nobody hears, and the history says why."""
    name = f"fails{close.__name__}"
    topic = topic_of(empty, name)
    error = close(empty, topic)
    alarm(empty, name, AlarmActions=[topic])
    put(empty, name, {"Value": 1})
    assert [] == heard(empty, topic)
    items = empty.account.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType="Action")
    (item,) = items["AlarmHistoryItems"]
    assert item["HistorySummary"].startswith(f"Failed to execute action {topic}")
    assert error in item["HistorySummary"]


def test_actions_that_are_off_tell_nobody(empty: Running) -> None:
    """An alarm without ActionsEnabled changes its state, and no more."""
    topic = topic_of(empty, "off")
    alarm(empty, "off", AlarmActions=[topic], ActionsEnabled=False)
    put(empty, "off", {"Value": 1})
    assert ("ALARM", []) == (state(empty, "off"), heard(empty, topic))


LINES = {
    '{ $.level = "error" }': ('{"level": "error"}', '{"level": "info"}'),
    "ERROR -retried": ("an ERROR here", "an ERROR that was retried"),
}


@pytest.mark.parametrize(("number", "pattern"), list(enumerate(LINES)))
def test_log_lines_are_counted(empty: Running, number: int, pattern: str) -> None:
    """A metric filter publishes for each line that its pattern takes, and the alarm follows."""
    name, (taken, left) = f"lines-{number}", LINES[pattern]
    logs = empty.account.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    transformation = {"metricName": "Errors", "metricNamespace": name, "metricValue": "1", "defaultValue": 0.0}
    logs.put_metric_filter(
        logGroupName=name, filterName="errors", filterPattern=pattern, metricTransformations=[transformation]
    )
    alarm(empty, name)

    def write(message: str) -> str:
        event = {"timestamp": int(time.time() * 1000), "message": message}
        logs.put_log_events(logGroupName=name, logStreamName="one", logEvents=[event])
        return state(empty, name)

    assert ["OK", "ALARM"] == [write(left), write(taken)]


def test_a_filter_publishes_what_the_line_says(empty: Running) -> None:
    """The value and the dimensions come from the fields that the transformation selects."""
    logs = empty.account.client("logs")
    logs.create_log_group(logGroupName="fields")
    logs.create_log_stream(logGroupName="fields", logStreamName="one")
    transformation = {
        "metricName": "Errors",
        "metricNamespace": "fields",
        "metricValue": "$.count",
        "dimensions": {"Service": "$.service"},
    }
    logs.put_metric_filter(
        logGroupName="fields", filterName="f", filterPattern="{ $.count > 0 }", metricTransformations=[transformation]
    )
    alarm(empty, "fields", Threshold=6.0, Dimensions=[{"Name": "Service", "Value": "api"}])
    message = json.dumps({"count": 7, "service": "api"})
    event = {"timestamp": int(time.time() * 1000), "message": message}
    logs.put_log_events(logGroupName="fields", logStreamName="one", logEvents=[event])
    assert "ALARM" == state(empty, "fields")
    now = datetime.now(UTC)
    told = empty.account.client("cloudwatch").get_metric_statistics(
        Namespace="fields",
        MetricName="Errors",
        Dimensions=[{"Name": "Service", "Value": "api"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )
    assert [7] == [point["Sum"] for point in told["Datapoints"]]
