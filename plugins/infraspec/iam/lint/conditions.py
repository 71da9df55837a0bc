"""Conditions that never hold, always hold, or are refused.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from infraspec.iam.conditions import OperatorName
from infraspec.iam.document import Statement
from infraspec.iam.lint.condition_keys import KeyTest, keys_of_others, unknown_key
from infraspec.iam.lint.fault import Fault
from infraspec.iam.operators import moment, number
from infraspec.unknown import Value, is_known, render

_MAY_HOLD_WILDCARDS = re.compile(
    r"s3:(prefix|delimiter|if-.*)|.*tag.*|kms:encryptioncontext.*|aws:(useragent|referer)|dynamodb:leadingkeys|events:.*|iot:.*"
    r"|.*:path|.*name.*|.*header.*|.*query.*",
)
"""Keys whose value may hold an asterisk or a question mark as it is."""
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def condition_faults(statement: Statement) -> Iterator[Fault]:
    """Yield the faults of a statement's Condition. An operator that does not exist is an error of the document."""
    if not isinstance(statement.condition, Mapping):
        return
    for operator, block in statement.condition.items():
        name = OperatorName.parse(operator)
        if name is None or not isinstance(block, Mapping):
            continue
        for key, value in block.items():
            if "${" not in key:
                values = tuple(value) if isinstance(value, list | tuple) else (value,)
                yield from _faults(statement, KeyTest(name, key, values))


def _faults(statement: Statement, test: KeyTest) -> Iterator[Fault]:
    unknown = unknown_key(statement, test)
    if unknown is not None:
        yield unknown
        return
    yield from keys_of_others(statement, test)
    for value in test.values:
        if is_known(value) and (fault := _value_fault(statement, test, _text(value))) is not None:
            yield fault


def _value_fault(statement: Statement, test: KeyTest, text: str) -> Fault | None:
    base = test.name.operator.name
    if base.startswith("String") and "Equals" in base:
        return _wildcard(statement, test, text)
    wanted = _wanted(base, text)
    if not wanted:
        return None
    return Fault.of(
        "condition-value",
        statement,
        test.part,
        about=test.about,
        expected=wanted,
        found=text,
        reason=f"{base} compares with {wanted}; with anything else the test never holds, or IAM refuses it",
        remedy=f"write {wanted}, or use a String operator",
    )


def _wildcard(statement: Statement, test: KeyTest, text: str) -> Fault | None:
    if not set("*?") & set(_VARIABLE.sub("", text)) or _MAY_HOLD_WILDCARDS.fullmatch(test.key.lower()):
        return None
    base = test.name.operator.name
    like = "StringNotLike" if test.negated else "StringLike"
    never = "always holds" if test.negated else "never holds"
    return Fault.of(
        "wildcard-in-equals",
        statement,
        test.part,
        about=f"{test.about} {text}",
        expected=f"{like}, which knows wildcards",
        found=f"{test.name.written} {test.key} = {text}",
        reason=f"{base} takes * and ? for themselves: against this value the test {never}",
        remedy=f"use {like}",
    )


def _wanted(base: str, text: str) -> str:
    """Return what an operator compares with, if the text is not that."""
    if "${" in text:
        return ""
    if base in {"Bool", "Null"}:
        return "" if text.lower() in {"true", "false"} else "true or false"
    if base.startswith("Numeric"):
        return "a number" if number(text.strip()) is None else ""
    if base.startswith("Date"):
        return "a date such as 2026-11-01T00:00:00Z, or seconds since 1970" if moment(text) is None else ""
    if base in {"IpAddress", "NotIpAddress"}:
        return "" if _is_network(text) else "an IP address or a range such as 203.0.113.0/24"
    if base.startswith("Arn"):
        return "" if text.startswith(("arn:", "*", "?")) else "an ARN"
    return ""


def _is_network(text: str) -> bool:
    try:
        ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return True


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else render(value)
