"""What the builders of live resources share: whom to ask, what the source calls things, and what belongs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from infraspec.aws.calls import Calls
from infraspec.live.membership import Membership
from infraspec.live.sources import Sources
from infraspec.terraform.plan import Resource
from infraspec.unknown import Unknown, Value

_OF_AWS = "aws:"


@dataclass
class Scope:
    """One environment in one account and region."""

    calls: Calls
    sources: Sources
    membership: Membership

    def belongs(self, type_: str, *identity: str, tags: Mapping[str, str] | None = None) -> bool:
        """Tell whether something that exists is this environment's: by its source, its name, or its tags."""
        return (
            bool(self.sources.possible(type_, identity))
            or self.membership.by_name(type_, identity[-1])
            or self.membership.by_tags(tags or {})
        )

    def resource(
        self,
        type_: str,
        *identity: str,
        address: str,
        values: Mapping[str, Value],
        tags: Mapping[str, str] | Unknown | None = None,
        source: Resource | None = None,
        name: str = "",
    ) -> Resource:
        """Make a live resource, with address and place of the source's where that knows it.

        `tags` is None for what takes none. Attributes that are None are left out: AWS has nothing there. `name` is what
        it is called where the source does not know it, or else the last part of its identity.
        """
        known = source or self.sources.find(type_, identity)
        given = {name: value for name, value in values.items() if value is not None}
        if tags is not None:
            given["tags"] = given["tags_all"] = tags if isinstance(tags, Unknown) else dict(tags)
        if known is None:
            return Resource(address, "managed", type_, name or identity[-1], None, "", given, "aws")
        return Resource(
            known.address,
            "managed",
            type_,
            known.name,
            known.key,
            known.module,
            given,
            known.provider,
            known.location,
            locate=known.locate,
        )

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a resource by its ARN, as the Resource Groups Tagging API has them."""
        return self.tagged.get(arn, {})

    @cached_property
    def tagged(self) -> Mapping[str, Mapping[str, str]]:
        """The tags of everything in the account and region that has or had tags, by ARN; IAM is not among it."""
        found = self.calls.pages("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList")
        return {mapping["ResourceARN"]: tag_map(mapping.get("Tags")) for mapping in found}

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """Write an ARN of this account and region."""
        where = f"{self.calls.region if region else ''}:{self.calls.account if account else ''}"
        return f"arn:{self.calls.partition}:{service}:{where}:{resource}"


def tag_map(tags: object) -> dict[str, str]:
    """Return tags as a map, whether AWS gives them as one or as pairs; without those that AWS itself sets."""
    if isinstance(tags, Mapping):
        found = {str(key): str(value) for key, value in tags.items()}
    else:
        pairs = tags if isinstance(tags, list | tuple) else ()
        found = {_first(pair, "Key", "key", "TagKey"): _first(pair, "Value", "value", "TagValue") for pair in pairs}
    return {key: value for key, value in found.items() if not key.startswith(_OF_AWS)}


def json_text(document: object) -> str | None:
    """Return a policy document as text: some services give text, IAM's client an object."""
    if document is None or document == "":
        return None
    return document if isinstance(document, str) else json.dumps(document)


def _first(pair: Mapping[str, str], *keys: str) -> str:
    return next((pair[key] for key in keys if key in pair), "")
