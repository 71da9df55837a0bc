"""Whether ECS may assume a role: its trust policy has to let Service ecs-tasks.amazonaws.com do sts:AssumeRole.

Sources: Amazon ECS Developer Guide, "Amazon ECS task execution IAM role" and "Amazon ECS task IAM role"; the latter
says that aws:SourceArn is an ARN of ECS in the task's region and account, and aws:SourceAccount that account. Whether
`Principal: "*"` lets a service in is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE, ArnIndex
from infraspec.checks.common.roles_in_snapshots import RoleLookup
from infraspec.checks.common.statement_hcl import principal_to_add
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rule import Subject
from infraspec.core.truth import Truth
from infraspec.core.unknown import AtRunTime, Unknown, Value, render
from infraspec.ecs.access_table import Access
from infraspec.ecs.requirement import AccessContext
from infraspec.iam.evaluation.decision import Decision, Outcome, decide
from infraspec.iam.evaluation.layers import naming
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument, Statement
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import Clause, IdentityPolicy
from infraspec.terraform.plan import Resource

SERVICE = "ecs-tasks.amazonaws.com"
ACTION = "sts:AssumeRole"
_ATTRIBUTE = "assume_role_policy"
_ECS = Principal.of(SERVICE)
_IN_CHINA = f"{SERVICE}.cn"
"""A name that services have in China; whether ECS still has it there is not documented."""
_FEW = 3


class Trust(Struct):
    """The trust policies of a plan's roles. Each is decided once; many roles have the same."""

    owners: ArnIndex
    _letting_in: dict[tuple[Value, Value, Value, str], str] = field(default_factory=dict)

    def judge(self, row: Access, address: str, sought: RoleLookup, context: AccessContext, subject: Subject) -> Finding:
        """Judge the trust policy of a role; the row says which of a task definition's roles it is."""
        expected = f'the {row.role} role {address} lets {SERVICE} do {ACTION}, as AWS asks in "{row.source}"'
        if sought.settled is not None:
            say = subject.violated if sought.settled is Verdict.VIOLATED else subject.undetermined
            return say(expected=expected, found=sought.why, reason=sought.reason, remedy=sought.remedy)
        resource = sought.resource
        value = resource.stated(_ATTRIBUTE) if resource else None
        if resource is None or value is None:
            read = "" if resource is None else "name `assume_role_policy` under [known], give a plan file, or "
            found, remedy = "its trust policy is not known", f"{read}{sought.remedy}"
            return subject.undetermined(expected=expected, found=found, reason=sought.why, remedy=remedy)
        key = (value, context.region, context.account, str(resource.location) if sought.snapshot else "")
        if key not in self._letting_in:
            policy, request = self._policy(resource, value), _request_context(context)
            decision = decide((), ACTION, "*", resource_policies=(policy,), principal=_ECS, context=request)
            deciding = decision.deciding
            if decision.allowed is not Truth.YES or deciding is None:
                statement = [Related("statement", str(deciding), deciding.location)] if deciding else []
                related = (*subject.related, Related("role", resource.address, resource.location), *statement)
                return self._refuse(replace(subject, related=related), expected, policy, decision, sought)
            place = f" ({deciding.location})" if sought.snapshot else ""
            self._letting_in[key] = f"{deciding.clause.statement}{place}"
        return subject.proven(f"the trust policy of {address} allows it by {self._letting_in[key]}")

    def _refuse(
        self, subject: Subject, expected: str, policy: IdentityPolicy, decision: Decision, sought: RoleLookup
    ) -> Finding:
        allowing = [clause.statement for clause in policy.clauses if clause.statement.effect == "Allow"]
        named = dict.fromkeys(render(entry) for statement in allowing for entry in _principals(statement))
        found = f"the role lets in {', '.join(named)}" if named else "the role lets nobody in"
        reason = "\n".join(map(_miss, policy.clauses[:_FEW])) or "its trust policy has no statement"
        if decision.outcome is Outcome.EXPLICITLY_DENIED:
            found, reason = f"{decision.deciding} denies it", "an explicit deny wins over every allow"
        if decision.allowed is Truth.NO and _IN_CHINA not in named:
            remedy = self._remedy(decision, sought)
            return subject.violated(expected=expected, found=found, reason=reason, remedy=remedy)
        unknown = next((doubt.unknown for doubt in decision.doubts if doubt.unknown), None)
        return subject.undetermined(
            expected=expected,
            found="it depends on what is not known",
            reason="\n".join(map(str, decision.doubts[:_FEW])) or reason,
            remedy=how_to_know(unknown) if unknown else f"name Service {SERVICE} in a statement without conditions",
        )

    def _policy(self, resource: Resource, value: Value) -> IdentityPolicy:
        place = f"{resource.location_of(_ATTRIBUTE) or resource.address}: {resource.address}.{_ATTRIBUTE}"
        return IdentityPolicy.of(
            f"{resource.address}.{_ATTRIBUTE}",
            PolicyDocument.from_value(value, place=place, with_principals=True),
            resolve=self.owners.attributes.narrow,
            locate=lambda path: resource.location_of(f"{_ATTRIBUTE}.{path}"),
            bound=_certain,
        )

    def _remedy(self, decision: Decision, sought: RoleLookup) -> str:
        role = sought.resource
        if decision.outcome is Outcome.EXPLICITLY_DENIED or role is None:
            return f"take Service {SERVICE} out of {decision.deciding}"
        target = (None if sought.snapshot else self.owners.document_of(role, _ATTRIBUTE)) or role
        place = f" ({target.location})" if target.location else ""
        named = target.address if target is not role else f"assume_role_policy of {role.address}"
        as_block = target.type == DOCUMENT_TYPE
        statement = principal_to_add(ACTION, "Service", SERVICE, module=target.module, as_block=as_block)
        kept = ", where that is managed," if sought.snapshot else ""
        return f"add to {named}{place}{kept} the statement\n{statement}"


def _request_context(context: AccessContext) -> Context:
    """Return what is known of the request in which ECS assumes a role for a task."""
    task = Unknown("the task that the role is for", AtRunTime("the task"))
    return Context.of(
        {
            "aws:SourceArn": context.arn("ecs", task),
            "aws:SourceAccount": context.account,
            "aws:PrincipalIsAWSService": True,
            "aws:PrincipalServiceName": SERVICE,
        },
        absent=("aws:username", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "sts:ExternalId"),
    )


def _principals(statement: Statement) -> Iterator[Value]:
    principal = statement.principal
    if not isinstance(principal, Mapping):
        yield principal
        return
    for values in principal.values():
        yield from values if isinstance(values, list | tuple) else (values,)


def _certain(statement: Statement) -> Truth:
    """Tell whether it is documented that a statement lets in, or keeps out, the services it names."""
    entries = {entry for entry in _principals(statement) if isinstance(entry, str)}
    return Truth.MAYBE if statement.effect == "Allow" and "*" in entries and SERVICE not in entries else Truth.YES


def _miss(clause: Clause) -> str:
    statement = clause.statement
    if statement.effect == "Deny":
        return f"{statement} denies"
    if naming(statement, _ECS, clause.resolve).any is Truth.NO:
        return f"{statement} does not name Service {SERVICE}"
    if clause.covers_action(ACTION) is Truth.NO:
        return f"{statement} allows {', '.join(map(render, statement.actions or ()))}, not {ACTION}"
    return f"the Condition of {statement} does not hold for ECS"
