"""Whether the role of each Lambda function may do what Lambda does with it: logs, network, sources, destinations."""

from __future__ import annotations

from infraspec.checks.access.workload_roles import check_workload_roles
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.iam.evaluation.decision import Decision
from infraspec.terraform.plan import Plan

RULE = RULES["function-access"]


def check_function_access(
    plan: Plan, contract: Contract, environment: str, decisions: dict[str, Decision] | None = None
) -> list[Finding]:
    """Judge the roles of functions: one finding for each permission."""
    return check_workload_roles(plan, contract, environment, RULE, decisions)
