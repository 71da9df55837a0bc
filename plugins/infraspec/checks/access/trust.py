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
from infraspec.terraform.plan import IamSnapshot, Resource

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

    def judge(self, row: Access, address: str, sought: RoleLookup, context: AccessContext) -> Finding:
        """Judge the trust policy of a role; the row says which of a task definition's roles it is.

        The finding has no rule, address or place yet.
        """
        resource = sought.resource
        subject = f"{row.role} role: {ACTION} by {SERVICE}"
        expected = f'the {row.role} role {address} lets {SERVICE} do {ACTION}, as AWS asks in "{row.source}"'
        blank = Finding("", Verdict.UNDETERMINED, "", subject, expected=expected)
        if sought.settled is not None:
            return replace(blank, verdict=sought.settled, found=sought.why, reason=sought.reason, remedy=sought.remedy)
        if resource is None or resource.values.get(_ATTRIBUTE) is None:
            read = "" if resource is None else "name `assume_role_policy` under [known], give a plan file, or "
            return replace(
                blank, found="its trust policy is not known", reason=sought.why, remedy=f"{read}{sought.remedy}"
            )
        value = resource.get(_ATTRIBUTE)
        key = (value, context.region, context.account, str(resource.location) if sought.snapshot else "")
        if key not in self._letting_in:
            policy = self._policy(resource, value)
            decision = decide(
                (), ACTION, "*", resource_policies=(policy,), principal=_ECS, context=_request_context(context)
            )
            if decision.allowed is not Truth.YES or decision.deciding is None:
                return self._unproven(blank, resource, policy, decision, sought.snapshot)
            place = f" ({decision.deciding.location})" if sought.snapshot else ""
            self._letting_in[key] = f"{decision.deciding.clause.statement}{place}"
        reason = f"the trust policy of {address} allows it by {self._letting_in[key]}"
        return replace(blank, verdict=Verdict.PROVEN, reason=reason, expected="")

    def _unproven(
        self,
        blank: Finding,
        resource: Resource,
        policy: IdentityPolicy,
        decision: Decision,
        snapshot: IamSnapshot | None,
    ) -> Finding:
        related = (Related("role", resource.address, resource.location), *_denying(decision))
        if decision.allowed is Truth.NO and _IN_CHINA not in _named(policy):
            return replace(
                blank,
                verdict=Verdict.VIOLATED,
                found=_found(policy, decision),
                reason=_reason(policy, decision),
                remedy=self._remedy(resource, decision, snapshot),
                related=related,
            )
        unknown = next((doubt.unknown for doubt in decision.doubts if doubt.unknown), None)
        return replace(
            blank,
            found="it depends on what is not known",
            reason="\n".join(str(doubt) for doubt in decision.doubts[:_FEW]) or _reason(policy, decision),
            remedy=how_to_know(unknown) if unknown else f"name Service {SERVICE} in a statement without conditions",
            related=related,
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

    def _remedy(self, resource: Resource, decision: Decision, snapshot: IamSnapshot | None) -> str:
        if decision.outcome is Outcome.EXPLICITLY_DENIED:
            return f"take Service {SERVICE} out of {decision.deciding}"
        written = None if snapshot else self.owners.document_of(resource, _ATTRIBUTE)
        target = written or resource
        place = f" ({target.location})" if target.location else ""
        named = target.address if target is not resource else f"assume_role_policy of {resource.address}"
        statement = principal_to_add(
            ACTION, "Service", SERVICE, module=target.module, as_block=target.type == DOCUMENT_TYPE
        )
        kept = ", where that is managed," if snapshot else ""
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


def _denying(decision: Decision) -> tuple[Related, ...]:
    hit = decision.deciding
    return (Related("statement", str(hit), hit.location),) if hit else ()


def _found(policy: IdentityPolicy, decision: Decision) -> str:
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        return f"{decision.deciding} denies it"
    named = _named(policy)
    return f"the role lets in {', '.join(named)}" if named else "the role lets nobody in"


def _named(policy: IdentityPolicy) -> dict[str, None]:
    """Return whom the statements that allow something name."""
    allowing = [clause.statement for clause in policy.clauses if clause.statement.effect == "Allow"]
    return dict.fromkeys(render(entry) for statement in allowing for entry in _principals(statement))


def _reason(policy: IdentityPolicy, decision: Decision) -> str:
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        return "an explicit deny wins over every allow"
    return "\n".join(_miss(clause) for clause in policy.clauses[:_FEW]) or "its trust policy has no statement"


def _miss(clause: Clause) -> str:
    statement = clause.statement
    if statement.effect == "Deny":
        return f"{statement} denies"
    if naming(statement, _ECS, clause.resolve).any is Truth.NO:
        return f"{statement} does not name Service {SERVICE}"
    if clause.covers_action(ACTION) is Truth.NO:
        return f"{statement} allows {', '.join(map(render, statement.actions or ()))}, not {ACTION}"
    return f"the Condition of {statement} does not hold for ECS"
