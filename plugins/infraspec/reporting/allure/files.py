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
from string import Template
from typing import Any, NamedTuple

from infraspec.core.errors import writing
from infraspec.core.finding import Finding, Location
from infraspec.core.runtime import write_whole
from infraspec.core.visible_text import visible, visible_json
from infraspec.reporting.run.results import Acceptance, Results
from infraspec.reporting.run.rule_result import RuleResult

COLUMNS = ("verdict", "state", "address", "subject", "place", "expected", "found", "reason", "fix", "waiver")
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""What a spreadsheet takes for a formula, at the beginning of a cell, in wide forms too."""
_TELLING = ("warning", "waived", "known", "advice")
"""States that say more than the verdict."""


class VerdictRow(NamedTuple):
    """One verdict; `place` is relative to the repository, `href` where it is shown, or empty."""

    finding: Finding
    state: str
    place: str
    href: str = ""
    waiver: Acceptance | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the text of the columns, as it may be shown."""
        finding, waiver = self.finding, self.waiver
        accepted = f"until {waiver.expires} by {waiver.by}: {waiver.reason}" if waiver else ""
        texts = (finding.expected, finding.found, finding.reason, finding.remedy)
        place = visible(self.place)
        return finding.verdict.value, self.state, finding.address, finding.subject, place, *texts, accepted


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
        writer.writerow([f"'{cell}" if _FORMULA.match(cell) else cell for cell in row.cells()])
    return text.getvalue()


def as_html(title: str, found: Sequence[VerdictRow]) -> str:
    """Return the table as a page of its own, without scripts and references to anything."""
    numbers = Counter(row.finding.verdict.value for row in found)
    counts = ", ".join(f"{number:,} {name}" for name, number in numbers.items())
    rows = "\n".join(map(_line, found))
    return Template(_shipped("verdicts.html")).substitute(
        title=escape(visible(title)), counts=counts or "nothing", rows=rows
    )


def _shipped(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _line(row: VerdictRow) -> str:
    whole = escape("\0".join(row.cells()), quote=False)  # no cell has one: it would be shown as an escape
    verdict, state, address, subject, place, *texts = whole.split("\0")
    told = state if state in _TELLING else ""
    shown = f'<a href="{escape(row.href)}">{place}</a>' if row.href else place
    about = "<br>".join(filter(None, (address, subject, shown)))
    why = "".join(
        f"<pre>{text}</pre>" if label == "fix" else f"<div><i>{label}</i> {text}</div>"
        for label, text in zip(COLUMNS[-len(texts) :], texts, strict=True)
        if text
    )
    return f'<tr class="{verdict}"><td>{verdict}<br>{told}</td><td>{about}</td><td>{why}</td></tr>'


_PLAIN = re.compile(r"[^A-Za-z0-9_./-]")


def write_files(folder: Path, results: Results, environ: Mapping[str, str]) -> None:
    """Write the files into the folder of Allure's results. Raises ReportError if that is not possible."""
    texts = {
        "environment.properties": environment(results),
        "categories.json": _shipped("categories.json"),
    }
    if found := executor(environ):
        texts["executor.json"] = json.dumps(found, indent=1) + "\n"
    expected = "a folder that the user running the tests may write to"
    with writing("Allure's files cannot be written", f"--alluredir {folder}", expected):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, visible_json(text).encode())


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
