"""What the rules about workloads share: the roles that the rows of a rule name, judged as those of a service on ECS."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from infraspec.checks.access.secret_access import AccessCheck, known_data, placed
from infraspec.checks.common.live_comparison import not_read
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent
from infraspec.contract.models import Contract
from infraspec.contract.waivers import matches
from infraspec.conventions.placeholders import facts_of, filled
from infraspec.core.errors import ErrorCollector
from infraspec.core.finding import Finding
from infraspec.core.rule import Rule
from infraspec.core.truth import Truth
from infraspec.core.unknown import Value, render
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.evaluation.decision import Decision
from infraspec.terraform.plan import Plan
from infraspec.workloads.access_table import asks_for, workload_roles
from infraspec.workloads.settings import SettingAnswer, WorkloadSettings


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
    unread = list(not_read(rule, plan, asks_for(rule.id)))
    if not tasks and not plan.managed(*asks_for(rule.id)):
        return unread
    known, decided = known_data(contract, environment), {} if decisions is None else decisions
    check = AccessCheck(placed(plan, contract, environment), known, decided, rule, workload_roles()[rule.id])
    errors = ErrorCollector()
    check.named.is_reader = partial(_is_reader, check, contract, environment)
    check.named.is_meant_to = partial(_is_meant_to, check)
    findings = check.of_all_named(errors)
    told = (_of_setting(rule, answer) for answer in WorkloadSettings(check.named).answers(rule.id))
    findings += {finding.key: finding for finding in told}.values()
    for task in tasks:
        with errors.collect():
            findings += check.findings(task)
    errors.finalize()
    return [*findings, *unread]


def _is_reader(check: AccessCheck, contract: Contract, environment: str, role: Value, secret: Value) -> bool:
    """Tell whether `[policies.secret_readers]` of the contract has a role among the readers of a secret."""
    owner, reader = check.owners.find(secret), check.roles.sought(role, check.plan.account).resource
    if owner is None or not contract.policies.secret_readers:
        return False
    facts = facts_of(contract, environment, region=check.plan.region, account=check.plan.account)
    names = {owner.address, render(check.attributes.name(owner))}
    theirs = {render(check.attributes.narrow(role))}
    if reader is not None:
        theirs |= {reader.address, render(check.attributes.name(reader))}
    return any(
        any(matches(filled(pattern, facts), name) for name in names)
        and any(matches(filled(one, facts), name) for one in readers for name in theirs)
        for pattern, readers in contract.policies.secret_readers.items()
    )


def _is_meant_to(check: AccessCheck, role: Value, action: str) -> bool:
    """Tell whether a policy of a role allows an action by its name, on whatever: `ecs:*` says nothing of that."""
    policies = check.roles.role(role, check.plan.account).policies
    named = (clause.statement for policy in policies for clause, _answer in policy.about(action))
    return any(
        one.effect == "Allow" and action.lower() in {render(name).lower() for name in one.actions or ()}
        for one in named
    )


def _of_setting(rule: Rule, one: SettingAnswer) -> Finding:
    """Return the finding about a setting of a workload."""
    row = one.setting
    subject = rule.about(
        one.resource, ", ".join(filter(None, (one.name, row.feature))), one.resource.location_of(one.place)
    )
    shown = ", ".join(map(render, one.values)) or "nothing"
    if one.fits is Truth.YES:
        return subject.proven(f"{row.expected} ({row.source}): {shown}")
    if one.unknown is not None:
        return subject.undetermined(
            expected=row.expected,
            found=f"cannot be decided: {one.unknown.address} is unknown",
            reason=f"{row.reason} ({row.source})",
            remedy=how_to_know(one.unknown),
        )
    return (subject.undetermined if row.is_made else subject.violated)(
        expected=row.expected,
        found=f"nothing in this source creates {shown}" if row.is_made else shown,
        reason=f"{row.reason} ({row.source})" + (", and whether it exists is unknown" if row.is_made else ""),
        remedy=row.fix,
    )
