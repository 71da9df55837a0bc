"""The generated trees, and how what a tool reports is held against what was planted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.comparison.environments import BENCH, HOME
from bench.comparison.process import environment
from bench.generator.stacks import RESOURCES_PER_STACK, STAGE, VIOLATIONS

KINDS = tuple(VIOLATIONS)


@dataclass(frozen=True)
class Tree:
    """A generated tree: `stacks` of them, `planted` violations of each kind."""

    stacks: int
    layout: str = "single"
    plan: str = "none"
    planted: int = 0
    policies: str = "exact"

    @property
    def out(self) -> Path:
        """What the generator writes to."""
        return HOME / "trees" / f"{self.layout}-{self.stacks}-{self.plan}-{self.planted}-{self.policies}"

    @property
    def source(self) -> Path:
        """The Terraform source."""
        return self.out / "tf"

    @property
    def variables(self) -> Path:
        """The variable file of the one root."""
        return self.source / f"{STAGE}.tfvars"

    @property
    def resources(self) -> int:
        """How many managed resources there are."""
        return self.stacks * RESOURCES_PER_STACK

    def roots(self) -> list[Path]:
        """Return the root module of every stack, for layout `roots`."""
        return sorted((self.source / "stacks").iterdir())

    def generate(self) -> None:
        """Write the tree, in a process of its own: what is large here would count as memory of what is measured."""
        command = [sys.executable, str(BENCH / "generate.py"), str(self.out), "--stacks", str(self.stacks)]
        command += ["--layout", self.layout, "--plan", self.plan, "--policies", self.policies]
        if self.planted:
            command += ["--plant", f"{','.join(KINDS)}:{self.planted}"]
        subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)

    @cached_property
    def expected(self) -> Mapping[str, Any]:
        """What the generator says it wrote."""
        document: dict[str, Any] = json.loads((self.out / "expected.json").read_text("utf-8"))
        return document

    @cached_property
    def places(self) -> Mapping[tuple[str, str], str]:
        """The planted violations, kind and stack, and the `file:line` that a finding points at."""
        return {(item["kind"], item["stack"]): f"{item['file']}:{item['line']}" for item in self.expected["violations"]}

    @property
    def violations(self) -> frozenset[tuple[str, str]]:
        """The planted violations: kind and stack."""
        return frozenset(self.places)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a tool looked at and reported: stacks (None: not told), (kind, stack) pairs, and what fits no kind."""

    stacks: int | None = None
    reported: frozenset[tuple[str, str]] | None = None
    others: tuple[str, ...] = ()

    def found(self, tree: Tree) -> str:
        """Say how many of the planted violations are reported, by kind where some are missing."""
        if self.reported is None:
            return "-"
        planted = tree.violations
        hit = planted & self.reported
        if hit == planted:
            return f"{len(hit)} of {len(planted)}"
        missed = [kind for kind in KINDS if any(pair[0] == kind for pair in planted - hit)]
        return f"{len(hit)} of {len(planted)} (misses {', '.join(missed)})"

    def false(self, tree: Tree) -> int:
        """Return how many reports are of nothing that was planted."""
        return len(self.others) + len((self.reported or frozenset()) - tree.violations)
