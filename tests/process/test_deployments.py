from __future__ import annotations

import json
from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.process.history import deployments_of

ARN = "arn:aws:ecs:eu-west-1:111122223333:service/shop-{0}-cluster/shop-{0}-app"
LINE = '{"at": "2026-10-01T09:00:00+09:00", "environment": "prod", "outcome": "succeeded"}'


def written(directory: Path, tree: object) -> Path:
    """Write a file of JSON, or of the text that is given."""
    path = directory / "deployments.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")
    return path


def row(status: str, environment: str = "prod", finished: object = 1767225600) -> dict[str, object]:
    """Return a deployment as ECS lists it."""
    return {"serviceArn": ARN.format(environment), "status": status, "finishedAt": finished}


def test_what_ecs_lists(tmp_path: Path) -> None:
    """What goes on is left out; what was rolled back or stopped has not succeeded."""
    rows = [
        row("SUCCESSFUL"),
        row("ROLLBACK_SUCCESSFUL", "dev"),
        row("ROLLBACK_FAILED", "other"),
        row("STOPPED", finished="2026-01-01T00:00:00Z"),
        row("IN_PROGRESS", finished=None),
    ]
    found = deployments_of(written(tmp_path, {"serviceDeployments": rows}), "log", ("dev", "prod"))

    assert [("prod", "succeeded"), ("dev", "rolled-back"), ("", "failed"), ("prod", "failed")] == [
        (one.environment, one.outcome) for one in found
    ]


def test_a_log_of_one_or_more_lines(tmp_path: Path) -> None:
    """One line is JSON as a whole, and a log all the same."""
    for text, number in ((LINE, 1), (f"{LINE}\n{LINE}\n", 2)):
        assert number == len(deployments_of(written(tmp_path, text), "log", ()))


@pytest.mark.parametrize(
    ("tree", "fragments"),
    [
        (
            {"serviceDeployments": [row("DONE"), row("SUCCESSFUL", finished=None), 1]},
            ["[0]", "[1]", "[2]", "ROLLBACK_F"],
        ),
        ({"serviceDeployments": None}, ["serviceDeployments[0]", "aws ecs list-service-deployments"]),
        ("[]", ["log:1", "no record of a deployment"]),
    ],
)
def test_what_is_no_log(tmp_path: Path, tree: object, fragments: list[str]) -> None:
    """The error names the deployment and how to write the file."""
    with pytest.raises(InfraspecError) as caught:
        deployments_of(written(tmp_path, tree), "log", ())

    for fragment in fragments:
        assert fragment in str(caught.value)
