"""Who makes a request, and how a statement of a resource policy names it.

Source: IAM User Guide, "AWS JSON policy elements: Principal", "AWS JSON policy elements: NotPrincipal" and "IAM roles"
(a role's name is unique in its account, whatever its path).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from infraspec.iam.answer import Answer, both, either, negate
from infraspec.iam.document import Statement
from infraspec.iam.matching import match
from infraspec.iam.pattern import Form, Pattern, Subject, as_it_is
from infraspec.unknown import Text, Unknown, Value, render

_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?(?P<account>\d{12})(?::root)?", re.ASCII)
_ROOT = re.compile(r"arn:[^:]*:iam::(?P<account>[^:]*):root")
_ROLE = re.compile(r"arn:[^:]*:iam::(?P<account>[^:]*):role/(?:.*/)?(?P<name>[^/]+)", re.DOTALL)
_SESSION = re.compile(r"arn:[^:]*:sts::(?P<account>[^:]*):assumed-role/(?P<name>[^/]+)/(?P<session>[^/]+)", re.DOTALL)
_USER = re.compile(r"arn:[^:]*:(?:iam::(?P<account>[^:]*):user|sts::(?P<other>[^:]*):federated-user)/.*", re.DOTALL)
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")


class Kind(Enum):
    """What makes a request."""

    ROLE = auto()
    SESSION = auto()
    USER = auto()
    ROOT = auto()
    SERVICE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Principal:
    """The principal of a request. `account` is its account's number, empty for what belongs to none: a service.

    `any_session` says that the principal is a session of the role `value` whose name is not known.
    """

    value: Value
    kind: Kind
    account: Value = ""
    name: str = ""
    any_session: bool = False

    @classmethod
    def of(cls, value: Value) -> Principal:
        """Read the ARN of a role, a role's session, a user or an account's root, or the name of a service."""
        text = _coded(value)
        if text is None:
            return cls(value, Kind.OTHER, Unknown(f"the account of {render(value).strip('${}')}"))
        for kind, form in ((Kind.SESSION, _SESSION), (Kind.ROLE, _ROLE), (Kind.ROOT, _ROOT), (Kind.USER, _USER)):
            found = form.fullmatch(text)
            if found:
                groups = found.groupdict()
                account = _decoded(groups["account"] or groups.get("other") or "", value)
                return cls(value, kind, account, groups.get("name") or "")
        if _ACCOUNT.fullmatch(text):
            return cls(f"arn:aws:iam::{text}:root", Kind.ROOT, text)
        return cls(value, Kind.SERVICE if _SERVICE.fullmatch(text) else Kind.OTHER)

    @classmethod
    def role(cls, arn: Value) -> Principal:
        """Make the principal of the sessions of a role, such as the tasks of a task definition."""
        found = cls.of(arn)
        return cls(arn, Kind.ROLE, found.account, found.name, any_session=True)

    @property
    def service_linked(self) -> Answer:
        """Tell whether it is a service-linked role, which neither SCPs nor RCPs restrict."""
        if self.kind not in {Kind.ROLE, Kind.SESSION}:
            return Answer.NO
        text = render(self.value)
        if ":role/aws-service-role/" in text or self.name.startswith("AWSServiceRoleFor"):
            return Answer.YES
        return Answer.NO if isinstance(self.value, str) or ":role/" in text else Answer.MAYBE


_CODE = "\ue002"


def _coded(value: Value) -> str | None:
    """Return the text with a code in place of unknown parts; None where it is not certain to be an ARN."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Text) or not isinstance(value.parts[0], str) or not value.parts[0].startswith("arn:"):
        return None
    return "".join(part if isinstance(part, str) else _CODE for part in value.parts)


def _decoded(field: str, value: Value) -> Value:
    if _CODE not in field:
        return field
    unknown = next(part for part in value.parts if isinstance(part, Unknown))
    return unknown if field == _CODE else Unknown(f"{field.replace(_CODE, unknown.address)}")


@dataclass(frozen=True, slots=True)
class Naming:
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
    text = _coded(entry)
    if principal.kind is Kind.OTHER:
        return Naming(itself=same(entry, principal.value)) if isinstance(principal.value, str) else Naming.unknown()
    if text is None or _UNIQUE_ID.fullmatch(text):
        return Naming(itself=Answer.MAYBE, role=Answer.MAYBE)
    root = _ROOT.fullmatch(text) or _ACCOUNT.fullmatch(text)
    if root:
        account = same(_decoded(root["account"], entry), principal.account)
        return Naming(itself=account if principal.kind is Kind.ROOT else Answer.NO, account=account)
    session = _SESSION.fullmatch(text)
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
    account = same(_decoded(session["account"], entry), principal.account)
    known = _CODE not in session["name"] + principal.name and principal.name != ""
    return both(
        Answer.MAYBE, account, negate(Answer.YES) if known and session["name"] != principal.name else Answer.YES
    )


def _role(text: str, entry: Value, principal: Principal) -> Answer:
    """Compare a role by account and name: the session of a role does not show the role's path."""
    role = _ROLE.fullmatch(text)
    if role is None:
        return Answer.NO
    if principal.kind is Kind.ROLE and entry == principal.value:
        return same(entry, principal.value)
    account = same(_decoded(role["account"], entry), principal.account)
    if _CODE in role["name"] or _CODE in principal.name or not principal.name:
        return same(entry, principal.value) if principal.kind is Kind.ROLE else both(account, Answer.MAYBE)
    return both(account, Answer.YES if role["name"] == principal.name else Answer.NO)


def same(one: Value, other: Value) -> Answer:
    """Tell whether two values are the same text: a principal has no wildcards."""
    if isinstance(one, str) and isinstance(other, str):
        return Answer.YES if one == other else Answer.NO
    return match(Pattern.of(one, Form.TEXT), Subject.of(other))
