"""Incident records and the figures that are made of them.

A record is a Markdown page. Its front matter names `id`, `environment`, `severity`, `failure_class`, `playbook` and
`owner`, and when it `started`, was `detected`, `restored` and `resolved` (RFC 3339, with an offset); its body has a
timeline and five whys. Source of the figures: DORA's "time to restore service" and "change failure rate".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.process.markdown import Page, read_pages, text_of, wrong_key

TIMES = ("started", "detected", "restored", "resolved")
_TIME = 'a time with its offset in quotes, such as "2026-10-01T09:00:00+09:00"'
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
    found = read_pages(directory, shown, incident_of, template=template)
    return tuple(sorted(found, key=lambda incident: (incident.started, incident.id)))


def incident_of(page: Page) -> Incident:
    """Make a record of a page; ProcessFileError if a key is missing, is no time, or the times are out of order."""
    id_, environment, severity, failure_class, playbook, owner = (text_of(page, key) for key in _TEXTS)
    started, detected, restored, resolved = (_time(page, key) for key in TIMES)
    if started is None:
        raise wrong_key(page, "started", _TIME, None)
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


def _time(page: Page, key: str) -> datetime | None:
    value = page.meta.get(key)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise wrong_key(page, key, _TIME, value) from None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise wrong_key(page, key, _TIME, value)
    return moment
