"""The file of a baseline, written from the results of a run: one known finding a line, so that a diff shows each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from infraspec.contract.baseline import NEVER_KNOWN, Baseline
from infraspec.core.errors import BaselineError
from infraspec.reporting.run.results import Results, find

_HOLDS = timedelta(days=90)


def baseline_of(results: Results, expires: str | None) -> str:
    """Return a baseline of every finding that is neither proven nor waived, but for what a plan changes.

    Raises BaselineError for a day that is none.
    """
    day = _day(expires) if expires else date.fromisoformat(results.run.time[:10]) + _HOLDS
    return _text(
        day,
        (
            {
                "rule": entry.finding.rule,
                "environment": entry.environment,
                "address": address,
                "subject": subject,
                "verdict": entry.finding.verdict.value,
            }
            for entry in find(results.findings, "failing", "warning", "known")
            for address, subject in entry.finding.instances
            if entry.finding.rule not in NEVER_KNOWN
        ),
    )


def shrunk(results: Results, path: Path, expires: str | None) -> str:
    """Return a baseline without what the results say is fixed. Raises BaselineError."""
    if results.baseline is None:
        raise BaselineError(
            "the results are of a run without a baseline",
            place=str(path),
            expected="results of a contract with [suite] baseline",
            remedy="name the baseline in the contract and run the suite again",
        )
    before = _read(path)
    fixed = Counter((entry.rule, entry.environment, entry.address, entry.subject) for entry in results.baseline.fixed)
    kept = []
    for known in before.findings:
        key = (known.rule, known.environment, known.address, known.subject)
        if fixed[key]:
            fixed[key] -= 1
        else:
            kept.append(known.model_dump())
    return _text(_day(expires) if expires else before.expires, kept)


def _read(path: Path) -> Baseline:
    try:
        return Baseline.from_json(path.read_text(encoding="utf-8"), place=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError("the baseline cannot be read", place=str(path), found=str(error)) from None


def _text(day: date, rows: Iterable[Mapping[str, str]]) -> str:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{{"version": 1, "expires": "{day}", "findings": [\n{lines}\n]}}\n'


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BaselineError(
            "a baseline has a last day",
            place="--expires",
            expected="a day that the calendar has, such as 2026-11-01",
            found=text,
        ) from None
