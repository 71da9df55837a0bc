from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.process.history import Alert, alerts_of, false_alerts, read_alerts
from infraspec.process.incidents import incident_of
from tests.process.test_incidents import record

ENVIRONMENTS = ("dev", "prod", "prod-eu")


def item(name: str = "shop-prod-cpu", at: Any = "2026-01-31T00:10:00+00:00", **changes: Any) -> dict[str, Any]:
    """Return an item of a history: an alarm that goes off."""
    data = {
        "oldState": {"stateValue": changes.pop("before", "OK")},
        "newState": {"stateValue": changes.pop("now", "ALARM")},
    }
    return {
        "AlarmName": name,
        "Timestamp": at,
        "HistoryItemType": "StateUpdate",
        "HistoryData": json.dumps(data),
        **changes,
    }


def test_alerts_are_changes_to_alarm() -> None:
    """What recovers, what was in alarm already, and changes of the configuration are none; the oldest comes first."""
    rows = [
        item(at="2026-02-01T00:00:00Z"),
        item(now="OK", before="ALARM"),
        item(before="ALARM"),
        item(HistoryItemType="ConfigurationUpdate", HistoryData="no JSON"),
        item("shop-stage-cpu", datetime.fromisoformat("2026-01-01T00:00:00+09:00"), before="INSUFFICIENT_DATA"),
        item("shop-dev-cpu", 1767225600.5),
    ]

    assert [("shop-stage-cpu", ""), ("shop-dev-cpu", "dev"), ("shop-prod-cpu", "prod")] == [
        (alert.alarm, alert.environment) for alert in alerts_of(rows, ENVIRONMENTS, "history")
    ]


@pytest.mark.parametrize(
    ("at", "name", "is_false"),
    [
        ("2026-01-31T08:29:59+09:00", "prod", True),
        ("2026-01-31T08:30:00+09:00", "prod", False),
        ("2026-01-31T09:30:00+09:00", "prod", False),
        ("2026-01-31T09:30:01+09:00", "prod", True),
        ("2026-01-31T09:10:00+09:00", "dev", True),
    ],
)
def test_alerts_without_an_incident(at: str, name: str, is_false: bool) -> None:  # noqa: FBT001 - a case
    """An alert is about an incident of its environment from half an hour before its start to its end."""
    alert = Alert(datetime.fromisoformat(at), "cpu", name)

    assert is_false == bool(false_alerts([alert], [incident_of(record())]))


def test_an_incident_that_goes_on() -> None:
    """What is not over explains every later alert."""
    alert = Alert(datetime.fromisoformat("2026-06-01T00:00:00+00:00"), "cpu", "prod")

    assert () == false_alerts([alert], [incident_of(record(restored=None))])


@pytest.mark.parametrize(
    ("tree", "fragments"),
    [
        ("{", ["the file is not JSON"]),
        ([], ["no history of alarms", "aws cloudwatch describe-alarm-history"]),
        ({"AlarmHistoryItems": [{}, item(), item(at="soon")]}, ["AlarmHistoryItems[0]", "AlarmHistoryItems[2]"]),
        (
            {"AlarmHistoryItems": [item(HistoryData="[]"), item(HistoryData='{"newState": 1}'), 7]},
            ["[0]", "[1]", "[2]"],
        ),
    ],
)
def test_what_is_no_history(tmp_path: Path, tree: object, fragments: list[str]) -> None:
    """The error names the item, all of them at once."""
    path = tmp_path / "alarms.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")

    with pytest.raises(InfraspecError) as caught:
        read_alerts(path, "alarms.json", ENVIRONMENTS)

    for fragment in fragments:
        assert fragment in str(caught.value)
