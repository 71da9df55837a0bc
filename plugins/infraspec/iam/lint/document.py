"""All faults of one policy document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from infraspec.iam.document import PolicyDocument, Statement
from infraspec.iam.lint.actions import action_faults
from infraspec.iam.lint.conditions import condition_faults
from infraspec.iam.lint.fault import Fault, Resolve
from infraspec.iam.lint.grants import grant_faults
from infraspec.iam.lint.resources import resource_faults
from infraspec.iam.pattern import as_it_is
from infraspec.resource_types import Policy, PolicyKind
from infraspec.unknown import Text, Unknown, Value, render


def document_faults(document: PolicyDocument, use: Policy, resolve: Resolve = as_it_is) -> list[Fault]:
    """Return what is found in a document; `resolve` narrows the unknown parts of resources.

    A part that is not known is not accused: the document is judged by what is certain of it.
    """
    faults = [*_repeated(document, use)]
    for statement in document.statements:
        if not document.variables:
            faults += _variables(statement)
        faults += action_faults(statement, use)
        faults += resource_faults(statement, use, resolve)
        faults += condition_faults(statement)
        faults += grant_faults(statement, use)
        if use.kind is PolicyKind.TRUST and (statement.resources is not None or statement.not_resources is not None):
            faults.append(_resource_of_trust(statement))
    return faults


def is_opaque(statement: Statement) -> bool:
    """Tell whether nothing is known of a statement."""
    entries = (*(statement.actions or ()), *(statement.resources or ()))
    return not isinstance(statement.effect, str) and all(isinstance(entry, Unknown) for entry in entries)


def _repeated(document: PolicyDocument, use: Policy) -> Iterator[Fault]:
    """Yield statements of one Sid: IAM refuses them, of other services KMS is known not to."""
    sids = Counter(statement.sid for statement in document.statements if statement.sid and "${" not in statement.sid)
    seen: set[str] = set()
    for statement in document.statements:
        if sids[statement.sid] > 1 and statement.sid in seen:
            yield Fault.of(
                "duplicate-sid",
                statement,
                "Sid",
                about=statement.sid,
                expected="a Sid of its own for each statement",
                found=f"{sids[statement.sid]} statements with the Sid {statement.sid}",
                reason="IAM refuses a policy in which a Sid occurs twice",
                remedy=f'rename one: Sid = "{statement.sid}2"',
                certain=use.kind is not PolicyKind.RESOURCE,
            )
        seen.add(statement.sid)


def _variables(statement: Statement) -> Iterator[Fault]:
    """Yield policy variables in a document of a version that has none."""
    for element, entries in (("Resource", statement.resources), ("NotResource", statement.not_resources)):
        for index, entry in enumerate(entries or ()):
            if any("${aws:" in part for part in _literals(entry)):
                yield Fault.of(
                    "variables-without-version",
                    statement,
                    f"{element}.{index}",
                    about=render(entry),
                    expected='Version "2012-10-17"',
                    found=f"the version 2008-10-17, which is the default, and {render(entry)}",
                    reason="policy variables exist since version 2012-10-17; before, the text stands for itself",
                    remedy='set Version = "2012-10-17"',
                )


def _literals(value: Value) -> list[str]:
    parts = value.parts if isinstance(value, Text) else (value,)
    return [part for part in parts if isinstance(part, str)]


def _resource_of_trust(statement: Statement) -> Fault:
    return Fault.of(
        "malformed-resource",
        statement,
        "Resource" if statement.resources is not None else "NotResource",
        about="in a trust policy",
        expected="no Resource",
        found="a Resource",
        reason="a trust policy is about the role it belongs to: IAM refuses one that names resources",
        remedy="take Resource out",
    )
