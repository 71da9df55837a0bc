"""Compare our tree of every HCL file in some folders with python-hcl2's typed tree.

Run as `python tests/hcl/second_opinion.py FOLDER...`. The exit code is 0 if all trees are equal or their differences
explained, 1 if a difference is not, 2 for a bad argument. What python-hcl2 is known to read differently from
HashiCorp's parser is listed in LIMITS, REPAIRS and `as_python_hcl2`, and counted, not hidden.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infraspec.core.errors import InfraspecError, InputErrorGroup
from infraspec.hcl.ast import Node
from infraspec.hcl.parser import parse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a script has no pytest to set the path

from tests.hcl.python_hcl2 import REPAIRS, STRICTNESS, Rejection, as_python_hcl2, reading
from tests.hcl.trees import same, strip_offsets

SKIPPED_FOLDERS = {".git", ".venv", ".terraform", "node_modules"}
SUFFIXES = (".tf", ".tfvars")


@dataclass(frozen=True)
class Difference:
    """A place in the tree where the two disagree; `explanation` is "" for an unexplained one."""

    path: str
    ours: str
    theirs: str
    explanation: str = ""

    def __str__(self) -> str:
        note = f" [{self.explanation}]" if self.explanation else ""
        return f"  at {self.path}{note}\n    ours:   {self.ours}\n    theirs: {self.theirs}"


def differences(ours: Any, theirs: Any, path: str = "file") -> Iterator[Difference]:
    """Yield where two trees without offsets differ, at the deepest place."""
    if same(ours, theirs):
        return
    pairs = _children(ours, theirs)
    if pairs is None:
        explanation = "what follows a splat" if same(as_python_hcl2(ours), theirs) else ""
        yield Difference(path, _show(ours), _show(theirs), explanation)
        return
    for name, mine, other in pairs:
        yield from differences(mine, other, f"{path}.{name}")


def _children(ours: Any, theirs: Any) -> list[tuple[str, Any, Any]] | None:
    """Return the named children of two values of the same shape, None if their shapes differ."""
    if type(ours) is not type(theirs):
        return None
    if isinstance(ours, Node):
        return [(name, getattr(ours, name), getattr(theirs, name)) for name in ours.__struct_fields__]
    if isinstance(ours, dict) and ours.keys() == theirs.keys():
        return [(name, item, theirs[name]) for name, item in ours.items()]
    if isinstance(ours, tuple) and len(ours) == len(theirs):
        return [(str(position), *pair) for position, pair in enumerate(zip(ours, theirs, strict=True))]
    return None


def _show(value: Any, width: int = 300) -> str:
    text = repr(value)
    return text if len(text) <= width else f"{text[:width]}…"


def compare(text: str, name: str) -> list[Difference]:
    """Return the differences between the two readings of a text; none if both reject it."""
    readable, repairs = _repaired(text)
    theirs = reading(readable)
    try:
        ours = strip_offsets(parse(text, name).body)
    except InfraspecError as error:
        return [] if isinstance(theirs, Rejection) else _stricter(error)
    if isinstance(theirs, Rejection):
        return [Difference("file", "a tree", theirs.message, theirs.explanation(readable))]
    found = list(differences(ours, theirs))
    unrepaired = reading(text) if repairs else theirs
    if not same(unrepaired, theirs):
        seen = unrepaired.message if isinstance(unrepaired, Rejection) else "another tree"
        found.append(Difference("file", "a tree", seen, ", ".join(repairs)))
    return found


def _repaired(text: str) -> tuple[str, list[str]]:
    repairs = []
    for name, repair in REPAIRS.items():
        repaired = repair(text)
        if repaired != text:
            repairs.append(name)
            text = repaired
    return text, repairs


def _stricter(error: InfraspecError) -> list[Difference]:
    errors = error.errors if isinstance(error, InputErrorGroup) else (error,)
    return [
        Difference(item.place, item.message, "a tree", "python-hcl2 is less strict" if _is_strictness(item) else "")
        for item in errors
    ]


def _is_strictness(error: InfraspecError) -> bool:
    return any(part in error.message for part in STRICTNESS)


# --- the report


@dataclass
class Report:
    """What was compared and found."""

    files: int = 0
    characters: int = 0
    equal: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: int = 0

    def add(self, path: Path) -> None:
        """Compare the two readings of a file and print how they differ."""
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            self.explained["not UTF-8, rejected by ours, not given to python-hcl2"] += 1
            return
        found = compare(text, str(path))
        self.files += 1
        self.characters += len(text)
        self.equal += not found
        self.explained.update(item.explanation for item in found if item.explanation)
        self.unexplained += sum(not item.explanation for item in found)
        if found:
            print(path, *found, sep="\n", flush=True)  # noqa: T201 - a script

    def __str__(self) -> str:
        lines = [f"{self.files} files, {self.characters:,} characters: {self.equal} equal"]
        lines += [f"{count:6} explained: {name}" for name, count in self.explained.most_common()]
        return "\n".join([*lines, f"{self.unexplained:6} unexplained"])


def hcl_files(folder: Path) -> list[Path]:
    """Return the HCL files below a folder, sorted, without those of tools."""
    files = (path for path in folder.rglob("*") if path.name.endswith(SUFFIXES) and path.is_file())
    return sorted(path for path in files if not SKIPPED_FOLDERS.intersection(path.relative_to(folder).parts))


def main(arguments: Sequence[str]) -> int:
    """Compare all files below the folders given; return the exit code."""
    folders = [Path(argument) for argument in arguments]
    wrong = [str(folder) for folder in folders if not folder.is_dir()]
    if wrong or not folders:
        print(f"usage: second_opinion.py FOLDER...; not a folder: {', '.join(wrong) or 'none given'}", file=sys.stderr)  # noqa: T201
        return 2
    files = [path for folder in folders for path in hcl_files(folder)]
    report = Report()
    for number, path in enumerate(files, 1):
        report.add(path)
        if number % 100 == 0:
            print(f"… {number} of {len(files)} files", flush=True)  # noqa: T201
    print(report)  # noqa: T201
    return 1 if report.unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
