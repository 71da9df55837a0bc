"""Tag policies: authored and effective, and the errors with their JSON path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infraspec.conventions.tag_policy import Listed, TagPolicy, TagPolicyRule
from infraspec.core.errors import TagPolicyError

AUTHORED = {
    "tags": {
        "@@operators_allowed_for_child_policies": ["@@none"],
        "costcenter": {
            "@@operators_allowed_for_child_policies": ["@@assign", "@@append"],
            "tag_key": {"@@assign": "CostCenter", "@@operators_allowed_for_child_policies": ["@@none"]},
            "tag_value": {"@@assign": ["CC-*", "100"], "@@operators_allowed_for_child_policies": ["@@append"]},
            "enforced_for": {"@@assign": ["secretsmanager:*", "ec2:ALL_SUPPORTED"]},
            "report_required_tag_for": {"@@assign": ["logs:log-group"]},
        },
    }
}
EFFECTIVE = {
    "tags": {
        "costcenter": {
            "tag_key": "CostCenter",
            "tag_value": ["CC-*", "100"],
            "enforced_for": ["secretsmanager:*", "ec2:ALL_SUPPORTED"],
            "report_required_tag_for": ["logs:log-group"],
        }
    }
}
RULE = TagPolicyRule(
    "costcenter",
    "CostCenter",
    Listed(("CC-*", "100")),
    Listed(("secretsmanager:*", "ec2:ALL_SUPPORTED")),
    Listed(("logs:log-group",)),
)


def _read(document: Any) -> TagPolicy:
    return TagPolicy.from_json(json.dumps(document), place="tag-policy.json")


def _rule(**fields: Any) -> TagPolicyRule:
    return _read({"tags": {"costcenter": fields}}).rules[0]


@pytest.mark.parametrize(
    "document",
    [
        AUTHORED,
        EFFECTIVE,
        {"EffectivePolicy": {"PolicyType": "TAG_POLICY", "PolicyContent": json.dumps(EFFECTIVE)}},
        {"Policy": {"PolicySummary": {}, "Content": json.dumps(AUTHORED)}},
    ],
    ids=["authored", "effective", "describe-effective-policy", "describe-policy"],
)
def test_forms(document: Any) -> None:
    """The authored form, the effective form and the answers of the AWS CLI say the same."""
    assert _read(document).rules == (RULE,)


def test_a_key_without_case_treatment_is_lower_case() -> None:
    """Without tag_key the key is the policy key in lower case."""
    assert _read({"tags": {"CostCenter": {}}}).rules == (TagPolicyRule("CostCenter", "costcenter"),)


def test_operators_that_add_to_a_parent() -> None:
    """@@append and @@remove without @@assign leave the list open, for the parent policy is not known."""
    assert _rule(tag_value={"@@append": ["a"]}).values == Listed(("a",), inherits=True)
    assert _rule(tag_value={"@@remove": ["b"]}).values == Listed((), inherits=True, removed=("b",))
    assert _rule(tag_value={"@@assign": ["a"], "@@append": ["b"]}).values == Listed(("a", "b"))


def test_a_byte_order_mark_is_no_error() -> None:
    """A file that begins with a byte order mark is read."""
    assert TagPolicy.from_json("\ufeff" + json.dumps(EFFECTIVE)).rules == (RULE,)


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ([], "$", "not an object"),
        ({}, "$", "one key tags"),
        ({"tags": {}, "version": 1}, "$", "one key tags"),
        ({"tags": {}}, "$.tags", "nothing about any tag"),
        ({"tags": []}, "$.tags", "not an object"),
        ({"tags": {"a": "A"}}, "$.tags.a", "not an object"),
        ({"tags": {"a": {"tag_values": []}}}, "$.tags.a.tag_values", "not a field"),
        ({"tags": {"a": {"tag_key": {"@@assign": "B"}}}}, "$.tags.a.tag_key.@@assign", "another key"),
        ({"tags": {"a": {"tag_key": {"@@append": "A"}}}}, "$.tags.a.tag_key.@@append", "no operator"),
        ({"tags": {"a": {"tag_key": 7}}}, "$.tags.a.tag_key", "not text"),
        ({"tags": {"a": {"tag_key": ""}}}, "$.tags.a.tag_key", "not text"),
        ({"tags": {"a": {"tag_value": "x"}}}, "$.tags.a.tag_value", "not a list"),
        ({"tags": {"a": {"tag_value": {"@@assign": "x"}}}}, "$.tags.a.tag_value.@@assign", "not a list"),
        ({"tags": {"a": {"tag_value": {"@@assign": [7]}}}}, "$.tags.a.tag_value.@@assign[0]", "not text"),
        ({"tags": {"a": {"tag_value": {"@@add": ["x"]}}}}, "$.tags.a.tag_value.@@add", "no operator"),
        ({"tags": {"a": {"tag_value": ["*-*"]}}}, "$.tags.a.tag_value", "more than one wildcard"),
        ({"tags": {"a": {"enforced_for": ["*"]}}}, "$.tags.a.enforced_for", "no resource type"),
        ({"tags": {"a": {"enforced_for": ["*:*"]}}}, "$.tags.a.enforced_for", "no resource type"),
        ({"tags": {"a": {"enforced_for": ["ec2:inst*"]}}}, "$.tags.a.enforced_for", "no resource type"),
        ({"tags": {"a": {"report_required_tag_for": ["ec2"]}}}, "$.tags.a.report_required_tag_for", "no resource type"),
        (
            {"tags": {"a": {"@@operators_allowed_for_child_policies": ["@@some"]}}},
            "$.tags.a.@@operators_allowed_for_child_policies",
            "no operator",
        ),
        ({"EffectivePolicy": {}}, "$.EffectivePolicy.PolicyContent", "not text"),
    ],
)
def test_errors(document: Any, path: str, message: str) -> None:
    """An error names the file and the JSON path, and says what was expected and what to do."""
    with pytest.raises(TagPolicyError) as caught:
        _read(document)
    assert caught.value.place == f"tag-policy.json, {path}"
    assert message in caught.value.message
    assert caught.value.expected
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        ('{"tags": {"a": {}, "a": {}}}', "occurs twice"),
        ("[" * 100_000, "JSON|nested"),
    ],
    ids=["truncated", "empty", "duplicate key", "deep"],
)
def test_text_that_is_no_policy(text: str, message: str) -> None:
    """Broken JSON, a key that occurs twice and endless nesting are errors of the input."""
    with pytest.raises(TagPolicyError, match=message):
        TagPolicy.from_json(text)


def test_a_misspelt_field_has_a_hint() -> None:
    """A field that is nearly one of the format's asks whether that was meant."""
    with pytest.raises(TagPolicyError) as caught:
        _rule(tag_values=["x"])
    assert caught.value.remedy == "did you mean `tag_value`?"
