"""Whether the Principal of a resource policy's statement names a role.

Source: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from infraspec.iam.answer import Answer, either
from infraspec.iam.document import Statement
from infraspec.iam.matching import match
from infraspec.iam.pattern import Pattern, Subject
from infraspec.unknown import Text, Unknown, Value, render

_ACCOUNT = re.compile(r"^(\d{12}|arn:[^:]*:iam::[^:]*:root)$")


def names_role(statement: Statement, role: Value, resolve: Callable[[Value], Value]) -> Answer:
    """Tell whether a statement concerns a role, given by its ARN.

    An account as the principal of an Allow hands the decision to the role's own policies; it allows nothing itself.
    """
    if statement.not_principal is not None:
        return Answer.MAYBE
    return either(_entry(entry, statement, role, resolve) for entry in _entries(statement.principal))


def delegates(statement: Statement) -> bool:
    """Tell whether an Allow statement may hand the decision to the policies of the account: KMS asks for that."""
    if statement.effect == "Deny":
        return False
    return any(
        not isinstance(entry, str) or entry == "*" or _ACCOUNT.match(entry) for entry in _entries(statement.principal)
    ) or isinstance(statement.effect, Unknown)


def _entries(principal: Value) -> Iterator[Value]:
    if not isinstance(principal, Mapping):
        yield principal
        return
    for kind, values in principal.items():
        if kind in {"Service", "Federated", "CanonicalUser"}:
            continue
        yield from values if isinstance(values, list | tuple) else (values,)


def _entry(entry: Value, statement: Statement, role: Value, resolve: Callable[[Value], Value]) -> Answer:
    if entry == "*":
        return Answer.YES
    if not isinstance(entry, str | Text | Unknown):
        return Answer.MAYBE
    resolved = resolve(entry)
    if _ACCOUNT.match(render(resolved)):
        return Answer.NO if statement.effect == "Allow" else Answer.MAYBE
    if ":assumed-role/" in render(resolved):
        return Answer.MAYBE
    return match(Pattern.arn(entry, resolve), Subject.of(role, resolve))
