"""Cut a part out of the reference infrastructure, fix what rules find of it, and judge the files that were written.

`python -m tests.fixes.round_trip` tries every mutation of test_reference_mutations in as many processes as there are
processors (about 20 minutes of one), `… PATTERN` those that the regular expression is in. It prints what is broken and
what has no patch as it goes, and how many findings of each rule have one.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from infraspec.core.finding import Verdict
from infraspec.core.rules import SOURCE
from infraspec.fixes.judgement import Infrastructure
from infraspec.fixes.proof import Prover
from tests.reference_parts import Part, without
from tests.test_reference_mutations import FILES, REFERENCE, guarded, parts_of

KINDS = ("secret-access", "names", "tags", "alarms")
"""The rules of whose findings most have to have a patch."""
LEAST = 0.8
"""The share of them that have one."""


class Outcome(NamedTuple):
    """What came of a mutation: findings by rule, those of them that are fixed, why others are not, what is broken."""

    case: str
    found: Counter[str]
    fixed: Counter[str]
    unfixed: tuple[str, ...]
    broken: tuple[str, ...]


def cases(pattern: str = "") -> Iterator[tuple[str, Part]]:
    """Yield the mutations whose names a pattern is in."""
    pairs = ((file, part) for file in FILES for part in guarded(file))
    yield from ((file, part) for file, part in pairs if re.search(pattern, f"{file}: {part.path}"))


class RoundTrip:
    """A copy of the reference, in which one mutation after the other is made, fixed and undone."""

    def __init__(self, directory: Path) -> None:
        self._root = directory.resolve() / "infra"
        shutil.copytree(REFERENCE, self._root)
        self._whole = Infrastructure(self._root)

    def tried(self, file: str, part: Part) -> Outcome:
        """Make a mutation and fix it; what is fixed is judged again from the files."""
        path = self._root / "terraform" / file
        source = self._whole.edited({path: without(parts_of(file)[0], part)})
        before, fixes = _violated(source), Prover(source).run()
        fixed = {(one.environment, one.finding.rule, one.finding.key) for one in fixes.fixed}
        broken = self._left({**source.texts, **fixes.after}) - (before - fixed) if fixed else set()
        rules = Counter(rule for _, rule, _ in before)
        if SOURCE.id in rules:  # Terraform stops there: what else is found follows from it
            rules = Counter({SOURCE.id: rules[SOURCE.id]})
        reasons = (f"{one.finding.rule}: {one.finding.key}: {one.reason}" for one in fixes.unfixed)
        return Outcome(
            f"{file}: {part.path}",
            rules,
            Counter(rule for _, rule, _ in fixed if rule in rules),
            tuple(dict.fromkeys(reasons)) if SOURCE.id not in rules else (),
            tuple(map(str, sorted(broken))),
        )

    def _left(self, texts: dict[Path, str]) -> set[tuple[str, str, str]]:
        """Return what is violated in files with other texts, which are put back."""
        kept = {path: path.read_bytes() for path in texts}
        for path, text in texts.items():
            path.write_bytes(text.encode())
        try:
            return _violated(Infrastructure(self._root))
        finally:
            for path, content in kept.items():
                path.write_bytes(content)


def _violated(infrastructure: Infrastructure) -> set[tuple[str, str, str]]:
    """Return what is violated: environment, rule and key."""
    return {
        (name, finding.rule, finding.key)
        for name, judged in infrastructure.judged().items()
        for finding in judged.findings
        if finding.verdict is Verdict.VIOLATED
    }


def numbers(outcomes: Sequence[Outcome]) -> tuple[Counter[str], Counter[str]]:
    """Return how many findings of each rule are fixed, and how many there are."""
    fixed, found = Counter[str](), Counter[str]()
    for one in outcomes:
        fixed.update(one.fixed)
        found.update(one.found)
    return fixed, found


def share(outcomes: Sequence[Outcome]) -> float:
    """Return the share of findings of KINDS that are fixed; 0 if there are none."""
    fixed, found = numbers(outcomes)
    of_kinds = sum(found[rule] for rule in KINDS)
    return sum(fixed[rule] for rule in KINDS) / of_kinds if of_kinds else 0.0


_trips: list[RoundTrip] = []
"""The copy of this process."""


def _begin(directory: str) -> None:
    _trips.append(RoundTrip(Path(directory) / str(os.getpid())))


def _tried(case: tuple[str, Part]) -> Outcome:
    return _trips[0].tried(*case)


def main(pattern: str = "") -> int:
    """Print what comes of each mutation that is broken or unfixed, and the numbers by rule."""
    chosen, outcomes = list(cases(pattern)), list[Outcome]()
    with (
        TemporaryDirectory() as directory,
        get_context("spawn").Pool(initializer=_begin, initargs=(directory,)) as pool,
    ):
        for number, one in enumerate(pool.imap_unordered(_tried, chosen), start=1):
            outcomes.append(one)
            for text in (*(f"BROKEN {text}" for text in one.broken), *one.unfixed):
                print(f"{number}/{len(chosen)} {one.case}: {text}", flush=True)  # noqa: T201 - its output
    fixed, found = numbers(outcomes)
    for rule, count in sorted(found.items()):
        print(f"{rule}: {fixed[rule]} of {count} fixed")  # noqa: T201 - likewise
    broken = sum(bool(one.broken) for one in outcomes)
    print(f"{len(outcomes)} mutations, {broken} broken; {share(outcomes):.1%} of {', '.join(KINDS)} fixed")  # noqa: T201
    return int(bool(broken) or share(outcomes) < LEAST)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
