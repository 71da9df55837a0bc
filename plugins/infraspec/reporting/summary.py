"""The terminal summary: verdicts by environment and rule, waived findings, waivers without use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from infraspec.contract.models import Waiver
from infraspec.contract.waivers import WaiverBook
from infraspec.reporting.judgement import PROPERTY

_COLUMNS = ("proven", "violated", "undetermined", "waived")
_MARKUP = {
    "violated": {"red": True},
    "undetermined": {"yellow": True},
    "proven": {"green": True},
    "waived": {"cyan": True},
}


def records(reports: Iterable[pytest.TestReport]) -> list[Mapping[str, Any]]:
    """Return the records that tests have left, in the order of environments and rules as they ran."""
    properties: list[tuple[str, Any]] = [pair for report in reports for pair in report.user_properties]
    return [value for name, value in properties if name == PROPERTY]


def write_summary(
    terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]], waivers: Sequence[Waiver]
) -> None:
    """Write the table and what waivers did; nothing if no check ran."""
    if not found:
        return
    terminal.section("infraspec", "-")
    _write_table(terminal, found)
    for record in found:
        for waived in record["waived"]:
            subject = f" {waived['subject']}" if waived["subject"] else ""
            terminal.line(
                f"waived   {record['environment']} {waived['rule']}: {waived['address']}{subject} "
                f"(until {waived['expires']} by {waived['owner']}: {waived['reason']})"
            )
    book = WaiverBook(waivers)
    for record in found:
        book.record(record)
    for unused in book.unused():
        terminal.line(f"unused   {unused}", yellow=True)


def _write_table(terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]]) -> None:
    environments = [record["environment"] for record in found]
    width = max(len("environment"), *map(len, environments))
    rule_width = max(len("rule"), *(len(record["rule"]) for record in found))
    terminal.line(f"{'environment':{width}}  {'rule':{rule_width}}  " + "  ".join(f"{name:>12}" for name in _COLUMNS))
    for record in sorted(found, key=lambda record: environments.index(record["environment"])):
        terminal.write(f"{record['environment']:{width}}  {record['rule']:{rule_width}}")
        for name in _COLUMNS:
            count = len(record["waived"]) if name == "waived" else record["counts"][name]
            terminal.write(f"  {count or '-':>12}", **(_MARKUP[name] if count else {}))
        terminal.line("")
