"""What a `valueFrom` names: a secret of Secrets Manager or a parameter of Systems Manager.

Sources: Amazon ECS Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables" and "Pass
Systems Manager parameters through Amazon ECS environment variables". After `secret:` the ECS agent expects one field,
or four: name, JSON key, version stage and version id.

So text can be split and matched by regular expressions, and what comes out is filled with the unknown parts again.

Sources: Amazon ECR User Guide, "Private registries in Amazon ECR"; Docker reference, "Image names".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from msgspec import Struct, json

from infraspec.core.unknown import (
    Character,
    Reference,
    Text,
    Unknown,
    Value,
    computed_from,
    concatenate,
    parts_of,
    render,
)

_FIRST = 0xE000
_CHARACTER_FIRST = 0xF000
_LAST = 0xF8FF
HOLE = f"[{chr(_FIRST)}-{chr(_CHARACTER_FIRST - 1)}]"
"""A regular expression of one part of unknown length."""
ONE = f"[{chr(_CHARACTER_FIRST)}-{chr(_LAST)}]"
"""A regular expression of exactly one unknown character."""
_MARK = re.compile(f"([{chr(_FIRST)}-{chr(_LAST)}])")


class HoledText:
    """The str of a value, `text`, and the way back: `fill` turns a piece of it into a value."""

    __slots__ = ("_parts", "text")

    def __init__(self, value: str | Text | Unknown) -> None:
        self._parts: dict[str, Unknown] = {}
        self.text = "".join(part if isinstance(part, str) else self._mark(part) for part in parts_of(value))

    def fill(self, piece: str) -> Value:
        """Put the unknown parts back into a piece of the text."""
        if not self._parts or piece.isascii():
            return piece
        parts = [self._parts.get(part, part) for part in _MARK.split(piece) if part]
        return parts[0] if len(parts) == 1 else concatenate(parts)

    def _mark(self, part: Unknown) -> str:
        first = _CHARACTER_FIRST if isinstance(part, Character) else _FIRST
        mark = chr(first + len(self._parts))
        self._parts[mark] = part
        return mark


def has_hole(text: str) -> bool:
    """Tell whether a piece has a part of unknown length."""
    return any(_FIRST <= ord(character) < _CHARACTER_FIRST for character in text)


_ECR = re.compile(
    rf"^(?P<account>\d{{12}}|{HOLE}+)\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+|{HOLE}+)\."
    rf"(?:amazonaws\.com(?:\.cn)?|on\.aws|{HOLE})/(?P<repository>[^:@]+)(?:[:@].*)?$"
)


class EcrImage(Struct, frozen=True):
    """An image in a private ECR repository; each part may be unknown."""

    account: Value
    region: Value
    repository: Value


def ecr_image(value: Value) -> EcrImage | Unknown | None:
    """Return the ECR repository of an image, None if it is in another registry, or what hides its registry."""
    if not isinstance(value, (str, Text, Unknown)):
        return None
    holed = HoledText(value)
    found = _ECR.match(holed.text)
    if found:
        return EcrImage(*(holed.fill(found[part]) for part in ("account", "region", "repository")))
    host, slash, _ = holed.text.partition("/")
    # Without a slash the image is one of Docker Hub's, and what is unknown is at most its tag.
    hidden = has_hole(host if slash else host[:1])
    return next((part for part in parts_of(value) if isinstance(part, Unknown)), None) if hidden else None


_ARN_FIELDS = 6
_WITH_KEY = 4
_SUFFIX = re.compile(f"-(?:[A-Za-z0-9]|{ONE}){{6}}$")
_PARAMETER = re.compile(f"^(?:[A-Za-z0-9_./-]|{HOLE}|{ONE})+$")
_ACCOUNT = re.compile(r"^\d{12}$")
_REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d+$")
_WHOLE_AND_KEY = re.compile(f"^(?P<arn>{HOLE})(?P<rest>(?::[^:]*){{3}})$")


_STORED = {
    ("aws_secretsmanager_secret", "arn"): "Secrets Manager",
    ("aws_secretsmanager_secret", "id"): "Secrets Manager",
    ("aws_secretsmanager_secret_version", "arn"): "Secrets Manager",
    ("aws_secretsmanager_secret_version", "id"): "Secrets Manager",
    ("aws_ssm_parameter", "arn"): "Systems Manager Parameter Store",
}
"""What an attribute names, of which nothing is known."""


class _Problem(Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with a reference, and what fixes it; `{name}` stands for a value."""

    problem: str
    remedy: str


_PROBLEMS = json.decode(Path(__file__).with_name("reference_problems.json").read_bytes(), type=dict[str, _Problem])


def _said(name: str, /, **values: object) -> tuple[str, str]:
    told = _PROBLEMS[name]
    return told.problem.format_map(values), told.remedy.format_map(values)


class ValueStore(Enum):
    """Where a value is kept."""

    SECRETS_MANAGER = "Secrets Manager"
    PARAMETER_STORE = "Systems Manager Parameter Store"
    UNKNOWN = "unknown"


def values_from(container: Mapping[str, Any]) -> Iterator[str]:
    """Yield every `valueFrom` of a container as ECS has it: of its secrets, and of the options of its log driver."""
    options = (container.get("logConfiguration") or {}).get("secretOptions") or ()
    for entry in (*(container.get("secrets") or ()), *options):
        if entry.get("valueFrom"):
            yield str(entry["valueFrom"])


class ValueFrom(Struct, frozen=True):
    """A parsed `valueFrom`. `target` is the secret's bare ARN, the parameter's ARN, or its name.

    `problem` says what is wrong with it, `remedy` how to fix it; both are empty if it is well-formed so far as
    known. `partial` marks a secret's ARN that is known to lack the suffix of hyphen and six characters. `suffix` is
    the JSON key, version stage and version id of a secret; empty where they are not given.
    """

    store: ValueStore
    target: Value
    region: Value = ""
    account: Value = ""
    problem: str = ""
    remedy: str = ""
    partial: bool = False
    unknown: Unknown | None = None
    suffix: tuple[str, ...] = ("", "", "")

    @classmethod
    def parse(cls, value: Value) -> ValueFrom:
        """Read a `valueFrom` whose unknown parts are narrowed as far as they can be."""
        if not isinstance(value, (str, Text, Unknown)) or value == "":
            return cls(ValueStore.UNKNOWN, value, "", "", *_said("no-text"))
        holed = HoledText(value)
        text = holed.text
        if text.startswith("arn:"):
            return _of_arn(holed, text.split(":"))
        whole = _WHOLE_AND_KEY.match(text)
        if whole:
            return _of_secret(holed, whole["arn"], whole["rest"].split(":")[1:])
        known = next((text[:index] for index, character in enumerate(text) if has_hole(character)), None)
        if known is not None and "arn:".startswith(known):  # it could still become an ARN
            return _of_attribute(value)
        if ":" in text or not _PARAMETER.match(text):
            return cls(ValueStore.PARAMETER_STORE, value, "", "", *_said("neither"))
        return cls(ValueStore.PARAMETER_STORE, value)

    @property
    def is_arn(self) -> bool:
        """Whether it is an ARN, and not the name of a parameter."""
        return bool(self.region or self.account)


def _of_attribute(value: Value) -> ValueFrom:
    """Tell by the type of the resource what an attribute of which nothing is known will name."""
    unknown = next(part for part in parts_of(value) if isinstance(part, Unknown))
    found = Reference.of(unknown) if value == unknown else None
    store = _STORED.get((found.type, found.attribute)) if found else None
    if store is None:
        return ValueFrom(ValueStore.UNKNOWN, value, unknown=unknown)
    region = Unknown(f"the region of {unknown.address}", computed_from(unknown))
    return ValueFrom(ValueStore(store), value, region, unknown=unknown)


def _field_problem(region: str, account: str) -> tuple[str, str]:
    if not has_hole(account) and not _ACCOUNT.match(account):
        return _said("account", field=repr(account))
    if not has_hole(region) and not _REGION.match(region):
        return _said("region", field=repr(region))
    return "", ""


def _of_arn(holed: HoledText, fields: list[str]) -> ValueFrom:
    if len(fields) < _ARN_FIELDS:
        return ValueFrom(ValueStore.UNKNOWN, holed.fill(holed.text), "", "", *_said("incomplete"))
    service, resource = fields[2], fields[5:]
    if service == "secretsmanager" and resource[0] == "secret":
        if len(fields) == _ARN_FIELDS or not fields[6]:
            target = holed.fill(":".join(fields[:7]))
            return ValueFrom(ValueStore.SECRETS_MANAGER, target, "", "", *_said("no-name"))
        return _of_secret(holed, ":".join(fields[:7]), fields[7:])
    target, region, account = map(holed.fill, (":".join(fields), fields[3], fields[4]))
    if service == "ssm" and resource[0].startswith("parameter/"):
        problem, remedy = _field_problem(fields[3], fields[4])
        return ValueFrom(ValueStore.PARAMETER_STORE, target, region, account, problem, remedy)
    if has_hole(service) or has_hole(resource[0]):
        hole = next(part for part in parts_of(target) if isinstance(part, Unknown))
        return ValueFrom(ValueStore.UNKNOWN, target, region, account, unknown=hole)
    named = f"{service}:{':'.join(resource)[:20]}"
    return ValueFrom(ValueStore.UNKNOWN, target, region, account, *_said("other-service", named=named))


def _of_secret(holed: HoledText, bare: str, rest: list[str]) -> ValueFrom:
    """Read the bare ARN of a secret, a part of which may be unknown, and what follows it."""
    fields = bare.split(":")
    region, account, name = (fields[3], fields[4], fields[6]) if len(fields) > _ARN_FIELDS else ("", "", "")
    problem, remedy = _rest_problem(rest)
    if not problem and name:
        problem, remedy = _field_problem(region, account)
    partial = bool(name) and _SUFFIX.search(name) is None and not has_hole(name[-7:])
    if partial and not problem:
        problem, remedy = _said("no-suffix", name=name)
    target, of_region, of_account = map(holed.fill, (bare, region, account))
    given = (*(render(holed.fill(part)) for part in rest), "", "", "")[:3]
    return ValueFrom(ValueStore.SECRETS_MANAGER, target, of_region, of_account, problem, remedy, partial, suffix=given)


def _rest_problem(rest: list[str]) -> tuple[str, str]:
    if rest and len(rest) + 1 != _WITH_KEY:
        short = len(rest) + 1 < _WITH_KEY and not any(map(has_hole, rest))
        end = ":".join(["", *rest, "", ""][:_WITH_KEY]) if short else ":JSON-KEY:VERSION-STAGE:VERSION-ID"
        return _said("fields", count=len(rest) + 1, end=end)
    if rest and rest[1] and rest[2]:
        return _said("stage-and-id")
    return "", ""
