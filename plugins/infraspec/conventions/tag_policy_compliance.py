"""What a resource's tags are against a tag policy.

Source: AWS Organizations User Guide, "Tag policy syntax and examples" and "Enforce tagging consistency". Only a tag
that is there is checked for its case and value, on every resource; a missing one is a fault only for the types of
`report_required_tag_for`. `enforced_for` says where AWS refuses the request instead of reporting the resource.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from infraspec.conventions.automaton import Automaton
from infraspec.conventions.effective_tags import EffectiveTags, tag_text
from infraspec.conventions.expression import ANY_TEXT, Choice, Expression, Sequence, literal
from infraspec.conventions.hcl_lines import quote
from infraspec.conventions.tag_fault import TagFault
from infraspec.conventions.tag_policy import Listed, TagPolicy, TagPolicyRule
from infraspec.conventions.tag_types import Covered, covers
from infraspec.finding import Verdict
from infraspec.unknown import Value

_PARENT = "the parent policy, which this one adds to"


class PolicyTag(Struct, frozen=True):
    """One rule of a policy as it concerns one resource type."""

    rule: TagPolicyRule
    automaton: Automaton | None
    required: Covered
    required_by: str
    enforced_by: str

    @classmethod
    def of(cls, rule: TagPolicyRule, type_: str) -> PolicyTag:
        """Compile a rule for a Terraform resource type."""
        values = Automaton((Choice(tuple(map(_wildcard, rule.values.items))),)) if rule.values else None
        required, required_by = _coverage(rule.required_for, type_)
        enforced, enforced_by = _coverage(rule.enforced_for, type_)
        return cls(rule, values, required, required_by, enforced_by if enforced is Covered.YES else "")

    @property
    def key(self) -> str:
        """The tag key as it has to be written."""
        return self.rule.tag_key

    def describe(self) -> str:
        """Say what the policy wants: `CostCenter = CC-* | 100`."""
        return f"{self.key} = {' | '.join(self.rule.values.items) or 'any value'}"

    def noncompliant(self, found: str, reason: str) -> TagFault:
        """Return the fault of a tag that is there; AWS refuses such a one, never a missing one, where it enforces."""
        refused = f"; AWS refuses the request (enforced_for {self.enforced_by})" if self.enforced_by else ""
        return self.fault(Verdict.VIOLATED, found, reason + refused)

    def fault(self, verdict: Verdict, found: str, reason: str, *, unknown: str = "") -> TagFault:
        """Return a fault of this tag, with the value to paste."""
        values = self.rule.values.items
        single = len(values) == 1 and "*" not in values[0] and not self.rule.values.inherits
        remarks = () if single else (f"one of {', '.join(values)}" if values else "any value",)
        return TagFault(
            verdict, self.key, self.describe(), found, reason, values[0] if single else "…", remarks, unknown
        )


def _wildcard(value: str) -> Expression:
    before, star, after = value.partition("*")
    return Sequence((literal(before), ANY_TEXT, literal(after))) if star else literal(value)


def _coverage(listed: Listed, type_: str) -> tuple[Covered, str]:
    """Return whether a list of types covers a type, and the entry that does."""
    best = (Covered.NO, "")
    for entry in listed.items:
        covered = covers(entry, type_)
        if covered is Covered.YES:
            return covered, entry
        if covered is Covered.MAYBE and best[0] is Covered.NO:
            best = (covered, entry)
    return best


class PolicyForType(Struct, frozen=True):
    """A tag policy as it concerns one resource type."""

    tags: tuple[PolicyTag, ...]

    @classmethod
    def of(cls, policy: TagPolicy, type_: str) -> PolicyForType:
        """Compile a policy for a Terraform resource type."""
        return cls(tuple(PolicyTag.of(rule, type_) for rule in policy.rules))

    def describe(self) -> str:
        """Return what the policy wants, one tag a line."""
        return "\n".join(f"{tag.describe()}{_demand(tag)}" for tag in self.tags)

    def faults(self, type_: str, effective: EffectiveTags) -> list[TagFault]:
        """Return what does not comply or cannot be told; nothing if all complies."""
        written: dict[str, list[str]] = {}
        for key, value in effective.tags.items():
            if value is not None:
                written.setdefault(key.lower(), []).append(key)
        found = [
            fault for tag in self.tags for fault in _tag_faults(tag, type_, effective, written.get(tag.key.lower(), []))
        ]
        if effective.open is not None and not found:
            # Even a key that is there does not settle it: another spelling of it may be among the others.
            tag = self.tags[0]
            found.append(tag.fault(Verdict.UNDETERMINED, "", "the tags are not known", unknown=str(effective.open)))
        return found


def _demand(tag: PolicyTag) -> str:
    return " (required)" if tag.required is Covered.YES else " (if there)"


def _tag_faults(tag: PolicyTag, type_: str, effective: EffectiveTags, written: list[str]) -> Iterator[TagFault]:
    for key in written:
        if key != tag.key:
            reason = f"the policy wants the key written {tag.key}"
            yield tag.noncompliant(f"the key {key}", reason)
        else:
            yield from _value_faults(tag, effective.tags[key])
    if not written and effective.open is None:
        yield from _missing(tag, type_)


def _missing(tag: PolicyTag, type_: str) -> Iterator[TagFault]:
    if tag.required is Covered.YES:
        reason = f"{tag.key} is missing, which report_required_tag_for {tag.required_by} demands"
        yield tag.fault(Verdict.VIOLATED, f"no {tag.key}", reason)
    elif tag.required is Covered.MAYBE:
        reason = f"it is not known whether report_required_tag_for {tag.required_by} concerns {type_}"
        yield tag.fault(Verdict.UNDETERMINED, f"no {tag.key}", reason)


def _value_faults(tag: PolicyTag, value: Value) -> Iterator[TagFault]:
    if tag.automaton is None:
        return
    text = tag_text(value)
    verdict = tag.automaton.judge(text)
    found = f"{tag.key} = {quote(text) if isinstance(text, str) else text}"
    if verdict is Verdict.UNDETERMINED:
        yield tag.fault(verdict, found, f"the value of {tag.key} is not known", unknown=str(text))
    elif verdict is Verdict.VIOLATED and tag.rule.values.inherits and text not in tag.rule.values.removed:
        reason = f"the values of {tag.key} are not all known: the policy adds to its parent's"
        yield tag.fault(Verdict.UNDETERMINED, found, reason, unknown=_PARENT)
    elif verdict is Verdict.VIOLATED:
        yield tag.noncompliant(found, f"{tag.key} has another value than the policy allows")
