"""A diagnosis of `infraspec diagnose` as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from infraspec.checks.diagnosis import Diagnosis
from infraspec.checks.explanation import Explanation
from infraspec.ecs.task import revision_of
from infraspec.finding import Finding
from infraspec.process.changes import Changes
from infraspec.reporting.diagnosis import SHOWN_EVENTS, fix_of, name_of, rollback_commands


def as_json(diagnoses: Sequence[Diagnosis]) -> str:
    """Write diagnoses for programs; the keys are those of the documentation."""
    found = {"services": [builtins_of(one) for one in diagnoses]}
    return json.dumps(found, indent=2, ensure_ascii=False)


def builtins_of(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as JSON has it."""
    live, cause = diagnosis.live, diagnosis.cause
    return {
        "service": name_of(diagnosis),
        "address": diagnosis.one.declared.resource.address,
        "arn": live.arn if live else None,
        "healthy": diagnosis.is_healthy,
        "past": diagnosis.is_past,
        "since": None if diagnosis.is_healthy else diagnosis.begun.isoformat(),
        "revision": {
            "running": revision_of(live.task_definition) if live else None,
            "newest": revision_of(diagnosis.one.newest) or None,
            "previous": diagnosis.previous or None,
        },
        "deployments": [
            {
                "status": one.status,
                "reason": one.reason or None,
                "revision": revision_of(one.task_definition) or None,
                "created": one.created.isoformat() if one.created else None,
            }
            for one in (live.service_deployments[:SHOWN_EVENTS] if live else ())
        ],
        "stopped": [
            {
                "revision": group.newest.revision,
                "tasks": [task.arn for task in group.tasks],
                "how": group.stop.value,
                "last": group.newest.stopped.isoformat() if group.newest.stopped else None,
                "reason": group.newest.reason,
            }
            for group in diagnosis.stopped
        ],
        "events": [{"at": event.at.isoformat(), "message": event.message} for event in diagnosis.events],
        "rollout": [_finding(finding) for finding in diagnosis.rollout],
        "missing": [_finding(finding) for finding in diagnosis.missing],
        "cause": None
        if cause is None
        else {
            "class": cause.failure.value if cause.failure else None,
            "text": cause.text,
            **{
                key: getattr(cause, key) or None
                for key in ("action", "resource", "role", "secret", "key", "parameter", "image")
            },
        },
        "source": _explanation(diagnosis.explanation),
        "deployed": _explanation(diagnosis.deployed),
        "note": diagnosis.note or None,
        "fix": str(fix_of(diagnosis)) or None,
        "rollback": [] if diagnosis.is_healthy else list(rollback_commands(diagnosis)),
        "playbooks": [] if diagnosis.is_healthy else [page.page.file for page in diagnosis.playbooks],
        "changes": _changes_as_builtins(diagnosis.changes),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    keys = ("rule", "subject", "expected", "found", "reason", "remedy")
    return {"verdict": finding.verdict.value, **{key: getattr(finding, key) or None for key in keys}}


def _explanation(explanation: Explanation | None) -> dict[str, Any] | None:
    if explanation is None:
        return None
    hit, addition = explanation.hit, explanation.addition
    return {
        "decision": explanation.outcome.value,
        "role": explanation.role.address,
        "why": explanation.reason,
        "statement": str(hit) if hit else None,
        "location": str(hit.location) if hit and hit.location else None,
        "add": {"to": addition.target, "location": str(addition.location or "") or None, "hcl": addition.hcl}
        if addition
        else None,
    }


def _changes_as_builtins(changes: Changes | None) -> dict[str, Any] | None:
    if changes is None:
        return None
    return {
        "since": changes.since.isoformat(),
        "note": changes.note or None,
        "found": [
            {
                "at": change.at.isoformat(),
                "operation": change.operation,
                "who": change.who,
                "what": list(change.what),
                "error": change.error or None,
            }
            for change in changes.found
        ],
    }
