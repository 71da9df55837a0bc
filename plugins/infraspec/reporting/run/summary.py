"""The terminal summary: verdicts by environment and rule, waived findings, waivers without use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from textwrap import indent, wrap
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Struct

from infraspec.contract import place_of
from infraspec.contract.baseline import Baseline
from infraspec.contract.document import KeyPath
from infraspec.contract.models import Contract
from infraspec.core.errors import counted, did_you_mean
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import RULES, rule_named
from infraspec.core.visible_text import visible
from infraspec.reporting.language import (
    Language,
    columns_of,
    padded,
    say,
    say_filled,
    say_finding,
    say_number,
    speaking,
)
from infraspec.reporting.run.recorder import REPOSITORY, Recorder, left_by
from infraspec.reporting.run.results import Entry, by_rule, function_of, unseen
from infraspec.reporting.run.results_builder import Cause, causes, entries_of, fixed_of, unused_waivers
from infraspec.reporting.run.rule_result import SWITCHED_OFF, allowing, checks_off

if TYPE_CHECKING:  # most runs know all
    from infraspec.adoption.answers import Ranking

_HEAD = re.compile(r"(^|: )(VIOLATED|UNDETERMINED) ")
_COLOURS = {"VIOLATED": "red", "UNDETERMINED": "yellow"}
_REMEDY = re.compile(r" {4}(fix|to know): ")


class Crash(Struct, frozen=True):
    """What pytest's short summary says of a failure."""

    message: str

    def __str__(self) -> str:
        return self.message


class Failure(Struct, frozen=True):
    """The text of a failure, which pytest shows in colour where it shows any: not with NO_COLOR, nor in a file."""

    text: str
    language: Language = "en"

    @property
    def reprcrash(self) -> Crash:
        """The first line, for the short summary."""
        return Crash(self.text.partition("\n")[0])

    def __str__(self) -> str:
        return self.text

    def toterminal(self, terminal: Any) -> None:
        """Write the text to a TerminalWriter, as pytest asks of what describes a failure."""
        for line in self.text.split("\n"):
            head = _HEAD.search(line)
            markup = {_COLOURS[head[2]]: True, "bold": True} if head else {"green": True} if _REMEDY.match(line) else {}
            with speaking(self.language):
                told = say_finding(line)
            for row in (
                _wrapped(told, terminal.fullwidth) if getattr(terminal, "hasmarkup", False) and not markup else [told]
            ):
                terminal.line(row, **markup)


_LABELLED = re.compile(r" {4}\S[^:]*: +")


def _wrapped(line: str, width: int) -> list[str]:
    """Return the rows of a labelled text, below each other: where somebody reads it. What is to be pasted stays."""
    label = _LABELLED.match(line)
    if label is None or columns_of(line) <= width:
        return [line]
    margin = " " * columns_of(label[0])
    first, *others = wrap(line[label.end() :], width - len(margin), break_long_words=False, break_on_hyphens=False)
    return [label[0] + first, *(margin + row for row in others)]


def arrange(
    reports: list[pytest.TestReport], environments: Sequence[str], verbosity: int, language: Language = "en"
) -> None:
    """Put failed reports in order, those that are not infraspec's first as they are, and shorten what is repeated.

    With a verbosity above 0 every finding is said in full, below 0 each cause has one line.
    """
    reports.sort(key=lambda report: _order(report, environments))
    if verbosity > 0:
        _say_in_full(reports, language)
        return
    entries = {id(report): _failing(report) for report in reports}
    found = causes(entry for some in entries.values() for entry in some)
    cause_of = {id(entry): cause for cause in found for entry in cause.entries}
    said: set[int] = set()
    for report in reports:
        if some := entries[id(report)]:
            texts = list(_texts(some, cause_of, said, verbosity))
            first = str(report.longrepr).partition("\n")[0]
            failure: Any = Failure(visible("\n".join([first, *texts])), language)
            report.longrepr = failure


def _say_in_full(reports: Iterable[pytest.TestReport], language: Language) -> None:
    """Keep the texts, but do not let the short summary, which pytest leaves whole where CI is set, say them again."""
    for report in reports:
        if _failing(report):
            failure: Any = Failure(str(report.longrepr), language)
            report.longrepr = failure


def _order(report: pytest.TestReport, environments: Sequence[str]) -> tuple[object, ...]:
    left = left_by(report)
    if left is None:
        return (0,)
    rule = left["records"][0]["rule"] if left["records"] else ""
    return (1, by_rule(left["environment"], rule, environments), left["test"])


def _failing(report: pytest.TestReport) -> list[Entry]:
    left = left_by(report)
    return [entry for entry in entries_of(left["records"] if left else ()) if entry.state == "failing"]


def _texts(entries: Iterable[Entry], cause_of: dict[int, Cause], said: set[int], verbosity: int) -> Iterable[str]:
    """Yield the causes of a test by kind: some of each as they are said, of the rest the places and a number."""
    groups: dict[int, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(id(cause_of[id(entry)]), []).append(entry)
    kinds: dict[tuple[str, ...], list[list[Entry]]] = {}
    for group in groups.values():
        kinds.setdefault(cause_of[id(group[0])].kind, []).append(group)
    for same in kinds.values():
        for group in same[:_MOST_OF_A_KIND]:
            cause = cause_of[id(group[0])]
            is_first = id(cause) not in said
            said.add(id(cause))
            yield from _told(cause, group, is_first=is_first, verbosity=verbosity)
        if rest := [entry for group in same[_MOST_OF_A_KIND:] for entry in group]:
            yield f"\n{len(rest)} more of this kind:"
            yield from _named(rest)


def _told(cause: Cause, group: Sequence[Entry], *, is_first: bool, verbosity: int) -> Iterable[str]:
    """Yield a cause in full where it comes first, with the others of it in a line each; later on a line."""
    if verbosity < 0:
        yield _line(cause, group) if is_first else f"as above: {_line(cause, group)}"
        yield from _in_short(group[0].finding) if is_first else ()
        return
    if is_first:
        yield f"\n{group[0].finding}"
        yield from _alike(group[1:])
    else:
        more = f" and {len(group) - 1} more like it" if group[1:] else ""
        yield f"\nas above: {_head(group[0])}{more}"
    others = [name for name in cause.environments if name != group[0].environment]
    if is_first and others:
        yield f"    also in:     {', '.join(others)}"


def _alike(entries: Sequence[Entry]) -> Iterable[str]:
    """Yield the others of a cause."""
    if entries:
        yield f"    and {len(entries)} more like it:"
        yield from _named(entries)


def _named(entries: Sequence[Entry]) -> Iterable[str]:
    """Yield the first of them with their places, the rest as a number."""
    yield from (f"      {_head(entry)}" for entry in entries[:_MOST_ALIKE])
    if rest := entries[_MOST_ALIKE:]:
        yield f"      … and {len(rest)} more: -v shows all"


def _head(entry: Entry) -> str:
    return str(entry.finding).partition("\n")[0]


def _line(cause: Cause, group: Sequence[Entry]) -> str:
    """Return the place of a cause in a line, with what else is like it."""
    more = f" and {len(group) - 1} more like it" if group[1:] else ""
    others = [name for name in cause.environments if name != group[0].environment]
    return f"{_head(group[0])}{more}" + (f" (also in {', '.join(others)})" if others else "")


def _in_short(finding: Finding) -> Iterable[str]:
    """Yield consequence, reason and remedy of a finding, a line each."""
    remedy = "to know" if finding.verdict is Verdict.UNDETERMINED else "fix"
    texts = {"consequence": finding.consequence, "reason": finding.reason, remedy: finding.remedy}
    for label, text in texts.items():
        first, _, rest = text.partition("\n")
        more = f" … ({counted(rest.count(chr(10)) + 1, 'more line')})" if rest else ""
        if first:
            yield f"    {label + ':':12} {first}{more}"


_MOST_OF_A_KIND = 3
_MOST_ALIKE = 10
_MOST_ADVICE = 10
_MOST_UNKNOWN = 10
_MOST_FIXED = 10
_MOST_SLOW = 5
_NARROWEST = 80
_COLUMNS = ("proven", "violated", "undetermined", "waived")
_MARKUP = {
    "violated": {"red": True},
    "undetermined": {"yellow": True},
    "proven": {"green": True},
    "waived": {"cyan": True},
    "broken": {"red": True},
}


class _VisibleLines:
    """A terminal that is given texts of others: it shows each as it may be shown."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def line(self, text: str, **markup: bool) -> None:
        """Write a line, or several."""
        self._terminal.line(visible(text), **markup)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)


def write_summary(
    reporter: pytest.TerminalReporter,
    recorder: Recorder,
    contract: Contract,
    baseline: Baseline | None = None,
    shown: Callable[[str], str] = str,
    *,
    answers: Ranking | None = None,
    language: Language = "en",
) -> None:
    """Write the summary in a language: `shown` gives the name that an environment has in reports.

    `answers` are the lines that settle what is not known.
    """
    with speaking(language):
        _write(reporter, recorder, contract, baseline, shown, answers)


def _write(  # noqa: PLR0917 - what a summary is made of
    reporter: pytest.TerminalReporter,
    recorder: Recorder,
    contract: Contract,
    baseline: Baseline | None,
    shown: Callable[[str], str],
    answers: Ranking | None,
) -> None:
    """Write the table, what waivers and baseline did and what matched nothing, in order of environments and rules."""
    found: Sequence[Mapping[str, Any]] = recorder.records
    environments = list(contract.environments)
    found = sorted(found, key=lambda record: by_rule(record["environment"], record["rule"], environments))
    terminal: Any = _VisibleLines(reporter)
    terminal.section("infraspec", "-")
    shown = _in_language(shown)
    named = [{**record, "environment": shown(record["environment"])} for record in found]
    problems = sorted(recorder.problems, key=lambda problem: problem["test"])
    broken = [(shown(problem["environment"]), function_of(problem["test"])) for problem in problems if problem["test"]]
    if named or broken:
        _write_table(terminal, named, broken)
    for problem in problems:
        kind = problem["kind"]
        _say(terminal, kind, f"{problem['test']}: {problem['error']}", red=True)
    _write_skipped(terminal, recorder, environments, shown, checks_off(contract))
    for flaky in sorted(recorder.flaky, key=lambda one: (one["environment"], one["test"])):
        _say(
            terminal,
            "flaky",
            f"{shown(flaky['environment'])} {function_of(flaky['test'])}: {flaky['reason']}",
            yellow=True,
        )
    for record in named:
        for waived in record["waived"]:
            subject = f" {waived['subject']}" if waived["subject"] else ""
            _say(
                terminal,
                "waived",
                f"{record['environment']} {waived['rule']}: {waived['address']}{subject}"
                + say(
                    " (until {day} by {owner}: {reason})",
                    day=waived["expires"],
                    owner=waived["owner"],
                    reason=waived["reason"],
                ),
            )
        _write_advice(terminal, record)
    for unused in unused_waivers(found, contract):
        _say(terminal, "unused", f"{unused}", yellow=True)
    if baseline:
        _write_baseline(terminal, found, baseline)
    _write_unseen(terminal, found)
    _write_unknown(terminal, found)
    if answers and answers.steps:
        text = say(
            "{lines} would settle {settled} of {verdicts} that cannot be decided; `infraspec doctor --write` asks:",
            lines=say_number(len(answers.answers), "line"),
            settled=answers.settled,
            verdicts=say_number(answers.unknown, "verdict"),
        )
        _say(terminal, "unknown", text, yellow=True)
        terminal.line(indent(answers.lines(), " " * 9))
    _write_unknown_rules(terminal, {record["rule"] for record in found}, contract)
    _write_empty(terminal, found, contract)
    if terminal.verbosity > 0 or terminal.config.getoption("durations", None) is not None:
        _write_slowest(terminal, recorder)


def _in_language(shown: Callable[[str], str]) -> Callable[[str], str]:
    return lambda name: say(name) if name == shown(name) == REPOSITORY else shown(name)


def _say(terminal: Any, kind: str, text: str, **markup: bool) -> None:
    """Write a line with what kind it is of before it."""
    terminal.line(f"{padded(say(kind), len('skipped '))} {text}", **markup)


def _write_skipped(
    terminal: pytest.TerminalReporter,
    recorder: Recorder,
    environments: list[str],
    shown: Callable[[str], str],
    off: Sequence[Mapping[str, str]],
) -> None:
    """Write what was not looked at in a line, with the way to the reasons; with -v or -rs these, a line each.

    What the contract switches off has its line always.
    """
    listed = [*recorder.skipped, *off]
    if not _says_why_skipped(terminal):
        listed = [skipped for skipped in listed if skipped["reason"].startswith(SWITCHED_OFF)]
        others = [skipped for skipped in recorder.skipped if skipped not in listed]
        if rules := sorted(_skipped_rules(recorder, others, environments, shown)):
            _say(
                terminal,
                "skipped",
                f"{say_number(len(rules), 'rule')}: {', '.join(rules)} ({say('{option} shows why', option='-rs')})",
            )
    reasons: dict[tuple[str, str], set[str]] = {}
    for skipped in listed:
        told = function_of(skipped["test"]), skipped["reason"]
        reasons.setdefault(told, set()).add(skipped["environment"])
    for (test, reason), names in sorted(reasons.items()):
        where = ", ".join(shown(name) for name in [*environments, REPOSITORY] if name in names)
        _say(terminal, "skipped", f"{where} {test}: {reason}")


def _says_why_skipped(terminal: pytest.TerminalReporter) -> bool:
    return terminal.verbosity > 0 or "s" in getattr(terminal, "reportchars", "")


def _skipped_rules(
    recorder: Recorder, listed: Iterable[Mapping[str, str]], environments: Sequence[str], shown: Callable[[str], str]
) -> Iterable[str]:
    """Yield rules, and tests of the repository's own, with the environments if there are others that it ran in."""
    ran = {row["environment"] for row in (*recorder.records, *recorder.skipped)} - {REPOSITORY}
    found: dict[str, set[str]] = {}
    for skipped in listed:
        name = function_of(skipped["test"])
        rule = rule_named(name)
        found.setdefault(rule if rule in RULES else name, set()).add(skipped["environment"])
    for rule, names in found.items():
        some = [shown(name) for name in environments if name in names] if names < ran else []
        yield f"{rule} ({', '.join(some)})" if some else rule


def _write_unseen(terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]]) -> None:
    """Write what no proof looks at, once for all."""
    if told := unseen(entry.finding for entry in entries_of(found)):
        indent = " " * (len("skipped ") + 1)
        lines = f";\n{indent}".join(map(say_filled, told))
        text = say("Not covered by PROVEN: {what}.", what=f"\n{indent}{lines}")
        _say(terminal, "unseen", text.replace(" \n", "\n").rstrip(".。"))


def _write_unknown(terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]]) -> None:
    """Write what would settle the verdicts that cannot be decided, what settles most first."""
    counts: Counter[str] = Counter()
    for entry in entries_of(found):
        if entry.finding.verdict is Verdict.UNDETERMINED and entry.state in ("failing", "warning"):
            told = entry.finding.remedy or entry.finding.reason
            counts[told.partition("\n")[0].rstrip(":")] += len(entry.finding.instances)
    shown = counts.most_common(None if terminal.verbosity > 0 else _MOST_UNKNOWN)
    for remedy, number in shown:
        _say(terminal, "to know", f"{say_number(number, 'verdict')}: {remedy}", yellow=True)
    if rest := sum(counts.values()) - sum(number for _, number in shown):
        more = say_number(len(counts) - len(shown), "more cause")
        text = say("{verdicts}, of {causes}: -v shows all", verdicts=say_number(rest, "verdict"), causes=more)
        _say(terminal, "to know", text, yellow=True)


def _write_slowest(terminal: pytest.TerminalReporter, recorder: Recorder) -> None:
    """Write the rules that took longest, over all environments."""
    slowest = sorted(recorder.seconds.items(), key=lambda pair: -pair[1])[:_MOST_SLOW]
    _say(terminal, "slowest", ", ".join(f"{rule} {seconds:.2f} s" for rule, seconds in slowest))


def _write_baseline(terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]], baseline: Baseline) -> None:
    """Write how many findings are known, and what is fixed; with -v all of it."""
    number, file, day = sum(record["known"] for record in found), baseline.name, baseline.expires
    text = say("{number} findings of the baseline; {file} expires on {day}", number=number, file=file, day=day)
    _say(terminal, "known", text)
    fixed = fixed_of(found, baseline)
    shown = fixed if terminal.verbosity > 0 else fixed[:_MOST_FIXED]
    for known in shown:
        _say(terminal, "fixed", say("{finding}: remove it from the baseline", finding=known), green=True)
    if len(shown) < len(fixed):
        _say(terminal, "fixed", say("and {number} more: -v shows all", number=len(fixed) - len(shown)), green=True)
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
            advice = did_you_mean(rule, known) or "it is misspelled, or is a rule of your own that did not run"
            _say(terminal, "unknown", f"{place_of(contract, *key)}: no rule {rule} ran: {advice}", yellow=True)


def _write_empty(terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]], contract: Contract) -> None:
    """Write the lines of the contract that allow at once all that matched nothing."""
    empty = list(dict.fromkeys(record["rule"] for record in found if record["empty"]))
    if empty:
        _say(terminal, "empty", say("{rules} matched nothing; if that is intended, allow it:", rules=", ".join(empty)))
        terminal.line(indent(allowing(contract.suite.allow_empty, empty), " " * 9))


def _write_advice(terminal: pytest.TerminalReporter, record: Mapping[str, Any]) -> None:
    """Write the head and the remedy of what would be better; with -v all of it."""
    advice: list[str] = record.get("advice", [])
    for text in advice if terminal.verbosity > 0 else advice[:_MOST_ADVICE]:
        lines = text.splitlines()
        shown = lines if terminal.verbosity > 0 else [lines[0]]
        _say(terminal, "advice", f"{record['environment']} {shown[0]}", yellow=True)
        for line in shown[1:]:
            terminal.line(line)
    if terminal.verbosity <= 0 and advice[_MOST_ADVICE:]:
        more = say("and {number} more: -v shows all", number=len(advice) - _MOST_ADVICE)
        _say(terminal, "advice", f"{record['environment']} {more}", yellow=True)


def _write_table(
    terminal: pytest.TerminalReporter, found: Sequence[Mapping[str, Any]], broken: Sequence[tuple[str, str]]
) -> None:
    """Write a row for each environment and rule, and for each test without a verdict, where there are any.

    The names of environments go above their rows where the table would be wider than the terminal.
    """
    rows = [
        (record["environment"], record["rule"], {**record["counts"], "waived": len(record["waived"])})
        for record in found
    ]
    rows += [(environment, test, {"broken": 1}) for environment, test in broken]
    columns = (*_COLUMNS, "broken") if broken else _COLUMNS
    total = ("total", "", {name: sum(counts.get(name, 0) for _, _, counts in rows) for name in columns})
    width = max(columns_of(say("environment")), *(columns_of(environment) for environment, _, _ in rows))
    rule_width = max(columns_of(say("rule")), *(len(rule) for _, rule, _ in rows))
    told = {name: say(name) for name in ("environment", "rule", "total", *columns)}
    heads = "".join(f"  {told[name]}" for name in columns)
    above = width + 2 + rule_width + columns_of(heads) > max(_NARROWEST, terminal._tw.fullwidth)  # noqa: SLF001 - as pytest's own plugins
    first = "" if above else f"{padded(told['environment'], width)}  "
    terminal.line(f"{first}{padded(told['rule'], rule_width + 2 * above)}{heads}")
    before = ""
    for environment, rule, counts in (*rows, total):
        if above and environment != before and rule:
            terminal.line(environment)
        before = environment
        shown = environment if rule else padded(told["total"], width)
        name = f"  {rule:{rule_width}}" if rule else padded(told["total"], rule_width + 2)
        terminal.write(name if above else f"{padded(shown, width if rule else 0)}  {rule:{rule_width}}")
        _write_counts(terminal, columns, counts)


def _write_counts(terminal: pytest.TerminalReporter, columns: Sequence[str], counts: Mapping[str, int]) -> None:
    for name in columns:
        count = counts.get(name, 0)
        terminal.write(f"  {count or '-':>{columns_of(say(name))}}", **(_MARKUP[name] if count else {}))
    terminal.line("")
