"""How results develop over runs: what each rule came to in each run, and since when a finding is open.

A finding is told by environment, rule, address and subject; `moved` blocks and moves of plans are followed. A rule that
a run did not look at leaves its findings open: nobody knows that they are fixed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from infraspec.contract.baseline import moved
from infraspec.core.errors import collected, writing
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
    rows: Mapping[str, tuple[Count | None, ...]]
    open: tuple[Open, ...]
    opened: int
    fixed: int

    @property
    def last(self) -> TrendColumn:
        """The newest run."""
        return self.columns[-1]


_Key: TypeAlias = tuple[str, str, str]


def _followed(
    known: Mapping[_Key, Open], results: Results, environment: str, *, is_first: bool
) -> tuple[dict[_Key, Open], int, int]:
    """Return the open findings of an environment after a run, and how many of them it has opened and fixed."""
    moves = [(move.before, move.after) for move in results.moves if move.environment == environment]
    before = {(rule, moved(address, moves), subject): was for (rule, address, subject), was in known.items()}
    ran = {rule for name, rule in results.ran() if name == environment}
    now = {key: was for key, was in before.items() if key[0] not in ran}
    time = moment(results)
    for entry in results.findings:
        name, rule, address, subject = entry.identity
        if name != environment or entry.finding.verdict is Verdict.PROVEN:
            continue
        key = rule, address, subject
        was, again = before.get(key), now.get(key)
        since, oldest = (was.since, was.is_oldest) if was else (time, is_first)
        first = again.entry if again else entry
        now[key] = Open(first, since, time, results.run.commit, oldest, again.times + 1 if again else 1)
    return now, len(now.keys() - before.keys()), len(before.keys() - now.keys())


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
    found: dict[_Key, Open] = {}
    opened = fixed = 0
    for at, run in enumerate(chosen):
        found, opened, fixed = _followed(found, run, environment, is_first=at == 0)
    shown = chosen[-limit:]
    counts = [{count.rule: count for count in run.counts if count.environment == environment} for run in shown]
    rules = sorted({rule for column in counts for rule in column}, key=lambda rule: by_rule("", rule, ()))
    rows = {rule: tuple(column.get(rule) for column in counts) for rule in rules}
    oldest_first = tuple(sorted(found.values(), key=lambda one: one.since))
    columns = (TrendColumn(moment(run), run.run.commit, run.run.complete, _broken(run, environment)) for run in shown)
    return Trend(environment, suite, tuple(columns), rows, oldest_first, opened, fixed)


def _is_about(run: Results, environment: str) -> bool:
    """Tell whether a run has looked at an environment, or would have, had it not ended before."""
    return (
        environment in run.run.environments
        or any(count.environment == environment for count in run.counts)
        or _broken(run, environment) > 0
    )


def _broken(run: Results, environment: str) -> int:
    """Return how many tests of an environment have no verdict; an error that ends the run concerns every one."""
    return sum(not problem.test or problem.environment == environment for problem in run.problems)


def level_of(count: Count) -> Level:
    """Return the worst of what a rule has found."""
    if count.violated:
        return "violated"
    if count.undetermined:
        return "undetermined"
    if count.waived or count.known:
        return "accepted"
    return "proven" if count.proven else "empty"


def moment(results: Results) -> datetime:
    """Return when a run was, in UTC."""
    return datetime.fromisoformat(results.run.time).astimezone(UTC)


_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-[0-9a-f]{8}\.json")


def keep(results: Results, directory: Path) -> str:
    """Keep a run in a folder of runs and return the name of its file. Raises ReportError."""
    name, expected = name_of(results), "a folder that the user may write to"
    with writing("the results cannot be stored", f"--store {directory}", expected, "choose another folder"):
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(directory / name, encode(results))
    return name


def kept(directory: Path) -> list[Results]:
    """Return the runs that infraspec has kept in a folder, oldest first; other files in it are left alone.

    Raises ReportError, for all files together that are no results.
    """
    found = directory.iterdir() if directory.is_dir() else ()
    return collected(read, sorted(path for path in found if _NAME.fullmatch(path.name)))


def name_of(results: Results) -> str:
    """Return the name of a run's file: 2026-11-01T080000Z-0123abcd.json."""
    moment = re.sub(r"[.+].*", "", results.run.time).replace(":", "")
    return f"{moment}Z-{sha256(encode(results)).hexdigest()[:8]}.json"


def in_order(runs: list[Results]) -> list[Results]:
    """Return runs as a store has them: oldest first, each once."""
    return [run for _, run in sorted({name_of(run): run for run in runs}.items())]
