"""Break the code at random and see whether the nearest tests notice.

    python -m tools.code_mutations --seed 1 --count 300 --jobs 2

A mutant has one comparison flipped, one `not` dropped, one constant changed or one statement removed. The tests of
the package's own folder run on it in a copy of the tree, and a mutant that all of them pass has survived. Only the
tests that reach the changed line are run, each of which was recorded beforehand in a process of its own, so that
nothing kept by another test hides what it reaches. What runs while modules are loaded or tests are collected is
mutated in a fresh process. Mutants that nothing could tell from the original are argued in equivalent.toml.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import msgspec

from tools.code_mutations.mutants import KINDS, Mutant, mutants_of
from tools.code_mutations.runner import FOUND, SURVIVED

ROOT = Path(__file__).parents[2]
PACKAGES = ("iam", "ecs", "checks", "terraform", "reporting")
ARGUED = Path(__file__).with_name("equivalent.toml")
COPIED = ("plugins", "tests", "tests_static", "tests_live", "fixtures", "tools", "docs", "bench")
LEFT_OUT = shutil.ignore_patterns(".hypothesis", "allure-results", ".terraform")
CHUNK = 15


class Result(msgspec.Struct, frozen=True):
    """What became of a mutant: found by a test, survived, or argued to be the same program."""

    mutant: Mutant
    outcome: str
    by: str
    seconds: float


def copy_tree(target: Path) -> Path:
    """Copy what the tests read, without what git ignores."""
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=LEFT_OUT)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, target)
    return target


def run_in(tree: Path, *arguments: str) -> None:
    """Run the runner in a copy of the tree, whose modules go before those that are installed."""
    environment = os.environ | {
        "PYTHONPATH": f"{tree / 'plugins'}{os.pathsep}{tree}",
        "PYTHONHASHSEED": "0",
    }
    command = [sys.executable, "-m", "tools.code_mutations.runner", *arguments]
    ran = subprocess.run(command, cwd=tree, env=environment, text=True, capture_output=True, check=False)
    if ran.returncode:
        child = tree / "child.txt"
        print(child.read_text() if child.exists() else "")
        raise SystemExit(f"the runner failed in {tree}:\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")


def argued() -> dict[tuple[str, str, str], str]:
    """Read the reasons why a mutant is equivalent, by function, digest of its source, and change."""
    table = tomllib.loads(ARGUED.read_text("utf-8")).get("equivalent", [])
    return {(entry["function"], entry["source"], entry["change"]): entry["reason"] for entry in table}


def chosen(packages: Sequence[str], seed: int, count: int) -> list[Mutant]:
    """Draw mutants: first the kind, then the place, so that strings do not crowd out the rest."""
    by_kind: dict[str, list[Mutant]] = {kind: [] for kind in KINDS}
    for package in packages:
        for path in sorted((ROOT / "plugins/infraspec" / package).rglob("*.py")):
            for mutant in mutants_of(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"), package):
                by_kind[mutant.kind].append(mutant)
    draw = random.Random(seed)
    drawn: dict[tuple[str, int, int, str], Mutant] = {}
    while len(drawn) < count and any(by_kind.values()):
        kind = draw.choice([kind for kind in KINDS if by_kind[kind]])
        mutant = by_kind[kind].pop(draw.randrange(len(by_kind[kind])))
        drawn[(mutant.path, mutant.start, mutant.end, mutant.after)] = mutant
    return list(drawn.values())


def diff(mutant: Mutant) -> str:
    """Show a mutant as a unified diff without context."""
    before = (ROOT / mutant.path).read_text("utf-8")
    lines = difflib.unified_diff(before.splitlines(), mutant.applied(before).splitlines(), lineterm="", n=0)
    return "\n".join(f"    {line}" for line in list(lines)[3:])


def tested(mutants: Sequence[Mutant], jobs: int, records: Path) -> list[Result]:
    """Run the mutants by package in copies of the tree, several at a time, and print what becomes of each."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder, ThreadPoolExecutor(jobs) as pool:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            trees.put(copy_tree(Path(folder, f"tree{number}")))
        packages = sorted({mutant.package for mutant in mutants}, key=PACKAGES.index)

        def record(package: str) -> None:
            tree = trees.get()
            run_in(tree, "record", package, str(records))
            trees.put(tree)

        def run(chunk: list[Mutant]) -> None:
            tree = trees.get()
            asked, answered = tree / "mutants.json", tree / "outcomes.json"
            asked.write_bytes(msgspec.json.encode(chunk))
            run_in(tree, "run", chunk[0].package, str(records), str(asked), str(answered))
            for mutant, (outcome, by, seconds) in zip(chunk, json.loads(answered.read_text()), strict=True):
                results.append(Result(mutant, outcome, by, seconds))
                print(f"{len(results):4}/{len(mutants)} {outcome:8} {seconds:6.1f}s {mutant.place} {by}", flush=True)
            trees.put(tree)

        list(pool.map(record, packages))
        chunks: list[list[Mutant]] = []
        for package in packages:
            own = [mutant for mutant in mutants if mutant.package == package]
            chunks += [own[start : start + CHUNK] for start in range(0, len(own), CHUNK)]
        random.Random(len(mutants)).shuffle(chunks)  # so that a run that is stopped has seen all packages
        list(pool.map(run, chunks))
    return results


def table(results: Sequence[Result], reasons: dict[tuple[str, str, str], str]) -> float:
    """Print what was found by package and by kind, and return the share of all that are not equivalent."""

    def row(name: str, of: Sequence[Result]) -> float:
        found = sum(one.outcome == FOUND for one in of)
        same = sum(one.outcome == SURVIVED and one.mutant.key in reasons for one in of)
        share = 100 * found / max(1, len(of) - same)
        print(f"{name:12} {len(of):6} {found:6} {same:11} {len(of) - found - same:9} {share:7.1f} %")
        return share

    print(f"\n{'':12} {'tried':>6} {'found':>6} {'equivalent':>11} {'survived':>9} {'found':>9}")
    for package in PACKAGES:
        if of := [one for one in results if one.mutant.package == package]:
            row(package, of)
    for kind in KINDS:
        row(kind, [one for one in results if one.mutant.kind == kind])
    return row("all", results)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="which mutants are drawn")
    parser.add_argument("--count", type=int, default=300, help="how many")
    parser.add_argument("--package", action="append", choices=PACKAGES, help="only of this package; several times")
    parser.add_argument("--at-least", type=float, default=85.0, help="per cent to be found; fewer is exit code 1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many run at a time")
    parser.add_argument("--list", action="store_true", help="show the mutants and run nothing")
    parser.add_argument("--records", type=Path, default=Path(tempfile.gettempdir(), "infraspec-mutation-records"),
                        help="where it is kept which test reaches which line")  # fmt: skip
    return parser.parse_args()


def main() -> int:
    """Draw mutants, run them, and say which survived."""
    options = arguments()
    mutants = chosen(options.package or PACKAGES, options.seed, options.count)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.place} {mutant.kind} in {mutant.function} {mutant.digest}\n{diff(mutant)}")
        return 0
    reasons = argued()
    results = tested(mutants, options.jobs, options.records)
    for one in sorted(results, key=lambda one: one.mutant.place):
        if one.outcome == SURVIVED:
            said = reasons.get(one.mutant.key)
            state = f"equivalent: {said}" if said else f"survived: {one.by}"
            print(f"\n{one.mutant.place} {one.mutant.kind} in {one.mutant.function} {one.mutant.digest}\n  {state}")
            print(diff(one.mutant))
    return 0 if table(results, reasons) >= options.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
