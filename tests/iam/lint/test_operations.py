"""Operations that are allowed by an action of another name."""

from __future__ import annotations

import pytest

from infraspec.iam.lint.actions import PERMISSIONS, expand, mistake


@pytest.mark.parametrize("operation", PERMISSIONS)
def test_an_operation_is_no_action_and_its_actions_are(operation: str) -> None:
    """AWS has no action of the operation's name, and has each of those that allow it."""
    assert not expand(operation)
    assert all(map(expand, PERMISSIONS[operation]))


def test_the_remedy_names_the_action() -> None:
    """The action that allows the operation is named, not one that is spelt alike."""
    found = mistake("s3:CreateMultipartUpload")
    assert found is not None
    assert found.remedy == "the operation is allowed by s3:PutObject: use that"
