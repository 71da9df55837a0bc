"""A cause of findings as Markdown: where, what was expected and found, why, and the fix in a fold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from infraspec.finding import Verdict
from infraspec.reporting.causes import Cause, listed
from infraspec.reporting.length import shortened
from infraspec.reporting.markdown import Links, code, escape, fence, fold
from infraspec.reporting.results import Entry

_CODE = re.compile(r'\s*(#|\[|\{|[\w."-]+\s*=[^=]|[\w-]+(\s+"[^"]*")*\s*\{)')
_SHOWN = 10


def finding_text(cause: Cause, links: Links) -> str:
    """Return a cause as Markdown: the first finding in full, the others by name."""
    finding = cause.finding
    subjects = list(cause.subjects.values())
    first = subjects[0]
    lines = [f"**{code(finding.rule)}** {code(finding.key)}  ", f"{_where(first, links)}", ""]
    lines += [f"- and {_other(entries, links)}" for entries in subjects[1:_SHOWN]]
    if len(subjects) > _SHOWN:
        lines.append(f"- and {len(subjects) - _SHOWN} more of the same cause")
    lines += _evidence(cause, links)
    remedy = shortened(finding.remedy)
    if remedy:
        lines += ["", _fix(remedy, "the fix" if finding.verdict is Verdict.VIOLATED else "how to know")]
    return "\n".join(lines)


def _where(entries: Sequence[Entry], links: Links) -> str:
    location = entries[0].finding.location
    names = ", ".join(dict.fromkeys(entry.environment for entry in entries))
    return f"{links.place(location)} · {names}" if location else names


def _other(entries: Sequence[Entry], links: Links) -> str:
    return f"{code(entries[0].finding.key)} {_where(entries, links)}"


def _evidence(cause: Cause, links: Links) -> Iterator[str]:
    finding = cause.finding
    for label in ("expected", "found", "reason"):
        text = shortened(getattr(finding, label))
        for at, line in enumerate(filter(None, text.splitlines())):
            yield f"- **{label}:** {escape(line)}" if at == 0 else f"  <br>{escape(line)}"
    for other in finding.related:
        place = f" {links.place(other.location)}" if other.location else ""
        yield f"- **{escape(other.role)}:** {code(other.address)}{place}"
    if len(cause.environments) > 1:
        yield f"- alike, but for names and accounts, in {listed(cause.environments[1:])}"


def _fix(remedy: str, title: str) -> str:
    """Return a remedy: one line of prose as it is, code in a fold, prose before code above the code."""
    first, _, rest = remedy.partition("\n")
    if _CODE.match(first):
        return fold(title, fence(remedy, "hcl"))
    if not rest:
        return f"- **{title}:** {escape(first)}"
    return fold(title, f"{escape(first)}\n\n{fence(rest, 'hcl')}")
