"""The verdicts of a rule about every subject as a table, the proven ones too: as a page and as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

from infraspec.finding import Finding, Location
from infraspec.reporting.run.results import Acceptance
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


class Row(NamedTuple):
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


def rows(result: RuleResult, place: Callable[[Location], tuple[str, str]]) -> list[Row]:
    """Return the verdicts, those that are not proven first; `place` gives a location as it is shown, and its link."""

    def row(finding: Finding, state: str, waiver: Acceptance | None = None) -> Row:
        return Row(finding, state, *(place(finding.location) if finding.location else ("", "")), waiver)

    entries = result.entries()
    listed = {id(entry.finding) for entry in entries}
    found = [row(entry.finding, entry.state, entry.waiver) for entry in entries]
    return found + [row(finding, "proven") for finding in result.result.active if id(finding) not in listed]


def as_csv(found: Iterable[Row]) -> str:
    """Return the table as CSV; what a spreadsheet would take for a formula is text.

    Source: RFC 4180; OWASP, "CSV Injection".
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in found:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row.cells()])
    return text.getvalue()


def as_html(title: str, found: Sequence[Row]) -> str:
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


def _line(row: Row) -> str:
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
