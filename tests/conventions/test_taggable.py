"""Which resources take tags."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.conventions.effective_tags import is_classified, taggable
from infraspec.core.truth import Truth
from infraspec.resource_types import TYPES


@pytest.mark.parametrize(
    ("type_", "values", "expected"),
    [
        ("aws_secretsmanager_secret", {}, Truth.YES),
        ("aws_autoscaling_group", {}, Truth.YES),
        ("aws_bedrockagent_prompt", {}, Truth.YES),
        ("aws_iam_role_policy", {}, Truth.NO),
        ("aws_iam_role_policy", {"tags_all": {"A": "1"}}, Truth.NO),
        ("aws_new_thing", {}, Truth.NO),
        ("aws_new_thing", {"tags": None}, Truth.YES),
        ("aws_new_thing", {"tags_all": {"A": "1"}}, Truth.MAYBE),
        ("awscc_logs_log_group", {"tags": []}, Truth.YES),
        ("datadog_monitor", {"tags": ["team:x"]}, Truth.NO),
    ],
)
def test_taggable(type_: str, values: dict[str, Any], expected: Truth) -> None:
    """The provider's schema decides; a type that it does not have takes tags if it has some of its own."""
    assert expected is taggable(type_, values)


def test_what_tag_policies_name_takes_tags() -> None:
    """Each type that a tag policy can name takes tags."""
    named = [known.type for known in TYPES.values() if known.tag_types]
    assert [] == [type_ for type_ in named if taggable(type_, {}) is not Truth.YES]


def test_classified() -> None:
    """A type of AWS that the schema does not have is not classified; another provider's is none of our business."""
    assert is_classified("aws_route")
    assert is_classified("random_id")
    assert not is_classified("aws_new_thing")
