"""The policies that take part in a decision, each kind of them a layer, and what the layers say together.

Source: IAM User Guide, "Policy evaluation logic", "Policy evaluation for requests within a single account" and
"Cross-account policy evaluation logic"; AWS Organizations User Guide, "SCP evaluation" and "RCP evaluation".

Source: IAM User Guide, "AWS JSON policy elements: Principal", "AWS JSON policy elements: NotPrincipal" and "IAM roles"
(a role's name is unique in its account, whatever its path).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import Text, Value
from infraspec.iam.policy.context import Request
from infraspec.iam.policy.document import Statement, principals_in
from infraspec.iam.policy.partial_arn import as_it_is
from infraspec.iam.policy.principals import (
    ACCOUNT,
    CODE,
    ROLE,
    ROOT,
    SESSION,
    UNIQUE_ID,
    Principal,
    PrincipalKind,
    coded,
    decoded,
    same,
)
from infraspec.iam.policy.statements import Hit, IdentityPolicy


class PrincipalMatch(Struct, frozen=True):
    """How certain it is that a statement names a principal as `anyone`, by `itself`, by its `role`, by its `account`.

    They differ in what limits them: a grant to anyone or to the session or user itself is limited by nothing in the
    same account, one to the role by boundary and session policy, and one to the account grants nothing there itself.
    """

    anyone: Truth = Truth.NO
    itself: Truth = Truth.NO
    role: Truth = Truth.NO
    account: Truth = Truth.NO

    @property
    def any(self) -> Truth:
        """Tell whether it is named in any way: what a Deny asks for."""
        return any_of((self.anyone, self.itself, self.role, self.account))

    @property
    def maybe(self) -> PrincipalMatch:
        """Return the same where it is not certain that the statement allows."""
        return self.both(Truth.MAYBE)

    def both(self, answer: Truth) -> PrincipalMatch:
        """Return the same where an answer has to hold too."""
        if answer is Truth.YES:
            return self
        return PrincipalMatch(*(all_of(answer, named) for named in (self.anyone, self.itself, self.role, self.account)))

    @classmethod
    def unknown(cls) -> PrincipalMatch:
        """Return that nothing is known."""
        return cls(Truth.MAYBE, Truth.MAYBE, Truth.MAYBE, Truth.MAYBE)

    def joined(self, other: PrincipalMatch) -> PrincipalMatch:
        """Return how either of two names the principal."""
        return PrincipalMatch(
            any_of((self.anyone, other.anyone)),
            any_of((self.itself, other.itself)),
            any_of((self.role, other.role)),
            any_of((self.account, other.account)),
        )


def naming(
    statement: Statement,
    principal: Principal | None,
    resolve: Callable[[Value], Value] = as_it_is,
    *,
    bounded: bool = False,
) -> PrincipalMatch:
    """Tell how a statement of a resource policy names a principal; `bounded` says that it has a boundary."""
    if statement.not_principal is not None:
        return _excepted(statement, principal, resolve, bounded=bounded)
    if statement.principal is None:
        return PrincipalMatch.unknown()
    return _listed(statement.principal, principal, resolve)


def _listed(listed: Value, principal: Principal | None, resolve: Callable[[Value], Value]) -> PrincipalMatch:
    if not isinstance(listed, Mapping) and listed != "*":
        return PrincipalMatch.unknown()
    result = PrincipalMatch()
    for kind, entry in principals_in(listed):
        result = result.joined(_entry(kind, resolve(entry), principal))
    return result


def _excepted(
    statement: Statement, principal: Principal | None, resolve: Callable[[Value], Value], *, bounded: bool
) -> PrincipalMatch:
    """Tell how NotPrincipal names a principal: it does unless the principal, its role and its account are listed.

    It always names a principal with a permissions boundary. Where only some are listed, AWS documents that the outcome
    depends on the service; under an Allow, that it is not supported.
    """
    listed = _listed(statement.not_principal, principal, resolve)
    if principal is None:
        return PrincipalMatch.unknown()
    itself = all_of(listed.itself, listed.role) if principal.kind is PrincipalKind.SESSION else listed.itself
    if principal.kind is PrincipalKind.ROLE:
        itself = all_of(listed.role, Truth.MAYBE) if principal.any_session else listed.role
    alone = principal.kind in {PrincipalKind.SERVICE, PrincipalKind.OTHER}
    exempt = any_of((listed.anyone, itself if alone else all_of(itself, listed.account)))
    named = Truth.YES if listed.any is Truth.NO else Truth.NO if exempt is Truth.YES else Truth.MAYBE
    if statement.effect == "Deny":
        return PrincipalMatch(anyone=Truth.YES if bounded and not alone else named)
    return PrincipalMatch.unknown()


def _entry(kind: str, entry: Value, principal: Principal | None) -> PrincipalMatch:
    if entry == "*" and kind == "AWS":
        return PrincipalMatch(anyone=Truth.YES)
    if principal is None or not isinstance(entry, str | Text) or kind not in _KINDS:
        return PrincipalMatch.unknown()
    if kind != "AWS":
        if principal.kind in {PrincipalKind.ROLE, PrincipalKind.SESSION, PrincipalKind.USER, PrincipalKind.ROOT}:
            return PrincipalMatch(itself=Truth.MAYBE) if kind == "CanonicalUser" else PrincipalMatch()
        return PrincipalMatch(itself=same(entry, principal.value))
    return _aws(entry, principal)


_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


def _aws(entry: str | Text, principal: Principal) -> PrincipalMatch:
    if principal.kind is PrincipalKind.SERVICE:
        return PrincipalMatch()
    text = coded(entry)
    if principal.kind is PrincipalKind.OTHER:
        return (
            PrincipalMatch(itself=same(entry, principal.value))
            if isinstance(principal.value, str)
            else PrincipalMatch.unknown()
        )
    if text is None or UNIQUE_ID.fullmatch(text):
        return PrincipalMatch(itself=Truth.MAYBE, role=Truth.MAYBE)
    root = ROOT.fullmatch(text) or ACCOUNT.fullmatch(text)
    if root:
        account = all_of(same(decoded(root["account"], entry), principal.account), _in_partition(text, principal))
        return PrincipalMatch(itself=account if principal.kind is PrincipalKind.ROOT else Truth.NO, account=account)
    session = SESSION.fullmatch(text)
    if session:
        return PrincipalMatch(itself=_session(session, entry, principal))
    if principal.kind in {PrincipalKind.ROLE, PrincipalKind.SESSION}:
        return PrincipalMatch(role=_role(text, entry, principal))
    return PrincipalMatch(itself=same(entry, principal.value))


def _in_partition(text: str, principal: Principal) -> Truth:
    """Tell whether an ARN is of the partition of a principal: accounts of two partitions have nothing in common."""
    given, own = text.split(":")[1:2], (coded(principal.value) or "").split(":")[1:2]
    known = bool(given and own) and CODE not in given[0] + own[0]
    return Truth.NO if known and given != own else Truth.YES


def _session(session: re.Match[str], entry: Value, principal: Principal) -> Truth:
    if principal.kind is PrincipalKind.SESSION:
        return same(entry, principal.value)
    if not principal.any_session:
        return Truth.NO
    account = same(decoded(session["account"], entry), principal.account)
    known = CODE not in session["name"] + principal.name and principal.name != ""
    return all_of(Truth.MAYBE, account, not_(Truth.YES) if known and session["name"] != principal.name else Truth.YES)


def _role(text: str, entry: Value, principal: Principal) -> Truth:
    """Compare a role by its ARN, and a session by account and name: it does not show the path of its role."""
    role = ROLE.fullmatch(text)
    if role is None:
        return Truth.NO
    if principal.kind is PrincipalKind.ROLE:
        return same(entry, principal.value)
    account = same(decoded(role["account"], entry), principal.account)
    if CODE in role["name"] or CODE in principal.name or not principal.name:
        return all_of(account, Truth.MAYBE)
    return all_of(account, Truth.YES if role["name"] == principal.name else Truth.NO)


RCP_SERVICES = frozenset({
    "aoss", "cognito-identity", "cognito-idp", "dynamodb", "ecr", "kms", "logs", "s3", "secretsmanager", "sqs", "sts",
})  # fmt: skip
"""The services that AWS lists as subject to resource control policies; AWS adds to them from time to time."""

_EFFECTS = ("Allow", "Deny")
_NOBODY = PrincipalMatch()


class Layer(Struct):
    """What the statements of one kind of policies say of one request. `name` is the kind, for messages."""

    name: str
    policies: Sequence[IdentityPolicy]
    allows: list[tuple[Truth, Hit]] = field(default_factory=list)
    denies: list[tuple[Truth, Hit]] = field(default_factory=list)
    allowed: Truth = Truth.NO
    """Whether a statement allows the request."""
    denied: Truth = Truth.NO
    """Whether a statement denies the request."""

    @classmethod
    def ask(
        cls, name: str, policies: Sequence[IdentityPolicy], request: Request, certainty: Truth = Truth.YES
    ) -> Layer:
        """Ask the statements of policies that belong to the principal, to its account, or limit it.

        `certainty` is MAYBE where it is not certain that such policies take part.
        """
        layer = cls(name, policies)
        for policy in policies:
            for clause, covered in policy.about(request.action):
                answer = clause.applies(request)
                if answer is not Truth.NO:
                    layer._add(min(answer, covered, certainty), Hit(policy, clause))
        return layer

    def _add(self, answer: Truth, hit: Hit) -> None:
        effect = hit.clause.statement.effect
        if effect not in _EFFECTS:
            answer = min(answer, Truth.MAYBE)
        if effect != "Deny":
            self.allows.append((answer, hit))
            self.allowed = max(self.allowed, answer)
        if effect != "Allow":
            self.denies.append((answer, hit))
            self.denied = max(self.denied, answer)


class ResourceLayer(Layer):
    """What the policies of the resource say; `grants` tells how they name the principal where they allow."""

    grants: PrincipalMatch = _NOBODY
    granting: Hit | None = None
    """The first statement that lets the principal in by itself, not by its account."""

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
                if named is Truth.NO:
                    continue
                hit = Hit(policy, clause)
                layer._add(named, hit)
                if clause.statement.effect != "Deny":
                    layer.grants = layer.grants.joined(names if clause.statement.effect == "Allow" else names.maybe)
                    if layer.granting is None and max(names.anyone, names.itself, names.role) is Truth.YES:
                        layer.granting = hit
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
    def denied(self) -> Truth:
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
    def limits(self) -> Truth:
        """Tell whether boundary and session policy allow what the principal's own policies allow."""
        boundary = Truth.YES if self.boundary is None else self.boundary.allowed
        return boundary if self.session is None else min(boundary, self.session.allowed)

    def granted_by_resource_alone(self) -> Truth:
        """Tell whether the resource's policy lets a principal in that has no policies: a service, a federated user."""
        return max(self.shared.grants.anyone, self.shared.grants.itself)

    def granted_within_account(self, *, trust: bool, root: bool) -> Truth:
        """Tell whether policies allow a request in the account of the resource.

        `trust` says that the resource's policy must name the account for the principal's own policies to count, `root`
        that the principal is the account's root user, who needs none.
        """
        grants = self.shared.grants
        own = Truth.YES if root else self.own.allowed
        if trust:
            own = min(own, grants.account)
        return max(grants.anyone, grants.itself, min(max(grants.role, own), self.limits))

    def granted_across_accounts(self, *, root: bool) -> Truth:
        """Tell whether policies allow a request on a resource of another account: both sides have to."""
        return min(self.shared.grants.any, Truth.YES if root else self.own.allowed, self.limits)
