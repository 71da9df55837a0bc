"""Who changed what: write operations that AWS CloudTrail has kept."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Change(Struct, frozen=True):
    """One write operation: `who` is the ARN of a user or a role's session, `what` the names of what it was about."""

    at: datetime
    operation: str
    who: str
    what: tuple[str, ...] = ()
    error: str = ""


class Changes(Struct, frozen=True):
    """The operations since a time, the newest first. `note` says why some or all are not known."""

    since: datetime
    found: tuple[Change, ...] = ()
    note: str = ""
