"""Results of several jobs as those of one run."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.core.errors import ReportError
from infraspec.reporting.run.results import Results
from infraspec.reporting.run.results_builder import merge
from tests.reporting.results import RESULTS


def part(*names: str) -> Results:
    """Return what a job would write that checks some environments; each job checks the repository as well."""
    wanted = {*names, "repository"}
    plans = tuple(plan for plan in RESULTS.run.plans if plan.environment in names)
    return replace(
        RESULTS,
        run=replace(RESULTS.run, environments=names, plans=plans),
        counts=tuple(count for count in RESULTS.counts if count.environment in wanted),
        findings=tuple(entry for entry in RESULTS.findings if entry.environment in wanted),
        problems=tuple(problem for problem in RESULTS.problems if problem.environment in wanted),
        skipped=tuple(skipped for skipped in RESULTS.skipped if skipped.environment in wanted),
    )


def merged(parts: Iterable[Results]) -> Results:
    """Merge results, named by their number."""
    return merge([(Path(f"{number}.json"), results) for number, results in enumerate(parts)])


def test_parts_are_the_whole() -> None:
    """The results of each environment, merged, are those of all; the repository counts once."""
    whole = merged([RESULTS])

    assert set(whole.findings) == set(RESULTS.findings)
    assert whole == replace(RESULTS, findings=whole.findings)
    assert whole == merged([part("dev"), part("prod")])


def test_order_of_files_is_that_of_environments() -> None:
    """Whatever the order, all is there; environments come as the files do."""
    for parts in permutations([part("dev"), part("prod")]):
        found = merged(parts)
        assert set(found.counts) == set(RESULTS.counts)
        assert found.run.environments == tuple(name for results in parts for name in results.run.environments)


def test_time_completeness_and_waivers() -> None:
    """The run is of the latest time, complete if all parts are, and a waiver is unused if no part uses it."""
    first = replace(part("dev"), unused_waivers=("a", "b"))
    second = replace(
        part("prod"),
        unused_waivers=("b", "c"),
        run=replace(part("prod").run, time="2026-11-02T00:00:00+00:00", complete=False),
    )
    found = merged([first, second])

    assert ("2026-11-02T00:00:00+00:00", False, ("b",)) == (found.run.time, found.run.complete, found.unused_waivers)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("commit", "f" * 40),
        ("application", "other"),
        ("contract", "x.toml"),
        ("infraspec", "9"),
        ("commit", ""),
        ("suite", "live"),
    ],
)
def test_results_of_another_run(field: str, value: str) -> None:
    """Files of another commit, contract or release are an error that names both."""
    changes: dict[str, Any] = {field: value}
    other = replace(part("prod"), run=replace(part("prod").run, **changes))

    with pytest.raises(ReportError, match=rf"1\.json[\s\S]*{field} [\s\S]*0\.json"):
        merged([part("dev"), other])


def test_contradiction() -> None:
    """A rule that two files judge differently is an error that names it."""
    count = RESULTS.counts[0]
    other = replace(RESULTS, counts=(replace(count, proven=count.proven + 1), *RESULTS.counts[1:]))

    with pytest.raises(ReportError, match=rf"{count.rule} in {count.environment} differs"):
        merged([RESULTS, other])
