"""How a statement of a resource policy names the principal of a request.

Source: IAM User Guide, "AWS JSON policy elements: Principal", "AWS JSON policy elements: NotPrincipal" and "IAM roles"
(a role's name is unique in its account, whatever its path).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from infraspec.iam.answer import Answer, both, either, negate
from infraspec.iam.document import Statement
from infraspec.iam.pattern import as_it_is
from infraspec.iam.principal import Kind, Principal
from infraspec.iam.principal_arn import ACCOUNT, CODE, ROLE, ROOT, SESSION, UNIQUE_ID, coded, decoded, same
from infraspec.unknown import Text, Value


class Naming(Struct, frozen=True):
    """How certain it is that a statement names a principal as `anyone`, by `itself`, by its `role`, by its `account`.

    They differ in what limits them: a grant to anyone or to the session or user itself is limited by nothing in the
    same account, one to the role by boundary and session policy, and one to the account grants nothing there itself.
    """

    anyone: Answer = Answer.NO
    itself: Answer = Answer.NO
    role: Answer = Answer.NO
    account: Answer = Answer.NO

    @property
    def any(self) -> Answer:
        """Tell whether it is named in any way: what a Deny asks for."""
        return either((self.anyone, self.itself, self.role, self.account))

    @property
    def maybe(self) -> Naming:
        """Return the same where it is not certain that the statement allows."""
        return self.both(Answer.MAYBE)

    def both(self, answer: Answer) -> Naming:
        """Return the same where an answer has to hold too."""
        if answer is Answer.YES:
            return self
        return Naming(*(both(answer, named) for named in (self.anyone, self.itself, self.role, self.account)))

    @classmethod
    def unknown(cls) -> Naming:
        """Return that nothing is known."""
        return cls(Answer.MAYBE, Answer.MAYBE, Answer.MAYBE, Answer.MAYBE)

    def joined(self, other: Naming) -> Naming:
        """Return how either of two names the principal."""
        return Naming(
            either((self.anyone, other.anyone)),
            either((self.itself, other.itself)),
            either((self.role, other.role)),
            either((self.account, other.account)),
        )


def naming(
    statement: Statement,
    principal: Principal | None,
    resolve: Callable[[Value], Value] = as_it_is,
    *,
    bounded: bool = False,
) -> Naming:
    """Tell how a statement of a resource policy names a principal; `bounded` says that it has a boundary."""
    if statement.not_principal is not None:
        return _excepted(statement, principal, resolve, bounded=bounded)
    if statement.principal is None:
        return Naming.unknown()
    return _listed(statement.principal, principal, resolve)


def _listed(listed: Value, principal: Principal | None, resolve: Callable[[Value], Value]) -> Naming:
    result = Naming()
    for kind, entry in _entries(listed):
        result = result.joined(_entry(kind, resolve(entry), principal))
    return result


def _excepted(
    statement: Statement, principal: Principal | None, resolve: Callable[[Value], Value], *, bounded: bool
) -> Naming:
    """Tell how NotPrincipal names a principal: it does unless the principal, its role and its account are listed.

    It always names a principal with a permissions boundary. Where only some are listed, AWS documents that the outcome
    depends on the service; under an Allow, that it is not supported.
    """
    listed = _listed(statement.not_principal, principal, resolve)
    if principal is None:
        return Naming.unknown()
    itself = both(listed.itself, listed.role) if principal.kind is Kind.SESSION else listed.itself
    if principal.kind is Kind.ROLE:
        itself = both(listed.role, Answer.MAYBE) if principal.any_session else listed.role
    alone = principal.kind in {Kind.SERVICE, Kind.OTHER}
    exempt = either((listed.anyone, itself if alone else both(itself, listed.account)))
    named = Answer.YES if listed.any is Answer.NO else Answer.NO if exempt is Answer.YES else Answer.MAYBE
    if statement.effect == "Deny":
        return Naming(anyone=Answer.YES if bounded and not alone else named)
    return Naming.unknown()


def _entries(principal: Value) -> Iterator[tuple[str, Value]]:
    if not isinstance(principal, Mapping):
        yield "AWS" if principal == "*" else "", principal
        return
    for kind, values in principal.items():
        for value in values if isinstance(values, list | tuple) else (values,):
            yield kind, value


def _entry(kind: str, entry: Value, principal: Principal | None) -> Naming:
    if entry == "*" and kind == "AWS":
        return Naming(anyone=Answer.YES)
    if principal is None or not isinstance(entry, str | Text) or kind not in _KINDS:
        return Naming.unknown()
    if kind != "AWS":
        wanted = kind == "Service"
        if principal.kind in {Kind.ROLE, Kind.SESSION, Kind.USER, Kind.ROOT} or (
            principal.kind is Kind.SERVICE and not wanted and not isinstance(principal.value, str)
        ):
            return Naming(itself=Answer.MAYBE) if kind == "CanonicalUser" else Naming()
        return Naming(itself=same(entry, principal.value))
    return _aws(entry, principal)


_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


def _aws(entry: str | Text, principal: Principal) -> Naming:
    if principal.kind is Kind.SERVICE:
        return Naming()
    text = coded(entry)
    if principal.kind is Kind.OTHER:
        return Naming(itself=same(entry, principal.value)) if isinstance(principal.value, str) else Naming.unknown()
    if text is None or UNIQUE_ID.fullmatch(text):
        return Naming(itself=Answer.MAYBE, role=Answer.MAYBE)
    root = ROOT.fullmatch(text) or ACCOUNT.fullmatch(text)
    if root:
        account = same(decoded(root["account"], entry), principal.account)
        return Naming(itself=account if principal.kind is Kind.ROOT else Answer.NO, account=account)
    session = SESSION.fullmatch(text)
    if session:
        return Naming(itself=_session(session, entry, principal))
    if principal.kind in {Kind.ROLE, Kind.SESSION}:
        return Naming(role=_role(text, entry, principal))
    return Naming(itself=same(entry, principal.value))


def _session(session: re.Match[str], entry: Value, principal: Principal) -> Answer:
    if principal.kind is Kind.SESSION:
        return same(entry, principal.value)
    if not principal.any_session:
        return Answer.NO
    account = same(decoded(session["account"], entry), principal.account)
    known = CODE not in session["name"] + principal.name and principal.name != ""
    return both(
        Answer.MAYBE, account, negate(Answer.YES) if known and session["name"] != principal.name else Answer.YES
    )


def _role(text: str, entry: Value, principal: Principal) -> Answer:
    """Compare a role by account and name: the session of a role does not show the role's path."""
    role = ROLE.fullmatch(text)
    if role is None:
        return Answer.NO
    if principal.kind is Kind.ROLE and entry == principal.value:
        return same(entry, principal.value)
    account = same(decoded(role["account"], entry), principal.account)
    if CODE in role["name"] or CODE in principal.name or not principal.name:
        return same(entry, principal.value) if principal.kind is Kind.ROLE else both(account, Answer.MAYBE)
    return both(account, Answer.YES if role["name"] == principal.name else Answer.NO)
