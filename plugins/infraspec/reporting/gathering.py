"""From what the tests of a run have left to its Results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from infraspec import __version__
from infraspec.contract import display
from infraspec.contract.baseline import Baseline, Known, Move
from infraspec.contract.models import Contract
from infraspec.contract.waivers import WaiverBook
from infraspec.reporting.order import by_place, by_rule
from infraspec.reporting.recorder import Recorder
from infraspec.reporting.repository import Repository, commit
from infraspec.reporting.results import (
    VERSION,
    BaselineUse,
    Count,
    Entry,
    Fixed,
    Moved,
    PlanFile,
    Problem,
    Results,
    Run,
    Skipped,
)

T = TypeVar("T")


def gather(
    recorder: Recorder,
    contract: Contract | None,
    environments: Sequence[str],
    plan_file: str,
    baseline: Baseline | None,
    *,
    complete: bool,
    moves: Mapping[str, Sequence[Move]] | None = None,
) -> Results:
    """Return the results of a run. Without a contract, which could not be read, there are problems alone.

    `plan_file` is the plan of the one environment, as the run was given it, or empty; `moves` are addresses before and
    after by environment.
    """
    repository = Repository(contract) if contract else None
    run = Run(
        infraspec=__version__,
        time=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        application=contract.project.application if contract else "",
        contract=repository.path(display(contract, contract.path)) if contract and repository else "",
        environments=tuple(environments),
        plans=tuple(_plans(contract, environments, plan_file, repository)) if contract and repository else (),
        commit=commit(os.environ),
        complete=complete,
        suite="live" if recorder.live else "static",
        seconds=round(recorder.duration, 1),
    )
    names = list(contract.environments) if contract else []
    return Results(
        version=VERSION,
        run=run,
        counts=tuple(_counts(recorder.records, names)),
        findings=tuple(_findings(recorder.records, names, repository)) if repository else (),
        problems=tuple(_left(recorder.problems, Problem, names, repository)),
        skipped=tuple(_left(recorder.skipped, Skipped, names, repository)),
        unused_waivers=tuple(map(str, _unused(recorder.records, contract))) if contract else (),
        moves=tuple(Moved(name, *move) for name, found in (moves or {}).items() for move in dict.fromkeys(found)),
        baseline=_use(recorder.records, baseline, repository) if baseline and repository else None,
    )


def _left(
    rows: Iterable[Mapping[str, str]], kind: Callable[..., T], names: Sequence[str], repository: Repository | None
) -> list[T]:
    """Return what tests have left, in order of environments and tests."""
    ordered = sorted(rows, key=lambda row: (by_rule(row["environment"], "", names), row["test"]))
    text = repository.text if repository else str
    return [kind(**{key: text(value) for key, value in row.items()}) for row in ordered]


def _plans(
    contract: Contract, environments: Sequence[str], plan_file: str, repository: Repository
) -> Iterable[PlanFile]:
    for name in environments:
        environment = contract.environments[name]
        path = environment.plan or environment.state
        shown = plan_file or (display(contract, path) if path else "")
        if shown:
            yield PlanFile(name, repository.path(shown))


def _counts(records: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[Count]:
    """Return a count for each rule of each environment, whichever tests it is spread over."""
    found: dict[tuple[str, str], list[int]] = {}
    for record in records:
        numbers = [*record["counts"].values(), len(record["waived"]), record["known"]]
        before = found.setdefault((record["environment"], record["rule"]), [0] * len(numbers))
        found[record["environment"], record["rule"]] = [sum(pair) for pair in zip(before, numbers, strict=True)]
    return [Count(*key, *found[key]) for key in sorted(found, key=lambda key: by_rule(key[0], key[1], names))]


def _findings(records: Iterable[Mapping[str, Any]], names: Sequence[str], repository: Repository) -> list[Entry]:
    rows = [row for record in records for row in record["findings"]]
    if not rows:
        return []
    entries = [
        replace(entry, finding=repository.finding(entry.finding)) for entry in msgspec.convert(rows, list[Entry])
    ]
    return sorted(
        entries, key=lambda entry: (by_rule(entry.environment, entry.finding.rule, names), by_place(entry.finding))
    )


def _use(records: Sequence[Mapping[str, Any]], baseline: Baseline, repository: Repository) -> BaselineUse:
    fixed = tuple(
        Fixed(known.environment, known.rule, known.address, known.subject) for known in fixed_of(records, baseline)
    )
    return BaselineUse(repository.path(baseline.name), baseline.expires.isoformat(), fixed)


def fixed_of(records: Iterable[Mapping[str, Any]], baseline: Baseline) -> tuple[Known, ...]:
    """Return the known findings that the run has looked for and not found."""
    rows = list(records)
    ran = {(row["environment"], row["rule"]) for row in rows}
    return baseline.fixed(ran, {at for row in rows for at in row["baseline"]})


def _unused(records: Iterable[Mapping[str, Any]], contract: Contract) -> Iterable[object]:
    book = WaiverBook(contract.waivers)
    for record in records:
        book.record(record)
    return book.unused()
