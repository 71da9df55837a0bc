"""Incident records and the figures that are made of them.

A record is a Markdown page. Its front matter names `id`, `environment`, `severity`, `failure_class`, `playbook` and
`owner`, and when it `started`, was `detected`, `restored` and `resolved` (RFC 3339, with an offset); its body has a
timeline and five whys. Source of the figures: DORA's "time to restore service" and "change failure rate".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from infraspec.core.errors import ErrorCollector, ProcessFileError
from infraspec.process.markdown import Page, read_page

TIMES = ("started", "detected", "restored", "resolved")
_TEXTS = ("id", "environment", "severity", "failure_class", "playbook", "owner")


class Incident(Struct, frozen=True, eq=False):
    """An incident record. A time that has not come yet is None; `started` always has."""

    page: Page
    id: str
    environment: str
    severity: str
    failure_class: str
    playbook: str
    owner: str
    started: datetime
    detected: datetime | None
    restored: datetime | None
    resolved: datetime | None


class DeploymentRecord(Struct, frozen=True):
    """A deployment: when, where, and whether it succeeded, failed or was rolled back."""

    at: datetime
    environment: str
    outcome: str


class Figures(Struct, frozen=True):
    """Figures of a period; None where there is nothing to make them of.

    `recovery_minutes` is the mean from start to restored service, `incident_rate` incidents per deployment,
    `deployment_success` the share of deployments that succeeded, from 0 to 1.
    """

    incidents: int
    deployments: int
    incident_rate: float | None
    recovery_minutes: float | None
    deployment_success: float | None


def read_incidents(directory: Path, shown: str, *, template: Path | None = None) -> tuple[Incident, ...]:
    """Read the records of a directory, oldest first; ProcessFileError (all at once) for those that are none."""
    collector = ErrorCollector()
    found: list[Incident] = []
    for path in sorted(directory.rglob("*.md")):
        if template is not None and path.resolve() == template.resolve():
            continue
        with collector.collect():
            page = read_page(path, f"{shown.rstrip('/')}/{path.relative_to(directory).as_posix()}")
            if page.meta:
                found.append(incident_of(page))
    collector.finalize()
    return tuple(sorted(found, key=lambda incident: (incident.started, incident.id)))


def incident_of(page: Page) -> Incident:
    """Make a record of a page; ProcessFileError if a key is missing, is no time, or the times are out of order."""
    id_, environment, severity, failure_class, playbook, owner = (_text(page, key) for key in _TEXTS)
    started, detected, restored, resolved = (_time(page, key) for key in TIMES)
    if started is None:
        raise _wrong(page, "started", None)
    before, name = started, "started"
    for key, moment in zip(TIMES[1:], (detected, restored, resolved), strict=True):
        if moment is not None and moment < before:
            raise ProcessFileError(
                f'"{key}" is before "{name}"',
                place=str(page.location(key)),
                expected=f"{name} ≤ {key}",
                found=str(moment),
            )
        before, name = (moment, key) if moment is not None else (before, name)
    return Incident(
        page, id_, environment, severity, failure_class, playbook, owner, started, detected, restored, resolved
    )


def figures(incidents: Sequence[Incident], deployments: Sequence[DeploymentRecord]) -> Figures:
    """Compute the figures of a period from its incidents and deployments."""
    recoveries = [(i.restored - i.started).total_seconds() / 60 for i in incidents if i.restored is not None]
    succeeded = sum(deployment.outcome == "succeeded" for deployment in deployments)
    return Figures(
        len(incidents),
        len(deployments),
        len(incidents) / len(deployments) if deployments else None,
        sum(recoveries) / len(recoveries) if recoveries else None,
        succeeded / len(deployments) if deployments else None,
    )


def _text(page: Page, key: str) -> str:
    value = page.meta.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(page, key, value)
    return value.strip()


def _time(page: Page, key: str) -> datetime | None:
    value = page.meta.get(key)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise _wrong(page, key, value) from None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise _wrong(page, key, value)
    return moment


def _wrong(page: Page, key: str, value: Any) -> ProcessFileError:
    expected = 'a time with its offset in quotes, such as "2026-10-01T09:00:00+09:00"' if key in TIMES else "text"
    return ProcessFileError(
        f'the front matter\'s "{key}" is missing or wrong',
        place=str(page.location(key)),
        expected=expected,
        found="nothing" if value is None else str(value),
        remedy=f"{key}: …",
    )
