"""One run of the benchmarks: its sizes, its environments, its progress, and the comparison that most sections make."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bench.comparison.environments import Environment, InstallError, install_infraspec, install_peer
from bench.comparison.process import JobError, Sample, alternate, median, run
from bench.comparison.table import Row, Table, Target
from bench.comparison.tools import Subject
from bench.comparison.trees import Coverage, Tree

Prepare = Callable[[Environment, Tree], Subject]


@dataclass(slots=True)
class Bench:
    """What the sections share."""

    quick: bool
    runs: int
    started: float = field(default_factory=time.monotonic)
    _section: str = ""
    _peers: dict[str, Environment | InstallError] = field(default_factory=dict)
    _infraspec: Environment | None = None
    _trees: dict[Tree, Tree] = field(default_factory=dict)

    def enter(self, section: str) -> None:
        """Name the section that progress is reported under."""
        self._section = section

    def report(self, what: str) -> None:
        """Say what runs now."""
        elapsed = time.monotonic() - self.started
        print(f"[{elapsed:6.1f} s] {self._section}: {what}", file=sys.stderr, flush=True)

    @property
    def infraspec(self) -> Environment:
        """The environment of infraspec. Raises InstallError."""
        if self._infraspec is None:
            self._infraspec = install_infraspec(self.report)
        return self._infraspec

    def peer(self, name: str) -> Environment:
        """Return the environment of a peer, which is tried once. Raises InstallError."""
        if name not in self._peers:
            try:
                self._peers[name] = install_peer(name, self.report)
            except InstallError as error:
                self._peers[name] = error
        found = self._peers[name]
        if isinstance(found, InstallError):
            raise found
        return found

    def tree(
        self,
        stacks: int,
        *,
        layout: str = "single",
        plan: str = "none",
        planted: int | None = None,
        policies: str = "exact",
    ) -> Tree:
        """Return a generated tree; by default one stack in ten has every kind of violation."""
        tree = Tree(stacks, layout, plan, max(1, stacks // 10) if planted is None else planted, policies)
        if tree not in self._trees:
            self.report(f"generating {stacks} stacks ({layout}, plan {plan})")
            tree.generate()
            self._trees[tree] = tree
        return self._trees[tree]

    def compare(
        self,
        title: str,
        tree: Tree,
        own: Subject,
        peer: str,
        prepare: Prepare,
        *,
        runs: int,
        targets: Sequence[tuple[str, str, float | None]],
    ) -> Table:
        """Run infraspec and a peer in turn; `targets` are (what, measure, bound) of ratios to the peer."""
        table = Table(title, tree)
        try:
            other = prepare(self.peer(peer), tree)
            pair = alternate(own.job, other.job, runs, self.report)
        except (InstallError, JobError):
            # One of the two failed: each runs alone, and the table says what went wrong.
            self.alone(table, own)
            self.inform(table, peer, prepare)
            return table
        self._own_row(table, own, pair.first)
        table.rows.append(Row(other.job.tool, median(pair.second), other.read(pair.second[-1])))
        table.targets += [
            Target(f"{what}, infraspec / {peer}", pair.ratio(measure), bound) for what, measure, bound in targets
        ]
        return table

    def alone(self, table: Table, own: Subject, runs: int = 1) -> Sample | None:
        """Run infraspec without a peer; None if it fails, which the table then says."""
        samples = []
        for turn in range(runs):
            self.report(f"{own.job.tool}, run {turn + 1} of {runs}")
            try:
                samples.append(run(own.job))
            except JobError as error:
                table.rows.append(Row("infraspec", failure=str(error)))
                table.faults.append("failed")
                return None
        self._own_row(table, own, samples)
        return median(samples)

    def inform(self, table: Table, peer: str, prepare: Prepare) -> None:
        """Add a row of one run of a peer that no ratio is taken of."""
        try:
            subject = prepare(self.peer(peer), table.tree)
            self.report(f"{subject.job.tool}, one run")
            sample = run(subject.job)
        except (InstallError, JobError) as error:
            installed = isinstance(error, JobError)
            table.rows.append(Row(peer, failure=str(error) if installed else f"cannot be installed: {error}"))
            return
        table.rows.append(Row(subject.job.tool, sample, subject.read(sample)))

    def _own_row(self, table: Table, own: Subject, samples: Sequence[Sample]) -> None:
        coverage = own.read(samples[-1])
        table.rows.append(Row("infraspec", median(samples), coverage))
        table.faults += _faults(coverage, table.tree)


def with_stacks(row: Row, stacks: int) -> Row:
    """Return a row with the stacks that a run of its own has counted."""
    return replace(row, coverage=replace(row.coverage, stacks=stacks))


def _faults(coverage: Coverage, tree: Tree) -> list[str]:
    faults = []
    if coverage.stacks != tree.stacks:
        faults.append(f"saw {coverage.stacks} of {tree.stacks} stacks")
    if missed := tree.violations - (coverage.reported or frozenset()):
        shown = ", ".join(f"{kind} in {stack}" for kind, stack in sorted(missed)[:5])
        faults.append(f"missed {len(missed)} planted violations: {shown}")
    if coverage.false(tree):
        extra = [*coverage.others, *map(str, sorted((coverage.reported or frozenset()) - tree.violations))]
        faults.append(f"reported {len(extra)} that were not planted: {'; '.join(extra[:3])}")
    return faults
