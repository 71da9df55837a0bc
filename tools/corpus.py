"""Run init, suite and doctor over repositories of other people, and compare their numbers with the last ones.

    python -m tools.corpus [--checkouts DIR] [--only NAME…] [--write] [DIR…]

`tools/corpus.json` lists public repositories by name and commit. Each is fetched by git, or taken from a folder
OWNER+NAME of `--checkouts`, and copied to a temporary directory. `tools/corpus_results.json` keeps numbers and ids of
what was said, and nothing of theirs; what differs from it is printed, and `--write` keeps the new numbers. Half of the
list is "unseen": nobody has looked at these, and their numbers stand apart. With DIR, these directories are examined
instead of the list. The exit code is 1 after a crash or a hang. VIOLATED of `secret-access` are listed for a person to
compare with the source.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct, field

from infraspec.adoption.roots import find_roots
from infraspec.cli.get import FetchError, fetch
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.configuration.module_cache import Package

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tools/corpus.json"
KEPT = ROOT / "tools/corpus_results.json"
SUITE = ROOT / "tests_static"
RESULTS = "infraspec-results.json"
ORDERLY = {"init": (0, 2), "suite": (0, 1, 4), "doctor": (0, 1, 2)}
"""Exit codes that are no crash."""
_AT_ONCE = 2
_CAUSES = {
    "known": r"\[known\]|under \[known",
    "variable": r"\[environments\.NAME\.variables\]|give var\.|pass \w+ to",
    "module": r"infraspec get|git submodule|terraform init",
    "account": r"account_id|allowed_account_ids",
    "region": r"set region",
    "snapshot": r"snapshot",
    "plan": r"give a plan|plan file",
}
"""What would settle a verdict, by what its remedy says; the first that fits."""


class Repository(Struct, frozen=True):
    """A repository of the list. `unseen` ones have not been looked at."""

    repository: str
    commit: str = ""
    unseen: bool = False


class Numbers(Struct):
    """What was said of one repository: nothing of it but its name."""

    state: str = "ran"
    environments: int = 0
    resources: int = 0
    roots: int = 0
    """How many root modules have task definitions."""
    judged: int = 0
    """How many of these got a verdict of `secret-access`."""
    proven: int = 0
    violated: int = 0
    undetermined: int = 0
    access: tuple[int, int, int] = (0, 0, 0)
    """The verdicts of `secret-access`: proven, violated, undetermined."""
    causes: dict[str, int] = field(default_factory=dict)
    doctor: int = 0
    """How many warnings and problems doctor has."""


class Outcome(Struct):
    """What became of one repository; `seconds` are those of init, suite and doctor."""

    repository: str
    numbers: Numbers = field(default_factory=Numbers)
    detail: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    secret_access: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether something crashed or hung."""
        return self.numbers.state in ("crash", "hang")


Table: TypeAlias = dict[str, Numbers]


class _StoppedError(Exception):
    """A step ended in a way that ends the repository."""


def examine(directory: Path, timeout: float, work: Path, name: str = "") -> Outcome:
    """Copy a repository, infer its contract, run the suite and doctor on it."""
    outcome = Outcome(name or directory.name)
    copy = work / "infrastructure"
    shutil.copytree(directory, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "infraspec.toml"))
    (copy / ".git").mkdir()  # links within it are links within a repository
    wanted = _roots_with_definitions(copy)
    outcome.numbers.roots = len(wanted)
    try:
        init = _step(outcome, "init", ["-m", "infraspec", "init", str(copy), "--format", "json"], timeout)
        suite = [str(SUITE), "--infraspec-dir", str(copy), "--infraspec-results", str(work / RESULTS), "-q"]
        _step(outcome, "suite", ["-m", "pytest", *suite, "-p", "no:cacheprovider"], timeout)
        doctor = _step(
            outcome, "doctor", ["-m", "infraspec", "doctor", "--infra", str(copy), "--format", "json"], timeout
        )
    except _StoppedError:
        return outcome
    roots = {each["name"]: each["root"] for each in json.loads(init)["environments"]}
    outcome.numbers.resources = sum(each["resources"] or 0 for each in json.loads(init)["environments"])
    outcome.numbers.doctor = sum(line["state"] != "ok" for line in json.loads(doctor))
    _read(outcome, json.loads((work / RESULTS).read_text(encoding="utf-8")), wanted, roots)
    return outcome


def _roots_with_definitions(directory: Path) -> set[str]:
    """Return the roots whose source, or that of their local modules, has task definitions."""
    found = find_roots(directory, Library())
    return {
        root.path
        for root in found.roots
        for configuration in (root.configuration, *root.modules)
        if any(key[:2] == ("managed", "aws_ecs_task_definition") for key in configuration.resources)
    }


def _step(outcome: Outcome, name: str, command: Sequence[str], timeout: float) -> str:
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "INFRASPEC_", "AWS_"))}
    started = time.monotonic()
    try:
        ran = subprocess.run(
            ["nice", sys.executable, *command],
            cwd=ROOT,
            env={**environ, "COLUMNS": "200"},
            timeout=timeout,
            check=False,
            capture_output=True,
            encoding="utf-8",
        )
    except subprocess.TimeoutExpired:
        outcome.numbers.state, outcome.detail = "hang", f"{name} did not end within {timeout:g} s"
        raise _StoppedError from None
    finally:
        outcome.seconds[name] = round(time.monotonic() - started, 2)
    printed = ran.stdout + ran.stderr
    if ran.returncode not in ORDERLY[name] or "Traceback (most recent" in printed or "INTERNALERROR" in printed:
        outcome.numbers.state, outcome.detail = "crash", f"{name} ended with {ran.returncode}: {_last(printed)}"
        raise _StoppedError
    if ran.returncode in (2, 4):
        outcome.numbers.state, outcome.detail = "input error", _first_error(ran.stderr or ran.stdout)
        raise _StoppedError
    return ran.stdout


def _read(outcome: Outcome, results: dict[str, Any], wanted: set[str], roots: Mapping[str, str]) -> None:
    numbers = outcome.numbers
    numbers.environments = len(results["run"]["environments"])
    access = Counter[str]()
    judged: set[str] = set()
    for each in results["counts"]:
        numbers.proven += each["proven"]
        numbers.violated += each["violated"]
        numbers.undetermined += each["undetermined"]
        if each["rule"] == "secret-access":
            said = {verdict: each[verdict] for verdict in ("proven", "violated", "undetermined")}
            access.update(said)
            judged |= {roots.get(each["environment"], "")} if any(said.values()) else set()
    numbers.judged = len(judged & wanted)
    numbers.access = (access["proven"], access["violated"], access["undetermined"])
    found = [entry["finding"] for entry in results["findings"]]
    numbers.causes = dict(sorted(Counter(_cause(f["remedy"]) for f in found if f["verdict"] == "undetermined").items()))
    outcome.secret_access = [_line(f) for f in found if f["rule"] == "secret-access" and f["verdict"] == "violated"]


def _cause(remedy: str) -> str:
    return next((name for name, pattern in _CAUSES.items() if re.search(pattern, remedy)), "other")


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


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of a table: a repository each, with times, verdicts, causes, and roots judged."""
    yield "| repository | state | init s | suite s | doctor s | resources | proven | violated | undetermined | judged |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|---|--:|"
    for each in outcomes:
        n = each.numbers
        causes = ", ".join(f"{name} {count}" for name, count in n.causes.items())
        times = [each.seconds.get(name, "") for name in ORDERLY]
        undetermined = f"{n.undetermined} ({causes})" if causes else n.undetermined
        cells = [each.repository, n.state, *times, n.resources, n.proven, n.violated, undetermined]
        yield f"| {' | '.join(map(str, [*cells, f'{n.judged} of {n.roots}']))} |"


def summary(name: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what the repositories have in common: medians, shares, and those that got no verdict."""
    with_roots = [each for each in outcomes if each.numbers.roots]
    judged = [each for each in with_roots if each.numbers.judged]
    shares = [each.numbers.access[2] / sum(each.numbers.access) for each in outcomes if sum(each.numbers.access)]
    found = f"a verdict of access in {len(judged)} of {len(with_roots)} with task definitions"
    yield f"{name}: {len(outcomes)} repositories, {found}"
    if shares:
        yield f"{name}: UNDETERMINED of secret-access, median of a repository: {statistics.median(shares):.0%}"
    for step in ORDERLY:
        if times := [each.seconds[step] for each in outcomes if step in each.seconds]:
            yield f"{name}: {step}, median {statistics.median(times):.1f} s, longest {max(times):.1f} s"
    silent = [each.repository for each in with_roots if not each.numbers.judged and each.numbers.state == "ran"]
    if silent:
        yield f"{name}: no verdict of access: {', '.join(silent)}"


def differences(kept: Table, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield which numbers are others than those that are kept."""
    for each in outcomes:
        before, now = kept.get(each.repository), each.numbers
        if before is None:
            yield f"{each.repository}: new"
            continue
        for name in Numbers.__struct_fields__:
            if (old := getattr(before, name)) != (new := getattr(now, name)):
                yield f"{each.repository}: {name} {old} → {new}"


def _listed(options: argparse.Namespace, work: Path) -> Iterator[tuple[Repository, Path]]:
    """Yield the repositories of the list with their directories; what cannot be had is said."""
    for each in msgspec.json.decode(LIST.read_bytes(), type=list[Repository]):
        if options.only and each.repository not in options.only:
            continue
        directory: Path = (options.checkouts or work) / each.repository.replace("/", "+")
        if not directory.is_dir() and not options.checkouts:
            try:
                fetch(Package("git", f"https://github.com/{each.repository}", each.commit), directory)
            except FetchError as error:
                print(f"{each.repository}: not fetched: {error}", file=sys.stderr)
        if directory.is_dir():
            yield each, directory


def _examined(given: tuple[Repository, Path], timeout: float) -> Outcome:
    each, directory = given
    with tempfile.TemporaryDirectory() as work:
        outcome = examine(directory, timeout, Path(work), each.repository)
    print(f"{outcome.repository}: {outcome.numbers.state} {outcome.detail}", file=sys.stderr, flush=True)
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine the repositories, print the table, and compare it with the one that is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directories", nargs="*", type=Path, metavar="DIR")
    parser.add_argument("--checkouts", type=Path, help="a folder with OWNER+NAME of what is listed: nothing is fetched")
    parser.add_argument("--only", nargs="+", metavar="OWNER/NAME")
    parser.add_argument("--write", action="store_true", help="keep the numbers")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for each of init, suite and doctor")
    options = parser.parse_args(arguments)
    for directory in options.directories:
        if not directory.is_dir():
            parser.error(f"{directory}: there is no such directory")
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(_AT_ONCE) as pool:
        given = [(Repository(each.name), each) for each in options.directories] or list(_listed(options, Path(work)))
        outcomes = list(pool.map(partial(_examined, timeout=options.timeout), given))
    print("\n".join(table(outcomes)), end="\n\n")
    unseen = {each.repository for each, _ in given if each.unseen}
    for name, half in (("seen", False), ("unseen", True)):
        print("\n".join(summary(name, [each for each in outcomes if (each.repository in unseen) is half])))
    for each in outcomes:
        if each.detail or each.secret_access:
            print(f"\n## {each.repository}\n", *([f"* {each.detail}"] if each.detail else []), sep="\n")
            print("\n".join(f"* VIOLATED {line}" for line in each.secret_access))
    if not options.directories:
        _compare(outcomes, write=options.write)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def _compare(outcomes: Sequence[Outcome], *, write: bool) -> None:
    kept = msgspec.json.decode(KEPT.read_bytes(), type=Table) if KEPT.is_file() else {}
    print("\n".join(["", *differences(kept, outcomes)]))
    if write:
        kept |= {each.repository: each.numbers for each in outcomes}
        text = msgspec.json.format(msgspec.json.encode(dict(sorted(kept.items()))), indent=1)
        KEPT.write_bytes(text + b"\n")


if __name__ == "__main__":
    sys.exit(main())
