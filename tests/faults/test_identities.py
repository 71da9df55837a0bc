"""Roles and policies as AWS tells them together, and one by one where that may not be asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infraspec.aws.calls import Question
from infraspec.aws.snapshot import Snapshot
from infraspec.core.errors import RunnerPermissionError
from infraspec.live.plan import live_plan
from infraspec.terraform.plan import Resource
from tests.live.deployed import CONTRACT, reference

TYPES = ("aws_iam_role", "aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_policy")
TOGETHER = "get_account_authorization_details"


def identities(snapshot: Snapshot, refused: str = "") -> tuple[dict[str, Resource], list[str]]:
    """Return what is read of the reference's roles where an operation is refused, and what was asked."""
    asked: list[str] = []
    answer = snapshot.answer

    def listening(question: Question) -> Any:
        asked.append(question.operation)
        if question.operation == refused:
            raise RunnerPermissionError("no", place=f"iam.{refused}", remedy="allow it")
        return answer(question)

    snapshot.answer = listening  # type: ignore[method-assign]
    live = live_plan(snapshot, reference(), CONTRACT, "prod")
    return {one.address: one for one in live.managed(*TYPES)}, asked


def test_roles_are_the_same_however_they_are_read(ask: Callable[[], Snapshot]) -> None:
    """In few calls, or each by itself; then no verdict that rests on them differs."""
    together, few = identities(ask())
    alone, many = identities(ask(), TOGETHER)

    assert len(together) > 10
    differing = {
        (address, name): (one.values.get(name), alone[address].values.get(name))
        for address, one in together.items()
        for name in {*one.values, *alone[address].values}
        if one.values.get(name) != alone[address].values.get(name)
    }
    assert alone.keys() == together.keys()
    assert {} == differing
    assert 0 == sum(name in {"get_role", "get_role_policy", "get_policy_version"} for name in few)
    assert 0 < sum(name == "get_role" for name in many)


def test_what_only_the_list_of_roles_says_is_not_taken_for_nothing(ask: Callable[[], Snapshot]) -> None:
    """Descriptions and longest sessions are in the list: without it each role is asked for by itself."""
    together, _ = identities(ask())
    unlisted, many = identities(ask(), "list_roles")

    roles = [one for one in together.values() if one.type == "aws_iam_role"]
    assert {one.address: one.values for one in roles} == {one.address: unlisted[one.address].values for one in roles}
    assert 0 < sum(name == "get_role" for name in many)
