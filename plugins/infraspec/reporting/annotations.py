"""Findings as annotations of a GitHub Actions workflow run: workflow commands, which the log swallows.

Source: GitHub Docs, "Workflow commands for GitHub Actions", Setting an error message; the escapes are those of
actions/toolkit, packages/core/src/command.ts. GitHub shows ten errors and ten warnings of a step.
"""

from __future__ import annotations

from collections.abc import Iterator

from infraspec.finding import Location, Verdict
from infraspec.reporting.causes import Cause, causes, listed
from infraspec.reporting.results import Results, find

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
    shown = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in properties.items())
    return f"::{level} {shown}::{message.translate(_DATA)}"


def _of_finding(cause: Cause, at: int) -> str:
    entry = cause.entries[at]
    finding = entry.finding
    names = cause.environments if at == 0 else (entry.environment,)
    new = "new, " if cause.is_new else ""
    lines = [f"{finding.verdict.name} {finding.key}"]
    lines += [f"{label}: {text}" for label in ("expected", "found", "reason") if (text := getattr(finding, label))]
    if finding.remedy:
        lines.append(f"{'fix' if finding.verdict is Verdict.VIOLATED else 'to know'}: {finding.remedy}")
    title = f"infraspec {finding.rule} ({new}{listed(names)})"
    return command(_LEVELS[entry.state], finding.location, title, "\n".join(lines))
