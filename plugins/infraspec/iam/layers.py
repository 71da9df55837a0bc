"""The policies that take part in a decision, each kind of them a layer, and what the layers say together.

Source: IAM User Guide, "Policy evaluation logic", "Policy evaluation for requests within a single account" and
"Cross-account policy evaluation logic"; AWS Organizations User Guide, "SCP evaluation" and "RCP evaluation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from infraspec.iam.answer import Answer, both, either
from infraspec.iam.policy import Hit, IdentityPolicy
from infraspec.iam.principal import Naming, Principal, naming
from infraspec.iam.request import Request

RCP_SERVICES = frozenset({
    "aoss", "cognito-identity", "cognito-idp", "dynamodb", "ecr", "kms", "logs", "s3", "secretsmanager", "sqs", "sts",
})  # fmt: skip
"""The services that AWS lists as subject to resource control policies; AWS adds to them from time to time."""


@dataclass(slots=True)
class Layer:
    """What the statements of one kind of policies say of one request. `name` is the kind, for messages."""

    name: str
    policies: Sequence[IdentityPolicy]
    allows: list[tuple[Answer, Hit]] = field(default_factory=list)
    denies: list[tuple[Answer, Hit]] = field(default_factory=list)

    @classmethod
    def ask(cls, name: str, policies: Sequence[IdentityPolicy], request: Request) -> Layer:
        """Ask the statements of policies that belong to the principal, to its account, or limit it."""
        layer = cls(name, policies)
        for answer, hit in _hits(policies, request):
            layer._add(answer, hit)
        return layer

    @property
    def allowed(self) -> Answer:
        """Tell whether a statement allows the request."""
        return either(answer for answer, _ in self.allows)

    @property
    def denied(self) -> Answer:
        """Tell whether a statement denies the request."""
        return either(answer for answer, _ in self.denies)

    def _add(self, answer: Answer, hit: Hit) -> None:
        effect = hit.clause.statement.effect
        if effect == "Allow":
            self.allows.append((answer, hit))
        elif effect == "Deny":
            self.denies.append((answer, hit))
        else:
            self.allows.append((both(answer, Answer.MAYBE), hit))
            self.denies.append((both(answer, Answer.MAYBE), hit))


@dataclass(slots=True)
class ResourceLayer(Layer):
    """What the policies of the resource say; `grants` tells how they name the principal where they allow."""

    grants: Naming = field(default_factory=Naming)

    @classmethod
    def asked(
        cls, policies: Sequence[IdentityPolicy], request: Request, principal: Principal | None, *, bounded: bool
    ) -> ResourceLayer:
        """Ask the statements of the resource's policies that name the principal."""
        layer = cls("resource policy", policies)
        for answer, hit in _hits(policies, request):
            clause = hit.clause
            names = naming(clause.statement, principal, clause.resolve, bounded=bounded).both(answer)
            named = names.any
            if named is Answer.NO:
                continue
            layer._add(named, hit)
            if clause.statement.effect != "Deny":
                layer.grants = layer.grants.joined(names if clause.statement.effect == "Allow" else names.maybe)
        return layer


def _hits(policies: Sequence[IdentityPolicy], request: Request) -> Iterator[tuple[Answer, Hit]]:
    for policy in policies:
        for clause, covered in policy.about(request.action):
            answer = both(covered, clause.applies(request))
            if answer is not Answer.NO:
                yield answer, Hit(policy, clause)


@dataclass(frozen=True, slots=True)
class Layers:
    """All that takes part in one decision. None is a layer that the request has not."""

    own: Layer
    shared: ResourceLayer
    boundary: Layer | None = None
    session: Layer | None = None
    scps: tuple[Layer, ...] = ()
    rcps: tuple[Layer, ...] = ()

    def __iter__(self) -> Iterator[Layer]:
        """Yield the layers that may deny."""
        yield self.own
        yield self.shared
        if self.boundary is not None:
            yield self.boundary
        if self.session is not None:
            yield self.session
        yield from self.scps
        yield from self.rcps

    @property
    def limits(self) -> Answer:
        """Tell whether boundary and session policy allow what the principal's own policies allow."""
        limits = [layer.allowed for layer in (self.boundary, self.session) if layer is not None]
        return both(*limits)

    def granted_by_resource_alone(self) -> Answer:
        """Tell whether the resource's policy lets a principal in that has no policies: a service."""
        return either((self.shared.grants.anyone, self.shared.grants.itself))

    def granted_within_account(self, *, trust: bool, root: bool) -> Answer:
        """Tell whether policies allow a request in the account of the resource.

        `trust` says that the resource's policy must name the account for the principal's own policies to count, `root`
        that the principal is the account's root user, who needs none.
        """
        grants = self.shared.grants
        own = Answer.YES if root else self.own.allowed
        if trust:
            own = both(own, grants.account)
        return either((grants.anyone, grants.itself, both(either((grants.role, own)), self.limits)))

    def granted_across_accounts(self) -> Answer:
        """Tell whether policies allow a request on a resource of another account: both sides have to."""
        return both(self.shared.grants.any, self.own.allowed, self.limits)
