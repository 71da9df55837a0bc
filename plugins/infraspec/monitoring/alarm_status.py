"""What alarms do in AWS: their state, how often they fire, whether their actions succeed, and what they look at.

Sources: Amazon CloudWatch API Reference, DescribeAlarms and DescribeAlarmHistory.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field


class Watched(Struct, frozen=True):
    """One thing that the dimensions of an alarm name, such as `ServiceName shop-prod-web`, and whether it exists."""

    name: str
    exists: bool


class AlarmStatus(Struct, frozen=True):
    """The state of one alarm. `since` is when it last changed, None where AWS does not say."""

    name: str
    arn: str
    state: str
    since: datetime | None
    reason: str = ""
    watched: tuple[Watched, ...] = ()

    def lasted(self, now: datetime) -> timedelta | None:
        """Return how long it has been in its state."""
        return None if self.since is None else now - self.since


class AlarmHistory(Struct, frozen=True):
    """What alarms did in the last `hours`: by name, how often they went to ALARM, and the actions that failed."""

    hours: int
    fired: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class AlarmStates(Struct, frozen=True):
    """The alarms of an environment by name, as they were at `taken`; `history` is None where there is none to ask."""

    taken: datetime
    by_name: Mapping[str, AlarmStatus]
    history: AlarmHistory | None = None
