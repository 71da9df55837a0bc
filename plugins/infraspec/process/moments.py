"""What files that the AWS CLI has written have in common: their times, and the environment that a name is of."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any


def moment_of(value: Any) -> datetime | None:
    """Return a time as the AWS CLI writes it: ISO 8601 with an offset, or seconds since 1970; None if it is neither."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, datetime):
            return moment if moment.tzinfo else None
        return datetime.fromtimestamp(value, tz=UTC) if isinstance(value, (int, float)) else None
    except (ValueError, OverflowError, OSError):
        return None


def environment_of(name: str, environments: Collection[str]) -> str:
    """Return the one environment whose name is a part of a resource's name; empty if it is none, or several."""
    found = [one for one in environments if re.search(rf"(?<![A-Za-z0-9]){re.escape(one)}(?![A-Za-z0-9])", name)]
    return found[0] if len(found) == 1 else ""
