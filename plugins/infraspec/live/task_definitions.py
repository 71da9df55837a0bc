"""The task definitions that exist, as the checks read them."""

from __future__ import annotations

from infraspec.aws.calls import Calls
from infraspec.contract.models import Contract
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.live.plan import live_plan
from infraspec.terraform.plan import Plan


def live_task_definitions(calls: Calls, plan: Plan, contract: Contract, environment: str) -> list[TaskDefinition]:
    """Return the task definitions that services run, and the newest active revisions of the environment's families."""
    return task_definitions(live_plan(calls, plan, contract, environment))
