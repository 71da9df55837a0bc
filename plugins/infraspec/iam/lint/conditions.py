"""Conditions that never hold, always hold, or are refused.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators" and "AWS global condition context
keys"; Service Authorization Reference ("Condition keys").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Any

from msgspec import Struct

from infraspec.core.truth import Truth
from infraspec.core.unknown import Value, is_known, render
from infraspec.iam.lint import reference
from infraspec.iam.lint.actions import expand, names_one
from infraspec.iam.lint.faults import PolicyFault
from infraspec.iam.lint.reference import Action
from infraspec.iam.policy.conditions import NULL, OperatorName, Quantifier, moment, number
from infraspec.iam.policy.document import Statement, tests_of

_GLOBAL = {name.lower(): name for name in reference.KNOWN.global_keys}
_OF_THE_CALLER = frozenset({"glue:roleassumedby", "lambda:sourcefunctionarn", "ec2:sourceinstancearn"})
"""Keys of one service that requests to others carry too, because the role's credentials come from it."""
_INCOMPLETE = frozenset({"a4b", "aws-marketplace", "iottwinmaker", "catalog", "identitystore", "codebuild", "ssm"})
"""Services of whose keys the reference is known not to say all."""


class KeyTest(Struct, frozen=True):
    """One key under one operator, with the values that the policy lists."""

    name: OperatorName
    key: str
    values: tuple[Value, ...]

    def fault(
        self, text: str, statement: Statement, more: str = "", /, *, certain: bool = True, **values: Any
    ) -> PolicyFault:
        """Make a fault of it; `more` tells it apart from others of the same test."""
        written = self.name.written
        known: dict[str, Any] = {"written": written, "key": self.key, "operator": self.name.operator.name}
        part, about = f"Condition.{written}.{self.key}", f"{written} {self.key}{more}"
        return PolicyFault.say(text, statement, part, about=about, certain=certain, **known, **values)

    @property
    def negated(self) -> bool:
        """Tell whether it holds where the values differ."""
        return self.name.operator.negated


def unknown_key(statement: Statement, test: KeyTest) -> PolicyFault | None:
    """Return the fault of a key that no request carries, as far as the key's owner is known."""
    prefix, colon, name = test.key.lower().partition(":")
    if prefix == "aws":
        if name.partition("/")[0] in _GLOBAL:
            return None
        near = [f"aws:{_GLOBAL[other]}" for other in get_close_matches(name, _GLOBAL, n=1, cutoff=0.8)]
        return _no_such_key(statement, test, near) if near else None
    service = reference.service(prefix)
    if not colon or service is None or prefix in _INCOMPLETE or service.has_key(test.key):
        return None
    known = {key.lower(): key for key in service.keys}
    near = [known[other] for other in get_close_matches(test.key.lower(), known, n=1, cutoff=0.7)]
    return _no_such_key(statement, test, near) if known else None


def _no_such_key(statement: Statement, test: KeyTest, near: list[str]) -> PolicyFault:
    remedy = f"did you mean {near[0]}?" if near else "take it out, or look it up in the reference"
    values = {"reference": reference.version(), "effect": _effect_when_missing(test), "remedy": remedy}
    certain = ":resourcetag/" not in test.key.lower()  # many services have such a key, not all of them documented
    return test.fault("unknown-condition-key", statement, certain=certain, **values)


def _effect_when_missing(test: KeyTest) -> str:
    if test.name.operator is NULL:
        return "the test never changes"
    return "the test never holds" if test.name.without_key is Truth.NO else "the test always holds"


def keys_of_others(statement: Statement, test: KeyTest) -> Iterator[PolicyFault]:
    """Yield the actions whose requests do not carry a key that belongs to a service."""
    key = test.key.lower()
    prefix = key.partition(":")[0]
    if (
        prefix in _INCOMPLETE
        or key in _OF_THE_CALLER
        or test.name.operator is NULL
        or test.name.if_exists
        or test.name.quantifier is Quantifier.ALL
        or (prefix != "aws" and reference.service(prefix) is None)
        or prefix in {"aws", "saml"}
    ):
        return
    lacking = [entry for entry in statement.actions or () if _lacks(entry, test.key)]
    if lacking:
        certain = any(not entry.lower().startswith(f"{prefix}:") for entry in lacking)
        listed = ", ".join(lacking)
        verb = "allows" if statement.effect == "Allow" else "denies"
        outcome = f"{verb} {listed} always" if test.negated else f"never {verb} {listed}"
        more = f" with {listed}"
        yield test.fault("condition-key-mismatch", statement, more, certain=certain, actions=listed, outcome=outcome)


def _lacks(entry: Value, key: str) -> bool:
    if not isinstance(entry, str) or not names_one(entry):
        return False
    actions: Sequence[Action] = expand(entry)
    if not actions or entry.lower().partition(":")[0] in _INCOMPLETE:
        return False
    return not actions[0].has_key(key)


_MAY_HOLD_WILDCARDS = re.compile(
    r"s3:(prefix|delimiter|if-.*)|.*tag.*|kms:encryptioncontext.*|aws:(useragent|referer)|dynamodb:leadingkeys|events:.*|iot:.*"
    r"|.*:path|.*name.*|.*header.*|.*query.*",
)
"""Keys whose value may hold an asterisk or a question mark as it is."""
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def condition_faults(statement: Statement) -> Iterator[PolicyFault]:
    """Yield the faults of a statement's Condition. An operator that does not exist is an error of the document."""
    for operator, key, values in tests_of(statement.condition):
        name = OperatorName.parse(operator)
        if name is not None and key and "${" not in key:
            yield from _faults(statement, KeyTest(name, key, values))


def _faults(statement: Statement, test: KeyTest) -> Iterator[PolicyFault]:
    unknown = unknown_key(statement, test)
    if unknown is not None:
        yield unknown
        return
    yield from keys_of_others(statement, test)
    for value in test.values:
        text = str(value).lower() if isinstance(value, bool) else render(value)
        if is_known(value) and (fault := _value_fault(statement, test, text)) is not None:
            yield fault


def _value_fault(statement: Statement, test: KeyTest, text: str) -> PolicyFault | None:
    base = test.name.operator.name
    if base.startswith("String") and "Equals" in base:
        return _wildcard(statement, test, text)
    wanted = _wanted(base, text)
    return test.fault("condition-value", statement, wanted=wanted, text=text) if wanted else None


def _wildcard(statement: Statement, test: KeyTest, text: str) -> PolicyFault | None:
    if not set("*?") & set(_VARIABLE.sub("", text)) or _MAY_HOLD_WILDCARDS.fullmatch(test.key.lower()):
        return None
    like = "StringNotLike" if test.negated else "StringLike"
    never = "always holds" if test.negated else "never holds"
    return test.fault("wildcard-in-equals", statement, f" {text}", like=like, never=never, text=text)


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
