"""The deployments of a log: a line of JSON each, or what the AWS CLI lists of a service.

Source: Amazon ECS API Reference, "ServiceDeploymentBrief": a deployment that was rolled back ends as
ROLLBACK_SUCCESSFUL or ROLLBACK_FAILED, one that somebody stopped as STOPPED.

Source: RFC 8259, section 8.1. PowerShell's `>` writes UTF-16, which `json` tells from UTF-8 by its first bytes.

Source: Amazon CloudWatch API Reference, "DescribeAlarmHistory": an item of type StateUpdate has the states before and
after in HistoryData. CloudWatch keeps the history of 30 days.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from infraspec.core.errors import ProcessFileError, collected
from infraspec.core.runtime import read_regular
from infraspec.process.incidents import DeploymentRecord, Incident


def read_json(path: Path, shown: str, command: str) -> Any:
    """Return what a file holds; ProcessFileError, with the command that writes it, if that is no JSON."""
    remedy = f"write the file again: {command}"
    text = read_text(path, shown, remedy=remedy)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{shown}:{error.lineno}:{error.colno}"
        raise ProcessFileError("the file is not JSON", place=place, found=error.msg, remedy=remedy) from None
    except RecursionError:
        raise ProcessFileError("the JSON is nested too deeply", place=shown, remedy=remedy) from None


def read_text(path: Path, shown: str, *, expected: str = "", remedy: str = "") -> str:
    """Return the text of a file of JSON, or of lines of it; ProcessFileError if it cannot be read as text."""
    try:
        content = read_regular(path, shown)
        return content.decode(json.detect_encoding(content))
    except OSError as error:
        found = error.strerror or type(error).__name__
    except UnicodeDecodeError as error:
        found = f"no {error.encoding.upper()}: {error.reason}"
    raise ProcessFileError("the file cannot be read", place=shown, expected=expected, found=found, remedy=remedy)


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


Record = TypeVar("Record")
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
    placed = _placed(rows, f"{shown}: AlarmHistoryItems")
    found = _read(placed, lambda row, place: _alert(row, place, environments))
    return tuple(sorted(found, key=lambda alert: (alert.at, alert.alarm)))


def _placed(rows: Iterable[Any], shown: str) -> Iterator[tuple[Any, str]]:
    return ((row, f"{shown}[{at}]") for at, row in enumerate(rows))


def _read(rows: Iterable[tuple[Any, str]], read: Callable[[Any, str], Record | None]) -> list[Record]:
    """Return what rows with their places tell, but for those that tell nothing; all errors at once."""
    return [record for record in collected(lambda pair: read(*pair), list(rows)) if record]


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


class RecordedChange(Struct, frozen=True):
    """One write operation: `who` is the ARN of a user or a role's session, `what` the names of what it was about."""

    at: datetime
    operation: str
    who: str
    what: tuple[str, ...] = ()
    error: str = ""


class RecordedChanges(Struct, frozen=True):
    """The operations since a time, the newest first. `note` says why some or all are not known."""

    since: datetime
    found: tuple[RecordedChange, ...] = ()
    note: str = ""


_LINE = '{"at": "2026-10-01T09:00:00+09:00", "environment": "prod", "outcome": "succeeded"}, or failed, rolled-back'
_LOGGED = {"succeeded", "failed", "rolled-back"}
_OUTCOMES = {
    "SUCCESSFUL": "succeeded",
    "STOPPED": "failed",
    "ROLLBACK_SUCCESSFUL": "rolled-back",
    "ROLLBACK_FAILED": "failed",
}
_RUNNING = {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}


def deployments_of(path: Path, shown: str, environments: Collection[str]) -> tuple[DeploymentRecord, ...]:
    """Read a log of deployments, or the output of `aws ecs list-service-deployments`.

    One that is not finished is left out. Raises ProcessFileError for what is neither, all at once.
    """
    text = read_text(path, shown, expected=_LINE)
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, Mapping) or "serviceDeployments" not in tree:
        lines = ((line, f"{shown}:{number}") for number, line in enumerate(text.splitlines(), 1) if line.strip())
        return tuple(_read(lines, _logged))
    rows = tree["serviceDeployments"]
    placed = _placed(rows if isinstance(rows, list) else [rows], f"{shown}: serviceDeployments")
    return tuple(_read(placed, lambda row, place: _deployment(row, place, environments)))


def _logged(line: str, place: str) -> DeploymentRecord:
    try:
        tree = json.loads(line)
        at = datetime.fromisoformat(tree["at"])
        environment, outcome = str(tree["environment"]), tree["outcome"]
    except (ValueError, TypeError, KeyError, RecursionError):
        at, environment, outcome = None, "", None
    if at is None or at.tzinfo is None or outcome not in _LOGGED:
        raise ProcessFileError("no record of a deployment", place=place, expected=_LINE)
    return DeploymentRecord(at, environment, outcome)


def _deployment(row: Any, place: str, environments: Collection[str]) -> DeploymentRecord | None:
    status = row.get("status") if isinstance(row, Mapping) else None
    if status in _RUNNING:
        return None
    finished = moment_of(row.get("finishedAt")) if isinstance(row, Mapping) else None
    if finished is None or status not in _OUTCOMES:
        raise ProcessFileError(
            "no deployment of a service",
            place=place,
            expected=f'"finishedAt", and "status", one of {", ".join(sorted({*_OUTCOMES, *_RUNNING}))}',
            remedy="write the file again: aws ecs list-service-deployments --cluster … --service … --output json",
        )
    return DeploymentRecord(finished, environment_of(str(row.get("serviceArn", "")), environments), _OUTCOMES[status])
