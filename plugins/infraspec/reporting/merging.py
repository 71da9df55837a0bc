"""One results file of several: of the jobs of a CI matrix, or of machines that each ran a part of the tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from infraspec.errors import ReportError
from infraspec.reporting.order import by_place, by_rule
from infraspec.reporting.results import BaselineUse, Count, Entry, Problem, Results, Skipped

T = TypeVar("T")
Left = TypeVar("Left", Problem, Skipped)
_SAME = ("infraspec", "suite", "application", "contract", "commit")


def merge(parts: Sequence[tuple[Path, Results]]) -> Results:
    """Return the results of all files as those of one run.

    What several files have of one rule and environment, such as the rules of the repository as a whole, has to be the
    same and counts once. Environments come in the order of the files. Raises ReportError for files that are not of one
    commit, contract and release, or contradict each other.
    """
    first_path, first = parts[0]
    for path, results in parts[1:]:
        _agree(first_path, first, path, results)
    counts: dict[tuple[str, str], tuple[Path, Count, list[Entry]]] = {}
    for path, results in parts:
        for count in results.counts:
            key = (count.environment, count.rule)
            entries = [entry for entry in results.findings if (entry.environment, entry.finding.rule) == key]
            before = counts.setdefault(key, (path, count, entries))
            if before[1:] != (count, entries):
                raise _contradiction(key, before[0], path)
    names = _distinct(name for _, results in parts for name in results.run.environments)
    keys = sorted(counts, key=lambda key: by_rule(key[0], key[1], names))
    runs = [results.run for _, results in parts]
    return Results(
        version=first.version,
        run=replace(
            first.run,
            time=max(run.time for run in runs),
            environments=names,
            plans=_distinct(plan for run in runs for plan in run.plans),
            complete=all(run.complete for run in runs),
            seconds=sum(run.seconds for run in runs),
        ),
        counts=tuple(counts[key][1] for key in keys),
        findings=tuple(
            entry for key in keys for entry in sorted(counts[key][2], key=lambda entry: by_place(entry.finding))
        ),
        problems=_in_order((problem for _, results in parts for problem in results.problems), names),
        skipped=_in_order((skipped for _, results in parts for skipped in results.skipped), names),
        unused_waivers=_in_all([results.unused_waivers for _, results in parts]),
        moves=_distinct(moved for _, results in parts for moved in results.moves),
        baseline=_baseline([results.baseline for _, results in parts if results.baseline]),
    )


def _agree(first_path: Path, first: Results, path: Path, results: Results) -> None:
    for name in _SAME:
        wanted, found = getattr(first.run, name), getattr(results.run, name)
        if wanted != found:
            raise ReportError(
                "the results are not of one run",
                place=str(path),
                expected=f"{name} {wanted or '(none)'}, as in {first_path}",
                found=found or "(none)",
                remedy="merge the files that the jobs of one run have written",
            )


def _contradiction(key: tuple[str, str], first: Path, second: Path) -> ReportError:
    return ReportError(
        "two files say different things of one rule",
        place=f"{first} and {second}",
        expected="each rule of an environment in one file, or the same in all",
        found=f"{key[1]} in {key[0]} differs",
        remedy="let each job check environments of its own, or tests of its own",
    )


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _in_order(tests: Iterable[Left], names: Sequence[str]) -> tuple[Left, ...]:
    return tuple(sorted(_distinct(tests), key=lambda test: (by_rule(test.environment, "", names), test.test)))


def _in_all(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return what stands in all: a waiver that one part has used is of use."""
    return tuple(text for text in lists[0] if all(text in other for other in lists))


def _baseline(uses: Sequence[BaselineUse]) -> BaselineUse | None:
    if not uses:
        return None
    return replace(uses[0], fixed=_distinct(fixed for use in uses for fixed in use.fixed))
