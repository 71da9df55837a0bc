"""The terminal summary: verdicts by environment and rule, waived findings, waivers without use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from textwrap import indent
from typing import Any

import pytest

from infraspec.contract import place_of
from infraspec.contract.baseline import Baseline
from infraspec.contract.models import Contract
from infraspec.contract.positions import KeyPath
from infraspec.contract.suggestion import did_you_mean
from infraspec.contract.waivers import WaiverBook
from infraspec.core.rules import RULES
from infraspec.reporting.run.recorder import REPOSITORY, Recorder
from infraspec.reporting.run.results import by_rule
from infraspec.reporting.run.results_builder import fixed_of
from infraspec.reporting.run.rule_result import allowing

_MOST_ADVICE = 10
_MOST_FIXED = 10
_MOST_SLOW = 5
_COLUMNS = ("proven", "violated", "undetermined", "waived")
_MARKUP = {
    "violated": {"red": True},
    "undetermined": {"yellow": True},
    "proven": {"green": True},
    "waived": {"cyan": True},
    "broken": {"red": True},
}


def write_summary(
    terminal: pytest.TerminalReporter,
    recorder: Recorder,
    contract: Contract,
    baseline: Baseline | None = None,
    shown: Callable[[str], str] = str,
) -> None:
    """Write the table, what waivers and baseline did and what matched nothing, in order of environments and rules.

    `shown` gives the name that an environment has in reports.
    """
    found: Sequence[Mapping[str, Any]] = recorder.records
    environments = list(contract.environments)
    found = sorted(found, key=lambda record: by_rule(record["environment"], record["rule"], environments))
    terminal.section("infraspec", "-")
    named = [{**record, "environment": shown(record["environment"])} for record in found]
    problems = sorted(recorder.problems, key=lambda problem: problem["test"])
    broken = [(shown(problem["environment"]), _function(problem["test"])) for problem in problems if problem["test"]]
    _write_table(terminal, named, broken)
    _write_problems(terminal, recorder)
    _write_skipped(terminal, recorder, environments, shown)
    for record in named:
        for waived in record["waived"]:
            subject = f" {waived['subject']}" if waived["subject"] else ""
            terminal.line(
                f"waived   {record['environment']} {waived['rule']}: {waived['address']}{subject} "
                f"(until {waived['expires']} by {waived['owner']}: {waived['reason']})"
            )
        _write_advice(terminal, record)
    book = WaiverBook(contract.waivers)
    for judged in found:
        book.record(judged)
    for unused in book.unused():
        terminal.line(f"unused   {unused}", yellow=True)
    if baseline:
        _write_baseline(terminal, found, baseline)
    _write_unknown_rules(terminal, {record["rule"] for record in found}, contract)
    _write_empty(terminal, found, contract)
    if terminal.verbosity > 0 or terminal.config.getoption("durations", None) is not None:
        _write_slowest(terminal, recorder)


def _function(test: str) -> str:
    """Return the name of the function of a test's id."""
    return test.partition("::")[2].partition("[")[0] or test


def _write_problems(terminal: pytest.TerminalReporter, recorder: Recorder) -> None:
    """Write which tests have no verdict."""
    for problem in sorted(recorder.problems, key=lambda problem: problem["test"]):
        terminal.line(f"{problem['kind']:8} {problem['test']}: {problem['error']}", red=True)


def _write_skipped(
    terminal: pytest.TerminalReporter, recorder: Recorder, environments: list[str], shown: Callable[[str], str]
) -> None:
    """Write what was not looked at and why, the environments of one reason together."""
    reasons: dict[tuple[str, str], set[str]] = {}
    for skipped in recorder.skipped:
        reasons.setdefault((_function(skipped["test"]), skipped["reason"]), set()).add(skipped["environment"])
    for (test, reason), names in sorted(reasons.items()):
        listed = ", ".join(shown(name) for name in [*environments, REPOSITORY] if name in names)
        terminal.line(f"skipped  {listed} {test}: {reason}")


def _write_slowest(terminal: pytest.TerminalReporter, recorder: Recorder) -> None:
    """Write the rules that took longest, over all environments."""
    slowest = sorted(recorder.seconds.items(), key=lambda pair: -pair[1])[:_MOST_SLOW]
    terminal.line("slowest  " + ", ".join(f"{rule} {seconds:.2f} s" for rule, seconds in slowest))


def _write_baseline(terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]], baseline: Baseline) -> None:
    """Write how many findings are known, and what is fixed; with -v all of it."""
    until = f"{baseline.name} holds until {baseline.expires}"
    terminal.line(f"known    {sum(record['known'] for record in found)} findings of the baseline; {until}")
    fixed = fixed_of(found, baseline)
    shown = fixed if terminal.verbosity > 0 else fixed[:_MOST_FIXED]
    for known in shown:
        terminal.line(f"fixed    {known}: take it out of the baseline", green=True)
    if len(shown) < len(fixed):
        terminal.line(f"fixed    and {len(fixed) - len(shown)} more: -v shows all", green=True)
    if fixed:
        terminal.line(f"         infraspec report baseline --shrink {baseline.name}")


def _write_unknown_rules(terminal: pytest.TerminalReporter, ran: Collection[str], contract: Contract) -> None:
    """Write which waivers and `allow_empty` are for a rule that infraspec does not have and that did not run."""
    known = [*RULES, *sorted(ran)]
    named: list[tuple[KeyPath, str]] = [
        (("waivers", at, "rule"), waiver.rule) for at, waiver in enumerate(contract.waivers)
    ]
    named += [(("suite", "allow_empty", at), entry) for at, entry in enumerate(contract.suite.allow_empty)]
    for key, entry in named:
        rule = entry.partition(":")[0]
        if rule not in known:
            advice = did_you_mean(rule, known) or "it is misspelt, or a rule of your own that was not run"
            terminal.line(f"unknown  {place_of(contract, *key)}: no rule {rule} ran: {advice}", yellow=True)


def _write_empty(terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]], contract: Contract) -> None:
    """Write the lines of the contract that allow at once all that matched nothing."""
    empty = list(dict.fromkeys(record["rule"] for record in found if record["empty"]))
    if empty:
        terminal.line(f"empty    {', '.join(empty)} matched nothing: if there is none to be, allow it")
        terminal.line(indent(allowing(contract.suite.allow_empty, empty), " " * 9))


def _write_advice(terminal: pytest.TerminalReporter, record: Mapping[str, Any]) -> None:
    """Write the head and the remedy of what would be better; with -v all of it."""
    advice: list[str] = record.get("advice", [])
    for text in advice if terminal.verbosity > 0 else advice[:_MOST_ADVICE]:
        lines = text.splitlines()
        shown = lines if terminal.verbosity > 0 else [lines[0]]
        terminal.line(f"advice   {record['environment']} {shown[0]}", yellow=True)
        for line in shown[1:]:
            terminal.line(line)
    if terminal.verbosity <= 0 and advice[_MOST_ADVICE:]:
        terminal.line(
            f"advice   {record['environment']} and {len(advice) - _MOST_ADVICE} more: -v shows all", yellow=True
        )


def _write_table(
    terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]], broken: Sequence[tuple[str, str]]
) -> None:
    """Write a row for each environment and rule, and for each test without a verdict, where there are any."""
    rows = [(record["environment"], record["rule"], _counts(record)) for record in found]
    rows += [(environment, test, {"broken": 1}) for environment, test in broken]
    columns = (*_COLUMNS, "broken") if broken else _COLUMNS
    width = max(len("environment"), *(len(environment) for environment, _, _ in rows))
    rule_width = max(len("rule"), *(len(rule) for _, rule, _ in rows))
    terminal.line(f"{'environment':{width}}  {'rule':{rule_width}}  " + "  ".join(f"{name:>12}" for name in columns))
    for environment, rule, counts in rows:
        terminal.write(f"{environment:{width}}  {rule:{rule_width}}")
        _write_counts(terminal, columns, counts)
    terminal.write(f"{'total':{width}}  {'':{rule_width}}")
    _write_counts(terminal, columns, {name: sum(counts.get(name, 0) for _, _, counts in rows) for name in columns})


def _counts(record: Mapping[str, Any]) -> Mapping[str, int]:
    return {**record["counts"], "waived": len(record["waived"])}


def _write_counts(terminal: pytest.TerminalReporter, columns: Sequence[str], counts: Mapping[str, int]) -> None:
    for name in columns:
        count = counts.get(name, 0)
        terminal.write(f"  {count or '-':>12}", **(_MARKUP[name] if count else {}))
    terminal.line("")
