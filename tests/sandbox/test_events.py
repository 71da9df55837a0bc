"""What happens in the sandbox reaches the rules of EventBridge and their targets.

Sources: Amazon EventBridge User Guide, "Amazon EventBridge input transformation"; Amazon ECS Developer Guide, "Amazon
ECS service deployment state change events"; AWS CloudTrail User Guide, "CloudTrail record contents".
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infraspec.sandbox.running import Running
from tests.sandbox.test_enforcement import ACCOUNT, REGION, document
from tests.sandbox.test_inbox import inbox
from tests.sandbox.test_metrics import alarm, put, topic_of

LETS = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}


def rule(running: Running, name: str, pattern: dict[str, Any], **settings: Any) -> None:
    """Put a rule with a pattern on the default bus."""
    running.account.client("events").put_rule(Name=name, EventPattern=json.dumps(pattern), **settings)


def target(running: Running, name: str, arn: str, **settings: Any) -> None:
    """Give a rule a target."""
    running.account.client("events").put_targets(Rule=name, Targets=[{"Id": "one", "Arn": arn, **settings}])


def open_topic(running: Running, name: str) -> str:
    """Make a topic that EventBridge may publish to, and that a person hears of."""
    topic = topic_of(running, name)
    policy = document({**LETS, "Action": "sns:Publish", "Resource": topic})
    running.account.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return topic


def heard(running: Running, topic: str) -> list[str]:
    """Return the messages that arrived of a topic."""
    return [one["message"] for one in inbox(running) if one["topic"] == topic]


def happens(running: Running, name: str) -> None:
    """Let something happen: a secret of a name is created."""
    running.account.client("secretsmanager").create_secret(Name=name, SecretString="hunter2-canary")


def created(name: str) -> dict[str, Any]:
    """Return a pattern of the creation of a secret."""
    detail = {"eventName": ["CreateSecret"], "requestParameters": {"name": [name]}}
    return {"source": ["aws.secretsmanager"], "detail-type": ["AWS API Call via CloudTrail"], "detail": detail}


def test_a_call_reaches_a_topic(empty: Running) -> None:
    """The rule that takes it sends the whole event, without the value; another rule takes nothing."""
    topic = open_topic(empty, "calls")
    rule(empty, "calls", created("called"))
    target(empty, "calls", topic)
    happens(empty, "not-called")
    assert [] == heard(empty, topic)
    happens(empty, "called")
    (message,) = heard(empty, topic)
    event = json.loads(message)
    assert ("CreateSecret", ACCOUNT, REGION) == (event["detail"]["eventName"], event["account"], event["region"])
    assert "hunter2-canary" not in message


def test_a_rule_that_is_off_takes_nothing(empty: Running) -> None:
    """Nor does one that asks for no reads take a read."""
    topic = open_topic(empty, "off-rule")
    rule(empty, "off-rule", created("off-rule"), State="DISABLED")
    target(empty, "off-rule", topic)
    happens(empty, "off-rule")
    assert [] == heard(empty, topic)


def test_reads_have_to_be_asked_for(empty: Running) -> None:
    """A GetSecretValue is an event for rules alone that want all management events."""
    topic, secrets = open_topic(empty, "reads"), empty.account.client("secretsmanager")
    happens(empty, "read")
    pattern = {"detail": {"eventName": ["GetSecretValue"], "requestParameters": {"secretId": ["read"]}}}
    rule(empty, "reads", pattern)
    target(empty, "reads", topic)
    secrets.get_secret_value(SecretId="read")
    assert [] == heard(empty, topic)
    rule(empty, "reads", pattern, State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    secrets.get_secret_value(SecretId="read")
    assert 1 == len(heard(empty, topic))


def test_a_topic_that_does_not_let_eventbridge_hears_nothing(empty: Running) -> None:
    """Its policy has to name the service."""
    topic = topic_of(empty, "shut")
    only = {**LETS, "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}
    empty.account.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=document(only)
    )
    rule(empty, "shut", created("shut"))
    target(empty, "shut", topic)
    happens(empty, "shut")
    assert [] == heard(empty, topic)


_PATHS = {"name": "$.detail.requestParameters.name", "what": "$.detail.eventName", "none": "$.detail.nothing"}
INPUTS: dict[str, tuple[dict[str, Any], str]] = {
    "Input": ({"Input": '{"all": "well"}'}, '{"all": "well"}'),
    "InputPath": ({"InputPath": "$.detail.eventName"}, '"CreateSecret"'),
    "text": (
        {"InputTransformer": {"InputPathsMap": _PATHS, "InputTemplate": '"<what> of <name><none>"'}},
        '"CreateSecret of input"',
    ),
    "JSON": (
        {"InputTransformer": {"InputPathsMap": _PATHS, "InputTemplate": '{"what": <what>, "none": <none>}'}},
        '{"what": "CreateSecret", "none": null}',
    ),
    "reserved": (
        {"InputTransformer": {"InputPathsMap": {}, "InputTemplate": '"<aws.events.rule-name>: <unknown>"'}},
        '"input: <unknown>"',
    ),
}


@pytest.mark.parametrize("name", INPUTS)
def test_a_target_gets_what_its_input_makes_of_it(empty: Running, name: str) -> None:
    """A constant, a part of the event, or a template as text or JSON."""
    topic, (settings, expected) = open_topic(empty, f"input-{name}"), INPUTS[name]
    secrets = empty.account.client("secretsmanager")
    rule(empty, "input", created("input"))
    target(empty, "input", topic, **settings)
    happens(empty, "input")
    secrets.delete_secret(SecretId="input", ForceDeleteWithoutRecovery=True)
    assert [expected] == heard(empty, topic)


def test_queues_and_logs_are_targets(empty: Running) -> None:
    """A queue gets the message, and a log group the line, which a metric filter counts."""
    client = empty.account.client
    queue = client("sqs").create_queue(QueueName="targets")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:targets"
    client("sqs").set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": document({**LETS, "Action": "sqs:SendMessage", "Resource": arn})}
    )
    logs = client("logs")
    logs.create_log_group(logGroupName="targets")
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:targets"
    write = {**LETS, "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{group}:*"}
    logs.put_resource_policy(policyName="targets", policyDocument=document(write))
    transformation = {"metricName": "Errors", "metricNamespace": "targets", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName="targets",
        filterName="created",
        filterPattern='{ $.detail.eventName = "CreateSecret" }',
        metricTransformations=[transformation],
    )
    alarm(empty, "targets")
    rule(empty, "targets", created("targets"))
    client("events").put_targets(Rule="targets", Targets=[{"Id": "q", "Arn": arn}, {"Id": "l", "Arn": group}])
    happens(empty, "targets")
    (message,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert "CreateSecret" == json.loads(message["Body"])["detail"]["eventName"]
    (found,) = client("cloudwatch").describe_alarms(AlarmNames=["targets"])["MetricAlarms"]
    assert "ALARM" == found["StateValue"]


def test_an_alarm_is_an_event(empty: Running) -> None:
    """A change of its state reaches a rule too."""
    topic = open_topic(empty, "alarmed")
    detail = {"alarmName": ["alarmed"], "state": {"value": ["ALARM"]}}
    rule(empty, "alarmed", {"source": ["aws.cloudwatch"], "detail": detail})
    target(empty, "alarmed", topic)
    alarm(empty, "alarmed")
    put(empty, "alarmed", {"Value": 1})
    (message,) = heard(empty, topic)
    assert "INSUFFICIENT_DATA" == json.loads(message)["detail"]["previousState"]["value"]


def test_tasks_and_deployments_are_events(empty: Running) -> None:
    """A deployment that its circuit breaker gives up and the tasks that did not start reach their rules."""
    client, topic = empty.account.client, open_topic(empty, "rollout")
    failed, stopped = {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}, {"stopCode": ["TaskFailedToStart"]}
    rule(empty, "rollout", {"source": ["aws.ecs"], "detail": {"$or": [failed, stopped]}})
    target(empty, "rollout", topic, InputPath="$.detail-type")
    ecs = client("ecs")
    ecs.create_cluster(clusterName="rollout")
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/gone:1"
    ecs.register_task_definition(family="rollout", containerDefinitions=[{"name": "app", "image": image, "memory": 64}])
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    ecs.create_service(
        cluster="rollout",
        serviceName="rollout",
        taskDefinition="rollout",
        desiredCount=1,
        deploymentConfiguration=breaker,
    )
    ecs.delete_service(cluster="rollout", service="rollout", force=True)
    told = [json.loads(message) for message in heard(empty, topic)]
    assert ["ECS Deployment State Change", *["ECS Task State Change"] * 3] == sorted(told)
