"""Findings as SARIF, which GitHub's code scanning and editors show beside the lines.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub Docs, "SARIF support for code
scanning", which takes the fingerprint `primaryLocationLineHash`, and needs a file for every result.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from infraspec.core.rules import rule_of
from infraspec.finding import Finding, Location, Verdict
from infraspec.reporting.order import by_rule
from infraspec.reporting.results import Entry, Results, find

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Verdict.VIOLATED: "error", Verdict.UNDETERMINED: "warning"}


def sarif(results: Results) -> str:
    """Return the log: one result for each finding that is not proven, the waived and known ones suppressed."""
    entries = find(results.findings, "failing", "warning", "waived", "known")
    used = {entry.finding.rule for entry in entries} | {count.rule for count in results.counts}
    rules = sorted(used, key=lambda rule: by_rule("", rule, ()))
    prints = _fingerprints(entries)
    run = {
        "tool": {
            "driver": {
                "name": "infraspec",
                "semanticVersion": results.run.infraspec,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [{"executionSuccessful": not results.problems, **_notifications(results)}],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "results": [
            _result(entry, rules.index(entry.finding.rule), fingerprint, results.run.contract)
            for entry, fingerprint in zip(entries, prints, strict=True)
        ],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _rule(rule: str) -> dict[str, Any]:
    known = rule_of(rule)
    about = known.sentence
    help_text = f"{about} See docs/{known.page}.md of infraspec." if known.page else about
    return {
        "id": rule,
        "shortDescription": {"text": about},
        "fullDescription": {"text": about},
        "help": {"text": help_text, "markdown": help_text},
        "defaultConfiguration": {"level": "error"},
    }


def _notifications(results: Results) -> dict[str, Any]:
    """Return the tests that have no verdict as notifications of the tool's run."""
    found = [
        {"level": "error", "message": {"text": " ".join(filter(None, [problem.test, problem.error, problem.message]))}}
        for problem in results.problems
    ]
    return {"toolExecutionNotifications": found} if found else {}


def _result(entry: Entry, index: int, fingerprint: str, contract: str) -> dict[str, Any]:
    """Return one result; a finding without a file is shown at the contract."""
    finding, waiver = entry.finding, entry.waiver
    place = finding.location or (Location(contract) if contract else None)
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": finding.address, "kind": "resource"}]}
    if place:
        location["physicalLocation"] = _physical(place)
    related = [other for other in finding.related if other.location]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.verdict],
        "message": {"text": _message(finding, entry.environment)},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        "properties": {"environment": entry.environment, "verdict": finding.verdict.value},
    }
    if related:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": f"{other.role}: {other.address}"},
                "physicalLocation": _physical(other.location),
            }
            for number, other in enumerate(related, 1)
            if other.location
        ]
    if entry.state == "waived" and waiver:
        why = f"{waiver.reason} (until {waiver.expires} by {waiver.owner})"
        result["suppressions"] = [_suppression(why)]
    if entry.state == "known":
        result["suppressions"] = [_suppression("a finding of the baseline")]
    return result


def _suppression(justification: str) -> dict[str, Any]:
    return {"kind": "external", "status": "accepted", "justification": justification}


def _message(finding: Finding, environment: str) -> str:
    lines = [f"{finding.verdict.name} in {environment}: {finding.key}"]
    lines += [f"{label}: {text}" for label in ("expected", "found", "reason") if (text := getattr(finding, label))]
    label = "fix" if finding.verdict is Verdict.VIOLATED else "to know"
    return "\n".join([*lines, *([f"{label}: {finding.remedy}"] if finding.remedy else [])])


def _physical(place: Location) -> dict[str, Any]:
    base = {} if place.file.startswith(("/", "..")) else {"uriBaseId": "%SRCROOT%"}
    return {
        "artifactLocation": {"uri": quote(place.file), **base},
        **({"region": {"startLine": place.line}} if place.line else {}),
    }


def _fingerprints(entries: Sequence[Entry]) -> list[str]:
    """Return what tells findings apart and stays when lines move; of those that are alike, by their order."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for entry in entries:
        finding = entry.finding
        key = (entry.environment, finding.rule, finding.address, finding.subject)
        seen[key] += 1
        found.append(hashlib.sha256("\0".join((*key, str(seen[key]))).encode()).hexdigest()[:32])
    return found
