"""Alarms, their topics and what CloudTrail tells, where the sandbox is as AWS and moto is not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infraspec.sandbox.images_and_values import settle
from infraspec.sandbox.running import Running
from tests.sandbox.test_enforcement import document

PREFIX = "daily-report-tool-prod"
METRIC = {
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 0.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def _alarm(running: Running, name: str, kind: str = "MetricAlarm") -> dict[str, Any]:
    found = running.account.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
    alarm: dict[str, Any] = found[f"{kind}s"][0]
    return alarm


def _set(running: Running, name: str, value: str) -> None:
    cloudwatch = running.account.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="test")


def test_a_new_alarm_has_no_data(empty: Running) -> None:
    """It begins with INSUFFICIENT_DATA, and keeps its state when it is put again."""
    cloudwatch = empty.account.client("cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName="new", **METRIC)
    assert _alarm(empty, "new")["StateValue"] == "INSUFFICIENT_DATA"
    assert _alarm(empty, "new")["StateTransitionedTimestamp"]
    _set(empty, "new", "ALARM")
    cloudwatch.put_metric_alarm(AlarmName="new", **METRIC)
    assert _alarm(empty, "new")["StateValue"] == "ALARM"


def test_the_history_tells_each_change(empty: Running) -> None:
    """Creation, changes of state and the actions they took, the newest first."""
    cloudwatch = empty.account.client("cloudwatch")
    topic = empty.account.client("sns").create_topic(Name="history")["TopicArn"]
    cloudwatch.put_metric_alarm(AlarmName="history", AlarmActions=[topic], **METRIC)
    _set(empty, "history", "ALARM")
    items = cloudwatch.describe_alarm_history(AlarmName="history")["AlarmHistoryItems"]
    assert [item["HistoryItemType"] for item in reversed(items)] == ["ConfigurationUpdate", "StateUpdate", "Action"]
    updates = cloudwatch.describe_alarm_history(AlarmName="history", HistoryItemType="StateUpdate")
    assert [item["HistorySummary"] for item in updates["AlarmHistoryItems"]] == [
        "Alarm updated from INSUFFICIENT_DATA to ALARM"
    ]


@pytest.mark.parametrize(
    ("rule", "states", "value"),
    [
        ('ALARM("one")', ("ALARM", "OK"), "ALARM"),
        ('ALARM("one")', ("OK", "ALARM"), "OK"),
        ("ALARM(one) OR ALARM('two')", ("OK", "ALARM"), "ALARM"),
        ("ALARM(one) AND ALARM(two)", ("OK", "ALARM"), "OK"),
        ("NOT OK(one)", ("ALARM", "OK"), "ALARM"),
        ("ALARM(one) OR (ALARM(two) AND NOT ALARM(one))", ("OK", "ALARM"), "ALARM"),
        ("TRUE AND ALARM(nobody)", ("ALARM", "ALARM"), "OK"),
    ],
)
def test_a_composite_alarm_follows_its_rule(empty: Running, rule: str, states: tuple[str, str], value: str) -> None:
    """Its state is what the rule makes of the states of others, as they change."""
    cloudwatch = empty.account.client("cloudwatch")
    for name, state in zip(("one", "two"), states, strict=True):
        cloudwatch.put_metric_alarm(AlarmName=name, **METRIC)
        _set(empty, name, state)
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=rule)
    assert _alarm(empty, "both", "CompositeAlarm")["StateValue"] == value


def test_a_rule_that_is_none_is_refused(empty: Running) -> None:
    """AWS validates the rule."""
    with pytest.raises(ClientError, match="AlarmRule"):
        empty.account.client("cloudwatch").put_composite_alarm(AlarmName="bad", AlarmRule="ALARM(one) XOR ALARM(two)")


def test_composite_alarms_have_to_be_asked_for(sandbox: Running) -> None:
    """Without AlarmTypes AWS describes metric alarms alone."""
    cloudwatch = sandbox.account.client("cloudwatch")
    assert cloudwatch.describe_alarms()["CompositeAlarms"] == []
    found = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])
    assert {alarm["AlarmName"] for alarm in found["CompositeAlarms"]} == {
        f"{PREFIX}-application-down",
        f"{PREFIX}-database-unreachable",
    }


def test_alarms_of_what_runs_are_ok_after_apply(sandbox: Running) -> None:
    """As minutes after an apply in AWS, no alarm lacks data."""
    cloudwatch = sandbox.account.client("cloudwatch")
    found = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert {alarm["StateValue"] for alarm in [*found["MetricAlarms"], *found["CompositeAlarms"]]} == {"OK"}


def test_metrics_of_what_runs_have_data_after_apply(sandbox: Running) -> None:
    """The replica tells its lag and its free storage of the last minutes, and neither is alarming."""
    end = datetime.now(UTC)
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": f"{PREFIX}-postgres-replica-1"}]
    queries = [
        {"Id": name.lower(), "MetricStat": {"Metric": {**metric, "MetricName": name}, "Period": 60, "Stat": "Maximum"}}
        for metric in ({"Namespace": "AWS/RDS", "Dimensions": dimensions},)
        for name in ("ReplicaLag", "FreeStorageSpace")
    ]
    lag, free = sandbox.account.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=end - timedelta(hours=1), EndTime=end
    )["MetricDataResults"]
    assert set(lag["Values"]) == {0.0}
    assert set(free["Values"]) == {100 * 0.8 * 2**30}


def test_no_maintenance_is_pending(sandbox: Running) -> None:
    """Moto does not answer this, and the sandbox has none."""
    assert sandbox.account.client("rds").describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []


def test_an_email_subscription_is_pending_until_it_is_confirmed(empty: Running) -> None:
    """Its token is the address; counts and lists follow."""
    sns = empty.account.client("sns")
    topic = sns.create_topic(Name="pending")["TopicArn"]
    assert sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")["SubscriptionArn"] == (
        "pending confirmation"
    )
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "1"
    with pytest.raises(ClientError, match="Token"):
        sns.confirm_subscription(TopicArn=topic, Token="b@example.com")  # noqa: S106 - an address
    arn = sns.confirm_subscription(TopicArn=topic, Token="a@example.com")["SubscriptionArn"]  # noqa: S106
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == arn
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"


def test_the_subscriptions_of_the_reference_are_confirmed(sandbox: Running) -> None:
    """The people have confirmed, and chat and pager confirm by themselves."""
    sns = sandbox.account.client("sns")
    arns = {one["SubscriptionArn"] for one in sns.list_subscriptions()["Subscriptions"]}
    assert len(arns) == 6
    assert "PendingConfirmation" not in arns


def test_the_trail_tells_who_changed_what(empty: Running) -> None:
    """A change is found by its name and by the resource, without the value that it set."""
    empty.account.client("secretsmanager").create_secret(Name="trailed", SecretString="hunter2-canary")
    cloudtrail = empty.account.client("cloudtrail")
    named = [{"AttributeKey": "ResourceName", "AttributeValue": "trailed"}]
    (event,) = cloudtrail.lookup_events(LookupAttributes=named)["Events"]
    assert (event["EventName"], event["EventSource"]) == ("CreateSecret", "secretsmanager.amazonaws.com")
    assert "hunter2-canary" not in str(event)
    reads = [{"AttributeKey": "EventName", "AttributeValue": "LookupEvents"}]
    told = cloudtrail.lookup_events(LookupAttributes=reads)["Events"]
    assert all("errorCode" in event["CloudTrailEvent"] for event in told)


@pytest.mark.parametrize("action", ["logs:PutLogEvents", "logs:DescribeLogStreams"])
def test_a_trail_writes_to_its_own_log_group(empty: Running, action: str) -> None:
    """Each call that it logs is a line there, if its role may write it."""
    client, name = empty.account.client, f"trail-{action[5:].lower()}"
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = {"Effect": "Allow", "Action": ["logs:CreateLogStream", action], "Resource": "*"}
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]
    client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(policy))
    client("logs").create_log_group(logGroupName=name)
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    client("cloudtrail").create_trail(
        Name=name, S3BucketName=name, CloudWatchLogsLogGroupArn=group["arn"], CloudWatchLogsRoleArn=role["Arn"]
    )
    client("secretsmanager").create_secret(Name=f"{name}-before", SecretString="x")
    client("cloudtrail").start_logging(Name=name)
    client("secretsmanager").create_secret(Name=f"{name}-after", SecretString="hunter2-canary")
    client("cloudtrail").stop_logging(Name=name)
    lines = [json.loads(one["message"]) for one in client("logs").filter_log_events(logGroupName=name)["events"]]

    named = [one["requestParameters"]["name"] for one in lines if one["eventName"] == "CreateSecret"]
    assert ([f"{name}-after"] if action == "logs:PutLogEvents" else []) == named
    assert "hunter2-canary" not in str(lines)


def test_a_metric_gets_a_value_that_is_harmless_to_all_of_its_alarms(empty: Running) -> None:
    """A disk that tells its free space keeps telling that, and an alarm that it breaches is in ALARM."""
    cloudwatch, rds = empty.account.client("cloudwatch"), empty.account.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="settled", DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20
    )
    own = {"Statistic": "Average", "Period": 60, "EvaluationPeriods": 1}
    cpu = {**own, "Namespace": "AWS/ECS", "MetricName": "CPUUtilization"}
    disk = {**own, "Namespace": "AWS/RDS", "MetricName": "FreeStorageSpace"}
    disk["Dimensions"] = [{"Name": "DBInstanceIdentifier", "Value": "settled"}]
    less, greater = "LessThanThreshold", "GreaterThanThreshold"
    cloudwatch.put_metric_alarm(AlarmName="high", Threshold=70, ComparisonOperator=greater, **cpu)
    cloudwatch.put_metric_alarm(AlarmName="low", Threshold=63, ComparisonOperator=less, **cpu)
    cloudwatch.put_metric_alarm(AlarmName="little-disk", Threshold=2e9, ComparisonOperator=less, **disk)
    cloudwatch.put_metric_alarm(AlarmName="less-than-all", Threshold=19e9, ComparisonOperator=less, **disk)
    settle(empty.account)
    names = ["high", "low", "little-disk", "less-than-all"]
    found = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}
    assert {"high": "OK", "low": "OK", "little-disk": "OK", "less-than-all": "ALARM"} == states
