"""The contract's tables about how the team works: `[playbooks]`, `[incidents]`, `[process]`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from infraspec.contract.field_types import KNOWN, ContractTable, FilePath, Matching, NonEmpty, wrong

NoticeLevel: TypeAlias = Literal["critical", "warning", "info"]

VariableName: TypeAlias = Annotated[str, Matching.named("VariableName")]
RoleArn: TypeAlias = Annotated[str, Matching.named("AnyRoleArn")]
TopicArn: TypeAlias = Annotated[str, Matching.named("AnyTopicArn")]


RUN_METRICS = frozenset(
    {
        "RunCompleted", "Duration", "Proven", "Violated", "Undetermined", "Waived", "Known", "Broken",
        "PermissionCheckFailures", "ConsistencyCheckFailures", "DeploymentSuccessRate",
    }
)  # fmt: skip
"""The metrics that `infraspec report metrics` publishes, with the dimensions Environment and Suite."""


class Metrics(ContractTable):
    """`[metrics]`: where the metrics of runs go."""

    namespace: NonEmpty = "{application}-{environment}"
    role: RoleArn | None = None


class NotificationChannel(ContractTable):
    """`[notifications.channels.NAME]`: an apprise URL in an environment variable, or an SNS topic."""

    url_variable: VariableName | None = None
    topic: TopicArn | None = None
    levels: list[NoticeLevel] = Field(["critical", "warning", "info"], min_length=1)
    each: bool = False

    @model_validator(mode="after")
    def _has_one_address(self) -> NotificationChannel:
        if (self.url_variable is None) == (self.topic is None):
            raise wrong("either `url_variable` or `topic`")
        return self


class Notifications(ContractTable):
    """`[notifications]`: who is told when what a run finds has changed."""

    channels: dict[NonEmpty, NotificationChannel] = Field(min_length=1)
    levels: dict[NonEmpty, NoticeLevel] = {}
    role: RoleArn | None = None


Minutes = Annotated[int, Field(gt=0)]
Age = Annotated[str, Matching.named("Age")]
"""A number of days, such as "180d"."""


class Targets(ContractTable):
    """`[playbooks.targets]`: how many minutes each phase may take."""

    confirm: Minutes = 5
    restore: Minutes = 15
    fix: Minutes = 30
    follow_up: Minutes = 1440

    def of(self, phase: str) -> int:
        """Return the minutes of a phase by its name, such as `follow-up`."""
        minutes: int = getattr(self, phase.replace("-", "_"))
        return minutes


class Playbooks(ContractTable):
    """`[playbooks]`: what to do in an incident."""

    directory: FilePath
    languages: list[NonEmpty] = Field(["en"], min_length=1)
    required: list[NonEmpty] = KNOWN.required_playbooks
    owners: list[NonEmpty] = []
    commands: list[NonEmpty] = KNOWN.playbook_commands
    targets: Targets = Targets()
    rehearsals: FilePath | None = None
    rehearsed_within: Age | None = None


class Incidents(ContractTable):
    """`[incidents]`: records of what went wrong."""

    directory: FilePath
    template: FilePath | None = None


class RequiredJob(ContractTable):
    """`[process.jobs.NAME]`: a job that has to run on an event."""

    event: NonEmpty
    runs: NonEmpty
    gate: bool = True
    hours: Annotated[int, Field(gt=0)] = 24


class Process(ContractTable):
    """`[process]`: how a change reaches production."""

    template: FilePath | None = None
    checklist: list[NonEmpty] = []
    codeowners: FilePath | None = None
    owned: list[NonEmpty] = []
    labels_file: FilePath | None = None
    labels: list[NonEmpty] = []
    workflows: FilePath | None = None
    jobs: dict[NonEmpty, RequiredJob] = {}
    ruleset: FilePath | None = None
    branch: NonEmpty | None = None
