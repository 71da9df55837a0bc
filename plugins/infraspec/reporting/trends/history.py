"""How results develop over runs: what each rule came to in each run, and since when a finding is open.

A finding is told by environment, rule, address and subject; `moved` blocks and moves of plans are followed. A rule that
a run did not look at leaves its findings open: nobody knows that they are mended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct, field

from infraspec.contract.baseline import moved
from infraspec.core.errors import ErrorCollector, writing
from infraspec.core.finding import Verdict
from infraspec.core.runtime import write_whole
from infraspec.reporting.run.results import Count, Entry, Results, by_rule, encode, read

Level: TypeAlias = Literal["violated", "undetermined", "accepted", "proven", "empty"]
"""What a rule came to in a run, the worst first; `accepted` is proven but for what is waived or known."""

Suite: TypeAlias = Literal["static", "live"]


class TrendColumn(Struct, frozen=True):
    """A run, as the heat map of an environment has it; `broken` are its tests without a verdict."""

    time: datetime
    commit: str
    complete: bool
    broken: int


class Cell(Struct, frozen=True):
    """What a rule came to in a run."""

    level: Level
    count: Count


class Open(Struct, frozen=True):
    """A finding that is not proven, by when it was first seen.

    `looked` and `commit` are of the run that looked at its rule last; `is_oldest` says that the oldest run has it
    already, so that it may be older; `times` is how many findings have this key.
    """

    entry: Entry
    since: datetime
    looked: datetime
    commit: str
    is_oldest: bool
    times: int = 1

    @property
    def days(self) -> int:
        """How many days it is open, at the run that looked last."""
        return (self.looked - self.since).days


class Trend(Struct, frozen=True):
    """How one suite of one environment developed; columns are oldest first, rows in the order of the suite."""

    environment: str
    suite: Suite
    columns: tuple[TrendColumn, ...]
    rows: Mapping[str, tuple[Cell | None, ...]]
    open: tuple[Open, ...]
    opened: int
    mended: int

    @property
    def last(self) -> TrendColumn:
        """The newest run."""
        return self.columns[-1]


_Key: TypeAlias = tuple[str, str, str]


class _Ages(Struct):
    """The open findings of an environment while its runs are gone through."""

    open: dict[_Key, Open] = field(default_factory=dict)
    opened: int = 0
    mended: int = 0

    def follow(self, results: Results, environment: str, *, is_first: bool) -> None:
        """Go on by a run."""
        moves = [(move.before, move.after) for move in results.moves if move.environment == environment]
        before = {(rule, moved(address, moves), subject): was for (rule, address, subject), was in self.open.items()}
        ran = {count.rule for count in results.counts if count.environment == environment}
        now = {key: was for key, was in before.items() if key[0] not in ran}
        time = moment(results)
        for entry in results.findings:
            if entry.environment != environment or not is_open(entry):
                continue
            key = (entry.finding.rule, entry.finding.address, entry.finding.subject)
            was, again = before.get(key), now.get(key)
            since, oldest = (was.since, was.is_oldest) if was else (time, is_first)
            first = again.entry if again else entry
            now[key] = Open(first, since, time, results.run.commit, oldest, again.times + 1 if again else 1)
        self.opened = len(now.keys() - before.keys())
        self.mended = len(before.keys() - now.keys())
        self.open = now


def trends(runs: Sequence[Results], limit: int) -> tuple[Trend, ...]:
    """Return the trend of each suite and environment from runs, oldest first; at most `limit` columns of each."""
    found = []
    for suite in ("static", "live"):
        of_suite = [run for run in runs if run.run.suite == suite]
        found += [_trend(of_suite, name, suite, limit) for name in _environments(of_suite)]
    return tuple(found)


def _environments(runs: Sequence[Results]) -> list[str]:
    """Return the environments that any run was about, in the order of the newest that has them, then the repository."""
    names = dict.fromkeys(name for run in reversed(runs) for name in run.run.environments)
    rest = dict.fromkeys(count.environment for run in reversed(runs) for count in run.counts)
    rest |= dict.fromkeys(problem.environment for run in runs for problem in run.problems)
    return [*names, *(name for name in rest if name not in names)]


def _trend(runs: Sequence[Results], environment: str, suite: Suite, limit: int) -> Trend:
    chosen = [run for run in runs if _is_about(run, environment)]
    ages = _Ages()
    for at, run in enumerate(chosen):
        ages.follow(run, environment, is_first=at == 0)
    shown = chosen[-limit:]
    counts = [{count.rule: count for count in run.counts if count.environment == environment} for run in shown]
    rules = sorted({rule for column in counts for rule in column}, key=lambda rule: by_rule("", rule, ()))
    rows = {rule: tuple(_cell(column.get(rule)) for column in counts) for rule in rules}
    oldest_first = sorted(ages.open.values(), key=lambda one: one.since)
    return Trend(
        environment,
        suite,
        tuple(TrendColumn(moment(run), run.run.commit, run.run.complete, _broken(run, environment)) for run in shown),
        rows,
        tuple(oldest_first),
        ages.opened,
        ages.mended,
    )


def _is_about(run: Results, environment: str) -> bool:
    """Tell whether a run has looked at an environment, or would have, had it not ended before."""
    return (
        environment in run.run.environments
        or any(count.environment == environment for count in run.counts)
        or _broken(run, environment) > 0
    )


def _broken(run: Results, environment: str) -> int:
    """Return how many tests of an environment have no verdict; an error that ends the run concerns every one."""
    ended = (problem for problem in run.problems if not problem.test)
    own = (problem for problem in run.problems if problem.test and problem.environment == environment)
    return sum(1 for _ in ended) + sum(1 for _ in own)


def _cell(count: Count | None) -> Cell | None:
    return Cell(level_of(count), count) if count else None


def level_of(count: Count) -> Level:
    """Return the worst of what a rule has found."""
    if count.violated:
        return "violated"
    if count.undetermined:
        return "undetermined"
    if count.waived or count.known:
        return "accepted"
    return "proven" if count.proven else "empty"


def is_open(entry: Entry) -> bool:
    """Tell whether an entry is something to be mended, be it waived or known."""
    return entry.finding.verdict is not Verdict.PROVEN


def moment(results: Results) -> datetime:
    """Return when a run was, in UTC."""
    return datetime.fromisoformat(results.run.time).astimezone(UTC)


def last_days(found: Iterable[Open]) -> list[tuple[date, Open]]:
    """Return the findings with a waiver and its last day, the first to lapse first."""
    days = [(date.fromisoformat(one.entry.waiver.expires), one) for one in found if one.entry.waiver]
    return sorted(days, key=lambda pair: pair[0])


_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-[0-9a-f]{8}\.json")


class Stored(Struct, frozen=True):
    """A run, and the name of its file in the store."""

    name: str
    results: Results


class Store(Struct, frozen=True):
    """The results files of a folder that infraspec has named; other files in it are left alone."""

    directory: Path

    def add(self, results: Results) -> str:
        """Keep a run and return the name of its file. Raises ReportError."""
        name = name_of(results)
        place, expected = f"--store {self.directory}", "a folder that the user may write to"
        with writing("the results cannot be stored", place, expected, "choose another folder"):
            self.directory.mkdir(parents=True, exist_ok=True)
            write_whole(self.directory / name, encode(results))
        return name

    def runs(self) -> tuple[Stored, ...]:
        """Return what is stored, oldest first. Raises ReportError, for all files together that are no results."""
        if not self.directory.is_dir():
            return ()
        collector = ErrorCollector()
        found: list[Stored] = []
        for path in sorted(path for path in self.directory.iterdir() if _NAME.fullmatch(path.name)):
            with collector.collect():
                found.append(Stored(path.name, read(path)))
        collector.finalize()
        return tuple(found)


def name_of(results: Results) -> str:
    """Return the name of a run's file: 2026-11-01T080000Z-0123abcd.json."""
    moment = re.sub(r"[.+].*", "", results.run.time).replace(":", "")
    return f"{moment}Z-{sha256(encode(results)).hexdigest()[:8]}.json"


def in_order(runs: list[Results]) -> list[Results]:
    """Return runs as a store has them: oldest first, each once."""
    return [run for _, run in sorted({name_of(run): run for run in runs}.items())]
