"""What has changed since a channel was told last: findings that are new, and those that have recovered.

A finding is told by suite, environment, rule, address and subject; moves are followed. What a run did not look at is as
it was told. `Told` is what is remembered of a channel, in a file beside the stored results.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infraspec.contract.baseline import moved
from infraspec.contract.telling import NoticeLevel
from infraspec.core.atomic_write import write_whole
from infraspec.core.rules import rule_of
from infraspec.errors import ReportError
from infraspec.finding import Verdict
from infraspec.reporting.run.recorder import REPOSITORY
from infraspec.reporting.run.results import Entry, Problem, Results, find

BROKEN = "broken"
"""What stands in place of a rule for a test without a verdict."""

_LOWER: Mapping[NoticeLevel, NoticeLevel] = {"critical": "warning", "warning": "info", "info": "info"}


class Told(Struct, frozen=True):
    """What a channel was told is wrong."""

    suite: Literal["static", "live"]
    environment: str
    rule: str
    address: str
    subject: str
    level: NoticeLevel

    @property
    def identity(self) -> tuple[str, str, str, str, str]:
        """What it is about, whatever its level."""
        return self.suite, self.environment, self.rule, self.address, self.subject

    def __str__(self) -> str:
        return f"{self.environment} {self.rule}: {self.address} {self.subject}".rstrip()


class Notice(Struct, frozen=True):
    """Something that is wrong now, and what is said of it."""

    told: Told
    text: str


class Change(Struct, frozen=True):
    """What is new and what has recovered in an environment, for one channel; `open` is all that it then knows of."""

    environment: str
    raised: tuple[Notice, ...]
    recovered: tuple[Told, ...]
    open: tuple[Told, ...]


def notices(results: Results, levels: Mapping[str, NoticeLevel], environments: Collection[str]) -> list[Notice]:
    """Return what is wrong in the environments of the contract, each once; what is waived or known is not."""
    found: dict[tuple[str, ...], Notice] = {}
    names = {*environments, REPOSITORY}
    for entry in find(results.findings, "failing", "warning"):
        if entry.environment in names:
            notice = Notice(_of_entry(entry, results.run.suite, levels), str(entry.finding))
            found.setdefault(notice.told.identity, notice)
    for problem in results.problems:
        if problem.environment in names:
            notice = Notice(_of_problem(problem, results.run.suite, levels), _problem_text(problem))
            found.setdefault(notice.told.identity, notice)
    return list(found.values())


def _of_entry(entry: Entry, suite: Literal["static", "live"], levels: Mapping[str, NoticeLevel]) -> Told:
    finding = entry.finding
    level = levels.get(finding.rule) or ("critical" if rule_of(finding.rule).is_critical else "warning")
    if finding.verdict is Verdict.UNDETERMINED:
        level = _LOWER[level]
    return Told(suite, entry.environment, finding.rule, finding.address, finding.subject, level)


def _of_problem(problem: Problem, suite: Literal["static", "live"], levels: Mapping[str, NoticeLevel]) -> Told:
    return Told(suite, problem.environment, BROKEN, problem.test or "the run", "", levels.get(BROKEN, "warning"))


def _problem_text(problem: Problem) -> str:
    return f"no verdict: {problem.test or 'the run'}: {problem.error}\n{problem.message}".rstrip()


def changes(
    before: Sequence[Told], now: Sequence[Notice], results: Results, wanted: Collection[NoticeLevel]
) -> Iterator[Change]:
    """Return the change of each environment that a channel, which wants some levels, has to be told of.

    `before` is what it knows, by the addresses of this run.
    """
    known = {told.identity: told for told in before}
    chosen = {notice.told.identity: notice for notice in now if notice.told.level in wanted}
    kept = {key: told for key, told in known.items() if key not in chosen and not _is_looked_at(told, results)}
    names = dict.fromkeys(told.environment for told in (*known.values(), *(one.told for one in chosen.values())))
    for name in names:
        raised = [
            one for key, one in chosen.items() if one.told.environment == name and _is_worse(one.told, known.get(key))
        ]
        recovered = [
            told for key, told in known.items() if told.environment == name and key not in chosen and key not in kept
        ]
        still = [told for told in (*kept.values(), *(one.told for one in chosen.values())) if told.environment == name]
        if raised or recovered:
            yield Change(name, tuple(raised), tuple(recovered), tuple(still))


def followed(before: Sequence[Told], results: Results) -> Iterator[Told]:
    """Return what was told, by the addresses that a run's moves give it."""
    for told in before:
        moves = [(move.before, move.after) for move in results.moves if move.environment == told.environment]
        yield replace(told, address=moved(told.address, moves))


def _is_looked_at(told: Told, results: Results) -> bool:
    """Tell whether a run would have found it again, were it still there."""
    if told.suite != results.run.suite:
        return False
    if told.rule == BROKEN:
        return results.run.complete
    return (told.environment, told.rule) in results.ran()


def _is_worse(now: Told, before: Told | None) -> bool:
    order = ("info", "warning", "critical")
    return before is None or order.index(now.level) > order.index(before.level)


def dedup_key(*parts: str) -> str:
    """Return the key by which a pager knows that two messages are about one thing; the run is no part of it."""
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


FILE_NAME = "notified.json"


class Memory(Struct, frozen=True):
    """What channels know, by name."""

    version: Literal[1]
    channels: dict[str, tuple[Told, ...]]


def remembered(directory: Path) -> Memory:
    """Return what is remembered; nothing in a new store. Raises ReportError for a file that is none."""
    path = directory / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory(1, {})
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _unusable(path, str(error)) from None


def remember(memory: Memory, directory: Path) -> None:
    """Write what channels know. Raises ReportError."""
    path = directory / FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.format(msgspec.json.encode(memory), indent=1) + b"\n")
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from None


def _unusable(path: Path, found: str) -> ReportError:
    return ReportError(
        "what channels were told cannot be read or written",
        place=str(path),
        expected="a file that infraspec report notify has written, in a folder that the user may write to",
        found=found,
        remedy="take the file away: every open finding is told again",
    )
