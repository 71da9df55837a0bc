"""Decide whether a principal may do an action on a resource, in three values.

Source: IAM User Guide, "Policy evaluation logic": an explicit deny anywhere wins; what no statement allows is denied
implicitly; a permissions boundary must allow too; a policy of the resource may allow by itself in the same account.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from infraspec.iam import explain
from infraspec.iam.answer import Answer, both, either, negate
from infraspec.iam.context import Context
from infraspec.iam.explain import Doubt, Hit, Miss
from infraspec.iam.pattern import Subject
from infraspec.iam.policy import IdentityPolicy
from infraspec.iam.request import Request
from infraspec.unknown import Value

UNKNOWN_CONTEXT = Context()


class Outcome(Enum):
    """What IAM answers, or that it depends on what is not known."""

    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    UNDETERMINED = "Undetermined"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome with what shows it.

    `allowed` is NO also where it is certain that the request is denied but not whether explicitly; the outcome is then
    UNDETERMINED. `limited` says that the policies allow but the boundary does not. `deciding` is the statement that
    allows or denies, `nearest` the one that came closest to allowing, `doubts` what the outcome depends on.
    """

    outcome: Outcome
    allowed: Answer
    limited: bool = False
    deciding: Hit | None = None
    nearest: Miss | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layer:
    """What the statements of one layer of policies say of one request."""

    allows: tuple[tuple[Answer, Hit], ...]
    denies: tuple[tuple[Answer, Hit], ...]

    @classmethod
    def ask(cls, policies: Sequence[IdentityPolicy], request: Request) -> _Layer:
        hits: dict[str, list[tuple[Answer, Hit]]] = {"Allow": [], "Deny": []}
        for policy in policies:
            for clause, covered in policy.about(request.action):
                answer = both(covered, clause.applies(request))
                if answer is not Answer.NO:
                    for effect in clause.effects:
                        certain = answer if len(clause.effects) == 1 else Answer.MAYBE
                        hits[effect].append((certain, Hit(policy, clause)))
        return cls(tuple(hits["Allow"]), tuple(hits["Deny"]))

    @property
    def allowed(self) -> Answer:
        return either(answer for answer, _ in self.allows)

    @property
    def denied(self) -> Answer:
        return either(answer for answer, _ in self.denies)


def decide(
    policies: Sequence[IdentityPolicy],
    action: str,
    resource: Value | Subject,
    *,
    boundary: Sequence[IdentityPolicy] | None = None,
    resource_policies: Sequence[IdentityPolicy] = (),
    context: Context = UNKNOWN_CONTEXT,
) -> Decision:
    """Decide one request of a principal in the account of the resource.

    `policies` are the principal's own, `boundary` its permissions boundary (None: it has none), `resource_policies`
    those of the resource, whose clauses are bound to the principal by IdentityPolicy.of(bound=…). `context` holds the
    condition keys of the request: Context.of({"aws:SecureTransport": True}); a key it does not tell is unknown.
    """
    request = Request(action, resource if isinstance(resource, Subject) else Subject.of(resource), context)
    own = _Layer.ask(policies, request)
    shared = _Layer.ask(resource_policies, request)
    limit = None if boundary is None else _Layer.ask(boundary, request)
    layers = [own, shared, *([limit] if limit else [])]
    denied = either(layer.denied for layer in layers)
    allowed = both(_granted(own, shared, limit), negate(denied))
    return Decision(
        _outcome(allowed, denied),
        allowed,
        limited=own.allowed is Answer.YES and limit is not None and limit.allowed is Answer.NO,
        deciding=_deciding(layers, allowed, denied),
        nearest=explain.nearest(policies, request) if own.allowed is not Answer.YES else None,
        doubts=tuple(_doubts(layers, own, limit, request)) if allowed is Answer.MAYBE else (),
    )


def _granted(own: _Layer, shared: _Layer, limit: _Layer | None) -> Answer:
    """Join what allows. A boundary limits a grant of the resource to a role, not to its session: hence MAYBE."""
    if limit is None:
        return either((own.allowed, shared.allowed))
    limited = both(own.allowed, limit.allowed)
    direct = shared.allowed if limit.allowed is Answer.YES else both(shared.allowed, Answer.MAYBE)
    return either((limited, direct))


def _outcome(allowed: Answer, denied: Answer) -> Outcome:
    if denied is Answer.YES:
        return Outcome.EXPLICITLY_DENIED
    if allowed is Answer.YES:
        return Outcome.ALLOWED
    if allowed is Answer.NO and denied is Answer.NO:
        return Outcome.IMPLICITLY_DENIED
    return Outcome.UNDETERMINED


def _deciding(layers: Sequence[_Layer], allowed: Answer, denied: Answer) -> Hit | None:
    if denied is Answer.YES:
        return next(hit for layer in layers for answer, hit in layer.denies if answer is Answer.YES)
    if allowed is Answer.YES:
        return next((hit for layer in layers for answer, hit in layer.allows if answer is Answer.YES), None)
    return None


def _doubts(layers: Sequence[_Layer], own: _Layer, limit: _Layer | None, request: Request) -> Iterator[Doubt]:
    for layer in layers:
        for answer, hit in layer.denies:
            if answer is Answer.MAYBE:
                yield explain.doubt(hit, request, effect="Deny")
    for layer in (own, layers[1], *([limit] if limit else [])):
        if layer.allowed is Answer.MAYBE:
            for _, hit in layer.allows:
                yield explain.doubt(hit, request, effect="Allow")
