"""The files that Allure reads beside the results: environment, categories and who ran it.

Source: Allure Report Docs, "Test results file", "Environment", "Categories" and "Executors" of "How it works".
"""

from __future__ import annotations

import csv
import io
import json
import platform
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from infraspec.core.errors import writing
from infraspec.core.finding import Finding, Location
from infraspec.core.runtime import write_whole
from infraspec.reporting.run.results import Acceptance, Results
from infraspec.reporting.run.rule_result import RuleResult

COLUMNS = ("verdict", "state", "address", "subject", "place", "expected", "found", "reason", "fix", "waiver")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TELLING = ("warning", "waived", "known", "advice")
"""States that say more than the verdict."""
_STYLE = """
:root { color-scheme: light dark; font: 13px/1.4 system-ui, sans-serif }
body { margin: 12px }
p { margin: 0 0 8px }
pre { margin: 4px 0; padding: 6px; white-space: pre-wrap; background: #8882; border-radius: 4px }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: 4px 8px; border-bottom: 1px solid #8884 }
td { overflow-wrap: anywhere }
th { position: sticky; top: 0; background: Canvas }
.violated { --mark: light-dark(#d1242f, #ff7b72) }
.undetermined { --mark: light-dark(#9a6700, #e3b341) }
.proven { --mark: light-dark(#1a7f37, #7ee787) }
td + td { width: 36%; white-space: normal }
td + td + td { width: 56% }
i { color: GrayText }
td:first-child { color: var(--mark); font-weight: 600; white-space: nowrap }
"""


class VerdictRow(NamedTuple):
    """One verdict; `place` is relative to the repository, `href` where it is shown, or empty."""

    finding: Finding
    state: str
    place: str
    href: str = ""
    waiver: Acceptance | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the text of the columns."""
        finding, waiver = self.finding, self.waiver
        accepted = f"until {waiver.expires} by {waiver.owner}: {waiver.reason}" if waiver else ""
        texts = (finding.expected, finding.found, finding.reason, finding.remedy)
        return finding.verdict.value, self.state, finding.address, finding.subject, self.place, *texts, accepted


def rows(result: RuleResult, place: Callable[[Location], tuple[str, str]]) -> list[VerdictRow]:
    """Return the verdicts, those that are not proven first; `place` gives a location as it is shown, and its link."""

    def row(finding: Finding, state: str, waiver: Acceptance | None = None) -> VerdictRow:
        return VerdictRow(finding, state, *(place(finding.location) if finding.location else ("", "")), waiver)

    entries = result.entries()
    listed = {id(entry.finding) for entry in entries}
    found = [row(entry.finding, entry.state, entry.waiver) for entry in entries]
    return found + [row(finding, "proven") for finding in result.result.active if id(finding) not in listed]


def as_csv(found: Iterable[VerdictRow]) -> str:
    """Return the table as CSV; what a spreadsheet would take for a formula is text.

    Source: RFC 4180; OWASP, "CSV Injection".
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in found:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row.cells()])
    return text.getvalue()


def as_html(title: str, found: Sequence[VerdictRow]) -> str:
    """Return the table as a page of its own, without scripts and references to anything."""
    numbers = Counter(row.finding.verdict.value for row in found)
    counts = ", ".join(f"{number:,} {name}" for name, number in numbers.items())
    body = "\n".join(map(_line, found))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><p>{escape(title)}: {counts or 'nothing'}</p>\n"
        "<table><thead><tr><th>verdict</th><th>about</th><th>what shows it</th></tr></thead>"
        f"<tbody>\n{body}\n</tbody></table></body></html>\n"
    )


def _line(row: VerdictRow) -> str:
    verdict, state, address, subject, place, *texts = map(_escaped, row.cells())
    told = state if state in _TELLING else ""
    shown = f'<a href="{escape(row.href)}">{place}</a>' if row.href else place
    about = "<br>".join(filter(None, (address, subject, shown)))
    why = "".join(
        f"<pre>{text}</pre>" if label == "fix" else f"<div><i>{label}</i> {text}</div>"
        for label, text in zip(COLUMNS[-len(texts) :], texts, strict=True)
        if text
    )
    return f'<tr class="{verdict}"><td>{verdict}<br>{told}</td><td>{about}</td><td>{why}</td></tr>'


def _escaped(text: str) -> str:
    return escape(text, quote=False)


VIOLATED = r"^\d+ violated\b[\s\S]*"
UNDETERMINED = r"^(XFAIL )?\d+ undetermined of [\s\S]*"
CATEGORIES: tuple[dict[str, Any], ...] = (
    {"name": "Violated", "matchedStatuses": ["failed"], "messageRegex": VIOLATED},
    {"name": "Undetermined", "matchedStatuses": ["failed", "skipped"], "messageRegex": UNDETERMINED},
    {
        "name": "Failed rules of the repository's own",
        "matchedStatuses": ["failed"],
        "messageRegex": r"^(?!\d+ (violated|undetermined))[\s\S]*",
    },
    {
        "name": "Broken: the rule matched nothing",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^EmptySelectionError: [\s\S]*",
    },
    {
        "name": "Broken: an error of the input",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^(?!EmptySelectionError|NetworkBlockedError|unexpected )[\s\S]*",
    },
    {
        "name": "Broken: the network was asked",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^NetworkBlockedError: [\s\S]*",
    },
    {
        "name": "Broken: an unexpected error",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^unexpected [\s\S]*",
    },
)
"""Each failed or broken test is in one of them; a regular expression is about the whole message."""

_PLAIN = re.compile(r"[^A-Za-z0-9_./-]")


def write_files(folder: Path, results: Results, environ: Mapping[str, str]) -> None:
    """Write the files into the folder of Allure's results. Raises ReportError if that is not possible."""
    texts = {
        "environment.properties": environment(results),
        "categories.json": json.dumps(CATEGORIES, indent=1) + "\n",
    }
    if found := executor(environ):
        texts["executor.json"] = json.dumps(found, indent=1) + "\n"
    expected = "a folder that the user running the tests may write to"
    with writing("Allure's files cannot be written", f"--alluredir {folder}", expected):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, text.encode())


def environment(results: Results) -> str:
    """Return what was checked, and with what, as Java properties."""
    run = results.run
    pairs = {
        "infraspec": run.infraspec,
        "Python": platform.python_version(),
        "Application": run.application,
        "Contract": run.contract,
        "Environments": ", ".join(run.environments),
        "Commit": run.commit,
        **{f"Plan.{plan.environment}": plan.file for plan in run.plans},
        "Complete": "yes" if run.complete else "no",
    }
    return "".join(f"{_PLAIN.sub('_', key)}={_property(value)}\n" for key, value in pairs.items() if value)


def executor(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what GitHub Actions or GitLab CI say of the run; None elsewhere.

    Source: GitHub Docs, "Variables reference"; GitLab Docs, "Predefined CI/CD variables reference".
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        url = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        build = f"{url}/actions/runs/{environ.get('GITHUB_RUN_ID', '')}"
        numbered = _numbered(environ.get("GITHUB_WORKFLOW", ""), environ.get("GITHUB_RUN_NUMBER", ""))
        return {"name": "GitHub Actions", "type": "github", "url": url, **numbered, "buildUrl": build}
    if environ.get("GITLAB_CI") == "true":
        url, build = environ.get("CI_PROJECT_URL", ""), environ.get("CI_JOB_URL", "")
        numbered = _numbered(environ.get("CI_JOB_NAME", ""), environ.get("CI_PIPELINE_IID", ""))
        return {"name": "GitLab CI", "type": "gitlab", "url": url, **numbered, "buildUrl": build}
    return None


def _numbered(name: str, number: str) -> dict[str, Any]:
    order = {"buildOrder": int(number)} if number.isdecimal() else {}
    return {**order, "buildName": " ".join(filter(None, [name, f"#{number}" if number else ""]))}


def _property(value: str) -> str:
    """Return a value as Java's Properties.load reads it, which takes ISO 8859-1: everything else is escaped."""
    units = value.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(
        f"\\{chr(code)}" if chr(code) in "\\:=#!" else chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}"  # noqa: PLR2004 - printable ASCII
        for code in codes
    )
