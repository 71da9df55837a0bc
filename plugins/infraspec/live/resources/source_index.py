"""What the source calls a thing that exists: from a type and a name in AWS to the Terraform resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infraspec.checks.common.live_comparison import Whereabouts
from infraspec.conventions.naming import read_name, read_path
from infraspec.core.truth import Truth
from infraspec.core.unknown import Character, Text, Unknown, Value, parts_of
from infraspec.resource_types import resource_type
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

Identity = tuple[str, ...]

_LAST = {"aws_ecs_service": ("cluster",)}
"""The attributes of which the name at the end of an ARN counts: AWS has the ARN where Terraform may have the name."""


@dataclass
class SourceIndex:
    """The managed resources of a source by what AWS calls them: those that may be in the account and region asked.

    A resource that is elsewhere is no other than its name there; one of which nobody knows where it is may be here.
    """

    plan: Plan
    account: str
    region: str
    attributes: AwsAttributes = field(init=False)
    whereabouts: Whereabouts = field(init=False)
    _indexes: dict[str, tuple[dict[Identity, Resource], list[tuple[re.Pattern[str], Resource]]]] = field(
        default_factory=dict
    )

    _by_id: dict[str, dict[str, Resource]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attributes = self.plan.derived(AwsAttributes)
        self.whereabouts = Whereabouts(self.attributes, self.account, self.region)

    def find(self, type_: str, identity: Identity) -> Resource | None:
        """Return the resource of the source that has an identity; None if none has, or if several may have it.

        One that may be elsewhere is none.
        """
        possible = self.possible(type_, identity)
        return possible[0] if len(possible) == 1 and self.is_here(possible[0]) else None

    def possible(self, type_: str, identity: Identity) -> list[Resource]:
        """Return the resources of the source that may have an identity: several may where a name is a prefix."""
        exact, open_ = self._index(type_)
        if identity in exact:
            return [exact[identity]]
        shown = _joined(identity)
        return [resource for pattern, resource in open_ if pattern.fullmatch(shown)]

    def is_here(self, resource: Resource) -> bool:
        """Tell whether a resource of the source is certainly in the account and region asked."""
        return self.whereabouts.has(resource) is Truth.YES

    def names(self, type_: str) -> list[Identity]:
        """Return the identities of a type that are wholly known."""
        return list(self._index(type_)[0])

    def named(self, type_: str, value: Value) -> Resource | None:
        """Return the resource of a type that a value names: by reference, or by the id or ARN that a state knows."""
        if isinstance(value, Unknown):
            found = self.plan.find(value)
            return found[0] if found and found[0].type == type_ else None
        if type_ not in self._by_id:
            self._by_id[type_] = {
                given: resource
                for resource in filter(self.is_here, self.plan.managed(type_))
                for given in (resource.stated("id"), resource.stated("arn"))
                if isinstance(given, str)
            }
        return self._by_id[type_].get(value) if isinstance(value, str) else None

    def key_of_alias(self, name: str) -> Resource | None:
        """Return the KMS key of the source that an alias is of."""
        alias = self.find("aws_kms_alias", (name,))
        return self.named("aws_kms_key", alias.stated("target_key_id")) if alias else None

    def _index(self, type_: str) -> tuple[dict[Identity, Resource], list[tuple[re.Pattern[str], Resource]]]:
        if type_ not in self._indexes:
            exact: dict[Identity, Resource] = {}
            open_: list[tuple[re.Pattern[str], Resource]] = []
            for resource in self.plan.managed(type_):
                where, parts = self.whereabouts.has(resource), list(self._parts(resource))
                if where is Truth.NO:
                    continue
                if where is Truth.YES and all(isinstance(part, str) for part in parts):
                    exact.setdefault(tuple(parts), resource)
                elif not all(isinstance(part, Unknown) for part in parts):
                    open_.append((re.compile(_joined(tuple(map(_expression, parts))), re.DOTALL), resource))
            self._indexes[type_] = (exact, open_)
        return self._indexes[type_]

    def _parts(self, resource: Resource) -> Iterator[Value]:
        known = resource_type(resource.type)
        if not known.identity:
            path = known.name or "name"
            if "." not in path:
                yield self.attributes.name(resource, path)
                return
            name = read_name(resource.type, resource.values, resource.address, path)
            yield self.attributes.narrow(name) if name is not None else Unknown(resource.address)
            return
        for name in known.identity:
            value = _last(resource.type, name, self.attributes.narrow(resource.attribute(name)))
            yield value if isinstance(value, str | Text | Unknown) else str(value)


def identity_of(type_: str, values: Mapping[str, Value]) -> Identity:
    """Return what tells a live resource apart from others of its type: its name, or what it has in place of one."""
    known = resource_type(type_)
    paths = known.identity or (known.name or "name",)
    parts = (_last(type_, path, read_path(values, path)) for path in paths)
    return tuple("" if part is None else str(part) for part in parts)


def _last(type_: str, attribute: str, value: Value) -> Value:
    is_cut = attribute in _LAST.get(type_, ()) and isinstance(value, str)
    return value.rpartition("/")[2] if is_cut and isinstance(value, str) else value


def _joined(identity: Identity) -> str:
    return "\n".join(identity)


def _expression(part: Value) -> str:
    """Return the regular expression of what a text with unknown parts may become."""
    pieces = parts_of(part)
    return "".join(
        "." if isinstance(piece, Character) else "[^\n]*" if isinstance(piece, Unknown) else re.escape(str(piece))
        for piece in pieces
    )
