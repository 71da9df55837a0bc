"""Draw docs/images/kpi.svg, the success figures of an invented team over three months: part of `make images`.

What happened is made up here; the figures and the picture are those of `infraspec report kpi`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
IMAGE = ROOT / "docs" / "images" / "kpi.svg"
_FIRST, _LAST = "2026-08-28", "2026-11-25"
_BEGIN = datetime(2026, 6, 1, 9, tzinfo=UTC)
_ITEMS = ("variables are set", "the rollback is known")
_INCIDENTS = {
    "2026-06-16": 70,
    "2026-07-07": 90,
    "2026-07-22": 80,
    "2026-08-12": 65,
    "2026-09-15": 45,
    "2026-11-03": 25,
}
"""Minutes until everything worked again, by day."""
_ALARM = "shop-prod-errors"
_CONTRACT = f"""[project]
application = "shop"
[environments.prod]
root = "."
[incidents]
directory = "incidents"
[process]
checklist = {json.dumps(_ITEMS)}
"""


def _incident(day: str, minutes: int) -> str:
    start = datetime.fromisoformat(f"{day}T10:00:00+00:00")
    at = {"started": 0, "detected": 2, "restored": minutes, "resolved": minutes + 60}
    times = "".join(f"{name}: {(start + timedelta(minutes=later)).isoformat()}\n" for name, later in at.items())
    what = "severity: critical\nfailure_class: secret-missing\nplaybook: secret-missing\nowner: team\n"
    return f"---\nid: incident-{day}\nenvironment: prod\n{what}{times}---\n"


def _changes() -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Yield when each change was deployed, and its pull request: they come faster from August on."""
    for number in range(1, 60):
        merged = _BEGIN + timedelta(days=3 * (number - 1))
        hours = 50 if merged.month < 8 else 26 + number % 5 * 3
        ticked = "".join(f"- [{' ' if number % 16 == 0 and at else 'x'}] {text}\n" for at, text in enumerate(_ITEMS))
        begun = (merged - timedelta(hours=hours)).isoformat()
        request = {"number": number, "body": ticked, "mergedAt": merged.isoformat()}
        yield merged, request | {"commits": [{"authoredDate": begun}], "files": [{"path": "main.tf"}]}


def _deployments() -> Iterator[dict[str, str]]:
    for number, (merged, _) in enumerate(_changes()):
        for later in (1, 30):
            is_bad = later == 30 and number in {7, 38}
            outcome = "rolled-back" if is_bad else "succeeded"
            yield {"at": (merged + timedelta(hours=later)).isoformat(), "environment": "prod", "outcome": outcome}


def _alerts() -> Iterator[dict[str, str]]:
    """Yield ten alerts in each incident, and one for nothing in October."""
    moments = [
        datetime.fromisoformat(f"{day}T10:00:00+00:00") + timedelta(minutes=number)
        for day in _INCIDENTS
        for number in range(1, 21, 2)
    ]
    for moment in [*moments, datetime(2026, 9, 29, 3, tzinfo=UTC)]:
        state = {"oldState": {"stateValue": "OK"}, "newState": {"stateValue": "ALARM"}}
        yield {
            "AlarmName": _ALARM,
            "Timestamp": moment.isoformat(),
            "HistoryItemType": "StateUpdate",
            "HistorySummary": "Alarm updated from OK to ALARM",
            "HistoryData": json.dumps(state),
        }


def kpi_picture() -> str:
    """Return the picture as `infraspec report kpi --plot` draws it."""
    with TemporaryDirectory() as name:
        shop = Path(name)
        files = {
            "infraspec.toml": _CONTRACT,
            "main.tf": "",
            "merged.json": json.dumps([request for _, request in _changes()]),
            "alarms.json": json.dumps({"AlarmHistoryItems": [*_alerts()]}),
            "incidents/deployments.jsonl": "".join(f"{json.dumps(one)}\n" for one in _deployments()),
            **{f"incidents/{day}.md": _incident(day, minutes) for day, minutes in _INCIDENTS.items()},
        }
        for path, text in files.items():
            (shop / path).parent.mkdir(exist_ok=True)
            (shop / path).write_text(text, encoding="utf-8")
        given = ("--pull-requests", "merged.json", "--alarms", "alarms.json", "--plot", "kpi.svg")
        command = ("infraspec", "report", "kpi", "--env", "prod", "--from", _FIRST, "--to", _LAST, *given)
        subprocess.run([sys.executable, "-m", *command], cwd=shop, check=True, stdout=subprocess.DEVNULL)
        return (shop / "kpi.svg").read_text(encoding="utf-8")
