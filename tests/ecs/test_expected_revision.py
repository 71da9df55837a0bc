from __future__ import annotations

import pytest

from infraspec.core.errors import RequestError
from infraspec.core.unknown import Unknown, Value
from infraspec.ecs.fleet import ExpectedRevision, expected_revisions
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.terraform.plan import Plan
from tests.checks.access_cases import resource


def test_one_for_all_and_one_for_each() -> None:
    """Without a service an expectation is for all; the later one wins."""
    found = expected_revisions("v3, worker=12", ["web", "worker"])

    assert {name: expected.text for name, expected in found.items()} == {"web": "v3", "worker": "12"}
    assert expected_revisions("", ["web"]) == {}


@pytest.mark.parametrize(
    ("text", "message"), [("api=3", "no such service"), ("web=", "not understood"), ("web = 3", "not understood")]
)
def test_what_is_none(text: str, message: str) -> None:
    """A misspelt service and an empty revision are errors that say how to write it."""
    with pytest.raises(RequestError, match=message) as caught:
        expected_revisions(text, ["web"])

    assert "--infraspec-revision web=16" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", True), ("4", False), ("web:3", True), ("web:4", False), ("api:3", False), ("v1", True), ("v2", False),
        ("sha256:ab", True), ("app:v1", True), ("pp:v1", False), ("1", False),
    ],
)  # fmt: skip
def test_what_meets_it(text: str, *, expected: bool) -> None:
    """The number or family and number of a revision meet it, and so does an image by its name, tag or digest."""
    containers = '[{"name": "a", "image": "app:v1"}, {"name": "b", "image": "app@sha256:ab"}]'
    definition = TaskDefinition.from_json(f'{{"family": "web", "containerDefinitions": {containers}}}', "web.json")
    arn = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3"
    assert ExpectedRevision(text).is_met_by(arn, definition) is expected
    assert not ExpectedRevision("v1").is_met_by(arn, None)


@pytest.mark.parametrize(
    ("compatibilities", "expected"),
    [
        (["FARGATE"], (True, False)), (["EC2", "FARGATE"], (True, True)), ([], (False, False)),
        (["EC2", Unknown("var.kind")], (None, True)), (Unknown("var.kinds"), (None, None)),
    ],
)  # fmt: skip
def test_where_it_runs(compatibilities: Value, expected: tuple[bool | None, bool | None]) -> None:
    """A task definition runs where it says, and may run where that is not known."""
    values = {"family": "web", "container_definitions": "[]", "requires_compatibilities": compatibilities}
    (definition,) = task_definitions(Plan("source", (resource("aws_ecs_task_definition.web", **values),)))
    assert (definition.runs_on("FARGATE"), definition.runs_on("EC2")) == expected
