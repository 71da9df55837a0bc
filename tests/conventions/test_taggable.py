"""Which resources take tags."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.conventions.tag_types import TERRAFORM_TYPES
from infraspec.conventions.taggable import NOT_TAGGABLE, TAGGABLE, Taggable, is_classified, taggable


@pytest.mark.parametrize(
    ("type_", "values", "expected"),
    [
        ("aws_secretsmanager_secret", {}, Taggable.YES),
        ("aws_autoscaling_group", {}, Taggable.YES),
        ("aws_iam_role_policy", {}, Taggable.NO),
        ("aws_iam_role_policy", {"tags_all": {"A": "1"}}, Taggable.NO),
        ("aws_new_thing", {}, Taggable.NO),
        ("aws_new_thing", {"tags": None}, Taggable.YES),
        ("aws_new_thing", {"tags_all": {"A": "1"}}, Taggable.MAYBE),
        ("awscc_logs_log_group", {"tags": []}, Taggable.YES),
        ("datadog_monitor", {"tags": ["team:x"]}, Taggable.NO),
    ],
)
def test_taggable(type_: str, values: dict[str, Any], expected: Taggable) -> None:
    """The tables decide; a type in neither takes tags if it has some of its own."""
    assert expected is taggable(type_, values)


def test_the_tables_do_not_contradict() -> None:
    """No type is in both tables, and each type a tag policy can name takes tags."""
    assert frozenset() == TAGGABLE & NOT_TAGGABLE
    assert frozenset() == frozenset().union(*TERRAFORM_TYPES.values()) - TAGGABLE


def test_classified() -> None:
    """A type of AWS that no table has is not classified; another provider's is none of our business."""
    assert is_classified("aws_route")
    assert is_classified("random_id")
    assert not is_classified("aws_new_thing")
