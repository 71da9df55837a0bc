"""Whether a statement that names everyone is for everyone.

Source: Amazon S3 User Guide, "The meaning of 'public'": a condition that fixes who or from where keeps it from that.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from infraspec.iam.answer import Answer
from infraspec.iam.widening import Widening
from infraspec.unknown import Value

_FIXED = frozenset((
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
    "aws:resourceaccount", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths",
    "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:userid", "aws:vpcsourceip",
    "kms:calleraccount", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
))  # fmt: skip
_OPERATORS = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")
_WIDEST_PREFIX = 8


def is_public(widening: Widening) -> Answer:
    """Tell whether what becomes allowed is allowed to everyone; MAYBE if a condition may say otherwise."""
    principal, condition = widening.principal, widening.statement.condition
    if principal is None or not (principal.is_everyone or principal.kind == "Not"):
        return Answer.NO
    if condition is None:
        return Answer.YES
    if not isinstance(condition, Mapping):
        return Answer.MAYBE
    return Answer.NO if any(_fixes(operator, block) for operator, block in condition.items()) else Answer.MAYBE


def _fixes(operator: str, block: Value) -> bool:
    plain = operator.lower().removeprefix("foranyvalue:")
    if plain not in _OPERATORS or not isinstance(block, Mapping):
        return False
    return any(key.lower() in _FIXED and all(map(_is_fixed, _listed(values))) for key, values in block.items())


def _listed(values: Value) -> list[Value]:
    return list(values) if isinstance(values, list | tuple) else [values]


def _is_fixed(value: Value) -> bool:
    """Tell whether a value leaves out most of the world: no wildcard for all or in the account, no more than a /8."""
    if not isinstance(value, str):
        return True
    if value.startswith("arn:"):
        account = value.split(":")[4:5]
        return bool(account) and not set(account[0]) & {"*", "?"}
    try:
        return ipaddress.ip_network(value, strict=False).prefixlen >= _WIDEST_PREFIX
    except ValueError:
        return bool(value.strip("*?"))
