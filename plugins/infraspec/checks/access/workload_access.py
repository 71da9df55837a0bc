"""Whether the roles of App Runner, AWS Batch and RDS Proxy may do what these services do with them."""

from __future__ import annotations

from infraspec.checks.access.workload_roles import check_workload_roles
from infraspec.checks.common.live_comparison import not_read
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.iam.evaluation.decision import Decision
from infraspec.terraform.plan import Plan
from infraspec.workloads.batch import JOB_DEFINITION, job_definitions

RULE = RULES["workload-access"]


def check_workload_access(
    plan: Plan, contract: Contract, environment: str, decisions: dict[str, Decision] | None = None
) -> list[Finding]:
    """Judge the roles of App Runner services, jobs and database proxies: one finding for each permission."""
    found = check_workload_roles(plan, contract, environment, RULE, decisions, tasks=job_definitions(plan))
    return [*found, *not_read(RULE, plan, (JOB_DEFINITION,))]
