"""`[alarms]`: the alarm catalogue and the routes by which alerts reach people."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from infraspec.contract.field_types import ContractTable, NonEmpty, Regex

Positive = Annotated[int, Field(gt=0)]

Watched: TypeAlias = Literal["service", "target", "database", "replica", "secret", "environment"]
"""What an alarm watches: each ECS service, target group of a service, database that is no read replica, read replica,
secret; or the environment as a whole."""


class Bounds(ContractTable):
    """`{ min = …, max = … }`: a number that is not less, not more."""

    min: float | None = Field(None, description="The number is not less.", examples=[50])
    max: float | None = Field(None, description="The number is not more.", examples=[80])


def _number_kind(value: Any) -> str | None:
    if isinstance(value, (dict, Bounds)):
        return "<bounds>"
    return "<number>" if isinstance(value, int | float) and not isinstance(value, bool) else None


Number: TypeAlias = Annotated[
    Annotated[float, Tag("<number>")] | Annotated[Bounds, Tag("<bounds>")],
    Discriminator(
        _number_kind,
        custom_error_type="contract",
        custom_error_message="a number, or { min = …, max = … }",
    ),
]
"""An exact number, or its bounds."""


class Metric(ContractTable):
    """A metric that an alarm looks at: one of AWS by name, or one that metric filters of a log count."""

    namespace: NonEmpty | None = Field(None, description="Namespace, with placeholders.", examples=["AWS/ECS"])
    name: NonEmpty | None = Field(None, description="Name of the metric.", examples=["CPUUtilization"])
    statistic: list[NonEmpty] = Field(
        default_factory=list, description="Statistics that are allowed; any if empty.", examples=[["Average"]]
    )
    unit: NonEmpty | None = Field(None, description="Unit; an alarm on another has no data.", examples=["Percent"])
    dimensions: dict[NonEmpty, NonEmpty] = Field(
        default_factory=dict,
        description="Dimensions by name; {placeholders} stand for the watched resource.",
        examples=[{"ClusterName": "{cluster_name}", "ServiceName": "{service_name}"}],
    )
    counts: list[NonEmpty] = Field(
        default_factory=list,
        description="Events that a metric filter has to count; namespace and name are then free.",
        examples=[["secret-access-denied"]],
    )
    ignores: list[NonEmpty] = Field(
        default_factory=list, description="Events that it must not count.", examples=[["secret-read"]]
    )


class AlarmItem(ContractTable):
    """`[alarms.items.NAME]`: one alarm of the catalogue, or what differs from the packaged one of the name."""

    watches: Watched | None = Field(None, description="What it watches, one alarm for each.", examples=["service"])
    level: NonEmpty | None = Field(None, description="Level of the alert.", examples=["warning"])
    reason: str | None = Field(None, description="What is wrong when it fires.", examples=["the queue is not read"])
    metric: Metric | None = Field(None, description="The metric.")
    metrics: dict[NonEmpty, Metric] = Field(
        default_factory=dict, description="The metrics of an expression, by id.", examples=[{"failed": {}}]
    )
    expression: NonEmpty | None = Field(
        None, description="Metric math; compared by value, not by text.", examples=["100 * failed / (failed + started)"]
    )
    event: NonEmpty | None = Field(
        None, description="Instead of a metric: an event that a rule sends on at once.", examples=["deployment-failed"]
    )
    comparison: Literal[">", ">=", "<", "<="] | None = Field(
        None, description="How the metric is compared with the threshold.", examples=[">"]
    )
    threshold: Number | None = Field(None, description="The threshold, or its bounds.", examples=[80])
    whole: bool | None = Field(None, description="The metric is a whole number: `>= 1` is `> 0`.", examples=[True])
    period: Number | None = Field(None, description="Seconds of a period.", examples=[60])
    evaluation_periods: Number | None = Field(None, description="Periods it looks at.", examples=[3])
    missing: list[Literal["missing", "ignore", "breaching", "notBreaching"]] | None = Field(
        None, description="Treatments of missing data that are allowed; any if not given.", examples=[["breaching"]]
    )


class Channel(ContractTable):
    """`[alarms.channels.NAME]`: what a subscription of the channel looks like."""

    protocols: list[NonEmpty] = Field(
        min_length=1,
        description="SNS protocols; `chatbot` is Amazon Q Developer in chat applications.",
        examples=[["email"]],
    )
    endpoint: Regex | None = Field(
        None,
        description="Regular expression that the endpoint begins with.",
        examples=["https://events.pagerduty.com/"],
    )


class LiveAlarms(ContractTable):
    """`[alarms.live]`: how alarms have to behave in AWS."""

    insufficient_minutes: Positive = Field(
        60, description="How long an alarm may be in INSUFFICIENT_DATA.", examples=[30]
    )
    hours: Positive = Field(24, description="How far back the history of an alarm is read.", examples=[72])
    most_alarms: Positive = Field(6, description="How often an alarm may go to ALARM in these hours.", examples=[12])
    sparse: list[NonEmpty] = Field(
        default_factory=list,
        description="Names of alarms, * for any text, whose metrics have no data when all is well.",
        examples=[["shop-prod-refunds-*"]],
    )


class Alarms(ContractTable):
    """`[alarms]`: which alarms there have to be, and whom they reach; the table alone asks for the packaged ones."""

    items: dict[NonEmpty, AlarmItem] = Field(
        default_factory=dict,
        description="Alarms beside the packaged ones, and changes of those.",
        examples=[{"service-cpu": {"threshold": 90}}],
    )
    without: list[NonEmpty] = Field(
        default_factory=list, description="Packaged alarms that are not asked for.", examples=[["replica-lag"]]
    )
    levels: dict[NonEmpty, list[NonEmpty]] = Field(
        default_factory=lambda: {
            "critical": ["chat", "email", "pager"],
            "warning": ["chat", "email"],
            "info": ["chat"],
        },
        description="The channels of each level.",
        examples=[{"critical": ["email", "pager"], "warning": ["email"], "info": ["email"]}],
    )
    channels: dict[NonEmpty, Channel] = Field(
        default_factory=lambda: {
            "chat": Channel(protocols=["chatbot"], endpoint=None),
            "email": Channel(protocols=["email", "email-json"], endpoint=None),
            "pager": Channel(
                protocols=["https"],
                endpoint=r"https://(events(\.eu)?\.pagerduty\.com|api(\.eu)?\.opsgenie\.com|alert\.victorops\.com)/",
            ),
        },
        description="What a subscription of each channel looks like.",
        examples=[{"email": {"protocols": ["email"]}}],
    )
    live: LiveAlarms = Field(LiveAlarms(), description="How alarms have to behave in AWS.")
