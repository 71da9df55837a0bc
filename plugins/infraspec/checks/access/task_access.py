"""Whether what starts tasks and workflows may do so: rules, schedules, pipes, state machines and deployments."""

from __future__ import annotations

from infraspec.checks.access.workload_roles import check_workload_roles
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.iam.evaluation.decision import Decision
from infraspec.terraform.plan import Plan

RULE = RULES["task-access"]


def check_task_access(
    plan: Plan, contract: Contract, environment: str, decisions: dict[str, Decision] | None = None
) -> list[Finding]:
    """Judge the roles of what starts tasks, and calls what others start: one finding for each permission."""
    return check_workload_roles(plan, contract, environment, RULE, decisions)
