"""Findings as annotations of a GitHub Actions workflow run: workflow commands, which the log swallows.

Source: GitHub Docs, "Workflow commands for GitHub Actions", Setting an error message; the escapes are those of
actions/toolkit, packages/core/src/command.ts. GitHub shows ten errors and ten warnings of a step.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from infraspec.core.errors import listing
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rules import rule_of
from infraspec.core.visible_text import visible, visible_json
from infraspec.reporting.run.results import Entry, Results, by_rule, find, function_of
from infraspec.reporting.run.results_builder import Cause, causes

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})
_LEVELS = {"failing": "error", "warning": "warning"}


def workflow_commands(results: Results, base: Results | None) -> Iterator[str]:
    """Yield a command for each cause, then for its other places; what is new against a base comes first."""
    for problem in results.problems:
        title = f"infraspec {problem.kind} {problem.test}".rstrip()
        yield command("error", None, title, f"{problem.error}: {problem.message}".removesuffix(": "))
    found = causes(find(results.findings, "failing", "warning"), base)
    seen: set[tuple[Location | None, str]] = set()
    first = [(cause, 0) for cause in found]
    others = [(cause, at) for cause in found for at in range(1, len(cause.entries))]
    for cause, at in (*first, *others):
        finding = cause.entries[at].finding
        if (finding.location, finding.rule) in seen and at:
            continue
        seen.add((finding.location, finding.rule))
        yield _of_finding(cause, at)


def command(level: str, location: Location | None, title: str, message: str) -> str:
    """Return a workflow command; `level` is error, warning or notice."""
    properties = {"file": location.file} if location else {}
    if location and location.line:
        properties["line"] = str(location.line)
    properties["title"] = title
    shown = ",".join(f"{name}={visible(value).translate(_PROPERTY)}" for name, value in properties.items())
    return f"::{level} {shown}::{visible(message).translate(_DATA)}"


def _of_finding(cause: Cause, at: int) -> str:
    entry = cause.entries[at]
    finding = entry.finding
    names = cause.environments if at == 0 else (entry.environment,)
    new = "new, " if cause.is_new else ""
    title = f"infraspec {finding.rule} ({new}{listing(names, 5)})"
    return command(_LEVELS[entry.state], finding.location, title, _message(finding, finding.verdict.name))


DOCUMENTATION = "https://github.com/infraspec/pytest-infraspec/blob/main/docs/"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SARIF_LEVELS = {Verdict.VIOLATED: "error", Verdict.UNDETERMINED: "warning"}


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
    return visible_json(json.dumps(log, indent=1, ensure_ascii=False)) + "\n"


def _rule(rule: str) -> dict[str, Any]:
    known = rule_of(rule)
    about, why = known.sentence, " ".join(filter(None, (known.sentence, known.why)))
    page = {"helpUri": f"{DOCUMENTATION}{known.page}.md"} if known.page else {}
    link = f"\n\n[Documentation]({page['helpUri']})" if page else ""
    return {
        "id": rule,
        "name": "".join(word.capitalize() for word in rule.split("-")),
        "shortDescription": {"text": about},
        "fullDescription": {"text": why},
        "help": {"text": why, "markdown": f"**{about}** {known.why}{link}".rstrip()},
        **page,
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": [known.domain]},
    }


def _notifications(results: Results) -> dict[str, Any]:
    """Return the tests that have no verdict, and what the contract switches off, as notifications of the tool's run."""
    found = [
        {"level": "error", "message": {"text": " ".join(filter(None, [problem.test, problem.error, problem.message]))}}
        for problem in results.problems
    ]
    found += [
        {
            "level": "note",
            "message": {"text": f"{function_of(skipped.test)} in {skipped.environment}: {skipped.reason}"},
        }
        for skipped in results.skipped
        if skipped.reason.startswith("switched off")
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
        "level": _SARIF_LEVELS[finding.verdict],
        "message": {"text": _message(finding, f"{finding.verdict.name} in {entry.environment}:")},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        "properties": {"environment": entry.environment, "verdict": finding.verdict.value},
    }
    if related:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": f"{other.role}: {other.shown}"},
                "physicalLocation": _physical(other.location),
            }
            for number, other in enumerate(related, 1)
            if other.location
        ]
    if entry.state == "waived" and waiver:
        why = f"{waiver.reason} (until {waiver.expires} by {waiver.by})"
        result["suppressions"] = [_suppression(why, "inSource" if waiver.place else "external")]
    if entry.state == "known":
        result["suppressions"] = [_suppression("a finding of the baseline")]
    return result


def _suppression(justification: str, kind: str = "external") -> dict[str, Any]:
    return {"kind": kind, "status": "accepted", "justification": justification}


def _message(finding: Finding, head: str) -> str:
    remedy = "fix" if finding.verdict is Verdict.VIOLATED else "to know"
    texts = {label: getattr(finding, label) for label in ("consequence", "expected", "found", "reason")}
    texts[remedy] = finding.remedy
    return "\n".join([f"{head} {finding.key}", *(f"{label}: {text}" for label, text in texts.items() if text)])


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
        seen[entry.identity] += 1
        found.append(hashlib.sha256("\0".join((*entry.identity, str(seen[entry.identity]))).encode()).hexdigest()[:32])
    return found
