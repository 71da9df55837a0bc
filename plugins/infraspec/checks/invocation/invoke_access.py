"""Rule `invoke-access`: whatever is wired to call, publish or send to something is let in by the policy there.

A service that calls for a resource has no policies of its own: the resource that it calls has to allow it, and so has
the key that this is encrypted with. wirings.json says who calls what, functions.py which policy a function has.

Sources: the documents of wirings.json; IAM User Guide, "AWS service principals" and "The confused deputy problem".
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.access.secret_access import placed
from infraspec.checks.common.documents import held_policy
from infraspec.checks.common.live_comparison import not_read
from infraspec.checks.common.resources_by_arn import ArnIndex, arn_index
from infraspec.checks.common.roles import texts_in
from infraspec.checks.common.roles_in_snapshots import as_far_as_certain
from infraspec.checks.common.unknown_remedies import how_to_know, of_what_may_be_absent
from infraspec.checks.invocation.functions import ALIAS, FUNCTION, PERMISSION, Callee, Functions, layer_policies
from infraspec.checks.invocation.invoke_fixes import AccessFix, key_fix, layer_fix, permission_fix, policy_fix
from infraspec.checks.invocation.wirings import TargetKind, Told, Wiring, filled, service_names, table, wirings
from infraspec.contract.models import Contract
from infraspec.core.errors import TerraformError
from infraspec.core.finding import Finding, Related, SourceChange
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import AbsentModule, AtRunTime, PolicyElsewhere, Unknown, Value, render, unknowns
from infraspec.iam.evaluation.decision import Decision, Outcome, decide
from infraspec.iam.evaluation.explanation import nearest
from infraspec.iam.evaluation.layers import naming
from infraspec.iam.policy.context import Context, ContextEntry
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields, shown
from infraspec.iam.policy.principals import Principal, PrincipalKind
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.monitoring.delivery import Delivery
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["invoke-access"]

_ARN = re.compile(r"^arn:[^:]*:(?P<service>[a-z0-9-]+):")
_GATEWAY = re.compile(r"^arn:[^:]*:apigateway:[^:]*:(?P<service>[a-z0-9.-]+):(?:path|action)/")
_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
_CALLERS_OWN = (
    "aws:PrincipalOrgID", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:username", "aws:userid", "aws:SourceOwner",
    "lambda:EventSourceToken", "sns:Endpoint", "sns:Protocol",
)  # fmt: skip
"""Keys of a request that somebody of an account makes, which one of a service has not."""
_USED = frozenset({"kms", "ecr"})
"""The services of what a caller uses, and sends nothing to."""
_FEW = 3
_ACCOUNT = IdentityPolicy.of(
    "the account",
    PolicyDocument.from_value({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
)
"""What an account may do that asks for something of another: the policy there decides."""


@of_what_may_be_absent
def check_invoke_access(plan: Plan, contract: Contract, environment: str) -> list[Finding]:
    """Judge each wiring of the plan: by the policy of what is called, and by that of its key.

    Raises PolicyError if a policy of what exists already is malformed.
    """
    plan = placed(plan, contract, environment)
    owners = plan.derived(arn_index)
    found = list(wirings(owners))
    unread = not_read(RULE, plan, dict.fromkeys(row.type for row in table().rows))
    return [*(_Check(owners).findings(found) if found else ()), *unread]


class CalledTarget(Struct, frozen=True):
    """What is called. `owner` is that of the plan; `qualified` its ARN as the caller names it."""

    kind: TargetKind
    owner: Resource | None
    arn: Value
    callee: Callee | None = None

    @property
    def shown(self) -> str:
        """The target for a message."""
        qualifier = self.callee.qualifier if self.callee else ""
        name = self.owner.address if self.owner else shown(self.callee.name if self.callee else self.arn)
        return f"{name}:{shown(qualifier)}" if qualifier else name


class _Asked(Struct, frozen=True):
    """What was asked, with the answer that is worst for the caller: the best of what the service may be called."""

    decision: Decision
    source: Value
    service: str
    principal: Principal
    policies: tuple[IdentityPolicy, ...]


@dataclasses.dataclass
class _Check:
    owners: ArnIndex
    functions: Functions = dataclasses.field(init=False)
    delivery: Delivery = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.attributes, self.plan = self.owners.attributes, self.owners.plan
        self.functions, self.delivery = Functions(self.owners), Delivery(self.attributes)

    def findings(self, found: Sequence[Wiring]) -> Iterator[Finding]:
        for wiring in found:
            target = self._target(wiring)
            if target is not None:
                yield from self._judge(wiring, target)

    def _target(self, wiring: Wiring) -> CalledTarget | None:
        """Return what a caller names; None for what the row is not about."""
        kinds = {kind.name: kind for kind in table().kinds if kind.name in wiring.row.to}
        value, attributes = wiring.target, self.attributes
        narrowed = attributes.narrow(value)
        owner = self.owners.find(value) if isinstance(value, Unknown) else None
        owner = owner or self.owners.find(narrowed)
        called = kinds.get("function") or kinds.get("function URL")
        callee = self.functions.named(value) if called else None
        if called is not None and callee is not None and callee.function is not None:
            return CalledTarget(called, callee.function, callee.function.reference("arn"), callee)
        first = next(iter(kinds.values()))
        if first.service == "kms":
            key = self.delivery.key_of(value)
            of_aws = "alias/aws/" in render(narrowed)
            return None if of_aws else CalledTarget(first, key, key.reference("arn") if key else value)
        if wiring.open_when is not None and isinstance(narrowed, Unknown):
            return CalledTarget(first, None, value)
        kind = next((kind for kind in kinds.values() if owner is not None and owner.type in kind.types), None)
        text = render(narrowed)
        service = _GATEWAY.match(text) or _ARN.match(text)
        if kind is None and owner is None and service is not None:
            kind = next((kind for kind in kinds.values() if kind.service == service["service"]), None)
        elif kind is None and owner is None and isinstance(narrowed, Unknown) and not wiring.row.needs_arn:
            kind = next(iter(kinds.values())) if len(kinds) == 1 and not self._shared(wiring) else None
        elif kind is None and owner is None and callee is not None and not wiring.row.needs_arn:
            kind = called
        if kind is None:
            return None
        there = owner if owner is not None and owner.mode == "managed" and owner.type != ALIAS else None
        return CalledTarget(kind, there, value if there is None else there.reference("arn"), callee)

    @staticmethod
    def _shared(wiring: Wiring) -> bool:
        """Tell whether other rows are about the same argument, so that nothing tells what an unknown value is."""
        same = (row for row in table().rows if (row.type, row.target) == (wiring.row.type, wiring.row.target))
        return sum(not row.when for row in same) > 1

    def _judge(self, wiring: Wiring, target: CalledTarget) -> Iterator[Finding]:
        subject, unknown = self._subject(wiring, target), wiring.open_when
        if unknown is None and not wiring.role:
            yield self._policy(subject, wiring, target)
            if target.owner is not None and target.kind.key and target.owner.stated(target.kind.key):
                yield self._key(wiring, target, target.owner)
            return
        said = {
            "target": target.shown,
            "service": wiring.row.services[0],
            "actions": ", ".join(target.kind.actions),
            "document": wiring.row.document,
            "attribute": wiring.row.by_role,
            "unknown": unknown.address if unknown else "",
            "remedy": how_to_know(unknown) if unknown else "",
        }
        yield subject.say("unwired" if unknown else "by-role", **said)

    @staticmethod
    def _subject(wiring: Wiring, target: CalledTarget, what: str = "") -> Subject:
        related = (Related(target.kind.name, target.owner.address, target.owner.location),) if target.owner else ()
        place = wiring.caller.location_of(wiring.path) or wiring.caller.location_of(wiring.path.partition(".")[0])
        return RULE.about(wiring.caller, f"{wiring.path}{what}", place, related)

    # The policy of what is called

    def _policy(self, subject: Subject, wiring: Wiring, target: CalledTarget) -> Finding:
        asked = self._worst(wiring, target)
        if asked.decision.allowed is Truth.YES:
            return subject.proven(f"allowed by {asked.decision.deciding}")
        wording, fix = _wording(wiring, target, asked), self._fix(wiring, target, asked)
        said = {
            "target": target.shown,
            "kind": target.kind.name,
            "caller": wiring.caller.address,
            "service": asked.service if asked.service != "*" else "everybody",
            "actions": ", ".join(target.kind.actions),
            "document": wiring.row.document,
            "source": f" for {shown(self.attributes.narrow(asked.source))}" if asked.source else "",
            "found": self._found(target, asked),
            "reason": _doubted(asked.decision) if wording == "perhaps" else self._reason(asked),
            "statement": asked.decision.deciding,
            "fix": fix.text,
            "remedy": self._to_know(wiring, target, asked, fix, wording),
        }
        finding = subject.say(wording, **said)
        return replace(finding, changes=fix.changes) if wording in {"refused", "closed"} else finding

    def _worst(self, wiring: Wiring, target: CalledTarget) -> _Asked:
        """Ask for each request of the caller and each action, and return the answer that is worst."""
        policies = tuple(self._policies(target))
        asked = [
            self._best(wiring, source, action, resource, policies)
            for source in wiring.sources
            for action, resource in self._resources(target)
        ]
        return min(asked, key=lambda one: (one.decision.allowed, one.decision.outcome is not Outcome.EXPLICITLY_DENIED))

    def _resources(self, target: CalledTarget) -> Iterator[tuple[str, Value]]:
        arn = self.attributes.narrow(target.arn)
        if target.kind.below:
            text = render(arn).removesuffix(":*") if isinstance(arn, str) else arn
            arn = self.attributes.join(text, target.kind.below, Unknown("the log stream", AtRunTime("the log stream")))
        yield from ((action, arn) for action in target.kind.actions)

    def _best(
        self, wiring: Wiring, source: Value, action: str, resource: Value, policies: tuple[IdentityPolicy, ...]
    ) -> _Asked:
        context = self._context(wiring, source)
        answers = []
        for service in service_names(self.attributes, wiring.row, wiring.caller):
            principal = _principal(service)
            own = (_ACCOUNT,) if principal.kind is PrincipalKind.ROOT else ()
            decision = decide(
                own, action, PartialArn.of(resource), resource_policies=policies, principal=principal, context=context
            )
            answers.append(_Asked(decision, source, service, principal, policies))
        return max(answers, key=lambda one: one.decision.allowed)

    def _policies(self, target: CalledTarget) -> Iterator[IdentityPolicy]:
        if target.owner is not None:
            yield from self._unseen(target.owner)
        if target.callee is not None:
            yield from self.functions.policies(target.callee)
        elif target.kind.name == "layer":
            yield from layer_policies(self.attributes, target.owner)
        elif target.kind.below:
            for source in self.plan.managed("aws_cloudwatch_log_resource_policy"):
                text = source.attribute("policy_document")
                yield as_far_as_certain(
                    held_policy(self.attributes, source, "policy_document", text), self.plan, source
                )
        elif target.owner is not None:
            arn = self.attributes.narrow(target.owner.reference("arn"))
            yield from self.owners.policies(arn, None, target.kind.actions[0])

    def _unseen(self, owner: Resource) -> Iterator[IdentityPolicy]:
        """Yield what a module whose source is not here may allow on a resource that it is given."""
        names = {self.attributes.narrow(owner.reference("arn")), self.attributes.name(owner)}
        names.add(self.attributes.name(owner, "function_name") if owner.type == FUNCTION else owner.reference("id"))
        for module, inputs in self.plan.unseen_inputs.items():
            given: list[Value] = []
            for value in inputs:
                with suppress(TerraformError):
                    given.append(value())
            named = (self.plan.find(unknown) for unknown in unknowns(given))
            if any(one is not None and one[0] is owner for one in named) or names & set(texts_in(given)):
                unknown = Unknown(f"what {module} allows on {owner.address}", AbsentModule(module))
                yield IdentityPolicy.opaque(unknown.address, unknown, effect="Allow")

    def _context(self, wiring: Wiring, source: Value, *, of_key: bool = False) -> Context:
        """Return what is known of the request of a service for a resource."""
        row, arn = wiring.row, self.attributes.narrow(source)
        if row.services == ("*",):
            url = {"lambda:FunctionUrlAuthType": "NONE", "lambda:InvokedViaFunctionUrl": True}
            return Context.of({**url, "aws:SecureTransport": True}, absent=("aws:SourceArn", "aws:SourceAccount"))
        account = arn_fields(arn).get("account") or self.attributes.account_of(wiring.caller)
        told: dict[str, Value] = {
            "aws:SecureTransport": True,
            "aws:PrincipalIsAWSService": True,
            **_entry("aws:SourceArn", arn, row.with_key if of_key else row.arn),
            **_entry("aws:SourceAccount", account, row.with_key if of_key else row.account),
        }
        for key, template in row.context.items():
            told[key] = self.attributes.narrow(filled(self.attributes, wiring.caller, template, {}))
        return Context.of(told, absent=(*_CALLERS_OWN, "aws:SourceOrgID") if row.with_key == "absent" else _CALLERS_OWN)

    @staticmethod
    def _found(target: CalledTarget, asked: _Asked) -> str:
        if target.callee is not None:
            held = sum(PERMISSION in policy.name for policy in asked.policies)
            counted = "1 permission" if held == 1 else f"{held} permissions"
            return f"{target.shown} has {counted}" if held else f"{target.shown} has no {PERMISSION}"
        if not asked.policies:
            return f"{target.shown} has no policy, so only its own account is allowed"
        return f"the policy of {target.shown} does not allow it"

    @staticmethod
    def _reason(asked: _Asked) -> str:
        """Say what keeps the request out: a statement that denies, or that came closest to allowing."""
        if asked.decision.outcome is Outcome.EXPLICITLY_DENIED:
            return f"denied by {asked.decision.deciding}"
        named = [_about(policy, asked.principal) for policy in asked.policies]
        closest = nearest([policy for policy in named if policy.clauses], asked.decision.request)
        if closest is not None:
            return f"the closest is {closest.hit}: {closest.reason}"
        refused = next((policy.refused for policy in asked.policies if policy.refused), None)
        if refused is not None:
            return f"AWS refuses {refused.name}, {refused.reason}"
        return f"no statement names {'everybody' if asked.service == '*' else asked.service}"

    def _to_know(self, wiring: Wiring, target: CalledTarget, asked: _Asked, fix: AccessFix, wording: str) -> str:
        if wording == "elsewhere" and target.kind.name == "layer":
            arn = shown(self.attributes.narrow(target.arn))
            return f"see whether this account may use it: aws lambda get-layer-version-by-arn --arn {arn}"
        if wording == "elsewhere":
            unknown = next(unknowns(wiring.target), None)
            if unknown is not None and self.plan.find(unknown) is None and unknown.cause is not None:
                return how_to_know(unknown)
            what = f"the {target.kind.name} and its policy"
            return f"bring {what} into the plan, or make sure that it has:\n{fix.text}"
        doubts = asked.decision.doubts
        conditional = any(doubt.hit.clause.statement.condition for doubt in doubts)
        source = self.attributes.narrow(asked.source)
        at_run_time = next((one for one in unknowns(source) if isinstance(one.cause, AtRunTime)), None)
        if conditional and at_run_time is not None:
            return how_to_know(at_run_time)
        if conditional and wiring.row.arn == "perhaps":
            return f"leave the condition out: AWS does not document what {asked.service} says of its source there"
        unknown = next((doubt.unknown for doubt in doubts if doubt.unknown), None)
        if unknown is not None:
            known = how_to_know(unknown)
            return f"{known}\n{fix.text}" if isinstance(unknown.cause, PolicyElsewhere) else known
        return "write the condition so that it holds for certain, or see in AWS that the call arrives"

    def _fix(self, wiring: Wiring, target: CalledTarget, asked: _Asked) -> AccessFix:
        fix = self._added(wiring, target, asked)
        return replace(fix, changes=_in_place(fix.changes, asked))

    def _added(self, wiring: Wiring, target: CalledTarget, asked: _Asked) -> AccessFix:
        source = asked.source
        if target.kind.service == "kms":
            service, key = wiring.row.services[0], target.owner
            return key_fix(self.owners, key, service, target.kind.actions) if key else AccessFix("")
        if target.kind.name == "layer":
            return layer_fix(self.attributes.narrow(target.arn), render(asked.principal.account))
        if target.callee is not None or target.kind.name == "function":
            action = asked.decision.request.action
            return permission_fix(self.owners, wiring, target.owner, target.callee, target.arn, source, action)
        return policy_fix(self.owners, wiring, target.kind, target.owner, target.arn, source)

    # The key of what is called

    def _key(self, wiring: Wiring, target: CalledTarget, owner: Resource) -> Finding:
        kind, configured = target.kind, owner.stated(target.kind.key)
        named, unknown = shown(self.attributes.narrow(configured)), next(unknowns(configured), None)
        subject, service = self._subject(wiring, target, ": key"), wiring.row.services[0]
        key = self.delivery.key_of(configured)
        asked = self._use(wiring, key, service) if key else None
        ready = key is not None and key.stated("is_enabled") in (None, True)
        if asked is not None and ready and asked.decision.allowed is Truth.YES:
            return subject.proven(f"allowed by {asked.decision.deciding}")
        if asked is not None:
            unknown = next((doubt.unknown for doubt in asked.decision.doubts if doubt.unknown), None)
        wording = _key_wording(named, kind, key, asked)
        fix = key_fix(self.owners, key, service, _KEY_ACTIONS) if key else AccessFix("")
        changes = _in_place(fix.changes, asked) if asked else fix.changes
        elsewhere = f"bring {named} and its policy into the plan"
        said = {
            "target": owner.address,
            "service": service,
            "document": kind.key_document,
            "attribute": kind.key,
            "key": key.address if key else named,
            "reason": "" if asked is None else _doubted(asked.decision) or self._reason(asked),
            "fix": fix.text,
            "remedy": how_to_know(unknown) if unknown else f"name {service} for certain" if key else elsewhere,
        }
        finding = subject.say(wording, **said)
        return replace(finding, changes=changes) if wording == "key-refused" else finding

    def _use(self, wiring: Wiring, key: Resource, service: str) -> _Asked:
        """Ask the policy of a key for all that a service needs of it, and return the answer that is worst."""
        arn, source = self.attributes.narrow(key.reference("arn")), wiring.sources[0]
        policies = (*self._unseen(key), *self.owners.policies(arn, None, _KEY_ACTIONS[0]))
        context, principal = self._context(wiring, source, of_key=True), _principal(service)
        asked = [
            decide((), action, PartialArn.of(arn), resource_policies=policies, principal=principal, context=context)
            for action in _KEY_ACTIONS
        ]
        return _Asked(min(asked, key=lambda one: one.allowed), source, service, principal, policies)


def _wording(wiring: Wiring, target: CalledTarget, asked: _Asked) -> str:
    """Return the name of what is said where the policy of a target does not certainly let the caller in."""
    if asked.decision.allowed is Truth.MAYBE:
        return "perhaps"
    if target.owner is None:
        return "elsewhere"
    if wiring.row.denied in {"url", "unsure"}:
        return "url" if wiring.row.denied == "url" else "unsure"
    if wiring.row.denied == "new url" and asked.decision.request.action.lower() == "lambda:invokefunction":
        return "new-url"
    if wiring.row.denied == "of account":
        return "of-account"
    if wiring.row.denied == "by default" and not asked.policies:
        return "by-default"
    if target.kind.service in _USED and asked.decision.outcome is not Outcome.EXPLICITLY_DENIED:
        return "closed"
    return "denied" if asked.decision.outcome is Outcome.EXPLICITLY_DENIED else "refused"


def _in_place(changes: tuple[SourceChange, ...], asked: _Asked) -> tuple[SourceChange, ...]:
    """Return changes that take the place of the statement that lacks an element, if that was meant for the caller."""
    refused = next((policy.refused for policy in asked.policies if policy.refused), None)
    if refused is None or refused.policy is None:
        return changes
    meant = refused._replace(policy=_about(refused.policy, asked.principal))
    statement = meant.statement_for(asked.decision.request) or ""
    return tuple(replace(one, instead=statement) if one.kind == "statement" else one for one in changes)


def _key_wording(named: str, kind: TargetKind, key: Resource | None, asked: _Asked | None) -> str:
    """Return the name of what is said of a key that the caller may not certainly use."""
    if named.endswith(kind.aws_key):
        return "aws-key"
    if key is None or asked is None:
        return "key-elsewhere"
    if key.stated("is_enabled") is False:
        return "key-disabled"
    return "key-refused" if asked.decision.allowed is Truth.NO else "key-perhaps"


def _doubted(decision: Decision) -> str:
    return "\n".join(dict.fromkeys(map(str, decision.doubts[:_FEW])))


def _principal(service: str) -> Principal:
    if service.startswith("arn:"):
        return Principal.of(service)
    return Principal("everybody", PrincipalKind.OTHER) if service == "*" else Principal(service, PrincipalKind.SERVICE)


def _entry(key: str, value: Value, told: Told) -> dict[str, Value]:
    match told:
        case "sent":
            return {key: value}
        case "perhaps":
            return {key: ContextEntry(Truth.MAYBE, (value,))}
        case "absent":
            return {key: None}
    return {}


def _about(policy: IdentityPolicy, principal: Principal) -> IdentityPolicy:
    """Return a policy with the statements that name a principal."""
    clauses = (
        clause for clause in policy.clauses if naming(clause.statement, principal, clause.resolve).any is not Truth.NO
    )
    return dataclasses.replace(policy, clauses=tuple(clauses))
