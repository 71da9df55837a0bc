"""What to say of a permission that is missing, or that cannot be decided: what was found, why, and the remedy."""

from __future__ import annotations

from msgspec.structs import replace

from infraspec.checks.access.access_decisions import AccessJudgement
from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE, ArnIndex
from infraspec.checks.common.roles import Role
from infraspec.checks.common.statement_hcl import (
    change_of,
    grantable,
    policy_elsewhere_remedy,
    policy_remedy,
    policy_to_add,
    policy_to_extend,
    statement_to_add,
)
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.core.finding import Finding, Related, SourceChange
from infraspec.core.rule import Subject
from infraspec.core.unknown import PolicyElsewhere, Text, Unknown, Value, render
from infraspec.ecs.requirement import Requirement
from infraspec.iam.evaluation.decision import Decision, Outcome
from infraspec.iam.evaluation.explanation import Doubt as PolicyDoubt
from infraspec.iam.policy.partial_arn import arn_fields
from infraspec.iam.policy.partial_arn import shown as shown_value
from infraspec.iam.policy.statements import DocumentRefusal
from infraspec.resource_types import resource_type
from infraspec.terraform.provider.known_data import account_unknown

_FEW = 3
_RESOURCE_POLICY, _CONTROL = "resource policy", "service control policies"


def explain_denial(
    subject: Subject,
    requirement: Requirement,
    role: Role,
    judgement: AccessJudgement,
    owners: ArnIndex,
    *,
    actions: tuple[str, ...] = (),
) -> Finding:
    """Say why a permission is missing and what to add: of all `actions`, if several are missing alike."""
    actions, decision = actions or (requirement.action,), judgement.decision
    found, reason = _explain(requirement, role, decision)
    changes: tuple[SourceChange, ...] = ()
    absent = [one.absent for one in (*role.policies, *(role.boundary or ())) if one.absent]
    if judgement.obstacle is not None:
        found, reason, remedy = judgement.obstacle.found, judgement.obstacle.reason, judgement.obstacle.remedy
    elif decision.refused is not None:
        remedy = f"in {decision.refused.name}: {decision.refused.remedy}"
        changes = _completed(requirement, role, decision, decision.refused, owners, actions)
    else:
        remedy, changes = _remedy(requirement, role, decision, owners, actions)
    if absent and decision.outcome is Outcome.IMPLICITLY_DENIED:
        reason = "\n".join([*(why for why, _ in absent), reason])
        remedy = "\nor ".join([*(f"name {meant} instead" for _, meant in absent if meant), remedy])
    finding = replace(subject, related=_related(role, decision)).violated(
        expected=_expected(requirement, role, actions),
        found=found,
        reason=reason.replace(requirement.action, ", ".join(actions)),
        remedy=remedy,
    )
    return replace(finding, changes=changes)


def explain_doubt(
    subject: Subject,
    requirement: Requirement,
    role: Role,
    judgement: AccessJudgement,
    owners: ArnIndex,
    *,
    actions: tuple[str, ...] = (),
) -> Finding:
    """Say why it cannot be decided whether a permission is there."""
    doubt, doubts = judgement.doubt, judgement.decision.doubts
    actions = actions or (requirement.action,)
    reasons = [doubt.reason] if doubt else list(dict.fromkeys(map(_doubted, doubts)))[:_FEW]
    foreign = "" if reasons else arn_fields(requirement.resource).get("account")
    unknown = doubt.unknown if doubt else next((one.unknown for one in doubts if one.unknown), None)
    if unknown and isinstance(unknown.cause, PolicyElsewhere):
        remedy = policy_elsewhere_remedy(unknown.cause, requirement, role, owners)
    elif foreign:
        whether = f"it is unknown whether {role.address} is in account {render(foreign)}"
        reasons = [f"{whether}; if it is not, the policy of the resource must also allow it"]
        remedy = how_to_know(foreign if isinstance(foreign, Unknown) else account_unknown("aws"))
    elif unknown is not None:
        remedy = role.remedy if unknown == role.unknown else how_to_know(unknown)
    elif doubt:
        shown = f"{', '.join(actions)} on {render(requirement.resource)}"
        remedy = doubt.remedy or f"allow {shown} to {role.address}"
    else:
        remedy = _certain_instead(judgement.decision, role)
    return replace(subject, related=_related(role, judgement.decision)).undetermined(
        expected=_expected(requirement, role, actions),
        found=f"cannot be decided: {unknown.address} is unknown" if unknown else "cannot be decided",
        reason="\n".join(reasons) or "the known policies neither allow nor deny it",
        remedy=remedy,
    )


def _doubted(doubt: PolicyDoubt) -> str:
    """Say of a policy of which nothing is known no more than that."""
    unknown = doubt.unknown
    if unknown is not None and unknown.address == doubt.hit.policy.name:
        return f"{unknown.address} is unknown: it may allow or deny the action"
    return str(doubt)


def _certain_instead(decision: Decision, role: Role) -> str:
    layers = decision.layers and (*decision.layers.scps, *decision.layers.rcps)
    limiting = [id(policy) for layer in layers or () for policy in layer.policies]
    if decision.doubts and all(id(doubt.hit.policy) in limiting for doubt in decision.doubts):
        return "list in the contract, as scps and rcps, which policies of the organization limit the account"
    if any(doubt.hit.clause.statement.condition is not None for doubt in decision.doubts):
        return "add a statement without the Condition, or waive the finding: only AWS knows the values of its keys"
    certain = f"write a statement for {role.address} that covers it for certain"
    return f"give a plan or state file in which the ARN is known, or {certain}" if role.snapshot else certain


def _expected(requirement: Requirement, role: Role, actions: tuple[str, ...]) -> str:
    shown, access = render(requirement.resource), requirement.access
    named = shown_value(requirement.need.named)
    also = f" ({named})" if isinstance(requirement.need.named, Unknown | Text) and named != shown else ""
    may = f"the {access.role} role {role.address} must be allowed to perform {', '.join(actions)} on {shown}{also}"
    return f'{may}; required by AWS: "{access.source}"'


def _explain(requirement: Requirement, role: Role, decision: Decision) -> tuple[str, str]:
    """Return what was found, and why that is no permission."""
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        return f"{decision.deciding} denies it", "an explicit deny wins over every allow"
    if refused := decision.refused:
        return f"AWS refuses {refused.name}{f' ({refused.place})' if refused.place else ''}", refused.reason
    if decision.limited:
        found = f"the permissions boundary of {role.address} does not allow it"
        return found, "a permissions boundary limits what the role's own policies allow"
    if _CONTROL in decision.blocked_by:
        found = f"the {_CONTROL} do not allow it"
        return found, "a policy of the organization limits what the policies of the account allow"
    if _RESOURCE_POLICY in decision.blocked_by:
        named = shown_value(requirement.need.named) or render(requirement.resource)
        reason = "the policy of a resource in another account must also allow it"
        if requirement.action.startswith("kms:"):
            reason = "the policy of a KMS key must name the role, or leave the decision to IAM by naming its account"
        return f"the policy of {named} does not allow {role.address}", reason
    count, reason = len(role.policies), f"no statement covers `{requirement.action.partition(':')[0]}` actions"
    if decision.nearest:
        reason = f"the closest is {decision.nearest.hit}: {decision.nearest.reason}"
    return f"no statement allows it; {role.address} has {count} {'policy' if count == 1 else 'policies'}", reason


def _related(role: Role, decision: Decision) -> tuple[Related, ...]:
    hit = decision.deciding or (decision.nearest.hit if decision.nearest else None)
    statement = [Related("statement", str(hit), hit.location)] if hit else []
    return (role.related, *statement)


def _remedy(
    requirement: Requirement, role: Role, decision: Decision, owners: ArnIndex, actions: tuple[str, ...]
) -> tuple[str, tuple[SourceChange, ...]]:
    """Return the text of what fixes it, and the changes that may do so."""
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        return f"remove {', '.join(actions)} on this resource from {decision.deciding}", ()
    if _CONTROL in decision.blocked_by and not decision.limited:
        return f"allow {', '.join(actions)} in the {_CONTROL} of the organization", ()
    if _RESOURCE_POLICY in decision.blocked_by and not decision.limited:
        return policy_remedy(requirement, role, owners)
    named = requirement.need.named
    is_parameter = requirement.action == "ssm:GetParameters" and isinstance(named, str)
    if is_parameter and owners.secret_or_parameter(str(named)) == "secret":
        secret = shown_value(owners.secret_named(str(named)))
        return f"set valueFrom to {secret}: ECS treats a name as that of a parameter", ()
    resource = _grantable(requirement, owners)
    target = policy_to_extend(role, decision, owners)
    owned = role.resource if role.resource and not role.snapshot and role.resource.key != "?" else None
    of_its_own = (change_of(actions, resource, owned),) if owned and not decision.limited else ()
    if target is None and owned and not decision.limited:
        return f"give {role.address} a policy\n{policy_to_add(actions, resource, owned)}", of_its_own
    module = target.module if target else role.resource.module if role.resource else ""
    as_block = target is not None and target.type == DOCUMENT_TYPE
    if decision.limited:
        where = f"to the permissions boundary of {role.address}"
    elif target is not None:
        where = f"to {target.address} ({target.location})" if target.location else f"to {target.address}"
    else:
        where = f"to a policy of {role.address}{', where it is managed,' if role.snapshot else ''}"
    statement = statement_to_add(actions, resource, module=module, as_block=as_block)
    path = "" if as_block else "inline_policy.0.policy" if target is role.resource else "policy"
    extended = () if target is None else (change_of(actions, resource, target, path),)
    return f"add {where} the statement\n{statement}", (*extended, *of_its_own)


def _grantable(requirement: Requirement, owners: ArnIndex) -> Value:
    """Return the resource as a policy should name it."""
    if requirement.access.resource == "`*`":  # what the table says of an action on something that is nobody's
        return "*"
    return grantable(requirement.action, requirement.resource, requirement.need.named, owners)


def _completed(  # noqa: PLR0917 - what a missing permission is about
    requirement: Requirement,
    role: Role,
    decision: Decision,
    refusal: DocumentRefusal,
    owners: ArnIndex,
    actions: tuple[str, ...],
) -> tuple[SourceChange, ...]:
    """Return what takes the place of a statement that lacks an element, if that alone was to allow the actions."""
    holder, statement = owners.plan.by_address.get(refusal.name), refusal.statement_for(decision.request)
    if holder is None or holder.mode != "managed" or statement is None:
        return ()
    target = owners.document_of(holder) or holder
    path = "" if target.type == DOCUMENT_TYPE else "inline_policy.0.policy" if target is role.resource else "policy"
    lacking = (
        [clause for clause in refusal.policy.clauses if clause.statement.path == statement] if refusal.policy else []
    )
    if any(clause.conditions for clause in lacking):  # which nobody would write again
        return ()
    if any(policy.names_principals and policy.attribute == "policy" for policy in resource_type(holder.type).policies):
        return ()
    return (replace(change_of(actions, _grantable(requirement, owners), target, path), instead=statement),)
