"""Required tags: what the contract demands of a resource type, and what a resource's tags are against it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from msgspec import Struct

from infraspec.contract.static import TagRule, Tags, TagValue
from infraspec.conventions.automaton import ANY_TEXT, Automaton, Choice, Sequence, parse_expression
from infraspec.conventions.effective_tags import EffectiveTags, TagFault, tag_text
from infraspec.conventions.placeholders import parse_template
from infraspec.core.errors import ContractError, ErrorCollector
from infraspec.core.finding import Verdict
from infraspec.core.unknown import Text, Unknown
from infraspec.core.visible_text import hcl_string


class RequiredTag(Struct, frozen=True):
    """A key that has to be there, and the values it may have.

    `exact` are the values if they can be listed; `regex` is the regular expression if that is what was asked for;
    neither stands for any value. `unsettled` names facts the values depend on and nobody knows.
    """

    key: str
    automaton: Automaton
    exact: tuple[str, ...] = ()
    regex: str = ""
    unsettled: tuple[str, ...] = ()

    @classmethod
    def parse(cls, key: str, value: TagValue, facts: Mapping[str, str], *, place: str) -> RequiredTag:
        """Parse one entry of `[tags]`; `place` is where it stands. Raises ContractError."""
        if isinstance(value, TagRule):
            if value.regex is None:
                return cls(key, Automaton((ANY_TEXT,)))
            return cls(key, Automaton((parse_expression(value.regex, key=place),), key=place), regex=value.regex)
        texts = [value] if isinstance(value, str) else value
        if not texts:
            raise ContractError(
                "the list of allowed values is empty",
                place=place,
                expected="at least one value",
                found="[]",
                remedy="list the values, or write {} for any value",
            )
        templates = [parse_template(text, {}, facts, key=place, closed=True) for text in texts]
        options = tuple(Sequence(tuple(element.expression for element in parts)) for parts in templates)
        # One text of a template, unless a capitalised fact has two spellings.
        spelt = (product(*(element.texts or (element.source,) for element in parts)) for parts in templates)
        exact = tuple("".join(texts) for of_template in spelt for texts in of_template)
        unsettled = tuple(element.unsettled for parts in templates for element in parts if element.unsettled)
        return cls(key, Automaton((Choice(options),), key=place), exact, unsettled=unsettled)

    @property
    def any_value(self) -> bool:
        """Whether the key alone is demanded."""
        return not self.exact and not self.regex

    def describe(self) -> str:
        """Say what is demanded: `CostCenter = "engineering"`, `Engine = postgres | mysql`, `Owner = any value`."""
        if self.any_value:
            return f"{self.key} = any value"
        if self.regex:
            return f"{self.key} matching {self.regex}"
        return f"{self.key} = {' | '.join(map(hcl_string, self.exact))}"

    def judge(self, value: str | Text | Unknown) -> Verdict:
        """Judge the value of a tag that is there."""
        if self.any_value or (value in self.exact and not self.unsettled):
            return Verdict.PROVEN
        verdict = self.automaton.judge(value)
        return Verdict.UNDETERMINED if verdict is Verdict.PROVEN and self.unsettled else verdict

    def fault(self, verdict: Verdict, found: str, reason: str, *, unknown: str = "") -> TagFault:
        """Return a fault of this tag, with the value to paste."""
        value, remarks = self._sample()
        return TagFault(verdict, self.key, self.describe(), found, reason, value, remarks, unknown)

    def _sample(self) -> tuple[str, tuple[str, ...]]:
        if len(self.exact) == 1 and not self.unsettled:
            return self.exact[0], ()
        if self.exact:
            return "…", (f"one of {', '.join(self.exact)}",)
        return "…", ((f"matching {self.regex}" if self.regex else "any value"),)


class TagRequirements(Struct, frozen=True):
    """The tags a resource of one type has to carry."""

    tags: tuple[RequiredTag, ...]

    def describe(self) -> str:
        """Return what is demanded, one tag a line."""
        return "\n".join(tag.describe() for tag in self.tags)

    def faults(self, effective: EffectiveTags) -> list[TagFault]:
        """Return what is missing, wrong or not known; nothing if all is proven."""
        found: list[TagFault] = []
        for tag in self.tags:
            value = effective.tags.get(tag.key)
            if type(value) is str and tag.judge(value) is Verdict.PROVEN:
                continue
            fault = _absent(tag, effective) if value is None else _present(tag, tag_text(value))
            if fault is not None:
                found.append(fault)
        return found


class TagRules(Struct, frozen=True):
    """The table `[tags]`, compiled: what every resource carries, and what one of a type carries besides."""

    common: Mapping[str, RequiredTag]
    by_type: Mapping[str, Mapping[str, RequiredTag]]

    @classmethod
    def parse(cls, tags: Tags, facts: Mapping[str, str]) -> TagRules:
        """Compile the table. Raises ContractError, all of them at once."""
        collector = ErrorCollector()

        def compiled(table: Mapping[str, TagValue], place: str) -> dict[str, RequiredTag]:
            found: dict[str, RequiredTag] = {}
            for key, value in table.items():
                with collector.collect():
                    found[key] = RequiredTag.parse(key, value, facts, place=f"{place}.{key}")
            return found

        common = compiled(tags.common, "tags.common")
        by_type = {type_: compiled(table, f"tags.resource.{type_}") for type_, table in tags.resource.items()}
        collector.finalize()
        return cls(common, by_type)

    def of(self, type_: str) -> TagRequirements:
        """Return what a type has to carry; its own rule for a key wins over the common one."""
        return TagRequirements(tuple({**self.common, **self.by_type.get(type_, {})}.values()))


def _absent(tag: RequiredTag, effective: EffectiveTags) -> TagFault:
    if effective.open is not None:
        reason = f"whether {tag.key} is set depends on {effective.open}"
        return tag.fault(Verdict.UNDETERMINED, "", reason, unknown=str(effective.open))
    lower = tag.key.lower()
    alike = next((key for key in effective.tags if key != tag.key and key.lower() == lower), None)
    if alike is not None:
        reason = f"{alike} is another key than {tag.key}; did you mean {tag.key}?"
        return tag.fault(Verdict.VIOLATED, f"the key {alike}", reason)
    what = "null, which sets no tag" if tag.key in effective.tags else "missing"
    return tag.fault(Verdict.VIOLATED, f"no {tag.key}", f"{tag.key} is {what}")


def _present(tag: RequiredTag, value: str | Text | Unknown) -> TagFault | None:
    verdict = tag.judge(value)
    if verdict is Verdict.PROVEN:
        return None
    found = f"{tag.key} = {hcl_string(value) if isinstance(value, str) else value}"
    if verdict is Verdict.VIOLATED:
        return tag.fault(verdict, found, f"{tag.key} has another value")
    if isinstance(value, str):
        fact = " and the ".join(tag.unsettled)
        return tag.fault(verdict, found, f"{tag.key} depends on the {fact}, which is unknown", unknown=fact)
    return tag.fault(verdict, found, f"the value of {tag.key} is unknown", unknown=str(value))
