"""AWS Organizations tag policies: read the JSON, authored or effective.

Source: AWS Organizations User Guide, "Tag policy syntax and examples" and "Inheritance operators". An authored policy
has operators (`@@assign`), the effective policy of an account has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from msgspec import Struct

from infraspec.contract.suggestion import did_you_mean
from infraspec.conventions.tag_types import WILDCARDS
from infraspec.errors import TagPolicyError

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
                remedy="mend the JSON",
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
