"""Tasks that run and tasks that have stopped, as AWS describes them.

Sources: Amazon ECS API Reference, "Task" and "Container"; Amazon ECS Developer Guide, "Viewing Amazon ECS stopped task
errors": ECS shows a stopped task for at least one hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

_OF_SERVICE = "service:"


class TaskContainer(Struct, frozen=True):
    """A container of a task. `exit_code` is None while it runs, and if it never did."""

    name: str
    image: str = ""
    digest: str = ""
    exit_code: int | None = None
    reason: str = ""

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> TaskContainer:
        """Read an entry of a task's containers."""
        return cls(
            described["name"],
            described.get("image", ""),
            described.get("imageDigest", ""),
            described.get("exitCode"),
            described.get("reason", ""),
        )


class Task(Struct, frozen=True):
    """A task. `stop_code` is TaskFailedToStart, EssentialContainerExited, … and empty while it runs."""

    arn: str
    cluster: str
    task_definition: str
    status: str
    desired_status: str = ""
    group: str = ""
    started_by: str = ""
    health: str = ""
    created: datetime | None = None
    started: datetime | None = None
    stopped: datetime | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    containers: tuple[TaskContainer, ...] = ()

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> Task:
        """Read an entry of DescribeTasks."""
        return cls(
            described["taskArn"],
            described["clusterArn"],
            described["taskDefinitionArn"],
            described.get("lastStatus", ""),
            described.get("desiredStatus", ""),
            described.get("group", ""),
            described.get("startedBy", ""),
            described.get("healthStatus", ""),
            described.get("createdAt"),
            described.get("startedAt"),
            described.get("stoppedAt") or described.get("stoppingAt"),
            described.get("stopCode", ""),
            described.get("stoppedReason", ""),
            tuple(map(TaskContainer.from_description, described.get("containers") or ())),
        )

    @property
    def service(self) -> str:
        """The name of the service it belongs to; empty for a task by itself."""
        return self.group.removeprefix(_OF_SERVICE) if self.group.startswith(_OF_SERVICE) else ""

    @property
    def is_running(self) -> bool:
        """Whether it runs and is meant to."""
        return self.status == "RUNNING" and self.desired_status in ("RUNNING", "")

    @property
    def has_stopped(self) -> bool:
        """Whether it has stopped, or is about to."""
        return self.status == "STOPPED" or self.desired_status == "STOPPED"

    @property
    def revision(self) -> str:
        """The task definition as `family:revision`."""
        return revision_of(self.task_definition)

    @property
    def reason(self) -> str:
        """All that ECS says of why it stopped, whole: of the task, then of its containers."""
        further = [one for one in self.containers if one.reason and one.reason not in self.stopped_reason]
        whole = [self.stopped_reason, *(f'container "{one.name}": {one.reason}' for one in further)]
        return "\n".join(filter(None, whole))


def revision_of(task_definition: str) -> str:
    """Return `family:revision` of a task definition's ARN; what is no ARN as it is."""
    return task_definition.rpartition("/")[2]
