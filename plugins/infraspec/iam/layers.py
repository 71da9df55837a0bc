"""The policies that take part in a decision, each kind of them a layer, and what the layers say together.

Source: IAM User Guide, "Policy evaluation logic", "Policy evaluation for requests within a single account" and
"Cross-account policy evaluation logic"; AWS Organizations User Guide, "SCP evaluation" and "RCP evaluation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from infraspec.iam.answer import Answer
from infraspec.iam.naming import Naming, naming
from infraspec.iam.policy import Hit, IdentityPolicy
from infraspec.iam.principal import Principal
from infraspec.iam.request import Request

RCP_SERVICES = frozenset({
    "aoss", "cognito-identity", "cognito-idp", "dynamodb", "ecr", "kms", "logs", "s3", "secretsmanager", "sqs", "sts",
})  # fmt: skip
"""The services that AWS lists as subject to resource control policies; AWS adds to them from time to time."""

_EFFECTS = ("Allow", "Deny")
_NOBODY = Naming()


class Layer(Struct):
    """What the statements of one kind of policies say of one request. `name` is the kind, for messages."""

    name: str
    policies: Sequence[IdentityPolicy]
    allows: list[tuple[Answer, Hit]] = field(default_factory=list)
    denies: list[tuple[Answer, Hit]] = field(default_factory=list)
    allowed: Answer = Answer.NO
    """Whether a statement allows the request."""
    denied: Answer = Answer.NO
    """Whether a statement denies the request."""

    @classmethod
    def ask(
        cls, name: str, policies: Sequence[IdentityPolicy], request: Request, certainty: Answer = Answer.YES
    ) -> Layer:
        """Ask the statements of policies that belong to the principal, to its account, or limit it.

        `certainty` is MAYBE where it is not certain that such policies take part.
        """
        layer = cls(name, policies)
        for policy in policies:
            for clause, covered in policy.about(request.action):
                answer = clause.applies(request)
                if answer is not Answer.NO:
                    layer._add(min(answer, covered, certainty), Hit(policy, clause))
        return layer

    def _add(self, answer: Answer, hit: Hit) -> None:
        effect = hit.clause.statement.effect
        if effect not in _EFFECTS:
            answer = min(answer, Answer.MAYBE)
        if effect != "Deny":
            self.allows.append((answer, hit))
            self.allowed = max(self.allowed, answer)
        if effect != "Allow":
            self.denies.append((answer, hit))
            self.denied = max(self.denied, answer)


class ResourceLayer(Layer):
    """What the policies of the resource say; `grants` tells how they name the principal where they allow."""

    grants: Naming = _NOBODY

    @classmethod
    def asked(
        cls, policies: Sequence[IdentityPolicy], request: Request, principal: Principal | None, *, bounded: bool
    ) -> ResourceLayer:
        """Ask the statements of the resource's policies that name the principal."""
        layer = cls("resource policy", policies)
        for policy in policies:
            for clause, covered in policy.about(request.action):
                answer = min(covered, clause.applies(request))
                names = naming(clause.statement, principal, clause.resolve, bounded=bounded).both(answer)
                named = names.any
                if named is Answer.NO:
                    continue
                layer._add(named, Hit(policy, clause))
                if clause.statement.effect != "Deny":
                    layer.grants = layer.grants.joined(names if clause.statement.effect == "Allow" else names.maybe)
        return layer


class Layers(NamedTuple):
    """All that takes part in one decision. None is a layer that the request has not."""

    own: Layer
    shared: ResourceLayer
    boundary: Layer | None = None
    session: Layer | None = None
    scps: tuple[Layer, ...] = ()
    rcps: tuple[Layer, ...] = ()

    def all(self) -> Iterator[Layer]:
        """Yield the layers that there are."""
        for layer in (self.own, self.shared, self.boundary, self.session, *self.scps, *self.rcps):
            if layer is not None:
                yield layer

    @property
    def denied(self) -> Answer:
        """Tell whether a statement of any layer denies the request."""
        denied = max(self.own.denied, self.shared.denied)
        if self.boundary is not None:
            denied = max(denied, self.boundary.denied)
        if self.session is not None:
            denied = max(denied, self.session.denied)
        for level in (*self.scps, *self.rcps):
            denied = max(denied, level.denied)
        return denied

    @property
    def limits(self) -> Answer:
        """Tell whether boundary and session policy allow what the principal's own policies allow."""
        boundary = Answer.YES if self.boundary is None else self.boundary.allowed
        return boundary if self.session is None else min(boundary, self.session.allowed)

    def granted_by_resource_alone(self) -> Answer:
        """Tell whether the resource's policy lets a principal in that has no policies: a service, a federated user."""
        return max(self.shared.grants.anyone, self.shared.grants.itself)

    def granted_within_account(self, *, trust: bool, root: bool) -> Answer:
        """Tell whether policies allow a request in the account of the resource.

        `trust` says that the resource's policy must name the account for the principal's own policies to count, `root`
        that the principal is the account's root user, who needs none.
        """
        grants = self.shared.grants
        own = Answer.YES if root else self.own.allowed
        if trust:
            own = min(own, grants.account)
        return max(grants.anyone, grants.itself, min(max(grants.role, own), self.limits))

    def granted_across_accounts(self, *, root: bool) -> Answer:
        """Tell whether policies allow a request on a resource of another account: both sides have to."""
        return min(self.shared.grants.any, Answer.YES if root else self.own.allowed, self.limits)
