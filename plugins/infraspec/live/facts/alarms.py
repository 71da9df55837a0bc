"""The alarms of AWS as `monitoring.alarm_status`: one call for a hundred alarms, and two for what all of them did.

What the dimensions of a metric name is looked up, in the namespaces below; nothing is said of others. Sources: the
"metrics and dimensions" of Amazon ECS, Elastic Load Balancing and Amazon RDS in their guides.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeAlias

from infraspec.aws.calls import Calls
from infraspec.contract.live import Canary
from infraspec.core.arn import Arn
from infraspec.core.errors import RunnerPermissionError
from infraspec.monitoring.live_readings import (
    AlarmHistory,
    AlarmStates,
    AlarmStatus,
    CanaryFacts,
    LiveSubscription,
    Watched,
)
from infraspec.resource_types.listing import Batch

_NO_TOPIC = ("NotFound", "NotFoundException")
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Sender(Protocol):
    """What publishes a message and waits for it: `aws.canary.Courier`, or a double of a test."""

    def send(self, topic: str, queue: str, queue_url: str, seconds: int) -> float | None:
        """Return after how many seconds it was in the queue, None if it never was."""


def live_subscriptions(calls: Calls, topics: Iterable[str]) -> dict[str, tuple[LiveSubscription, ...]]:
    """Return the subscriptions by the ARN of their topic, asked in its region; topics that do not exist have none."""
    found = {}
    for topic in topics:
        region = Arn.parse(topic).region
        listed = calls.pages(
            "sns", "list_subscriptions_by_topic", "Subscriptions", region=region, absent=_NO_TOPIC, TopicArn=topic
        )
        found[topic] = tuple(_subscription(calls, one, region) for one in listed)
    return found


def canary_facts(calls: Calls, sender: Sender, canary: Canary) -> list[CanaryFacts]:
    """Publish a message to each topic of the contract that the queue is subscribed to, and wait for each."""
    place = Arn.parse(canary.queue)
    found = calls.ask(
        "sqs",
        "get_queue_url",
        region=place.region,
        absent=_NO_QUEUE,
        QueueName=place.resource,
        QueueOwnerAWSAccountId=place.account,
    )
    url = str(found["QueueUrl"]) if found else ""
    names = ["KmsMasterKeyId", "Policy"]
    told = (
        calls.ask("sqs", "get_queue_attributes", region=place.region, QueueUrl=url, AttributeNames=names) if url else {}
    )
    attributes = (told or {}).get("Attributes") or {}
    return [_send(calls, sender, canary, topic, url, attributes) for topic in canary.topics]


def _subscription(calls: Calls, listed: Mapping[str, Any], region: str) -> LiveSubscription:
    """Read a subscription; what stands in the place of its ARN says that it is not confirmed, or deleted."""
    arn, attributes = str(listed.get("SubscriptionArn", "")), {}
    confirmed = Arn.is_arn(arn)
    if confirmed:
        answer = calls.ask("sns", "get_subscription_attributes", region=region, absent=_NO_TOPIC, SubscriptionArn=arn)
        attributes = (answer or {}).get("Attributes", {})
        confirmed = answer is not None and attributes.get("PendingConfirmation") != "true"
    return LiveSubscription(
        listed.get("Protocol", ""),
        listed.get("Endpoint", ""),
        confirmed,
        attributes.get("FilterPolicy") not in {None, "", "{}"},
    )


def _send(  # noqa: PLR0917 - what is on the way
    calls: Calls, sender: Sender, canary: Canary, topic: str, url: str, attributes: Mapping[str, Any]
) -> CanaryFacts:
    region = Arn.parse(topic).region
    is_topic = calls.ask("sns", "get_topic_attributes", region=region, absent=_NO_TOPIC, TopicArn=topic) is not None
    known = live_subscriptions(calls, [topic])[topic] if is_topic else ()
    own = next((one for one in known if one.protocol == "sqs" and one.endpoint == canary.queue), None)
    published = bool(url) and own is not None and own.confirmed
    return CanaryFacts(
        topic,
        canary.queue,
        is_topic=is_topic,
        is_queue=bool(url),
        subscription=own,
        policy=str(attributes.get("Policy") or ""),
        key=str(attributes.get("KmsMasterKeyId") or ""),
        published=published,
        seconds=sender.send(topic, canary.queue, url, canary.seconds) if published else None,
    )


_TYPES: Mapping[str, Any] = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
"""Without them, DescribeAlarms and DescribeAlarmHistory leave composite alarms out."""
_FAILED = "Failed to execute action"
_Look: TypeAlias = Callable[[Calls, Mapping[str, str], str], bool]


def alarm_states(calls: Calls, names: Sequence[str], hours: int) -> AlarmStates:
    """Ask for the alarms of the names that exist, and for what they did in the last hours."""
    found = [
        alarm
        for key in ("MetricAlarms", "CompositeAlarms")
        for alarm in calls.batches("cloudwatch", Batch("DescribeAlarms", key, "AlarmNames", 100, _TYPES), sorted(names))
    ]
    return AlarmStates(
        calls.taken,
        {alarm["AlarmName"]: _status(calls, alarm) for alarm in found},
        alarm_history(calls, names, hours) if found else AlarmHistory(hours),
    )


def alarm_history(calls: Calls, names: Sequence[str], hours: int) -> AlarmHistory:
    """Ask what alarms did; for all of the account at once, which is one call in a hundred transitions."""
    try:
        return _transitions(calls, frozenset(names), hours)
    except RunnerPermissionError as error:
        return AlarmHistory(hours, refused=error.remedy)


def _transitions(calls: Calls, wanted: Collection[str], hours: int) -> AlarmHistory:
    fired: Counter[str] = Counter()
    failed: dict[str, tuple[str, ...]] = {}
    for item in _history(calls, "StateUpdate", hours):
        if item["AlarmName"] in wanted and _new_state(item) == "ALARM":
            fired[item["AlarmName"]] += 1
    for item in _history(calls, "Action", hours):
        name, summary = item["AlarmName"], str(item.get("HistorySummary", ""))
        if name in wanted and summary.startswith(_FAILED):
            failed[name] = (*failed.get(name, ()), summary)
    return AlarmHistory(hours, dict(fired), failed)


def _status(calls: Calls, alarm: Mapping[str, Any]) -> AlarmStatus:
    return AlarmStatus(
        alarm["AlarmName"],
        alarm["AlarmArn"],
        alarm.get("StateValue", ""),
        alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp"),
        alarm.get("StateReason", ""),
        tuple(
            dict.fromkeys(
                _watched(calls, f"{name} {value}", _LOOKS[namespace, name], dimensions, value)
                for namespace, dimensions in _metrics(alarm, calls.account)
                for name, value in dimensions.items()
                if (namespace, name) in _LOOKS
            )
        ),
    )


def _watched(calls: Calls, name: str, look: _Look, dimensions: Mapping[str, str], value: str) -> Watched:
    try:
        return Watched(name, look(calls, dimensions, value))
    except RunnerPermissionError as error:
        return Watched(name, exists=False, refused=error.remedy)


def _metrics(alarm: Mapping[str, Any], account: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the namespace and the dimensions of each metric of an alarm; not of another account's, which has others."""
    own = (query for query in alarm.get("Metrics", ()) if query.get("AccountId") in {None, account})
    stats = (query.get("MetricStat", {}).get("Metric") for query in own)
    for metric in (alarm, *filter(None, stats)):
        if metric.get("Namespace"):
            yield metric["Namespace"], {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}


def _history(calls: Calls, kind: str, hours: int) -> tuple[Mapping[str, Any], ...]:
    return calls.pages(
        "cloudwatch",
        "describe_alarm_history",
        "AlarmHistoryItems",
        HistoryItemType=kind,
        StartDate=calls.taken - timedelta(hours=hours),
        EndDate=calls.taken,
        **_TYPES,
    )


def _new_state(item: Mapping[str, Any]) -> str:
    try:
        return str(json.loads(item.get("HistoryData") or "{}")["newState"]["stateValue"])
    except (ValueError, KeyError, TypeError):
        return str(item.get("HistorySummary", "")).rpartition(" to ")[2]


def _cluster(calls: Calls, _dimensions: Mapping[str, str], name: str) -> bool:
    found = calls.ask("ecs", "describe_clusters", clusters=[name]) or {}
    return any(cluster.get("status") == "ACTIVE" for cluster in found.get("clusters", ()))


def _service(calls: Calls, dimensions: Mapping[str, str], name: str) -> bool:
    cluster = dimensions.get("ClusterName", "")
    found = calls.ask("ecs", "describe_services", absent=["ClusterNotFoundException"], cluster=cluster, services=[name])
    return any(service.get("status") == "ACTIVE" for service in (found or {}).get("services", ()))


def _balancing(operation: str, kind: str, before: str) -> _Look:
    """Make the look for a load balancer or a target group by how its ARN ends."""

    def look(calls: Calls, _dimensions: Mapping[str, str], suffix: str) -> bool:
        return any(one[f"{kind}Arn"].endswith(before + suffix) for one in calls.pages("elbv2", operation, f"{kind}s"))

    return look


def _database(calls: Calls, _dimensions: Mapping[str, str], name: str) -> bool:
    absent = ["DBInstanceNotFound", "DBInstanceNotFoundFault"]
    found = calls.ask("rds", "describe_db_instances", absent=absent, DBInstanceIdentifier=name)
    return bool((found or {}).get("DBInstances"))


_LOOKS: Mapping[tuple[str, str], _Look] = {
    **{
        (namespace, name): look
        for namespace in ("AWS/ECS", "ECS/ContainerInsights")
        for name, look in (("ClusterName", _cluster), ("ServiceName", _service))
    },
    **{
        (namespace, name): look
        for namespace in ("AWS/ApplicationELB", "AWS/NetworkELB")
        for name, look in (
            ("LoadBalancer", _balancing("describe_load_balancers", "LoadBalancer", ":loadbalancer/")),
            ("TargetGroup", _balancing("describe_target_groups", "TargetGroup", ":")),
        )
    },
    ("AWS/RDS", "DBInstanceIdentifier"): _database,
}
