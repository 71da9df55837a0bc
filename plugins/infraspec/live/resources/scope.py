"""What readers of live resources share: whom to ask, what the source calls things, and what is of the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from msgspec.structs import replace

from infraspec.aws.calls import Calls
from infraspec.contract.models import Contract
from infraspec.conventions.naming import NamingRule
from infraspec.conventions.placeholders import APPLICATION, ENVIRONMENT, facts_of
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.finding import Verdict
from infraspec.core.unknown import RefusedRead, Unknown, Value
from infraspec.live.resources.api_to_terraform import tag_map
from infraspec.live.resources.source_index import SourceIndex, identity_of
from infraspec.terraform.plan import Resource

_NAMING = ("{application}", "{environment}")


def refused(what: str, error: RunnerPermissionError) -> Unknown:
    """Return what is known of what the runner may not look at: nothing, and how to know it."""
    return Unknown(f"{what}, which the runner may not look at,", RefusedRead(error.remedy))


def is_unseen(resource: Resource) -> bool:
    """Tell whether nothing is known of a live resource, its existence included, as the runner may not look."""
    identifier = resource.stated("id")
    return isinstance(identifier, Unknown) and isinstance(identifier.cause, RefusedRead)


@dataclass
class LiveScope:
    """One environment in one account and region; `managed` gives its live resources of some types.

    `refused` has the types that could not be listed, or not wholly: what of the source is not found may be there.
    """

    calls: Calls
    sources: SourceIndex
    membership: Membership
    managed: Callable[..., tuple[Resource, ...]]
    refused: dict[str, RunnerPermissionError] = field(default_factory=dict)

    def seen(self, *types: str) -> tuple[Resource, ...]:
        """Return live resources that others are looked for by. RunnerPermissionError if one could not be seen."""
        found = self.managed(*types)
        for one in found:
            if is_unseen(one):
                raise self.refused[one.type]
        return found

    def belongs(self, type_: str, values: Mapping[str, Value], tags: Mapping[str, str] | Unknown | None = None) -> bool:
        """Tell whether something that exists is this environment's: by its source, its name, or its tags."""
        tags = tags if isinstance(tags, Mapping) else {}
        identity = identity_of(type_, {**values, "tags": tags})
        return (
            bool(self.sources.possible(type_, identity))
            or self.membership.by_name(type_, identity[-1])
            or self.membership.by_tags(tags)
        )

    def resource(
        self,
        type_: str,
        values: Mapping[str, Value],
        *,
        address: str = "",
        tags: Mapping[str, str] | Unknown | None = None,
        source: Resource | None = None,
        name: str = "",
    ) -> Resource:
        """Make a live resource, with address and place of the source's where that knows it.

        `tags` is None for what takes none. Attributes that are None are left out: AWS has nothing there. Where the
        source does not know it, its address is its ARN if there is no other, and `name` what it is called, or else the
        last part of its identity.
        """
        given = {name: value for name, value in values.items() if value is not None}
        if tags is not None:
            given["tags"] = given["tags_all"] = tags if isinstance(tags, Unknown) else dict(tags)
        identity = identity_of(type_, given)
        known = source or self.sources.find(type_, identity)
        if known is None:
            where = address or str(given["arn"])
            return Resource(where, "managed", type_, name or identity[-1], None, "", given, "aws")
        return replace(known, values=given, actions=(), ignore_changes=())

    def tags_of(self, arn: str) -> Mapping[str, str] | Unknown:
        """Return the tags of a resource by its ARN, as the Resource Groups Tagging API has them.

        They are Unknown where the runner may not ask for them.
        """
        found = self._tagged
        return refused(f"the tags of {arn}", found) if isinstance(found, RunnerPermissionError) else found.get(arn, {})

    @property
    def tagged(self) -> Mapping[str, Mapping[str, str]]:
        """The tags of everything in the account and region that has or had tags, by ARN; IAM is not among it.

        There is nothing where the runner may not ask: what only its tags tell of is not seen, as `inventory` says.
        """
        return {} if isinstance(self._tagged, RunnerPermissionError) else self._tagged

    @cached_property
    def _tagged(self) -> Mapping[str, Mapping[str, str]] | RunnerPermissionError:
        try:
            found = self.calls.pages("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList")
        except RunnerPermissionError as error:
            return error
        return {mapping["ResourceARN"]: tag_map(mapping.get("Tags")) for mapping in found}

    @property
    def place(self) -> dict[str, str]:
        """What the ARNs of this account and region are written with."""
        return {"partition": self.calls.partition, "region": self.calls.region, "account": self.calls.account}


@dataclass
class Membership:
    """What the contract says of the names and tags of an environment.

    A pattern, or the common tags, tell only if they hold the application and the environment: an account may have
    other environments, and other applications.
    """

    contract: Contract
    environment: str
    region: Value
    account: Value
    _rules: dict[str, NamingRule | None] = field(default_factory=dict)

    def by_name(self, type_: str, name: str) -> bool:
        """Tell whether a name follows a pattern that no other environment has."""
        if type_ not in self._rules:
            self._rules[type_] = self._rule(type_)
        rule = self._rules[type_]
        return rule is not None and rule.judge(name) is Verdict.PROVEN

    def by_tags(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags are those of the environment."""
        return bool(self._tags) and all(tags.get(key) == value for key, value in self._tags.items())

    @cached_property
    def _facts(self) -> dict[str, str]:
        return facts_of(self.contract, self.environment, region=self.region, account=self.account)

    @cached_property
    def _tags(self) -> Mapping[str, str]:
        common = self.contract.tags.common
        telling = {
            key: text for key, text in common.items() if isinstance(text, str) and any(fact in text for fact in _NAMING)
        }
        if not all(any(fact in text for text in telling.values()) for fact in _NAMING):
            return {}
        facts = {f"{{{name}}}": self._facts[name] for name in (APPLICATION, ENVIRONMENT)}
        return {key: _filled(text, facts) for key, text in telling.items()}

    def _rule(self, type_: str) -> NamingRule | None:
        names = self.contract.names
        patterns = names.patterns.get(type_, ())
        texts = [patterns] if isinstance(patterns, str) else list(patterns)
        telling = [text for text in texts if all(fact in text.lower() for fact in _NAMING)]
        if not telling:
            return None
        return NamingRule.parse(telling, names.placeholders, self._facts, key=f"names.patterns.{type_}")


def _filled(text: str, facts: Mapping[str, str]) -> str:
    for name, value in facts.items():
        text = text.replace(name, value)
    return text
