"""How long changes take: from the first commit to the first deployment that succeeded after the merge."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infraspec.core.errors import ProcessFileError
from infraspec.process.checklist import PullRequest, pull_request_of
from infraspec.process.incidents import DeploymentRecord
from infraspec.process.lead_time import LeadTime, lead_times

START = datetime.fromisoformat("2026-02-01T00:00:00+00:00")
CHANGE = PullRequest(7, (), START + timedelta(hours=5), START)


def deployed(hours: int, outcome: str = "succeeded", environment: str = "prod") -> DeploymentRecord:
    """Return a deployment some hours after the first commit."""
    return DeploymentRecord(START + timedelta(hours=hours), environment, outcome)


@pytest.mark.parametrize(
    ("deployments", "hours"),
    [
        ([deployed(9), deployed(6)], {"prod": 6}),
        ([deployed(5)], {"prod": 5}),
        ([deployed(4)], {}),
        ([deployed(6, "failed"), deployed(7, "rolled-back"), deployed(8)], {"prod": 8}),
        ([deployed(6, environment="dev"), deployed(7)], {"dev": 6, "prod": 7}),
        ([deployed(6, environment="")], {}),
    ],
)
def test_the_first_deployment_that_succeeded(deployments: list[DeploymentRecord], hours: dict[str, float]) -> None:
    """Of each environment, not before the merge; one whose environment is not known is of none."""
    assert hours == {one.environment: one.hours for one in lead_times([CHANGE], deployments)}


def test_what_is_not_known_is_left_out() -> None:
    """A change without commits, one that is not merged, and one of other files has no time."""
    changes = [replace(CHANGE, begun=None), replace(CHANGE, merged=None), replace(CHANGE, is_infrastructure=False)]

    assert [] == list(lead_times(changes, [deployed(6)]))


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99))), st.lists(st.integers(0, 99)))
def test_as_a_search_finds_it(changes: list[tuple[int, int]], hours: list[int]) -> None:
    """The deployment is the earliest of those that are not before the merge."""
    requests = [
        PullRequest(at, (), START + timedelta(hours=begun + took), START + timedelta(hours=begun))
        for at, (begun, took) in enumerate(changes)
    ]
    expected = [
        LeadTime(one.number, "prod", START + timedelta(hours=begun), START + timedelta(hours=min(after)))
        for one, (begun, took) in zip(requests, changes, strict=True)
        if (after := [hour for hour in hours if hour >= begun + took])
    ]

    assert expected == list(lead_times(requests, map(deployed, hours)))


def test_pull_requests_with_commits() -> None:
    """The earliest commit begins a change, in whatever order they are; files say whether it is one of Terraform."""
    commits = [{"authoredDate": "2026-02-02T09:00:00Z"}, {"authoredDate": "2026-02-01T09:00:00+09:00"}]
    tree = {"number": 7, "commits": commits, "files": [{"path": "README.md"}, {"path": "terraform/main.tf"}]}
    found = pull_request_of(tree, "merged.json")

    assert (START, True) == (found.begun, found.is_infrastructure)
    assert not pull_request_of({**tree, "files": [{"path": "README.md"}]}, "merged.json").is_infrastructure
    assert pull_request_of({"number": 7, "commits": 3, "files": 2}, "event").begun is None


@pytest.mark.parametrize("commit", [{}, {"authoredDate": "soon"}, {"authoredDate": "2026-02-02T09:00:00"}, 1])
def test_a_commit_that_is_none(commit: object) -> None:
    """One without a time with an offset is a named error: a change would look shorter than it was."""
    with pytest.raises(ProcessFileError, match="no commit of a pull request"):
        pull_request_of({"number": 7, "commits": [commit]}, "merged.json")
