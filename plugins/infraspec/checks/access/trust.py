"""Whether AWS may assume a role: its trust policy has to let the service, such as ECS, do sts:AssumeRole.

Sources: Amazon ECS Developer Guide, "Amazon ECS task execution IAM role" and "Amazon ECS task IAM role"; the latter
says that aws:SourceArn is an ARN of ECS in the task's region and account, and aws:SourceAccount that account. Whether
`Principal: "*"` lets a service in is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.checks.common.documents import held_policy
from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE, ArnIndex
from infraspec.checks.common.roles_in_snapshots import RoleLookup
from infraspec.checks.common.statement_hcl import principal_change, principal_to_add
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.core.finding import Finding, Related, SourceChange, Verdict
from infraspec.core.rule import Subject
from infraspec.core.truth import Truth
from infraspec.core.unknown import AtRunTime, Unknown, Value, render
from infraspec.ecs.access_table import Access
from infraspec.ecs.requirement import AccessContext
from infraspec.iam.evaluation.decision import Decision, Outcome, decide
from infraspec.iam.evaluation.layers import naming
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import Statement
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import Clause, DocumentRefusal, IdentityPolicy
from infraspec.terraform.plan import Resource

ACTION = "sts:AssumeRole"
_ATTRIBUTE = "assume_role_policy"
_FEW = 3


class Trust(Struct):
    """The trust policies of a plan's roles. Each is decided once; many roles have the same."""

    owners: ArnIndex
    _letting_in: dict[tuple[Value, Value, Value, str, str], str] = field(default_factory=dict)

    def judge(self, row: Access, address: str, sought: RoleLookup, context: AccessContext, subject: Subject) -> Finding:
        """Judge the trust policy of a role; the row says which role it is, and who assumes it."""
        must = f"the {row.role} role {address} must allow {row.principal} to perform {ACTION}"
        expected = f'{must}; required by AWS: "{row.source}"'
        if sought.settled is not None:
            say = subject.violated if sought.settled is Verdict.VIOLATED else subject.undetermined
            return say(expected=expected, found=sought.why, reason=sought.reason, remedy=sought.remedy)
        resource = sought.resource
        value = resource.stated(_ATTRIBUTE) if resource else None
        if resource is None or value is None:
            read = "" if resource is None else "name `assume_role_policy` under [known], give a plan file, or "
            found, remedy = "its trust policy is unknown", f"{read}{sought.remedy}"
            return subject.undetermined(expected=expected, found=found, reason=sought.why, remedy=remedy)
        key = (value, context.region, context.account, str(resource.location) if sought.snapshot else "", row.principal)
        if key not in self._letting_in:
            policy, request = self._policy(resource, value, row.principal), _request_context(context, row.principal)
            decision = _decision(policy, row.principal, request)
            regional = f"{row.principal.partition('.')[0]}.{context.region}.{row.principal.partition('.')[2]}"
            if decision.outcome is Outcome.IMPLICITLY_DENIED and row.principal in _REGIONAL:
                decision = _decision(self._policy(resource, value, regional), regional, request)
            deciding = decision.deciding
            if decision.allowed is not Truth.YES or deciding is None:
                statement = [Related("statement", str(deciding), deciding.location)] if deciding else []
                related = (*subject.related, Related("role", resource.address, resource.location), *statement)
                refused, by = replace(subject, related=related), row.principal
                return self._refuse(refused, expected, policy, decision, sought=sought, service=by)
            place = f" ({deciding.location})" if sought.snapshot else ""
            self._letting_in[key] = f"{deciding.clause.statement}{place}"
        return subject.proven(f"the trust policy of {address} allows it by {self._letting_in[key]}")

    def lets_in(self, role: Resource, service: str, context: AccessContext) -> bool:
        """Tell whether the trust policy of a role certainly allows a service to assume it."""
        value = role.stated(_ATTRIBUTE)
        if value is None:
            return False
        decision = _decision(self._policy(role, value, service), service, _request_context(context, service))
        return decision.allowed is Truth.YES

    def _refuse(
        self,
        subject: Subject,
        expected: str,
        policy: IdentityPolicy,
        decision: Decision,
        *,
        sought: RoleLookup,
        service: str,
    ) -> Finding:
        if policy.refused and (policy.refused.policy is None or policy.refused.policy.clauses):
            found, reason = f"AWS refuses the trust policy of {policy.name.rpartition('.')[0]}", policy.refused.reason
            finding = subject.violated(expected=expected, found=found, reason=reason, remedy=policy.refused.remedy)
            return replace(finding, changes=self._completed(policy.refused, sought, service))
        allowing = [clause.statement for clause in policy.clauses if clause.statement.effect == "Allow"]
        named = dict.fromkeys(render(entry) for statement in allowing for entry in _principals(statement))
        found = f"its trust policy allows only {', '.join(named)}" if named else "its trust policy allows nobody"
        misses = [_miss(clause, service) for clause in policy.clauses[:_FEW]]
        reason = "\n".join(misses) or "its trust policy has no statement"
        if decision.outcome is Outcome.EXPLICITLY_DENIED:
            found, reason = f"{decision.deciding} denies it", "an explicit deny wins over every allow"
        # A name that services have in China; whether it is still theirs there is not documented.
        if decision.allowed is Truth.NO and f"{service}.cn" not in named:
            remedy = self._remedy(decision, sought, service)
            finding = subject.violated(expected=expected, found=found, reason=reason, remedy=remedy)
            return replace(finding, changes=self._changes(decision, sought, service))
        unknown = next((doubt.unknown for doubt in decision.doubts if doubt.unknown), None)
        return subject.undetermined(
            expected=expected,
            found=f"cannot be decided: {unknown.address} is unknown" if unknown else "cannot be decided",
            reason="\n".join(map(str, decision.doubts[:_FEW])) or reason,
            remedy=how_to_know(unknown) if unknown else f"name Service {service} in a statement without conditions",
        )

    def _policy(self, resource: Resource, value: Value, service: str) -> IdentityPolicy:
        name, bound = f"{resource.address}.{_ATTRIBUTE}", partial(_certain, service=service)
        return held_policy(self.owners.attributes, resource, _ATTRIBUTE, value, name=name, bound=bound)

    def _remedy(self, decision: Decision, sought: RoleLookup, service: str) -> str:
        role = sought.resource
        if decision.outcome is Outcome.EXPLICITLY_DENIED or role is None:
            return f"remove Service {service} from {decision.deciding}"
        target = (None if sought.snapshot else self.owners.document_of(role, _ATTRIBUTE)) or role
        place = f" ({target.location})" if target.location else ""
        named = target.address if target is not role else f"assume_role_policy of {role.address}"
        as_block = target.type == DOCUMENT_TYPE
        statement = principal_to_add(ACTION, "Service", service, module=target.module, as_block=as_block)
        kept = ", where that is managed," if sought.snapshot else ""
        return f"add to {named}{place}{kept} the statement\n{statement}"

    def _completed(self, refusal: DocumentRefusal, sought: RoleLookup, service: str) -> tuple[SourceChange, ...]:
        """Return what gives a service to the statement that lacks a principal, or else takes its place."""
        role = sought.resource
        if role is None or refusal.lacking is None or sought.snapshot or role.mode != "managed":
            return ()
        target, (statement, element) = self.owners.document_of(role, _ATTRIBUTE) or role, refusal.lacking
        if element != "Principal":
            change = principal_change((ACTION,), "Service", service, target, _ATTRIBUTE)
            return (replace(change, instead=statement),)
        if target.type == DOCUMENT_TYPE:
            text = f'principals {{\n  type        = "Service"\n  identifiers = ["{service}"]\n}}'
            return (SourceChange("block", target.address, statement.lower(), text=text),)
        entries = (("Principal", f'{{ Service = "{service}" }}'),)
        return (SourceChange("arguments", target.address, f"{_ATTRIBUTE}.{statement}", entries=entries),)

    def _changes(self, decision: Decision, sought: RoleLookup, service: str) -> tuple[SourceChange, ...]:
        role = sought.resource
        if decision.outcome is Outcome.EXPLICITLY_DENIED or role is None or sought.snapshot or role.mode != "managed":
            return ()
        target = self.owners.document_of(role, _ATTRIBUTE) or role
        return (principal_change((ACTION,), "Service", service, target, _ATTRIBUTE),)


_REGIONAL = frozenset({"states.amazonaws.com", "codedeploy.amazonaws.com"})
"""The services that a trust policy may name with the region too: `states.eu-west-1.amazonaws.com`.

Sources: AWS Step Functions Developer Guide, "Creating an IAM role for your state machine"; AWS CodeDeploy User Guide,
"Create a service role for CodeDeploy".
"""


def _decision(policy: IdentityPolicy, service: str, request: Context) -> Decision:
    principal = Principal.of(service)
    return decide((), ACTION, "*", resource_policies=(policy,), principal=principal, context=request)


def _request_context(context: AccessContext, service: str) -> Context:
    """Return what is known of the request in which a service assumes a role: the source is one of its resources."""
    of_service = service.partition(".")[0].removesuffix("-tasks")
    source = Unknown("what the role is assumed for", AtRunTime("what it is assumed for"))
    return Context.of(
        {
            "aws:SourceArn": context.arn(of_service, source),
            "aws:SourceAccount": context.account,
            "aws:PrincipalIsAWSService": True,
            "aws:PrincipalServiceName": service,
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


def _certain(statement: Statement, service: str) -> Truth:
    """Tell whether it is documented that a statement lets in, or keeps out, the services it names."""
    entries = {entry for entry in _principals(statement) if isinstance(entry, str)}
    return Truth.MAYBE if statement.effect == "Allow" and "*" in entries and service not in entries else Truth.YES


def _miss(clause: Clause, service: str) -> str:
    statement = clause.statement
    if statement.effect == "Deny":
        return f"{statement} denies"
    if naming(statement, Principal.of(service), clause.resolve).any is Truth.NO:
        return f"{statement} does not name Service {service}"
    if clause.covers_action(ACTION) is Truth.NO:
        return f"{statement} allows {', '.join(map(render, statement.actions or ()))}, not {ACTION}"
    who = "ECS" if service.startswith("ecs") else service
    return f"the Condition of {statement} does not hold for {who}"
