"""How long a change of the infrastructure takes: from its first commit until it is deployed.

Source: GitHub CLI manual, "gh pr list": `commits` have `authoredDate`, and are those of the branch, also where the
merge squashes them; `files` have `path`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from infraspec.process.checklist import PullRequest
from infraspec.process.incidents import DeploymentRecord


class LeadTime(Struct, frozen=True):
    """What one change took to reach an environment."""

    number: int
    environment: str
    begun: datetime
    deployed: datetime

    @property
    def hours(self) -> float:
        """How long it took."""
        return (self.deployed - self.begun).total_seconds() / 3600


def lead_times(requests: Iterable[PullRequest], deployments: Iterable[DeploymentRecord]) -> Iterator[LeadTime]:
    """Yield what each change took to reach each environment: the first deployment there that succeeded after its merge.

    A change whose commits or merge are not in the list, and one that is not deployed yet, is left out.
    """
    succeeded: dict[str, list[datetime]] = defaultdict(list)
    for one in deployments:
        if one.outcome == "succeeded" and one.environment:
            succeeded[one.environment].append(one.at)
    ordered = {environment: sorted(moments) for environment, moments in succeeded.items()}
    for request in requests:
        if request.begun is None or request.merged is None or not request.is_infrastructure:
            continue
        for environment, moments in ordered.items():
            at = bisect_left(moments, request.merged)
            if at < len(moments):
                yield LeadTime(request.number, environment, request.begun, moments[at])
