"""Decide whether a principal may do an action on a resource, in three values.

Source: IAM User Guide, "Policy evaluation logic": an explicit deny anywhere wins; what no statement allows is denied
implicitly; what limits the principal must allow too; a policy of the resource may allow by itself in the same account,
and has to allow too across accounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import partial
from typing import NamedTuple, TypeAlias

from infraspec.core.truth import Truth, not_
from infraspec.core.unknown import PolicyElsewhere, Unknown, Value
from infraspec.iam.evaluation import explanation
from infraspec.iam.evaluation.explanation import Doubt, Miss
from infraspec.iam.evaluation.layers import RCP_SERVICES, Layer, Layers, ResourceLayer
from infraspec.iam.policy.context import Context, Request
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields
from infraspec.iam.policy.principals import Principal, PrincipalKind, same
from infraspec.iam.policy.statements import (
    ALWAYS_ALLOWED,
    TRUSTED,
    DocumentRefusal,
    Hit,
    IdentityPolicy,
    needs_trust,
    takes_only_star,
)

UNKNOWN_CONTEXT = Context()
_ACCOUNT_FIELD = 4
_STAR = PartialArn.of("*")
_NOT_SHARED = ResourceLayer("resource policy", ())


class Outcome(Enum):
    """What IAM answers, or that it depends on something unknown."""

    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    UNDETERMINED = "Undetermined"


class Decision(NamedTuple):
    """The outcome with what shows it.

    `allowed` is NO also where it is certain that the request is denied but not whether explicitly; the outcome is then
    UNDETERMINED.
    """

    outcome: Outcome
    allowed: Truth
    request: Request
    layers: Layers | None = None

    @property
    def limited(self) -> bool:
        """Whether the principal's policies allow but its permissions boundary does not."""
        return "permissions boundary" in self.blocked_by

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """The kinds of policies that do not allow what the principal's own policies allow."""
        layers = self.layers
        decided = self.outcome in {Outcome.ALLOWED, Outcome.EXPLICITLY_DENIED}
        if layers is None or decided or layers.own.allowed is not Truth.YES:
            return ()
        limits = [layer for layer in (layers.boundary, layers.session, *layers.scps) if layer is not None]
        blocking = [layer.name for layer in limits if layer.allowed is Truth.NO]
        shared = [] if blocking or self.allowed is not Truth.NO else [layers.shared.name]
        return tuple(dict.fromkeys([*blocking, *shared]))

    @property
    def refused(self) -> DocumentRefusal | None:
        """The document that AWS refuses, and that may have allowed what nothing else allows."""
        if self.layers is None or self.outcome is not Outcome.IMPLICITLY_DENIED:
            return None
        lacking = (layer.policies for layer in self.layers.all() if layer.allowed is not Truth.YES)
        refused = (policy.refused for policies in lacking for policy in policies if policy.refused is not None)
        return next((one for one in refused if one.concerns(self.request.action)), None)

    @property
    def deciding(self) -> Hit | None:
        """The statement that denies, or that allows."""
        layers = self.layers
        if layers is None:
            return None
        if self.outcome is Outcome.EXPLICITLY_DENIED:
            return next(hit for layer in layers.all() for answer, hit in layer.denies if answer is Truth.YES)
        if self.allowed is not Truth.YES:
            return None
        if layers.own.allowed is not Truth.YES and layers.shared.granting is not None:
            return layers.shared.granting
        allows = [pair for layer in (layers.own, layers.shared) for pair in layer.allows]
        return next((hit for answer, hit in allows if answer is Truth.YES), None)

    @property
    def nearest(self) -> Miss | None:
        """The statement of the principal's policies that came closest to allowing, if none allows for certain."""
        if self.layers is None or self.layers.own.allowed is Truth.YES:
            return None
        return explanation.nearest(self.layers.own.policies, self.request)

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """The statements that the outcome depends on."""
        if self.layers is None or self.allowed is not Truth.MAYBE:
            return ()
        return tuple(_doubts(self.layers, self.request))


def decide(
    policies: Sequence[IdentityPolicy],
    action: str,
    resource: Value | PartialArn,
    *,
    boundary: Sequence[IdentityPolicy] | None = None,
    session: Sequence[IdentityPolicy] | None = None,
    resource_policies: Sequence[IdentityPolicy] = (),
    scps: Sequence[Sequence[IdentityPolicy]] = (),
    rcps: Sequence[Sequence[IdentityPolicy]] = (),
    principal: Principal | None = None,
    resource_account: Value = None,
    context: Context = UNKNOWN_CONTEXT,
    listed: bool = True,
) -> Decision:
    """Decide one request.

    `policies` are the principal's own, `boundary` its permissions boundary and `session` its session policies (None: it
    has none), `resource_policies` those of the resource: of a secret, a KMS key, a bucket, a topic, and the trust
    policy of a role (a role has one: without it, it is unknown). `scps` and `rcps` are the policies of each level of
    the organization, from the root to the account; no levels: they do not take part. `principal` is who asks:
    Principal.of(ARN), or Principal.role(ARN) for the sessions of a role. `resource_account` is the number of the
    resource's account; None: that of its ARN, and where the ARN has none or is not known, or the principal is not told,
    the principal's own. `context` holds the condition keys of the request: Context.of({"aws:SecureTransport": True}); a
    key it does not tell is unknown. `listed`: an action that AWS lists without a resource is asked on `*`; where its
    own resource would make a difference, the outcome is UNDETERMINED.
    """
    subject = resource if isinstance(resource, PartialArn) else PartialArn.of(resource)
    if listed and subject.value != "*" and takes_only_star(action):
        # The list is wrong for some actions: logs:DescribeLogGroups takes log groups.
        asked = partial(
            decide,
            policies,
            action,
            boundary=boundary,
            session=session,
            resource_policies=resource_policies,
            scps=scps,
            rcps=rcps,
            principal=principal,
            resource_account=resource_account,
            context=context,
            listed=False,
        )
        decision = asked(_STAR)
        if decision.outcome is asked(subject).outcome:
            return decision
        return decision._replace(outcome=Outcome.UNDETERMINED, allowed=Truth.MAYBE)
    request = Request(action, subject, context)
    lowered = action.lower()
    if lowered in ALWAYS_ALLOWED:
        return Decision(Outcome.ALLOWED, Truth.YES, request)
    if not resource_policies and lowered in TRUSTED and subject.value != "*":
        resource_policies = (
            IdentityPolicy.opaque(
                "trust policy", Unknown(f"the trust policy of {subject}", PolicyElsewhere(str(subject)))
            ),
        )
    layers = Layers(
        Layer.ask("identity policies", policies, request),
        ResourceLayer.asked(resource_policies, request, principal, bounded=boundary is not None)
        if resource_policies
        else _NOT_SHARED,
        None if boundary is None else Layer.ask("permissions boundary", boundary, request),
        None if session is None else Layer.ask("session policy", session, request),
        *(_of_organization(principal, scps, rcps, request) if scps or rcps else _NO_LEVELS),
    )
    denied = layers.denied
    granted = _granted(layers, principal, _account(subject, principal, resource_account), request)
    allowed = min(granted, not_(denied))
    for level in layers.scps:
        allowed = min(allowed, level.allowed)
    return Decision(_outcome(allowed, denied), allowed, request, layers)


_Levels: TypeAlias = Sequence[Sequence[IdentityPolicy]]
_NO_LEVELS: tuple[tuple[Layer, ...], tuple[Layer, ...]] = ((), ())


def _of_organization(
    principal: Principal | None, scps: _Levels, rcps: _Levels, request: Request
) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """Ask the policies of the organization: SCPs do not restrict services, and neither kind service-linked roles."""
    if principal is not None and principal.service_linked:
        return _NO_LEVELS
    restricted = principal is None or principal.kind is not PrincipalKind.SERVICE
    control = tuple(Layer.ask("service control policies", level, request) for level in scps) if restricted else ()
    return control, tuple(_restricting(level, request) for level in rcps)


def _restricting(level: Sequence[IdentityPolicy], request: Request) -> Layer:
    """Ask a level's resource control policies: RCPFullAWSAccess is always there, so only a deny counts."""
    listed = request.action.lower().partition(":")[0] in RCP_SERVICES
    return Layer.ask("resource control policies", level, request, Truth.YES if listed else Truth.MAYBE)


def _granted(layers: Layers, principal: Principal | None, account: Value, request: Request) -> Truth:
    if principal is None:
        return layers.granted_within_account(trust=False, root=False)
    if principal.account == "":
        return layers.granted_by_resource_alone()
    trust = needs_trust(request.action.lower(), request.subject.prefix)
    root = principal.kind is PrincipalKind.ROOT
    within = layers.granted_within_account(trust=trust, root=root)
    same_account = Truth.YES if account is None else same(account, principal.account)
    if same_account is Truth.YES:
        return within
    across = layers.granted_across_accounts(root=root)
    if same_account is Truth.NO or across is within:
        return across
    return Truth.MAYBE


def _account(subject: PartialArn, principal: Principal | None, given: Value) -> Value:
    """Return the account of the resource: what is given, or what its ARN says; None where it says nothing."""
    if given is not None or principal is None or subject.value == "*":
        return given
    fields = subject.prefix.split(":", _ACCOUNT_FIELD + 1)
    if len(fields) > _ACCOUNT_FIELD + 1:
        return fields[_ACCOUNT_FIELD] or None
    return None if subject.known else arn_fields(subject.value).get("account") or None


def _outcome(allowed: Truth, denied: Truth) -> Outcome:
    if denied is Truth.YES:
        return Outcome.EXPLICITLY_DENIED
    if allowed is Truth.YES:
        return Outcome.ALLOWED
    if allowed is Truth.NO and denied is Truth.NO:
        return Outcome.IMPLICITLY_DENIED
    return Outcome.UNDETERMINED


def _doubts(layers: Layers, request: Request) -> Iterator[Doubt]:
    for layer in layers.all():
        for answer, hit in layer.denies:
            if answer is Truth.MAYBE:
                yield explanation.doubt(hit, request, effect="Deny")
    for layer in layers.all():
        if layer.allowed is Truth.MAYBE:
            for _, hit in layer.allows:
                yield explanation.doubt(hit, request, effect="Allow")


_FEW = 3


def why(decision: Decision) -> str:
    """Return the reason of a decision: the statement that decides, or what is missing, or on what it depends."""
    if decision.layers is None:
        return f"{decision.request.action} needs no permission, and no policy denies it"
    match decision.outcome:
        case Outcome.ALLOWED:
            return f"allowed by {decision.deciding}" if decision.deciding else "the root user may do all in its account"
        case Outcome.EXPLICITLY_DENIED:
            return f"denied by {decision.deciding}: an explicit deny wins over every allow"
        case Outcome.IMPLICITLY_DENIED:
            return _missing(decision)
        case _:
            doubts = [str(doubt) for doubt in decision.doubts]
            if not doubts and decision.allowed is Truth.MAYBE:
                return (
                    f"the policies treat `*` unlike a resource, and AWS lists no resource for {decision.request.action}"
                )
            return "; ".join(doubts[:_FEW]) or "denied, but it is not certain whether by a statement"


def _missing(decision: Decision) -> str:
    """Say what does not allow an implicitly denied request."""
    if decision.blocked_by:
        *most, last = decision.blocked_by
        verb = "do" if last.endswith("policies") or most else "does"
        return f"{', '.join(most)}{' and ' if most else ''}{last} {verb} not allow what the identity policies allow"
    if refused := decision.refused:
        return f"no statement allows it: AWS refuses {refused.name}, {refused.reason}"
    nearest = decision.nearest
    return (
        f"no statement allows it; the closest is {nearest.hit}: {nearest.reason}"
        if nearest
        else "no statement allows it"
    )
