"""The contract's tables about who is told of a run: `[metrics]` and `[notifications]`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from infraspec.contract.kinds import Matching, NonEmpty, wrong
from infraspec.contract.table import Table

NoticeLevel: TypeAlias = Literal["critical", "warning", "info"]

VariableName: TypeAlias = Annotated[
    str,
    Matching(r"^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable; the URL itself is a secret"),
]
RoleArn: TypeAlias = Annotated[
    str,
    Matching(r"^arn:[^:\s]+:iam::[^:\s]+:role/\S+$", "the ARN of an IAM role; it may have placeholders"),
]
TopicArn: TypeAlias = Annotated[
    str,
    Matching(r"^arn:[^:\s]+:sns:[^:\s]+:[^:\s]+:[^:\s]+$", "the ARN of an SNS topic; it may have placeholders"),
]

_ROLE = "arn:aws:iam::{account_id}:role/{application}-{environment}-metrics"


class Metrics(Table):
    """`[metrics]`: where the metrics of runs go."""

    namespace: NonEmpty = Field(
        "{application}-{environment}", description="Namespace of CloudWatch.", examples=["Infraspec"]
    )
    role: RoleArn | None = Field(
        None, description="Role to assume, for PutMetricData in the namespace alone.", examples=[_ROLE]
    )


class NotificationChannel(Table):
    """`[notifications.channels.NAME]`: an apprise URL in an environment variable, or an SNS topic."""

    url_variable: VariableName | None = Field(
        None, description="Environment variable that holds the channel's apprise URL.", examples=["CHAT_URL"]
    )
    topic: TopicArn | None = Field(
        None,
        description="SNS topic, for text that people read.",
        examples=["arn:aws:sns:eu-west-1:{account_id}:{application}-{environment}-critical"],
    )
    levels: list[NoticeLevel] = Field(
        ["critical", "warning", "info"], min_length=1, description="What it is told of.", examples=[["critical"]]
    )
    each: bool = Field(
        default=False, description="A message for each finding, to raise and resolve it, instead of one for all."
    )

    @model_validator(mode="after")
    def _has_one_address(self) -> NotificationChannel:
        if (self.url_variable is None) == (self.topic is None):
            raise wrong("either `url_variable` or `topic`")
        return self


class Notifications(Table):
    """`[notifications]`: who is told when what a run finds has changed."""

    channels: dict[NonEmpty, NotificationChannel] = Field(
        min_length=1, description="The channels by name.", examples=[{"chat": {"url_variable": "CHAT_URL"}}]
    )
    levels: dict[NonEmpty, NoticeLevel] = Field(
        default_factory=dict, description="The level of a rule's violations.", examples=[{"tags": "info"}]
    )
    role: RoleArn | None = Field(
        None,
        description="Role to assume, to publish to the topics alone.",
        examples=[_ROLE.replace("metrics", "notices")],
    )
