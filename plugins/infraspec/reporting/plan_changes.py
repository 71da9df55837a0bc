"""What a plan changes, as Markdown: what needs an approval, what else is worth a look, the rest in a fold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from infraspec.core.rules import PLAN_REVIEW
from infraspec.reporting.length import Section
from infraspec.reporting.markdown import Links, code, escape
from infraspec.reporting.results import Entry, Results

_MARKS = {"failing": "❌", "warning": "⚠️", "waived": "☑️", "proven": "👀"}
_SILENT = "no resource changes"


def plan_sections(results: Results, links: Links) -> list[Section]:
    """Return a section for each environment that a plan was reviewed of."""
    reviewed = [count.environment for count in results.counts if count.rule == PLAN_REVIEW.id]
    return [section for name in reviewed for section in _of_environment(name, results, links)]


def _of_environment(name: str, results: Results, links: Links) -> list[Section]:
    entries = [
        entry for entry in results.findings if entry.environment == name and entry.finding.rule == PLAN_REVIEW.id
    ]
    changes = [entry for entry in entries if entry.finding.found]
    risky = [entry for entry in changes if entry.state != "proven"]
    notable = [entry for entry in changes if entry.state == "proven" and entry.finding.subject]
    quiet = [entry for entry in changes if entry.state == "proven" and not entry.finding.subject]
    plan = next((code(plan.file) for plan in results.run.plans if plan.environment == name), "the plan")
    title = f"What {plan} changes in {name}: {_kinds(changes) or _SILENT}"
    shown = [_line(entry, links) for entry in (*risky, *notable)]
    first = Section(title, tuple(shown) or ("Nothing of it is a risk.",), rank=1, noun="risks of plans")
    rest = Section(
        f"{len(quiet)} changes without a risk in {name}",
        tuple(_line(entry, links) for entry in quiet),
        rank=8,
        noun="changes without a risk",
        folded=True,
    )
    return [first, rest]


def _kinds(changes: Sequence[Entry]) -> str:
    """Count resources by what is done to them, as far as a line says it: "1 to look at, 2 create"."""
    done = {
        entry.finding.address: re.split(r"[:,(]", entry.finding.found, maxsplit=1)[0].strip()
        for entry in changes
        if not entry.finding.subject
    }
    risks = len({entry.finding.address for entry in changes if entry.finding.subject})
    counts = [f"{number} {escape(kind)}" for kind, number in sorted(Counter(done.values()).items())]
    return ", ".join([*([f"{risks} to look at"] if risks else []), *counts])


def _line(entry: Entry, links: Links) -> str:
    finding, waiver = entry.finding, entry.waiver
    place = f" {links.place(finding.location)}" if finding.location else ""
    mark = f"{_MARKS[entry.state]} **{escape(finding.subject)}** " if finding.subject else ""
    approved = (
        f" — approved by {escape(waiver.owner)}: {escape(waiver.reason)}" if waiver and entry.state == "waived" else ""
    )
    first = finding.found.splitlines()[0]
    return f"- {mark}{code(finding.address)}: {escape(first)}{place}{approved}"
