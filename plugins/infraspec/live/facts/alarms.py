"""The alarms of AWS as `monitoring.alarm_status`: one call for a hundred alarms, and two for what all of them did.

What the dimensions of a metric name is looked up, in the namespaces below; nothing is said of others. Sources: the
"metrics and dimensions" of Amazon ECS, Elastic Load Balancing and Amazon RDS in their guides.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain
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
    by_region: dict[str, list[str]] = {}
    for topic in topics:
        by_region.setdefault(Arn.parse(topic).region, []).append(topic)
    for region, own in by_region.items():
        named = [{"TopicArn": topic} for topic in own]
        listing = ("sns", "list_subscriptions_by_topic")
        calls.ahead(*listing, named, "Subscriptions", region=region, absent=_NO_TOPIC)
    for topic in chain.from_iterable(by_region.values()):
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
_Metric: TypeAlias = tuple[str, Mapping[str, str]]
"""A namespace, and the dimensions."""


def alarm_states(calls: Calls, names: Sequence[str], hours: int) -> AlarmStates:
    """Ask for the alarms of the names that exist, and for what they did in the last hours."""
    found = [
        alarm
        for key in ("MetricAlarms", "CompositeAlarms")
        for alarm in calls.batches("cloudwatch", Batch("DescribeAlarms", key, "AlarmNames", 100, _TYPES), sorted(names))
    ]
    existing = _Existing(calls, [metric for alarm in found for metric in _metrics(alarm, calls.account)])
    return AlarmStates(
        calls.taken,
        {alarm["AlarmName"]: _status(existing, alarm) for alarm in found},
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


def _status(existing: _Existing, alarm: Mapping[str, Any]) -> AlarmStatus:
    return AlarmStatus(
        alarm["AlarmName"],
        alarm["AlarmArn"],
        alarm.get("StateValue", ""),
        alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp"),
        alarm.get("StateReason", ""),
        tuple(
            dict.fromkeys(
                _watched(existing, f"{name} {value}", _LOOKS[namespace, name], dimensions, value)
                for namespace, dimensions in _metrics(alarm, existing.calls.account)
                for name, value in dimensions.items()
                if (namespace, name) in _LOOKS
            )
        ),
    )


def _watched(existing: _Existing, name: str, look: _Look, dimensions: Mapping[str, str], value: str) -> Watched:
    try:
        return Watched(name, look(existing, dimensions, value))
    except RunnerPermissionError as error:
        return Watched(name, exists=False, refused=error.remedy)


def _metrics(alarm: Mapping[str, Any], account: str) -> Iterator[_Metric]:
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


class _Existing:
    """Whether what alarms watch exists; services, clusters and databases are asked for many at a time."""

    def __init__(self, calls: Calls, metrics: Iterable[_Metric]) -> None:
        self.calls = calls
        self._services: dict[str, dict[str, None]] = {}
        self._clusters: dict[str, None] = {}
        for namespace, dimensions in metrics:
            if namespace in _OF_ECS and (cluster := dimensions.get("ClusterName")):
                self._clusters[cluster] = None
                if service := dimensions.get("ServiceName"):
                    self._services.setdefault(cluster, {})[service] = None
        self._active: dict[str, frozenset[str | None]] = {}

    def cluster(self, _dimensions: Mapping[str, str], name: str) -> bool:
        """Tell whether a cluster is active."""
        return name in self._known("", _CLUSTERS, [*self._clusters], "clusterName")

    def service(self, dimensions: Mapping[str, str], name: str) -> bool:
        """Tell whether a service of the cluster beside it is active."""
        cluster = dimensions.get("ClusterName", "")
        names = [*self._services.get(cluster, ())]
        given = {"cluster": cluster, "absent": ["ClusterNotFoundException"]}
        return name in self._known(cluster, _SERVICES, names, "serviceName", **given)

    def _known(self, what: str, batch: Batch, names: Sequence[str], key: str, **given: Any) -> frozenset[str | None]:
        """Return the names of those that are active, asked for once. Raises RunnerPermissionError each time."""
        if what not in self._active:
            found = self.calls.batches("ecs", batch, names, **given)
            self._active[what] = frozenset(one.get(key) for one in found if one.get("status") == "ACTIVE")
        return self._active[what]

    def database(self, _dimensions: Mapping[str, str], name: str) -> bool:
        """Tell whether there is a database instance."""
        found = self.calls.pages("rds", "describe_db_instances", "DBInstances")
        return any(one.get("DBInstanceIdentifier") == name for one in found)


_Look: TypeAlias = Callable[[_Existing, Mapping[str, str], str], bool]
_OF_ECS = ("AWS/ECS", "ECS/ContainerInsights")
_CLUSTERS = Batch("DescribeClusters", "clusters", "clusters", 100)
_SERVICES = Batch("DescribeServices", "services", "services", 10)


def _balancing(operation: str, kind: str, before: str) -> _Look:
    """Make the look for a load balancer or a target group by how its ARN ends."""

    def look(existing: _Existing, _dimensions: Mapping[str, str], suffix: str) -> bool:
        found = existing.calls.pages("elbv2", operation, f"{kind}s")
        return any(one[f"{kind}Arn"].endswith(before + suffix) for one in found)

    return look


_LOOKS: Mapping[tuple[str, str], _Look] = {
    **{
        (namespace, name): look
        for namespace in _OF_ECS
        for name, look in (("ClusterName", _Existing.cluster), ("ServiceName", _Existing.service))
    },
    **{
        (namespace, name): look
        for namespace in ("AWS/ApplicationELB", "AWS/NetworkELB")
        for name, look in (
            ("LoadBalancer", _balancing("describe_load_balancers", "LoadBalancer", ":loadbalancer/")),
            ("TargetGroup", _balancing("describe_target_groups", "TargetGroup", ":")),
        )
    },
    ("AWS/RDS", "DBInstanceIdentifier"): _Existing.database,
}
