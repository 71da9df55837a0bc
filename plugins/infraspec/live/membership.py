"""Whether something that exists belongs to an environment although its source does not name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from infraspec.contract.models import Contract
from infraspec.conventions.facts import APPLICATION, ENVIRONMENT, facts_of
from infraspec.conventions.naming import NamingRule
from infraspec.finding import Verdict
from infraspec.unknown import Value

_NAMING = ("{application}", "{environment}")


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
