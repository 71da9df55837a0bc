"""The forms of the ARNs of principals, known or with unknown parts.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "IAM identifiers".
"""

from __future__ import annotations

import re

from infraspec.iam.answer import Answer
from infraspec.iam.matching import match
from infraspec.iam.pattern import Form, Pattern, Subject
from infraspec.unknown import Text, Unknown, Value

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


def same(one: Value, other: Value) -> Answer:
    """Tell whether two values are the same text: a principal has no wildcards."""
    if isinstance(one, str) and isinstance(other, str):
        return Answer.YES if one == other else Answer.NO
    return match(Pattern.of(one, Form.TEXT), Subject.of(other))
