"""The contract's tables about how the team works: `[playbooks]`, `[incidents]`, `[process]`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from infraspec.contract.field_types import ContractTable, FilePath, Matching, NonEmpty, wrong

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


class Metrics(ContractTable):
    """`[metrics]`: where the metrics of runs go."""

    namespace: NonEmpty = Field(
        "{application}-{environment}", description="Namespace of CloudWatch.", examples=["Infraspec"]
    )
    role: RoleArn | None = Field(
        None, description="Role to assume, for PutMetricData in the namespace alone.", examples=[_ROLE]
    )


class NotificationChannel(ContractTable):
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


class Notifications(ContractTable):
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


Minutes = Annotated[int, Field(gt=0)]

_REQUIRED = [
    "secret-access-denied",
    "kms-access-denied",
    "secret-connection",
    "secret-key-missing",
    "secret-missing",
    "secret-pending-deletion",
    "secret-reference-invalid",
    "parameter-unreadable",
    "image-pull-failed",
    "logging-failed",
    "deployment-failure",
    "emergency-rollback",
    "escalation",
]
_COMMANDS = ["aws", "curl", "echo", "gh", "git", "infraspec", "jq", "make", "psql", "terraform"]


class Targets(ContractTable):
    """`[playbooks.targets]`: how many minutes each phase may take."""

    confirm: Minutes = Field(5, description="To see what is wrong.", examples=[5])
    restore: Minutes = Field(15, description="To bring the service back.", examples=[15])
    fix: Minutes = Field(30, description="To mend the cause.", examples=[30])
    follow_up: Minutes = Field(1440, description="To learn from it.", examples=[1440])

    def of(self, phase: str) -> int:
        """Return the minutes of a phase by its name, such as `follow-up`."""
        minutes: int = getattr(self, phase.replace("-", "_"))
        return minutes


class Playbooks(ContractTable):
    """`[playbooks]`: what to do in an incident."""

    directory: FilePath = Field(
        description="Directory of the Markdown files, relative to the contract.", examples=["docs/playbooks"]
    )
    languages: list[NonEmpty] = Field(
        ["en"], min_length=1, description="Every playbook exists in each of these languages.", examples=[["ja", "en"]]
    )
    required: list[NonEmpty] = Field(
        _REQUIRED,
        description="Ids, failure classes or alarms that need a playbook.",
        examples=[["deployment-failure"]],
    )
    owners: list[NonEmpty] = Field(
        default_factory=list,
        description="Who may own a playbook; by default the project's owner.",
        examples=[["platform-team", "on-call"]],
    )
    commands: list[NonEmpty] = Field(
        _COMMANDS,
        description="Programs that a playbook may call; scripts of the repository always.",
        examples=[["aws"]],
    )
    targets: Targets = Field(Targets(), description="How many minutes each phase may take.")


class Incidents(ContractTable):
    """`[incidents]`: records of what went wrong."""

    directory: FilePath = Field(
        description="Directory of the Markdown files, relative to the contract.", examples=["docs/incidents"]
    )
    template: FilePath | None = Field(
        None, description="The post-mortem template.", examples=["docs/incidents/template.md"]
    )


class RequiredJob(ContractTable):
    """`[process.jobs.NAME]`: a job that has to run on an event."""

    event: NonEmpty = Field(description="The event that starts it.", examples=["pull_request"])
    runs: NonEmpty = Field(
        description="What it runs: text of an action's name or of a command.", examples=["make test-static"]
    )


class Process(ContractTable):
    """`[process]`: how a change reaches production."""

    template: FilePath | None = Field(
        None, description="The pull request template.", examples=[".github/pull_request_template.md"]
    )
    checklist: list[NonEmpty] = Field(
        default_factory=list,
        description="Items that the template has, and that a pull request has ticked.",
        examples=[["The plan was reviewed"]],
    )
    codeowners: FilePath | None = Field(None, description="The CODEOWNERS file.", examples=[".github/CODEOWNERS"])
    owned: list[NonEmpty] = Field(
        default_factory=list, description="Paths that have an owner.", examples=[["terraform/main.tf"]]
    )
    labels_file: FilePath | None = Field(None, description="The file of labels.", examples=[".github/labels.yml"])
    labels: list[NonEmpty] = Field(
        default_factory=list, description="Labels that the file defines.", examples=[["priority/critical"]]
    )
    workflows: FilePath | None = Field(
        None, description="The directory of workflow files.", examples=[".github/workflows"]
    )
    jobs: dict[NonEmpty, RequiredJob] = Field(
        default_factory=dict,
        description="Jobs that have to run on an event.",
        examples=[{"static": {"event": "pull_request", "runs": "make test-static"}}],
    )
    ruleset: FilePath | None = Field(
        None,
        description="The branch ruleset, as GitHub exports it (JSON).",
        examples=[".github/rulesets/main.json"],
    )
