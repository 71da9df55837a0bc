"""Alerts that were sent, from the history of alarms, and which of them were about an incident.

Source: Amazon CloudWatch API Reference, "DescribeAlarmHistory": an item of type StateUpdate has the states before and
after in HistoryData. CloudWatch keeps the history of 30 days.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from infraspec.errors import ErrorCollector, ProcessFileError
from infraspec.process.incidents import Incident
from infraspec.process.json_file import read_json
from infraspec.process.moments import environment_of, moment_of

_COMMAND = "aws cloudwatch describe-alarm-history --history-item-type StateUpdate --output json"

MARGIN = timedelta(minutes=30)
"""How long before the start of an incident an alert may be about it: records give the start as people know it."""


class Alert(Struct, frozen=True):
    """An alarm went off. `environment` is empty where its name does not tell."""

    at: datetime
    alarm: str
    environment: str

    def is_about(self, incident: Incident) -> bool:
        """Tell whether an incident went on when the alarm did: from half an hour before until it was resolved."""
        end = incident.resolved or incident.restored
        begun = incident.started - MARGIN <= self.at
        return self.environment == incident.environment and begun and (end is None or self.at <= end)


def read_alerts(path: Path, shown: str, environments: Collection[str]) -> tuple[Alert, ...]:
    """Read the output of `aws cloudwatch describe-alarm-history`; ProcessFileError for what is none, all at once."""
    tree = read_json(path, shown, _COMMAND)
    rows = tree.get("AlarmHistoryItems") if isinstance(tree, Mapping) else None
    if not isinstance(rows, list):
        raise ProcessFileError(
            "no history of alarms",
            place=shown,
            expected='an object with "AlarmHistoryItems"',
            remedy=f"write the file again: {_COMMAND}",
        )
    return alerts_of(rows, environments, shown)


def alerts_of(rows: Iterable[Any], environments: Collection[str], shown: str) -> tuple[Alert, ...]:
    """Return the alerts among the items of a history: each change of an alarm's state to ALARM."""
    collector = ErrorCollector()
    found: list[Alert] = []
    for at, row in enumerate(rows):
        with collector.collect():
            alert = _alert(row, f"{shown}: AlarmHistoryItems[{at}]", environments)
            found += [alert] if alert else []
    collector.finalize()
    return tuple(sorted(found, key=lambda alert: (alert.at, alert.alarm)))


def _alert(row: Any, place: str, environments: Collection[str]) -> Alert | None:
    if isinstance(row, Mapping) and row.get("HistoryItemType", "StateUpdate") != "StateUpdate":
        return None
    try:
        name, at, data = row["AlarmName"], moment_of(row["Timestamp"]), json.loads(row["HistoryData"])
        before, after = (data.get(key, {}).get("stateValue") for key in ("oldState", "newState"))
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError):
        at = None
    if at is None or not isinstance(name, str):
        raise ProcessFileError(
            "no item of an alarm's history",
            place=place,
            expected='"AlarmName", "Timestamp" and "HistoryData" with "newState"',
            remedy=f"write the file again: {_COMMAND}",
        )
    return Alert(at, name, environment_of(name, environments)) if after == "ALARM" != before else None


def false_alerts(alerts: Sequence[Alert], incidents: Sequence[Incident]) -> tuple[Alert, ...]:
    """Return the alerts that no incident record is about.

    An alert that people acted on and did not write down is among them: the share of these is an upper bound.
    """
    return tuple(alert for alert in alerts if not any(alert.is_about(incident) for incident in incidents))
