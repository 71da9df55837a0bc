"""Events as AWS writes them, one or several for each kind: a filter or a rule is tried on them.

Sources: AWS Secrets Manager User Guide, "AWS CloudTrail entries for Secrets Manager"; Amazon ECS Developer Guide,
"Amazon ECS task state change events" and "service deployment state change events"; Amazon RDS User Guide, "Amazon RDS
event categories and event messages"; PostgreSQL Documentation, "Error Reporting and Logging".

The same unknown gets the same stand-in wherever it occurs, and different ones different ones, as in
`Unknown.__eq__`. A match is then a match for every value; a mismatch is certain only where nothing was unknown but the
characters that AWS appends to an ARN.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from importlib import resources
from typing import Any, TypeAlias

from msgspec import Struct, convert

from infraspec.core.unknown import Character, Text, Unknown, Value
from infraspec.terraform.aws_attributes import AwsAttributes

Answer: TypeAlias = bool | None
"""True, False, or None where it cannot be decided."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def all_hold(answers: Collection[Answer]) -> Answer:
    """Return False if one of the answers is, True if all are."""
    return False if False in answers else None if None in answers else True


def any_holds(answers: Collection[Answer]) -> Answer:
    """Return True if one of the answers is, False if all are."""
    return True if True in answers else None if None in answers else False


class Specimens(Struct):
    """Makes text of values; `certain` turns False once a part was unknown that is more than one character."""

    attributes: AwsAttributes
    certain: bool = True

    def text(self, value: Value) -> str:
        """Return a value as text, with stand-ins for its unknown parts."""
        narrowed = self.attributes.narrow(value)
        if isinstance(narrowed, Text):
            return "".join(part if isinstance(part, str) else self._stand_in(part) for part in narrowed.parts)
        return self._stand_in(narrowed) if isinstance(narrowed, Unknown) else str(narrowed)

    def _stand_in(self, unknown: Unknown) -> str:
        if isinstance(unknown, Character):
            digest = hashlib.sha256(f"{unknown.address} {unknown.position}".encode()).digest()
            return _LETTERS[digest[0] % len(_LETTERS)]
        self.certain = False
        return "x" + hashlib.sha256(unknown.address.encode(errors="surrogatepass")).hexdigest()[:16]


_STAND_IN = re.compile(r"x[0-9a-f]{16}")


def is_vague(text: object) -> bool:
    """Tell whether a text may have a stand-in for what is not known: that something else differs from it is open."""
    return isinstance(text, str) and _STAND_IN.search(text) is not None


_SOURCES = {"cloudtrail": "aws.secretsmanager", "ecs": "aws.ecs", "rds": "aws.rds"}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

Fill = Callable[[str], str]
"""Gives the text of a placeholder."""


class Sample(Struct, frozen=True):
    """A kind of event.

    `origin` says who writes it: "cloudtrail", "ecs" and "rds" reach EventBridge, "cloudtrail" also the log group of a
    trail, "postgresql" is a line of the database's log. `filter` and `pattern` are a filter pattern and an event
    pattern that take it, to suggest. `read_only` marks a management event that a rule gets only if it asks for all.
    """

    name: str
    origin: str
    events: tuple[Any, ...]
    filter: str
    pattern: str = ""
    detail_type: str = "AWS API Call via CloudTrail"
    resources: tuple[str, ...] = ()
    read_only: bool = False

    def lines(self, fill: Fill) -> list[str]:
        """Return the events as lines of the log they are written to."""
        return [_fill(event if isinstance(event, str) else json.dumps(event), fill) for event in self.events]

    def envelopes(self, fill: Fill) -> list[Mapping[str, Any]]:
        """Return the events as EventBridge passes them on; none if it does not."""
        if self.origin not in _SOURCES:
            return []
        head = {
            "version": "0",
            "id": "00000000-0000-0000-0000-000000000000",
            "detail-type": self.detail_type,
            "source": _SOURCES[self.origin],
            "account": "{account}",
            "time": "2026-11-25T09:00:00Z",
            "region": "{region}",
            "resources": list(self.resources),
        }
        return [json.loads(_fill(json.dumps({**head, "detail": event}), fill)) for event in self.events]

    def suggestion(self, text: str, fill: Fill) -> str:
        """Return the filter or event pattern with its placeholders filled in."""
        return _fill(text, fill)


def _fill(text: str, fill: Fill) -> str:
    return _PLACEHOLDER.sub(lambda match: json.dumps(fill(match[1]))[1:-1], text)


def _read() -> Mapping[str, Sample]:
    entries = json.loads(resources.files(__package__).joinpath("samples.json").read_text(encoding="utf-8"))
    return {name: convert({"name": name, **entry}, Sample) for name, entry in entries.items()}


SAMPLES: Mapping[str, Sample] = _read()
"""The kinds of events by name."""
