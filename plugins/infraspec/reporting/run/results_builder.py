"""From what the tests of a run have left to its Results, and from the Results of several jobs to those of one run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infraspec import __version__
from infraspec.contract import display
from infraspec.contract.baseline import Baseline, Known, Move
from infraspec.contract.models import Contract
from infraspec.contract.waivers import InlineWaiver, Unused, WaiverBook
from infraspec.core.errors import ReportError
from infraspec.core.finding import Finding, Verdict
from infraspec.reporting.language import Language
from infraspec.reporting.run.recorder import Recorder
from infraspec.reporting.run.repository import Repository, commit
from infraspec.reporting.run.results import (
    VERDICTS,
    VERSION,
    BaselineUse,
    Count,
    Entry,
    Fixed,
    Flaky,
    Moved,
    PlanFile,
    Problem,
    Results,
    Run,
    Skipped,
    by_place,
    by_rule,
)
from infraspec.reporting.run.rule_result import checks_off

_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_NAMED = re.compile(r"`[^`]*`|\"[^\"]*\"|\S*[^\sA-Za-z]\S*")
"""What a text names: something quoted, or a word that is not of letters alone."""


class Cause(Struct, frozen=True):
    """Findings of one rule that have the same reason and remedy, but for the environment's name and account."""

    entries: tuple[Entry, ...]
    is_new: bool = False

    @property
    def finding(self) -> Finding:
        """The first of them, which stands for all."""
        return self.entries[0].finding

    @property
    def kind(self) -> tuple[str, ...]:
        """What is equal for causes that differ by what they name alone: rule, verdict, and the words of the reason."""
        finding = self.finding
        why = finding.reason or finding.remedy or finding.found
        return finding.rule, finding.verdict.value, " ".join(_NAMED.sub("", why.partition("\n")[0]).split())

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


def fixed_since(results: Results, base: Results) -> tuple[Entry, ...]:
    """Return what the base has found and this run has looked for and not found."""
    now = _verdicts(results)
    ran = results.ran()
    return tuple(
        entry
        for entry in base.findings
        if entry.finding.verdict is not Verdict.PROVEN
        and (entry.environment, entry.finding.rule) in ran
        and entry.identity not in now
    )


def _verdicts(results: Results) -> dict[tuple[str, ...], Verdict]:
    return {
        (entry.environment, entry.finding.rule, *instance): entry.finding.verdict
        for entry in results.findings
        for instance in entry.finding.instances
    }


def _is_new(entry: Entry, known: Mapping[tuple[str, ...], Verdict]) -> bool:
    """Tell whether a finding is not in the base, or was only UNDETERMINED there."""
    before = known.get(entry.identity, Verdict.PROVEN)
    return before is not Verdict.VIOLATED and before is not entry.finding.verdict


def _identity(entry: Entry) -> tuple[object, ...]:
    """Return what is equal for findings of one cause; a finding that gives neither reason nor remedy is its own."""
    finding = entry.finding
    why = _neutral(finding.reason, entry.environment), _neutral(finding.remedy, entry.environment)
    return (entry.state, finding.rule, *(why if any(why) else (finding.key, finding.found)))


def _neutral(text: str, environment: str) -> str:
    """Return a text without the environment's name and without account ids."""
    named = rf"(?<![A-Za-z0-9]){re.escape(environment)}(?![A-Za-z0-9])"
    return _ACCOUNT.sub("…", re.sub(named, "…", text, flags=re.IGNORECASE))


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
    language: Language = "en",
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
        language=language,
    )
    names = list(contract.environments) if contract else []
    return Results(
        version=VERSION,
        run=run,
        counts=tuple(_counts(recorder.records, names)),
        findings=tuple(_findings(recorder.records, names, repository)) if repository else (),
        problems=tuple(_left(recorder.problems, Problem, names, repository)),
        skipped=tuple(
            _left([*recorder.skipped, *(checks_off(contract) if contract else ())], Skipped, names, repository)
        ),
        flaky=tuple(_left(recorder.flaky, Flaky, names, repository)),
        unused_waivers=tuple(_unused(recorder.records, contract, repository)) if contract and repository else (),
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
    entries = list(map(repository.entry, entries_of(records)))
    return sorted(
        entries, key=lambda entry: (by_rule(entry.environment, entry.finding.rule, names), by_place(entry.finding))
    )


def entries_of(records: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return the findings of records, in order."""
    rows = [row for record in records for row in record["findings"]]
    return msgspec.convert(rows, list[Entry]) if rows else []


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


def unused_waivers(records: Iterable[Mapping[str, Any]], contract: Contract) -> tuple[Unused, ...]:
    """Return the waivers that matched nothing in the run."""
    book = WaiverBook(contract.waivers)
    for record in records:
        book.record(record)
    return book.unused()


def _unused(records: Iterable[Mapping[str, Any]], contract: Contract, repository: Repository) -> Iterable[str]:
    for unused in unused_waivers(records, contract):
        waiver = unused.waiver
        if isinstance(waiver, InlineWaiver):
            waiver = replace(waiver, location=repository.location(waiver.location) or waiver.location)
        yield str(replace(unused, waiver=waiver))


Left = TypeVar("Left", Problem, Skipped, Flaky)
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
                raise ReportError(
                    "two files say different things of one rule",
                    place=f"{before[0]} and {path}",
                    expected="each rule of an environment in one file, or the same in all",
                    found=f"{key[1]} in {key[0]} differs",
                    remedy="let each job check its own environments or tests",
                )
    names = _distinct(name for _, results in parts for name in results.run.environments)
    keys = sorted(counts, key=lambda key: by_rule(key[0], key[1], names))
    runs = [results.run for _, results in parts]
    uses = [results.baseline for _, results in parts if results.baseline]
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
        flaky=_in_order((flaky for _, results in parts for flaky in results.flaky), names),
        unused_waivers=tuple(
            text for text in first.unused_waivers if all(text in results.unused_waivers for _, results in parts)
        ),
        moves=_distinct(moved for _, results in parts for moved in results.moves),
        baseline=replace(uses[0], fixed=_distinct(fixed for use in uses for fixed in use.fixed)) if uses else None,
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


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _in_order(tests: Iterable[Left], names: Sequence[str]) -> tuple[Left, ...]:
    return tuple(sorted(_distinct(tests), key=lambda test: (by_rule(test.environment, "", names), test.test)))
