"""AWS Organizations tag policies: read the JSON, authored or effective.

Source: AWS Organizations User Guide, "Tag policy syntax and examples" and "Inheritance operators". An authored policy
has operators (`@@assign`), the effective policy of an account has none.

Source: AWS Organizations User Guide, "Tag policy syntax and examples" and "Enforce tagging consistency". Only a tag
that is there is checked for its case and value, on every resource; a missing one is a fault only for the types of
`report_required_tag_for`. `enforced_for` says where AWS refuses the request instead of reporting the resource.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from msgspec import Struct

from infraspec.conventions.automaton import ANY_TEXT, Automaton, Choice, Expression, Sequence, literal
from infraspec.conventions.effective_tags import WILDCARDS, EffectiveTags, TagFault, covers, tag_text
from infraspec.core.errors import TagPolicyError, did_you_mean
from infraspec.core.finding import Verdict
from infraspec.core.truth import Truth
from infraspec.core.unknown import Value
from infraspec.core.visible_text import hcl_string

_CHILD_CONTROL = "@@operators_allowed_for_child_policies"
_CHILD_OPERATORS = ("@@all", "@@none", "@@assign", "@@append", "@@remove")
_FIELDS = ("tag_key", "tag_value", "enforced_for", "report_required_tag_for")
_WRAPPERS = (("EffectivePolicy", "PolicyContent"), ("Policy", "Content"))


class Listed(Struct, frozen=True):
    """A list of a policy. `inherits` is true if a parent policy, which is not known here, adds to it.

    `removed` are those that are taken out of what the parent says.
    """

    items: tuple[str, ...] = ()
    inherits: bool = False
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.items or self.inherits)


class TagPolicyRule(Struct, frozen=True):
    """What a policy says about one tag: how its key is written, its values, where it is enforced and required.

    No values stands for any value. A value may hold one `*`, for any text.
    """

    policy_key: str
    tag_key: str
    values: Listed = Listed()
    enforced_for: Listed = Listed()
    required_for: Listed = Listed()


class TagPolicy(Struct, frozen=True):
    """A tag policy. `place` is the file it was read from."""

    rules: tuple[TagPolicyRule, ...]
    place: str = "tag policy"

    @classmethod
    def from_json(cls, text: str, *, place: str = "tag policy") -> TagPolicy:
        """Read a policy, or the answer of `aws organizations describe-effective-policy` or `describe-policy`.

        Raises TagPolicyError, naming the JSON path.
        """
        reader = _Reader(place)
        document = reader.unwrap(reader.decode(text))
        tags = document.get("tags")
        if tags is None or len(document) > 1:
            other = ", ".join(key for key in document if key != "tags") or "no key"
            reader.fail("$", "a tag policy has the one key tags", expected='{"tags": {…}}', found=other)
        entries = reader.table(tags, "$.tags")
        reader.child_control(entries, "$.tags")
        rules = tuple(reader.rule(key, entry) for key, entry in entries.items() if key != _CHILD_CONTROL)
        if not rules:
            reader.fail("$.tags", "the policy says nothing about any tag", expected="at least one policy key")
        return cls(rules, place)


class _Reader:
    """Reads the parts of a policy and says where one is not as it has to be."""

    def __init__(self, place: str) -> None:
        self.place = place

    def fail(self, path: str, message: str, *, expected: str, found: str = "", remedy: str = "") -> NoReturn:
        raise TagPolicyError(
            message,
            place=f"{self.place}, {path}",
            expected=expected,
            found=found,
            remedy=remedy or "see the AWS Organizations User Guide, Tag policy syntax and examples",
        ) from None

    def decode(self, text: str, inside: str = "") -> dict[str, Any]:
        """Parse the file, or the policy that is text `inside` it."""
        try:
            document = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=self._object)
        except json.JSONDecodeError as error:
            raise TagPolicyError(
                "the tag policy is not JSON",
                place=f"{self.place}, {inside}" if inside else f"{self.place}:{error.lineno}:{error.colno}",
                expected="a tag policy in JSON",
                found=error.msg,
                remedy="fix the JSON",
            ) from None
        except RecursionError:
            self.fail("$", "is nested too deeply", expected="a tag policy in JSON")
        return self.table(document, "$")

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                self.fail("$", f"the key {key!r} occurs twice in one object", expected="each key once", found=key)
            found[key] = value
        return found

    def unwrap(self, document: dict[str, Any]) -> dict[str, Any]:
        for outer, inner in _WRAPPERS:
            if outer in document:
                content = self.table(document[outer], f"$.{outer}").get(inner)
                path = f"$.{outer}.{inner}"
                return self.decode(self.text(content, path), path)
        return document

    def table(self, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.fail(path, "is not an object", expected="an object", found=_kind(value))
        return value

    def text(self, value: Any, path: str) -> str:
        if not isinstance(value, str) or not value:
            self.fail(path, "is not text", expected="text that is not empty", found=_kind(value))
        return value

    def rule(self, policy_key: str, value: Any) -> TagPolicyRule:
        path = f"$.tags.{policy_key}"
        entry = self.table(value, path)
        self.child_control(entry, path)
        for field in entry:
            if field not in _FIELDS and field != _CHILD_CONTROL:
                hint = did_you_mean(field, _FIELDS)
                self.fail(f"{path}.{field}", "is not a field of a tag policy", expected=", ".join(_FIELDS), remedy=hint)
        return TagPolicyRule(
            policy_key,
            self._tag_key(policy_key, entry, f"{path}.tag_key"),
            self._values(entry, f"{path}.tag_value"),
            self._types(entry, f"{path}.enforced_for"),
            self._types(entry, f"{path}.report_required_tag_for"),
        )

    def _tag_key(self, policy_key: str, entry: dict[str, Any], path: str) -> str:
        value = entry.get("tag_key")
        if isinstance(value, dict):
            self.child_control(value, path)
            for operator in value.keys() - {"@@assign", _CHILD_CONTROL}:
                self.fail(f"{path}.{operator}", "is no operator of a single value", expected="@@assign", found=operator)
            value = value.get("@@assign")
            path = f"{path}.@@assign"
        if value is None:
            return policy_key.lower()  # the guide: lowercase is the default case treatment
        key = self.text(value, path)
        if key.lower() != policy_key.lower():
            self.fail(path, "is another key than the policy key", expected=f"{policy_key}, in any case", found=key)
        return key

    def _values(self, entry: dict[str, Any], path: str) -> Listed:
        listed = self._listed(entry.get("tag_value"), path)
        for value in listed.items:
            if value.count("*") > 1:
                self.fail(path, "a value has more than one wildcard", expected="at most one * in a value", found=value)
        return listed

    def _types(self, entry: dict[str, Any], path: str) -> Listed:
        listed = self._listed(entry.get(path.rpartition(".")[2]), path)
        for item in listed.items:
            service, colon, name = item.partition(":")
            if not (service and colon and name) or "*" in service or ("*" in name and name not in WILDCARDS):
                self.fail(
                    path, "is no resource type", expected="service:type, service:* or service:ALL_SUPPORTED", found=item
                )
        return listed

    def _listed(self, value: Any, path: str) -> Listed:
        if not isinstance(value, dict):
            return Listed(self._texts(value, path))
        self.child_control(value, path)
        for operator in value:
            if operator not in ("@@assign", "@@append", "@@remove", _CHILD_CONTROL):
                self.fail(
                    f"{path}.{operator}", "is no operator", expected="@@assign, @@append, @@remove", found=operator
                )
        assigned, appended, removed = (
            self._texts(value.get(operator), f"{path}.{operator}") for operator in ("@@assign", "@@append", "@@remove")
        )
        inherits = "@@assign" not in value and ("@@append" in value or "@@remove" in value)
        return Listed((*assigned, *appended), inherits, removed)

    def _texts(self, value: Any, path: str) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fail(path, "is not a list", expected="a list of text", found=_kind(value))
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.fail(f"{path}[{index}]", "is not text", expected="text", found=_kind(item))
        return tuple(value)

    def child_control(self, table: dict[str, Any], path: str) -> None:
        """Check the operators for child policies; what they allow does not change this policy."""
        if _CHILD_CONTROL not in table:
            return
        path = f"{path}.{_CHILD_CONTROL}"
        for operator in self._texts(table[_CHILD_CONTROL], path):
            if operator not in _CHILD_OPERATORS:
                self.fail(path, "is no operator", expected=", ".join(_CHILD_OPERATORS), found=operator)


def _kind(value: Any) -> str:
    names: Mapping[type, str] = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return "nothing" if value in (None, "") else names.get(type(value), f"{value}")


_PARENT = "the parent policy, which this one adds to"


class PolicyTag(Struct, frozen=True):
    """One rule of a policy as it concerns one resource type."""

    rule: TagPolicyRule
    automaton: Automaton | None
    required: Truth
    required_by: str
    enforced_by: str

    @classmethod
    def of(cls, rule: TagPolicyRule, type_: str) -> PolicyTag:
        """Compile a rule for a Terraform resource type."""
        values = Automaton((Choice(tuple(map(_wildcard, rule.values.items))),)) if rule.values else None
        required, required_by = _coverage(rule.required_for, type_)
        enforced, enforced_by = _coverage(rule.enforced_for, type_)
        return cls(rule, values, required, required_by, enforced_by if enforced is Truth.YES else "")

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


def _coverage(listed: Listed, type_: str) -> tuple[Truth, str]:
    """Return whether a list of types covers a type, and the first entry that does, or may."""
    answers = ((covers(entry, type_), entry) for entry in listed.items)
    return max(answers, key=lambda answer: answer[0], default=(Truth.NO, ""))


class PolicyForType(Struct, frozen=True):
    """A tag policy as it concerns one resource type."""

    tags: tuple[PolicyTag, ...]

    @classmethod
    def of(cls, policy: TagPolicy, type_: str) -> PolicyForType:
        """Compile a policy for a Terraform resource type."""
        return cls(tuple(PolicyTag.of(rule, type_) for rule in policy.rules))

    def describe(self) -> str:
        """Return what the policy wants, one tag a line."""
        words = {Truth.YES: " (required)"}
        return "\n".join(tag.describe() + words.get(tag.required, " (if there)") for tag in self.tags)

    def faults(self, type_: str, effective: EffectiveTags) -> list[TagFault]:
        """Return what does not comply or cannot be decided; nothing if all complies."""
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
            found.append(tag.fault(Verdict.UNDETERMINED, "", "the tags are unknown", unknown=str(effective.open)))
        return found


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
    if tag.required is Truth.YES:
        reason = f"{tag.key} is missing, which report_required_tag_for {tag.required_by} demands"
        yield tag.fault(Verdict.VIOLATED, f"no {tag.key}", reason)
    elif tag.required is Truth.MAYBE:
        reason = f"whether report_required_tag_for {tag.required_by} concerns {type_} is unknown"
        yield tag.fault(Verdict.UNDETERMINED, f"no {tag.key}", reason)


def _value_faults(tag: PolicyTag, value: Value) -> Iterator[TagFault]:
    if tag.automaton is None:
        return
    text = tag_text(value)
    verdict = tag.automaton.judge(text)
    found = f"{tag.key} = {hcl_string(text) if isinstance(text, str) else text}"
    if verdict is Verdict.UNDETERMINED:
        yield tag.fault(verdict, found, f"the value of {tag.key} is unknown", unknown=str(text))
    elif verdict is Verdict.VIOLATED and tag.rule.values.inherits and text not in tag.rule.values.removed:
        reason = f"the values of {tag.key} are not all known: the policy adds to its parent's"
        yield tag.fault(Verdict.UNDETERMINED, found, reason, unknown=_PARENT)
    elif verdict is Verdict.VIOLATED:
        yield tag.noncompliant(found, f"{tag.key} has another value than the policy allows")
