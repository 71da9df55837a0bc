"""Findings grouped by their cause: what has the same reason and the same remedy is said once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from infraspec.finding import Finding, Verdict
from infraspec.reporting.run.results import VERDICTS, Entry, Results

_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


class Cause(Struct, frozen=True):
    """Findings of one rule that have the same reason and remedy, but for the environment's name and account."""

    entries: tuple[Entry, ...]
    is_new: bool = False

    @property
    def finding(self) -> Finding:
        """The first of them, which stands for all."""
        return self.entries[0].finding

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments, each once, in order."""
        return tuple(dict.fromkeys(entry.environment for entry in self.entries))

    @property
    def subjects(self) -> Mapping[str, tuple[Entry, ...]]:
        """The entries by what they are about, `Finding.key`."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.finding.key, []).append(entry)
        return {key: tuple(entries) for key, entries in found.items()}


def causes(entries: Iterable[Entry], base: Results | None = None) -> tuple[Cause, ...]:
    """Group findings by cause, in order of the first of each: new against a base first, violations before the rest."""
    known = _verdicts(base) if base else {}
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        is_new = base is not None and _is_new(entry, known)
        groups.setdefault((not is_new, VERDICTS.index(entry.finding.verdict), *_identity(entry)), []).append(entry)
    ordered = sorted(groups.items(), key=lambda group: group[0][:2])
    return tuple(Cause(tuple(group), is_new=not key[0] and base is not None) for key, group in ordered)


def mended(results: Results, base: Results) -> tuple[Entry, ...]:
    """Return what the base has found and this run has looked for and not found."""
    now = _verdicts(results)
    ran = results.ran()
    return tuple(
        entry
        for entry in base.findings
        if entry.finding.verdict is not Verdict.PROVEN
        and (entry.environment, entry.finding.rule) in ran
        and _key(entry) not in now
    )


def _verdicts(results: Results) -> dict[tuple[str, ...], Verdict]:
    return {_key(entry): entry.finding.verdict for entry in results.findings}


def _is_new(entry: Entry, known: Mapping[tuple[str, ...], Verdict]) -> bool:
    """Tell whether a finding is not in the base, or was only UNDETERMINED there."""
    before = known.get(_key(entry), Verdict.PROVEN)
    return before is not Verdict.VIOLATED and before is not entry.finding.verdict


def _key(entry: Entry) -> tuple[str, ...]:
    return entry.environment, entry.finding.rule, entry.finding.address, entry.finding.subject


def _identity(entry: Entry) -> tuple[object, ...]:
    """Return what is equal for findings of one cause; a finding that gives neither reason nor remedy is its own."""
    finding = entry.finding
    why = _neutral(finding.reason, entry.environment), _neutral(finding.remedy, entry.environment)
    return (entry.state, finding.rule, *(why if any(why) else (finding.key, finding.found)))


def _neutral(text: str, environment: str) -> str:
    """Return a text without the environment's name and without account ids."""
    named = rf"(?<![A-Za-z0-9]){re.escape(environment)}(?![A-Za-z0-9])"
    return _ACCOUNT.sub("…", re.sub(named, "…", text, flags=re.IGNORECASE))


def listed(names: Sequence[str], limit: int = 5) -> str:
    """Join names for people, at most `limit` of them."""
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")
