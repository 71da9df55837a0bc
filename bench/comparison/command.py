"""The command line of the benchmarks: which sections, how often, and the exit code."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence

from bench.comparison.bench import Bench
from bench.comparison.environments import PEERS, InstallError, clean_up
from bench.comparison.sections import SECTIONS
from bench.comparison.table import Table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections and print their tables; 1 if infraspec failed or missed what was planted, else 0."""
    options = _parser().parse_args(arguments)
    bench = Bench(quick=options.quick, runs=options.runs)
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    print("; ".join(requirements[-1] for requirements in PEERS.values()), flush=True)
    tables = []
    try:
        for name in options.sections:
            bench.enter(name)
            for table in SECTIONS[name](bench):
                print(f"\n{table.text()}", flush=True)
                tables.append(table)
    except InstallError as error:
        print(f"infraspec cannot be installed: {error}", file=sys.stderr)
        return 1
    finally:
        clean_up()
    print(f"\n{_summary(tables)}")
    return 1 if any(table.faults for table in tables) else 0


def _summary(tables: Sequence[Table]) -> str:
    faults = sum(len(table.faults) for table in tables)
    missed = sum(not target.met for table in tables for target in table.targets)
    absent = sorted({tool for table in tables for tool in table.not_compared} - {"infraspec"})
    counts = f"{faults} faults of infraspec, {missed} targets missed"
    return f"{counts}; not compared with {', '.join(absent)}, see above" if absent else counts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="Compare infraspec with its peers, as ratios.")
    parser.add_argument("--quick", action="store_true", help="small trees and few runs: about two minutes")
    parser.add_argument(
        "--sections", type=_sections, default=tuple(SECTIONS), metavar="A,B", help=f"of {', '.join(SECTIONS)}"
    )
    parser.add_argument("--runs", type=_positive, default=5, help="runs of each pair where they are short (default 5)")
    return parser


def _sections(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := [name for name in names if name not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: no section; there are {', '.join(SECTIONS)}")
    return names


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
