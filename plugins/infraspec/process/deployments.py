"""The deployments of a log: a line of JSON each, or what the AWS CLI lists of a service.

Source: Amazon ECS API Reference, "ServiceDeploymentBrief": a deployment that was rolled back ends as
ROLLBACK_SUCCESSFUL or ROLLBACK_FAILED, one that somebody stopped as STOPPED.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from infraspec.errors import ErrorCollector, ProcessFileError
from infraspec.process.incidents import Deployment
from infraspec.process.json_file import read_text
from infraspec.process.moments import environment_of, moment_of

_LINE = '{"at": "2026-10-01T09:00:00+09:00", "environment": "prod", "outcome": "succeeded"}, or failed, rolled-back'
_LOGGED = {"succeeded", "failed", "rolled-back"}
_OUTCOMES = {
    "SUCCESSFUL": "succeeded",
    "STOPPED": "failed",
    "ROLLBACK_SUCCESSFUL": "rolled-back",
    "ROLLBACK_FAILED": "failed",
}
_RUNNING = {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}


def deployments_of(path: Path, shown: str, environments: Collection[str]) -> tuple[Deployment, ...]:
    """Read a log of deployments, or the output of `aws ecs list-service-deployments`.

    One that is not finished is left out. Raises ProcessFileError for what is neither, all at once.
    """
    text = read_text(path, shown, expected=_LINE)
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, Mapping) or "serviceDeployments" not in tree:
        return _log(text, shown)
    rows = tree["serviceDeployments"]
    collector = ErrorCollector()
    found: list[Deployment] = []
    for at, row in enumerate(rows if isinstance(rows, list) else [rows]):
        with collector.collect():
            deployment = _deployment(row, f"{shown}: serviceDeployments[{at}]", environments)
            found += [deployment] if deployment else []
    collector.finalize()
    return tuple(found)


def _log(text: str, shown: str) -> tuple[Deployment, ...]:
    collector = ErrorCollector()
    found: list[Deployment] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            with collector.collect():
                found.append(_logged(line, f"{shown}:{number}"))
    collector.finalize()
    return tuple(found)


def _logged(line: str, place: str) -> Deployment:
    try:
        tree = json.loads(line)
        at = datetime.fromisoformat(tree["at"])
        environment, outcome = str(tree["environment"]), tree["outcome"]
    except (ValueError, TypeError, KeyError, RecursionError):
        at, environment, outcome = None, "", None
    if at is None or at.tzinfo is None or outcome not in _LOGGED:
        raise ProcessFileError("no record of a deployment", place=place, expected=_LINE)
    return Deployment(at, environment, outcome)


def _deployment(row: Any, place: str, environments: Collection[str]) -> Deployment | None:
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
    return Deployment(finished, environment_of(str(row.get("serviceArn", "")), environments), _OUTCOMES[status])
