"""`[alarms]`: the alarm catalogue and the routes by which alerts reach people."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, Tag, model_validator

from infraspec.contract.field_types import ContractTable, LinearRegex, NonEmpty, told_by, wrong

Positive = Annotated[int, Field(gt=0)]

Watched: TypeAlias = Literal["service", "target", "database", "replica", "secret", "environment"]
"""What an alarm watches: each ECS service, target group of a service, database that is no read replica, read replica,
secret; or the environment as a whole."""


class Bounds(ContractTable):
    """`{ min = …, max = … }`: a number that is not less, not more."""

    min: float | None = None
    max: float | None = None


def _number_kind(value: Any) -> str | None:
    if isinstance(value, (dict, Bounds)):
        return "<bounds>"
    return "<number>" if isinstance(value, int | float) and not isinstance(value, bool) else None


Number: TypeAlias = Annotated[
    Annotated[float, Tag("<number>")] | Annotated[Bounds, Tag("<bounds>")],
    told_by(_number_kind, "a number, or { min = …, max = … }"),
]
"""An exact number, or its bounds."""


class Metric(ContractTable):
    """A metric that an alarm looks at: one of AWS by name, or one that metric filters of a log count."""

    namespace: NonEmpty | None = None
    name: NonEmpty | None = None
    statistic: list[NonEmpty] = []
    unit: NonEmpty | None = None
    dimensions: dict[NonEmpty, NonEmpty] = {}
    counts: list[NonEmpty] = []
    ignores: list[NonEmpty] = []


class AlarmItem(ContractTable):
    """`[alarms.items.NAME]`: one alarm of the catalogue, or what differs from the packaged one of the name."""

    watches: Watched | None = None
    level: NonEmpty | None = None
    reason: str | None = None
    metric: Metric | None = None
    metrics: dict[NonEmpty, Metric] = {}
    expression: NonEmpty | None = None
    event: NonEmpty | None = None
    comparison: Literal[">", ">=", "<", "<="] | None = None
    threshold: Number | None = None
    whole: bool | None = None
    period: Number | None = None
    evaluation_periods: Number | None = None
    missing: list[Literal["missing", "ignore", "breaching", "notBreaching"]] | None = None


class Channel(ContractTable):
    """`[alarms.channels.NAME]`: what a subscription of the channel looks like."""

    protocols: list[NonEmpty] = Field(min_length=1)
    endpoint: LinearRegex | None = None


class LiveAlarms(ContractTable):
    """`[alarms.live]`: how alarms have to behave in AWS."""

    insufficient_minutes: Positive = 60
    hours: Positive = 24
    most_alarms: Positive = 6
    sparse: list[NonEmpty] = []


class Publisher(ContractTable):
    """`[alarms.publishers.NAME]`: who publishes metrics that no metric filter of the source counts."""

    namespace: NonEmpty | None = None
    metrics: list[NonEmpty] = Field(["*"], min_length=1)
    role: NonEmpty | None = None
    log_group: NonEmpty | None = None

    @model_validator(mode="after")
    def _says_who(self) -> Publisher:
        if (self.role is None) == (self.log_group is None):
            raise wrong("either `role` or `log_group`")
        if self.role is not None and self.namespace is None:
            raise wrong("`namespace` beside `role`: what the role publishes in")
        return self


class Alarms(ContractTable):
    """`[alarms]`: which alarms there have to be, and whom they reach; the table alone asks for the packaged ones."""

    items: dict[NonEmpty, AlarmItem] = {}
    without: list[NonEmpty] = []
    levels: dict[NonEmpty, list[NonEmpty]] = Field(
        default_factory=lambda: {
            "critical": ["chat", "email", "pager"],
            "warning": ["chat", "email"],
            "info": ["chat"],
        }
    )
    channels: dict[NonEmpty, Channel] = Field(
        default_factory=lambda: {
            "chat": Channel(protocols=["chatbot"], endpoint=None),
            "email": Channel(protocols=["email", "email-json"], endpoint=None),
            "pager": Channel(
                protocols=["https"],
                endpoint=r"https://(events(\.eu)?\.pagerduty\.com|api(\.eu)?\.opsgenie\.com|alert\.victorops\.com)/",
            ),
        }
    )
    publishers: dict[NonEmpty, Publisher] = {}
    live: LiveAlarms = LiveAlarms()


class AskedFailure(ContractTable):
    """`[drill.failures.NAME]`: at which level, and within how many minutes, a failure has to be heard of."""

    level: NonEmpty | None = None
    minutes: Positive | None = None


class DrilledFailures(ContractTable):
    """`[drill]`: which failures have to be heard of; the table alone asks for the packaged ones, as they are."""

    failures: dict[NonEmpty, AskedFailure] = {}
    without: list[NonEmpty] = []
