"""The tags that AWS will see: tags_all before tags, tag blocks, maps that are not known."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.conventions.effective_tags import EffectiveTags, tag_text
from infraspec.core.unknown import Text, Unknown

HIDDEN = Unknown("var.tags")


@pytest.mark.parametrize(
    ("type_", "values", "expected"),
    [
        ("aws_sns_topic", {"tags": {"A": "1"}}, EffectiveTags({"A": "1"})),
        ("aws_sns_topic", {"tags": {"A": "1"}, "tags_all": {"A": "1", "B": "2"}}, EffectiveTags({"A": "1", "B": "2"})),
        ("aws_sns_topic", {"tags": None, "tags_all": {"B": "2"}}, EffectiveTags({"B": "2"})),
        ("aws_sns_topic", {"tags": None}, EffectiveTags({})),
        ("aws_sns_topic", {}, EffectiveTags({})),
        ("aws_sns_topic", {"tags": HIDDEN}, EffectiveTags({}, HIDDEN)),
        ("aws_sns_topic", {"tags_all": HIDDEN}, EffectiveTags({}, HIDDEN)),
        ("aws_sns_topic", {"tags_all": HIDDEN, "tags": {"A": "1", "N": None}}, EffectiveTags({"A": "1"}, HIDDEN)),
        ("aws_sns_topic", {"tags": "text"}, EffectiveTags({}, Unknown("a value of type str"))),
        ("awscc_sns_topic", {"tags": [{"key": "A", "value": "1"}]}, EffectiveTags({"A": "1"})),
        ("aws_autoscaling_group", {"tags_all": {"D": "1"}}, EffectiveTags({}, None, "tag")),
        (
            "aws_autoscaling_group",
            {"tag": [{"key": "A", "value": "1", "propagate_at_launch": True}]},
            EffectiveTags({"A": "1"}, None, "tag"),
        ),
        (
            "aws_autoscaling_group",
            {"tag": [{"key": "A", "value": "1"}, {"key": HIDDEN, "value": "2"}]},
            EffectiveTags({"A": "1"}, HIDDEN, "tag"),
        ),
        ("aws_autoscaling_group", {"tag": HIDDEN}, EffectiveTags({}, HIDDEN, "tag")),
        ("aws_autoscaling_group", {"tag": [HIDDEN]}, EffectiveTags({}, HIDDEN, "tag")),
        ("aws_autoscaling_group", {"tags": [{"key": "A", "value": "1"}]}, EffectiveTags({"A": "1"}, None, "tag")),
    ],
)
def test_effective_tags(type_: str, values: dict[str, Any], expected: EffectiveTags) -> None:
    """tags_all wins; what a resource sets itself is certain even if the default_tags are not known."""
    assert expected == EffectiveTags.of(type_, values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (16, "16"),
        (True, "true"),
        (1.5, "1.5"),
        (HIDDEN, HIDDEN),
        (Text(("a", HIDDEN)), Text(("a", HIDDEN))),
    ],
)
def test_tag_text(value: object, text: object) -> None:
    """Numbers and booleans become text as Terraform writes them; a value of another kind is not known."""
    assert text == tag_text(value)
    assert isinstance(tag_text(["a"]), Unknown)
