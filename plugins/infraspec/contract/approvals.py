"""Labels of a pull request as approvals: they waive the risks of `[plan_review.approvals]` for one run."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from pathlib import Path

from infraspec.contract.models import Contract, Waiver
from infraspec.core.rules import PLAN_REVIEW
from infraspec.errors import EventError


def approvals(contract: Contract, labels: Collection[str], today: date) -> tuple[Waiver, ...]:
    """Return a waiver of today for each risk that a label approves."""
    table = contract.plan_review.approvals if contract.plan_review else {}
    return tuple(
        Waiver(
            rule=PLAN_REVIEW.id,
            address=f"* {risk}",
            reason=f"label {label}",
            owner="the pull request",
            expires=today,
        )
        for label, risks in table.items()
        if label in labels
        for risk in risks
    )


def labels_of_event(path: Path) -> tuple[str, ...]:
    """Return the labels of the pull request that an event file of GitHub Actions is about; none for other events.

    EventError if the file cannot be read. Source: GitHub, "Webhook events and payloads", pull_request.
    """
    try:
        event = json.loads(path.read_text(encoding="utf-8"))
        request = event.get("pull_request") or {}
        return tuple(label["name"] for label in request.get("labels", ()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EventError(
            "the event of the workflow run cannot be read",
            place=str(path),
            expected="the JSON file that GITHUB_EVENT_PATH names",
            found=f"{type(error).__name__}: {error}",
            remedy="give the labels yourself: --infraspec-labels approve/destroy",
        ) from None
