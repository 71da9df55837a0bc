"""The command line of the generator.

OUT holds afterwards
    tf/             the Terraform tree with its infraspec.toml
    plan/           plan.json and an infraspec.toml that reads it alone, without the source
    expected.json   how many stacks, resources and bytes there are, and the planted violations

The output depends on the arguments alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.generator.plan import plan_document
from bench.generator.source import contract, expected_violations, source_tree
from bench.generator.stacks import POLICIES, RESOURCES_PER_STACK, VIOLATIONS, Stack, make_stacks


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate one tree."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.layout == "roots" and options.plan != "none":
        parser.error("a plan is that of one root: use --layout single")
    plants = {kind: count for kinds, count in options.plant for kind in kinds}
    if any(count > options.stacks for count in plants.values()):
        parser.error("more violations of a kind than stacks")
    if options.policies != "exact" and (plants or options.plan != "none"):
        parser.error("policies that are not exact are those of the source, with nothing planted")
    stacks = make_stacks(options.stacks, plants, options.policies)
    summary = generate(options.out, stacks, layout=options.layout, plan=options.plan)
    planted = len(summary["violations"])
    print(f"{options.out}: {summary['stacks']} stacks, {summary['files']} files, {planted} planted violations")


def generate(out: Path, stacks: Sequence[Stack], *, layout: str, plan: str) -> dict[str, Any]:
    """Write a tree and return what expected.json says of it; what stood in `out` from an earlier run is replaced."""
    for name in ("tf", "plan"):
        shutil.rmtree(out / name, ignore_errors=True)
    files = source_tree(stacks, layout)
    _write(out / "tf", files)
    if plan != "none":
        document = json.dumps(plan_document(stacks, first=plan == "create"), separators=(",", ":"))
        _write(out / "plan", {"plan.json": document, "infraspec.toml": contract(stacks, layout, plan="plan.json")})
    summary = {
        "stacks": len(stacks),
        "resources": len(stacks) * RESOURCES_PER_STACK,
        "files": len(files),
        "hcl_bytes": sum(len(text.encode()) for name, text in files.items() if name.endswith(".tf")),
        "layout": layout,
        "plan": plan,
        "violations": list(expected_violations(stacks, layout)),
    }
    _write(out, {"expected.json": json.dumps(summary, indent=1) + "\n"})
    return summary


def _write(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="generate.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--stacks", type=int, default=10, help="number of stacks, 30 managed resources each")
    parser.add_argument("--layout", choices=("single", "roots"), default="single", help="one root, or every stack one")
    parser.add_argument(
        "--plan",
        choices=("update", "create", "none"),
        default="none",
        help="a plan over what exists (all known), a first one (ARNs unknown), or none",
    )
    parser.add_argument("--policies", choices=tuple(POLICIES), default="exact", help="how roles may read secrets")
    parser.add_argument(
        "--plant",
        type=_plant,
        action="append",
        default=[],
        metavar="KIND[,KIND…][:K]",
        help=f"plant each kind ({', '.join(VIOLATIONS)}) into K stacks, evenly spread (default 1); repeatable",
    )
    return parser


def _plant(text: str) -> tuple[list[str], int]:
    names, _, count = text.partition(":")
    kinds = names.split(",")
    if unknown := [kind for kind in kinds if kind not in VIOLATIONS]:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown)}: no kind of violation; there are {', '.join(VIOLATIONS)}"
        )
    if count and not count.isdecimal():
        raise argparse.ArgumentTypeError(f"{count!r} is no number of stacks")
    return kinds, int(count or 1)


if __name__ == "__main__":
    main()
