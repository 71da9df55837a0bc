from pathlib import Path

import pytest

from infraspec.ecs.fleet import Fleet
from infraspec.live.facts.services import settled
from tests.live.fleet import Cluster, deployment, fleet, service_deployment


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds


def under_way(*, failed: int = 0) -> Cluster:
    """Return a cluster with a deployment that has not ended."""
    cluster = Cluster(deployments=[service_deployment(15, "IN_PROGRESS")])
    cluster.service["deployments"] = [deployment(15, state="IN_PROGRESS", failedTasks=failed)]
    return cluster


@pytest.mark.parametrize(
    ("states", "wait", "looks", "waited"),
    [
        ([Cluster()], 600, 1, 0),
        ([under_way(), under_way(), Cluster()], 600, 3, 30),
        ([under_way(), under_way(failed=2), Cluster()], 600, 2, 15),
        ([under_way()], 0, 1, 0),
        ([under_way()] * 9, 40, 4, 40),
    ],
    ids=["done", "ends", "begins to fail", "no wait", "deadline"],
)
def test_settled(states: list[Cluster], wait: int, looks: int, waited: int, tmp_path: Path) -> None:
    """It is read again until the deployment has ended, has begun to fail, or the time is over."""
    clock, seen = Clock(), iter(states)
    read = 0

    def look() -> Fleet:
        nonlocal read
        read += 1
        return fleet(tmp_path, next(seen))

    found = settled(look, wait, clock=clock, sleep=clock.sleep)

    assert (read, found.waited) == (looks, waited)
