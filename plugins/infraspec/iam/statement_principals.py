"""The principals of a resource or trust policy's statement, one by one, and whether a statement covers one.

Source: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from infraspec.iam.answer import Answer, either
from infraspec.iam.document import Statement
from infraspec.unknown import Text, Unknown, Value, render

_ACCOUNT = re.compile(r"^(?:arn:[^:]*:iam::)?(?P<account>\d{12})(?::root)?$")
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
    return tuple(_entries(statement.principal)) if statement.principal is not None else (None,)


def covers_principal(
    statement: Statement, principal: StatementPrincipal | None, resolve: Callable[[Value], Value]
) -> Answer:
    """Tell whether a statement is about a principal, given what principals_of makes of another statement.

    An account is MAYBE for its own roles and users: it leaves the decision to their policies.
    """
    if principal is None:
        return Answer.YES if statement.principal is None and statement.not_principal is None else Answer.MAYBE
    if statement.not_principal is not None or principal.kind == "Not":
        return Answer.YES if principal in principals_of(statement) else Answer.MAYBE
    return either(_covers(own, principal, resolve) for own in principals_of(statement) if own is not None)


def _entries(principal: Value) -> Iterator[StatementPrincipal]:
    if not isinstance(principal, Mapping):
        yield StatementPrincipal("AWS", principal)
        return
    for kind, names in principal.items():
        for name in names if isinstance(names, list | tuple) else (names,):
            yield StatementPrincipal(str(kind), name)


def _covers(own: StatementPrincipal, other: StatementPrincipal, resolve: Callable[[Value], Value]) -> Answer:
    if own == other:
        return Answer.YES
    if own.is_everyone:
        return Answer.YES if other.kind == "AWS" else Answer.MAYBE
    if own.kind != other.kind or other.is_everyone:
        return Answer.NO
    one, two = resolve(own.name), resolve(other.name)
    if isinstance(one, Text | Unknown) or isinstance(two, Text | Unknown):
        return Answer.MAYBE
    if _normal(one) == _normal(two):
        return Answer.YES
    account, member = _ACCOUNT.match(render(one)), _MEMBER.match(render(two))
    return Answer.MAYBE if account and member and account["account"] == member["account"] else Answer.NO


def _normal(name: Value) -> str:
    account = _ACCOUNT.match(render(name))
    return account["account"] if account else render(name)
