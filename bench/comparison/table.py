"""The tables that are printed, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.comparison.process import Sample
from bench.comparison.trees import Coverage, Tree

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Row:
    """What one tool took, looked at and found; `failure` stands for all of it if it could not be run."""

    tool: str
    sample: Sample | None = None
    coverage: Coverage = field(default_factory=Coverage)
    failure: str = ""

    def cells(self, tree: Tree) -> list[str]:
        """Return the cells of the row."""
        if self.sample is None:
            return [self.tool, *("-",) * 3, "see below", "-", "-"]
        took = [f"{self.sample.wall:.2f}", f"{self.sample.cpu:.2f}", f"{self.sample.memory:.0f}"]
        stacks = self.coverage.stacks
        seen = "-" if stacks is None else f"{stacks} of {tree.stacks}"
        told = self.coverage.reported is not None
        return [self.tool, *took, seen, self.coverage.found(tree), str(self.coverage.false(tree)) if told else "-"]


@dataclass(frozen=True, slots=True)
class Target:
    """A measured figure against the bound that it should keep; `bound` None is a figure without one."""

    name: str
    value: float
    bound: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the bound is kept."""
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def cells(self) -> list[str]:
        """Return the cells of the row."""
        if self.bound is None:
            return [self.name, _number(self.value), "-", ""]
        bound = f"{'≥' if self.at_least else '≤'} {self.bound:g}"
        return [self.name, _number(self.value), bound, "met" if self.met else "**missed**"]


@dataclass(slots=True)
class Table:
    """One comparison over one tree: rows of tools, and the ratios."""

    title: str
    tree: Tree
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What infraspec itself did wrong: it failed, missed what was planted, or reported what was not."""

    @property
    def not_compared(self) -> list[str]:
        """The tools that could not be run."""
        return [row.tool for row in self.rows if row.failure]

    def text(self) -> str:
        """Return the table in Markdown."""
        lines = [f"### {self.title}", ""]
        if self.rows:
            head = ["tool", "wall s", "CPU s", "MiB", "stacks seen", "planted found", "false"]
            lines += [*_markdown(head, [row.cells(self.tree) for row in self.rows]), ""]
        if self.targets:
            head = ["measured", "value", "target", ""]
            lines += [*_markdown(head, [target.cells() for target in self.targets]), ""]
        lines += [f"**{row.tool} {row.failure}**" for row in self.rows if row.failure]
        lines += [f"**infraspec {fault}**" for fault in self.faults]
        return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE or value == int(value) else f"{value:.3g}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in lines
    ]
