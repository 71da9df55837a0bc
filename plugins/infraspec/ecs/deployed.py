"""What is declared and what runs, side by side."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from infraspec.ecs.declared_service import DeclaredService
from infraspec.ecs.service import Service
from infraspec.ecs.task import Task
from infraspec.ecs.task_definition import TaskDefinition


class DeployedService(Struct, frozen=True):
    """A declared service and the live one, None if there is none.

    `running` is the task definition of the live service, `newest` the ARN of the newest active revision of the
    declared family; empty if there is none, or if the family is not known. `elsewhere` is the other account that it is
    in, which was not asked.
    """

    declared: DeclaredService
    live: Service | None = None
    cluster_exists: bool = False
    running: TaskDefinition | None = None
    newest: str = ""
    elsewhere: str = ""


class Fleet(Struct, frozen=True):
    """The services of an environment. `others` run in the same clusters and are not in the source.

    `tasks` are all of these clusters, tasks without a service among them; `read` is when AWS was asked, `waited` for
    how many seconds deployments that are under way have been watched.
    """

    services: tuple[DeployedService, ...]
    others: tuple[Service, ...]
    tasks: tuple[Task, ...]
    read: datetime
    waited: int = 0
