"""What the rules about workloads share: the roles that the rows of a rule name, judged as those of a service on ECS."""

from __future__ import annotations

from collections.abc import Sequence

from infraspec.checks.access.secret_access import AccessCheck, known_data, placed
from infraspec.checks.common.unknown_remedies import of_what_may_be_absent
from infraspec.contract.models import Contract
from infraspec.core.errors import ErrorCollector
from infraspec.core.finding import Finding
from infraspec.core.rule import Rule
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.evaluation.decision import Decision
from infraspec.terraform.plan import Plan
from infraspec.workloads.access_table import asks_for, workload_roles


@of_what_may_be_absent
def check_workload_roles(
    plan: Plan,
    contract: Contract,
    environment: str,
    rule: Rule,
    decisions: dict[str, Decision] | None,
    *,
    tasks: Sequence[TaskDefinition] = (),
) -> list[Finding]:
    """Judge who may assume each role that the rows of a rule name, and every permission that it needs.

    `tasks` are what else runs as a task, whose two roles are judged as those of a task definition.

    `decisions` gets what IAM decided, by `Finding.key`, of what is not proven.
    Raises PolicyError, or InputErrorGroup with several, if a policy that matters is malformed.
    """
    if not tasks and not plan.managed(*asks_for(rule.id)):
        return []
    known, decided = known_data(contract, environment), {} if decisions is None else decisions
    check = AccessCheck(placed(plan, contract, environment), known, decided, rule, workload_roles()[rule.id])
    errors = ErrorCollector()
    findings = check.of_all_named(errors)
    for task in tasks:
        with errors.collect():
            findings += check.findings(task)
    errors.finalize()
    return findings
