"""The contract's tables about how the team works: `[playbooks]`, `[incidents]`, `[process]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from infraspec.contract.kinds import FilePath, NonEmpty
from infraspec.contract.table import Table

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


class Targets(Table):
    """`[playbooks.targets]`: how many minutes each phase may take."""

    confirm: Minutes = Field(5, description="To see what is wrong.", examples=[5])
    restore: Minutes = Field(15, description="To bring the service back.", examples=[15])
    fix: Minutes = Field(30, description="To mend the cause.", examples=[30])
    follow_up: Minutes = Field(1440, description="To learn from it.", examples=[1440])

    def of(self, phase: str) -> int:
        """Return the minutes of a phase by its name, such as `follow-up`."""
        minutes: int = getattr(self, phase.replace("-", "_"))
        return minutes


class Playbooks(Table):
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


class Incidents(Table):
    """`[incidents]`: records of what went wrong."""

    directory: FilePath = Field(
        description="Directory of the Markdown files, relative to the contract.", examples=["docs/incidents"]
    )
    template: FilePath | None = Field(
        None, description="The post-mortem template.", examples=["docs/incidents/template.md"]
    )


class RequiredJob(Table):
    """`[process.jobs.NAME]`: a job that has to run on an event."""

    event: NonEmpty = Field(description="The event that starts it.", examples=["pull_request"])
    runs: NonEmpty = Field(
        description="What it runs: text of an action's name or of a command.", examples=["make test-static"]
    )


class Process(Table):
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
