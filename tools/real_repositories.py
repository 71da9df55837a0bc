"""Run the static suite over Terraform repositories of other people, with the contract that `infraspec init` infers.

    python tools/real_repositories.py DIR… [--format json] [--timeout 120] > report.md

Each DIR is copied to a temporary directory first and left as it is. The report says of each repository whether init or
the suite crashed or hung, how long they took, which share of the verdicts is undetermined and why, and lists every
VIOLATED of `secret-access` for a person to compare with the source. The exit code is 1 after a crash or a hang.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SUITE = ROOT / "tests_static"
RESULTS = "infraspec-results.json"
ORDERLY = {"init": (0, 2), "suite": (0, 1, 4)}
"""Exit codes that are no crash."""

_SHOWN_REASONS = 5


@dataclass
class Outcome:
    """What became of one repository; `seconds` are those of init and of the suite."""

    repository: str
    state: str = "ran"
    detail: str = ""
    environments: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    undetermined: list[tuple[str, int]] = field(default_factory=list)
    secret_access: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether something crashed or hung."""
        return self.state in ("crash", "hang")

    @property
    def undetermined_share(self) -> float:
        """The share of the verdicts that are UNDETERMINED."""
        everything = sum(sum(counts.values()) for counts in self.counts.values())
        return sum(counts["undetermined"] for counts in self.counts.values()) / everything if everything else 0.0


class _StoppedError(Exception):
    """A step ended in a way that ends the repository."""


def examine(directory: Path, timeout: float, work: Path) -> Outcome:
    """Copy a repository, infer its contract and run the suite on it."""
    outcome = Outcome(directory.name)
    copy = work / "infrastructure"
    shutil.copytree(directory, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "infraspec.toml"))
    try:
        _step(outcome, "init", ["-m", "infraspec", "init", str(copy)], timeout)
        suite = [str(SUITE), "--infraspec-dir", str(copy), "--infraspec-results", str(work / RESULTS), "-q"]
        _step(outcome, "suite", ["-m", "pytest", *suite, "-p", "no:cacheprovider"], timeout)
    except _StoppedError:
        return outcome
    _read(outcome, json.loads((work / RESULTS).read_text(encoding="utf-8")))
    return outcome


def _step(outcome: Outcome, name: str, command: Sequence[str], timeout: float) -> None:
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "INFRASPEC_", "AWS_"))}
    started = time.monotonic()
    try:
        ran = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**environ, "COLUMNS": "200"},
            timeout=timeout,
            check=False,
            capture_output=True,
            encoding="utf-8",
        )
    except subprocess.TimeoutExpired:
        outcome.state, outcome.detail = "hang", f"{name} did not end within {timeout:g} s"
        raise _StoppedError from None
    finally:
        outcome.seconds[name] = round(time.monotonic() - started, 2)
    printed = ran.stdout + ran.stderr
    if (
        ran.returncode not in ORDERLY[name]
        or "Traceback (most recent call last)" in printed
        or "INTERNALERROR" in printed
    ):
        outcome.state, outcome.detail = "crash", f"{name} ended with {ran.returncode}: {_last(printed)}"
        raise _StoppedError
    if ran.returncode in (2, 4):
        outcome.state, outcome.detail = "input error", _first_error(ran.stderr or ran.stdout)
        raise _StoppedError


def _read(outcome: Outcome, results: dict[str, Any]) -> None:
    outcome.environments = len(results["run"]["environments"])
    for each in results["counts"]:
        counts = outcome.counts.setdefault(each["rule"], {"proven": 0, "violated": 0, "undetermined": 0})
        for verdict in counts:
            counts[verdict] += each[verdict]
    found = [entry["finding"] for entry in results["findings"]]
    reasons = Counter(f"{f['rule']}: {f['reason']}" for f in found if f["verdict"] == "undetermined")
    outcome.undetermined = reasons.most_common(_SHOWN_REASONS)
    outcome.secret_access = [_line(f) for f in found if f["rule"] == "secret-access" and f["verdict"] == "violated"]
    outcome.problems = [str(problem.get("message", problem)) for problem in results["problems"]]


def _line(finding: dict[str, Any]) -> str:
    location = finding["location"] or {}
    place = f"{location.get('file', '')}:{location.get('line', '')}"
    return f"{place} {finding['address']} {finding['subject']}: {finding['found']}; {finding['reason']}"


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing printed"


def _first_error(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return next((line for line in lines if "Error" in line), lines[0] if lines else "")


def markdown(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "| repository | state | environments | init s | suite s | proven | violated | undetermined |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for each in outcomes:
        total = {
            verdict: sum(c[verdict] for c in each.counts.values()) for verdict in ("proven", "violated", "undetermined")
        }
        share = f"{total['undetermined']} ({each.undetermined_share:.0%})"
        cells = [
            each.repository,
            each.state,
            each.environments,
            each.seconds.get("init", ""),
            each.seconds.get("suite", ""),
        ]
        yield f"| {' | '.join(map(str, [*cells, total['proven'], total['violated'], share]))} |"
    for each in outcomes:
        if each.detail or each.undetermined or each.secret_access or each.problems:
            yield f"\n## {each.repository}\n"
            yield from (f"* {line}" for line in [each.detail, *each.problems] if line)
            yield from (
                f"* UNDETERMINED {count} times: {' '.join(reason.split())}" for reason, count in each.undetermined
            )
            yield from (f"* VIOLATED {line}" for line in each.secret_access)


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine the repositories of the command line and print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--format", choices=["markdown", "json"], default="markdown")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for each of init and suite")
    options = parser.parse_args(arguments)
    for directory in options.directories:
        if not directory.is_dir():
            parser.error(f"{directory}: there is no such directory")
    outcomes = []
    for directory in options.directories:
        with tempfile.TemporaryDirectory() as work:
            outcomes.append(examine(directory, options.timeout, Path(work)))
            print(f"{outcomes[-1].repository}: {outcomes[-1].state} {outcomes[-1].detail}", file=sys.stderr, flush=True)
    if options.format == "json":
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=2, ensure_ascii=False))
    else:
        print("\n".join(markdown(outcomes)))
    return 1 if any(outcome.failed for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
