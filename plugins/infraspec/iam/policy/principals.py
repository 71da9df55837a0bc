"""Who makes a request.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "IAM identifiers".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto

from msgspec import Struct

from infraspec.core.truth import Truth, any_of
from infraspec.core.unknown import Text, Unknown, Value, computed_from, render
from infraspec.iam.policy.document import Statement, principals_in
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.pattern import Form, Pattern

ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?(?P<account>\d{12})(?::root)?", re.ASCII)
ROOT = re.compile(r"arn:[^:]*:iam::(?P<account>[^:]*):root")
ROLE = re.compile(r"arn:[^:]*:iam::(?P<account>[^:]*):role(?:/(?:.*/)?|\ue002)(?P<name>[^/]+)", re.DOTALL)
SESSION = re.compile(r"arn:[^:]*:sts::(?P<account>[^:]*):assumed-role/(?P<name>[^/]+)/(?P<session>[^/]+)", re.DOTALL)
USER = re.compile(r"arn:[^:]*:(?:iam::(?P<account>[^:]*):user|sts::(?P<other>[^:]*):federated-user)/.*", re.DOTALL)
SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
CODE = "\ue002"
"""Stands for an unknown part, such as the path of a role that a data source reads, with the slashes around it."""


def coded(value: Value) -> str | None:
    """Return the text with a code in place of unknown parts; None where it is not certain to be an ARN."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Text) or not isinstance(value.parts[0], str) or not value.parts[0].startswith("arn:"):
        return None
    return "".join(part if isinstance(part, str) else CODE for part in value.parts)


def decoded(field: str, value: Value) -> Value:
    """Return what a field of coded text stands for: itself, or an unknown."""
    if CODE not in field:
        return field
    unknown = next(part for part in value.parts if isinstance(part, Unknown))
    return unknown if field == CODE else Unknown(field.replace(CODE, unknown.address), unknown.cause)


def same(one: Value, other: Value) -> Truth:
    """Tell whether two values are the same text: a principal has no wildcards."""
    if isinstance(one, str) and isinstance(other, str):
        return Truth.YES if one == other else Truth.NO
    return match(Pattern.of(one, Form.TEXT), PartialArn.of(other))


_MEMBER = re.compile(r"^arn:[^:]*:(?:iam|sts)::(?P<account>\d{12}):(?!root$)")


class StatementPrincipal(Struct, frozen=True):
    """One principal. `kind` is AWS, Service, Federated or CanonicalUser, or Not for all that a NotPrincipal leaves."""

    kind: str
    name: Value

    @property
    def is_everyone(self) -> bool:
        """Whether it is anyone at all, with or without an AWS account."""
        return self.kind == "AWS" and self.name == "*"

    def __str__(self) -> str:
        if self.is_everyone:
            return "everyone"
        return f"everyone but {render(self.name)}" if self.kind == "Not" else render(self.name)


def principals_of(statement: Statement) -> tuple[StatementPrincipal | None, ...]:
    """Return the principals of a statement; (None,) for one of an identity policy."""
    if statement.not_principal is not None:
        return (StatementPrincipal("Not", statement.not_principal),)
    if statement.principal is None:
        return (None,)
    return tuple(StatementPrincipal(kind, name) for kind, name in principals_in(statement.principal))


def covers_principal(
    statement: Statement, principal: StatementPrincipal | None, resolve: Callable[[Value], Value]
) -> Truth:
    """Tell whether a statement is about a principal, given what principals_of makes of another statement.

    An account is MAYBE for its own roles and users: it leaves the decision to their policies.
    """
    if principal is None:
        return Truth.YES if statement.principal is None and statement.not_principal is None else Truth.MAYBE
    if statement.not_principal is not None or principal.kind == "Not":
        return Truth.YES if principal in principals_of(statement) else Truth.MAYBE
    return any_of(_covers(own, principal, resolve) for own in principals_of(statement) if own is not None)


def _covers(own: StatementPrincipal, other: StatementPrincipal, resolve: Callable[[Value], Value]) -> Truth:
    if own == other:
        return Truth.YES
    if own.is_everyone:
        return Truth.YES if other.kind == "AWS" else Truth.MAYBE
    if own.kind != other.kind or other.is_everyone:
        return Truth.NO
    one, two = resolve(own.name), resolve(other.name)
    if isinstance(one, (Text, Unknown)) or isinstance(two, (Text, Unknown)):
        return Truth.MAYBE
    if _normal(one) == _normal(two):
        return Truth.YES
    account, member = ACCOUNT.fullmatch(render(one)), _MEMBER.match(render(two))
    return Truth.MAYBE if account and member and account["account"] == member["account"] else Truth.NO


def _normal(name: Value) -> str:
    account = ACCOUNT.fullmatch(render(name))
    return account["account"] if account else render(name)


class PrincipalKind(Enum):
    """What makes a request."""

    ROLE = auto()
    SESSION = auto()
    USER = auto()
    ROOT = auto()
    SERVICE = auto()
    OTHER = auto()


class Principal(Struct, frozen=True):
    """The principal of a request. `account` is its account's number, empty for what belongs to none: a service.

    `any_session` says that the principal is a session of the role `value` whose name is not known.
    """

    value: Value
    kind: PrincipalKind
    account: Value = ""
    name: str = ""
    any_session: bool = False

    @classmethod
    def of(cls, value: Value) -> Principal:
        """Read the ARN of a role, a role's session, a user or an account's root, or the name of a service."""
        text = coded(value)
        if text is None:
            return cls(value, PrincipalKind.OTHER, _account_of(value))
        for kind, form in (
            (PrincipalKind.SESSION, SESSION),
            (PrincipalKind.ROLE, ROLE),
            (PrincipalKind.ROOT, ROOT),
            (PrincipalKind.USER, USER),
        ):
            found = form.fullmatch(text)
            if found:
                groups = found.groupdict()
                account = decoded(groups["account"] or groups.get("other") or "", value)
                return cls(value, kind, account, groups.get("name") or "")
        if ACCOUNT.fullmatch(text):
            return cls(f"arn:aws:iam::{text}:root", PrincipalKind.ROOT, text)
        if CODE in text:
            return cls(value, PrincipalKind.OTHER, _account_of(value))
        return cls(value, PrincipalKind.SERVICE if SERVICE.fullmatch(text) else PrincipalKind.OTHER)

    @classmethod
    def role(cls, arn: Value) -> Principal:
        """Make the principal of the sessions of a role, such as the tasks of a task definition."""
        found = cls.of(arn)
        return cls(arn, PrincipalKind.ROLE, found.account, found.name, any_session=True)

    @property
    def service_linked(self) -> bool:
        """Tell whether it is a service-linked role, which neither SCPs nor RCPs restrict."""
        if self.kind not in {PrincipalKind.ROLE, PrincipalKind.SESSION}:
            return False
        return ":role/aws-service-role/" in render(self.value) or self.name.startswith("AWSServiceRoleFor")


def _account_of(value: Value) -> Unknown:
    text = render(value)
    whole = text.startswith("${") and text.endswith("}") and "${" not in text[2:]
    return Unknown(f"the account of {text[2:-1] if whole else text}", computed_from(value))
