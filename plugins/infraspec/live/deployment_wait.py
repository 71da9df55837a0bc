"""Waiting for deployments that are under way, with a deadline, and with what was seen last in hand."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from infraspec.checks.rollout_state import is_failing
from infraspec.ecs.deployed import Fleet

_INTERVAL = 15
"""Seconds between two looks."""


def settled(
    read: Callable[[], Fleet],
    wait: int,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Fleet:
    """Return what was read when no deployment is under way, one has begun to fail, or `wait` seconds have passed."""
    begin = clock()
    fleet = read()
    while _is_open(fleet) and clock() - begin < wait:
        sleep(min(_INTERVAL, wait - (clock() - begin)))
        fleet = read()
    return replace(fleet, waited=round(clock() - begin) if wait else 0)


def _is_open(fleet: Fleet) -> bool:
    rolling = [one.live for one in fleet.services if one.live is not None and one.live.is_rolling_out]
    return bool(rolling) and not any(is_failing(live) for live in rolling)
