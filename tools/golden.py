"""Compare all that infraspec says with what it said before: the golden results in fixtures/golden.

    python -m tools.golden [--write] [--only reference,live,mutations,corpus,cases,repositories]
                           [--shared ../shared] [--repositories DIR] [--all]

A result is the exit code of a run, its problems and skipped tests, and every finding with its whole text. Each section
is a file: a line for each case, with the ids of its findings, and then a line for each finding; an id is a hash of the
text. What is random in a run is normalized: NORMALIZED says what. The exit code is 1 if something differs.

Of what other people wrote nothing is kept but what infraspec says of it. DIR holds OWNER+NAME folders, each a checkout
at the commit that its case names; what is not there is skipped, as is the corpus without ../shared.
"""

from __future__ import annotations

import argparse
import difflib
import gc
import hashlib
import importlib
import json
import operator
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infraspec.core.errors import InfraspecError

Json = dict[str, Any]
Case = Json
"""Of one run or edit: `exit`, `problems`, `skipped`, `states`, `proven` and `findings`, the ids of these."""

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "fixtures/golden"
REFERENCE, INCIDENT = "fixtures/daily-report-tool", "fixtures/incident-v16"
TABLES = {
    "tests.test_reference_mutations": False,
    "tests.process.test_reference": False,
    "tests.checks.test_policy_mutations": True,
    "tests.checks.test_access_from_inputs": True,
    "tests.checks.test_access_table": True,
}
"""Modules whose `golden(work)` yields a name and a function for each edit, and whether PROVEN findings are kept: of
edits of the whole reference they are counted. The directory `work` is theirs to write to."""
REPOSITORIES = "repositories.txt"
"""In fixtures/golden: OWNER/NAME@COMMIT, one a line."""
NORMALIZED = {
    r"\b(vpc|subnet|sgr?|eni|vpce|igw|nat|rtb)-[0-9a-f]{8,17}\b": r"\1-ID",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "UUID",
    r"\b[0-9a-f]{32}\b": "TASK",
    r"/[0-9a-f]{16}\b": "/ID",
    r"\bfor -?\d+ minutes\b": "for N minutes",
    r"(:secret:[\w/-]+|-v\d)-[A-Za-z0-9]{6}\b": r"\1-SUFFIX",
    r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( UTC|Z|\+00:00)?": "TIME",
}
"""What the sandbox chooses anew in each run, and what stands for it: ids, suffixes of secrets, times, minutes ago."""
TITLE = ("rule", "address", "subject")
"""What a finding is about: it changed if another part of it differs."""
CONTRACT = """\
[project]
application = "corpus"

[plan_review]

[tags.common]
Owner = {}

[suite]
allow_empty = ["source", "task-definitions", "secret-access", "tags", "policies"]

[environments.prod]
account_id = "111122223333"
region = "eu-west-1"
"""
NEEDLESS = ("hypothesispytest", "allure_pytest", "testinfra", "xdist", "cacheprovider")
"""Plugins of pytest that a run does without: loading them costs as much as a small case does."""
_WORKERS = os.cpu_count() or 1
_RECORD = "INFRASPEC_GOLDEN"
_SHOWN = 30


# What pytest loads with `-p tools.golden`: the findings of a run, proven ones too

_recorded: dict[str, list[Json]] = {}
"""Findings by environment; `repository` where a test has none."""


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Generator[None, Any, Any]:
    """Keep what tests hand to `assert_proven`."""
    judge = yield
    if fixturedef.argname != "assert_proven":
        return judge
    callspec = getattr(request.node, "callspec", None)
    environment = callspec.params.get("environment", "repository") if callspec else "repository"

    def recorded(*arguments: Any, **options: Any) -> None:
        given = [one for argument in arguments if not isinstance(argument, str) for one in argument]
        _recorded.setdefault(environment, []).extend(map(finding_json, given))
        judge(*arguments, **options)

    fixturedef.cached_result = (recorded, *fixturedef.cached_result[1:])
    return recorded


def pytest_unconfigure() -> None:
    """Write what was kept."""
    if _RECORD in os.environ:
        Path(os.environ[_RECORD]).write_text(json.dumps(_recorded), encoding="utf-8")


def finding_json(finding: Any) -> Json:
    """Return a finding, or an error of the input, as JSON without what is empty; places as file:line."""
    if isinstance(finding, dict):
        return finding
    if isinstance(finding, Exception):
        return {"rule": type(finding).__name__, "message": str(finding)}
    plain = msgspec.to_builtins(finding)
    plain.pop("changes", None)
    for part in (plain, *plain["related"]):
        if place := part.pop("location"):
            part["place"] = f"{place['file']}:{place['line']}"
    plain["related"] = [" ".join(filter(None, map(one.get, ("role", "address", "place")))) for one in plain["related"]]
    return {key: value for key, value in plain.items() if value}


# Running


class Section:
    """The cases of a section, by name, and their findings, by id."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.findings: dict[str, Json] = {}

    def add(self, name: str, findings: Iterable[Json], **about: Any) -> None:
        """Add a case."""
        ids = []
        for finding in findings:
            text = json.dumps(finding, sort_keys=True, ensure_ascii=False)
            ids.append(hashlib.sha256(text.encode()).hexdigest()[:12])
            self.findings[ids[-1]] = finding
        self.cases[name] = {key: value for key, value in about.items() if value not in ({}, [])} | {
            "findings": sorted(ids)
        }

    def write(self, path: Path) -> None:
        """Write the section, cases and findings sorted."""
        named = sorted(self.cases.items())
        used = {key for case in self.cases.values() for key in case["findings"]}
        told = sorted(
            ((key, one) for key, one in self.findings.items() if key in used),
            key=lambda item: (*map(str, _about(item[1])), item[0]),
        )
        lines = [{"case": name, **case} for name, case in named] + [{"id": key, **one} for key, one in told]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path.write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Section:
        """Read a section; one that was never written is empty."""
        section = cls()
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            row = json.loads(line)
            kind, rows = ("id", section.findings) if "id" in row else ("case", section.cases)
            rows[row.pop(kind)] = row
        return section


@cache
def kept(name: str) -> Section:
    """Return what is kept of a section."""
    return Section.read(KEPT / f"{name}.jsonl")


def text_of(text: str, directory: Path, *, is_live: bool = False) -> str:
    """Return text without the place of a directory, and without what is random in a run in the sandbox."""
    text = text.replace(f"{directory}/", "").replace(str(directory), ".")
    for pattern, instead in NORMALIZED.items() if is_live else ():
        text = re.sub(pattern, instead, text)
    return text


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python without what the environment says of Terraform, AWS and CI."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "INFRASPEC_", "AWS_", "GITHUB_", "CI"))}
    paths = f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"
    compiled = "" if "PYTHONPYCACHEPREFIX" in clean else "1"
    env = {**clean, "PYTHONPATH": paths, "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": compiled, **environ}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=env, check=False, capture_output=True, encoding="utf-8"
    )


def suite(section: Section, name: str, directory: Path, *options: str, suite: str = "tests_static") -> None:
    """Run a suite on a directory and add a case for each environment, and one for the run."""
    with tempfile.TemporaryDirectory() as work:
        results, record = Path(work) / "results.json", Path(work) / "record.json"
        where = ("--infraspec-dir", str(directory), "--infraspec-results", str(results))
        plugins = [word for name in ("tools.golden", *(f"no:{name}" for name in NEEDLESS)) for word in ("-p", name)]
        ran = run("pytest", suite, "-q", *plugins, *where, *options, **{_RECORD: str(record)})
        if not results.exists() or not record.exists():
            section.add(name, [], exit=ran.returncode, printed=text_of(ran.stdout + ran.stderr, directory))
            return
        read = partial(text_of, directory=directory, is_live=suite == "tests_live")
        found, told = (json.loads(read(path.read_text("utf-8"))) for path in (record, results))
    states = Counter(f"{entry['environment']} {entry['state']}" for entry in told["findings"])
    problems = sorted(f"{one['environment']}: {one['error']}: {one['message']}" for one in told["problems"])
    skipped = sorted({f"{one['environment']}: {one['reason']}" for one in told["skipped"]})
    about = {"states": dict(sorted(states.items())), "problems": problems, "skipped": skipped}
    section.add(name, [], exit=ran.returncode, **about, **{key: told[key] for key in ("unused_waivers", "moves")})
    for environment, findings in found.items():
        section.add(f"{name} [{environment}]", findings)


def all_of(jobs: Iterable[Callable[[], None]]) -> None:
    """Run jobs that wait for processes, as many at a time as there are processors."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(operator.call, jobs):
            pass


# The sections


def reference(section: Section, _options: argparse.Namespace) -> Sequence[str]:
    """Run the static suite on the repository's own infrastructures."""
    paths = (REFERENCE, INCIDENT, "fixtures/minimal")
    all_of(partial(suite, section, path, Path(path)) for path in paths)
    plan = ("--infraspec-env", "prod", "--infraspec-plan", "fixtures/plans/daily-report-tool-prod.json")
    suite(section, f"{REFERENCE} with a plan", Path(REFERENCE), *plan)
    return ()


def live(section: Section, _options: argparse.Namespace) -> Sequence[str]:
    """Run the live suite in the sandbox."""
    all_of(partial(suite, section, path, Path(path), suite="tests_live") for path in (REFERENCE, INCIDENT))
    return ()


def mutations(section: Section, _options: argparse.Namespace) -> Sequence[str]:
    """Make every edit of the tables of tests/; PROVEN is counted only, the section of the reference has its text."""
    shards = [(table, index) for table in TABLES for index in range(_WORKERS)]
    with ProcessPoolExecutor(_WORKERS) as pool:
        for cases in pool.map(_shard, shards):
            for name, findings, proven in cases:
                section.add(name, findings, proven=proven)
    return ()


def _shard(shard: tuple[str, int]) -> list[tuple[str, list[Json], Json]]:
    gc.set_threshold(100_000, 50, 100)  # hundreds of plans are made, and little of one is in cycles
    return list(edits(shard[0], lambda number: number % _WORKERS == shard[1]))


def edits(table: str, chosen: Callable[[int], bool] = lambda _: True) -> Iterator[tuple[str, list[Json], Json]]:
    """Yield the cases of a table: name, findings, and how many PROVEN ones are left out by rule."""
    with tempfile.TemporaryDirectory() as work:
        for number, (name, judge) in enumerate(importlib.import_module(table).golden(Path(work))):
            if chosen(number):
                found = plain(judged(judge), Path(work))
                left = [one for one in found if one.get("verdict") == "proven" and not TABLES[table]]
                proven = dict(sorted(Counter(one["rule"] for one in left).items()))
                yield f"{table.removeprefix('tests.')}: {name}", [one for one in found if one not in left], proven


def plain(findings: Iterable[Any], work: Path) -> list[Json]:
    """Return findings as JSON, without the place of a directory."""
    return [json.loads(text_of(json.dumps(finding_json(one)), work)) for one in findings]


def judged(judge: Callable[[], Iterable[Any]]) -> list[Any]:
    """Return what is found; an error of the input is the one finding then."""
    try:
        return list(judge())
    except InfraspecError as error:
        return [error]


def corpus(section: Section, options: argparse.Namespace) -> Sequence[str]:
    """Run the static suite on each plan, state and task definition of the corpus."""
    data = options.shared / "data"
    files = [path for kind in ("plans", "states", "task_definitions") for path in sorted(data.glob(f"{kind}/*"))]
    all_of(partial(_file, section, path) for path in files)
    return () if files else [*kept("corpus").cases]


def _file(section: Section, path: Path) -> None:
    kind, name = path.parent.name, path.name
    key = {"plans": f'plan = "{name}"', "states": f'state = "{name}"'}.get(kind, f'task_definitions = ["{name}"]')
    with tempfile.TemporaryDirectory() as work:
        shutil.copy(path, work)
        (Path(work) / "infraspec.toml").write_text(f"{CONTRACT}{key}\n", encoding="utf-8")
        plan = ("--infraspec-plan", f"{work}/{name}") if kind == "plans" else ()
        suite(section, f"{kind}/{name}", Path(work), *plan)


def cases(section: Section, options: argparse.Namespace) -> Sequence[str]:
    """Run init and the static suite on each small case of ../shared/cases."""
    folder = options.shared / "cases"
    roots = [path for path in sorted(folder.glob("*/*")) if path.is_dir()]
    all_of(partial(_tree, section, path.relative_to(folder).as_posix(), path) for path in roots)
    return () if roots else [*kept("cases").cases]


def repositories(section: Section, options: argparse.Namespace) -> Sequence[str]:
    """Run init and the static suite on public repositories."""
    names = (KEPT / REPOSITORIES).read_text("utf-8").split()
    there = {name: options.repositories / name.partition("@")[0].replace("/", "+") for name in names}
    all_of(partial(_tree, section, name, path) for name, path in there.items() if path.is_dir())
    return [name for name, path in there.items() if not path.is_dir()]


def _tree(section: Section, name: str, path: Path) -> None:
    """Add what init says of a copy of a tree, and what the suite says; a contract that is there stays."""
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work) / "copy"
        foreign = not (path / "infraspec.toml").exists()
        shutil.copytree(path, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        if foreign:
            ran = run("infraspec", "init", str(copy))
            contract = copy / "infraspec.toml"
            text = text_of(contract.read_text("utf-8"), copy) if contract.exists() else ""
            printed = text_of(ran.stdout + ran.stderr, copy).splitlines()
            section.add(f"{name} init", [], exit=ran.returncode, printed=printed, contract=text.splitlines())
        if (copy / "infraspec.toml").exists():
            suite(section, name, copy)


SECTIONS: Mapping[str, Callable[[Section, argparse.Namespace], Sequence[str]]] = {
    one.__name__: one for one in (reference, live, mutations, corpus, cases, repositories)
}


# Comparing


def _of_case(before: Case | None, after: Case | None, old: Section, new: Section) -> Iterator[tuple[str, str]]:
    if before is None or after is None:
        yield ("a case was added" if before is None else "a case is gone"), ""
        return
    for key in sorted((before.keys() | after.keys()) - {"findings"}):
        if before.get(key) != after.get(key):
            yield f"{key} changed", _changes({key: before.get(key)}, {key: after.get(key)})
    went, came = (Counter[str](case["findings"]) for case in (before, after))
    added = [new.findings[key] for key in (came - went).elements()]
    for finding in [old.findings[key] for key in (went - came).elements()]:
        match = next((one for one in added if _about(one) == _about(finding)), None)
        if match:
            added.remove(match)
        yield f"{'changed' if match else 'removed'}: {_title(match or finding)}", _changes(finding, match or {})
    yield from ((f"added: {_title(finding)}", _changes({}, finding)) for finding in added)


def _about(finding: Json) -> tuple[Any, ...]:
    return tuple(map(finding.get, TITLE))


def _title(finding: Json) -> str:
    verdict = "ADVICE" if finding.get("advice") else finding.get("verdict", "error").upper()
    return f"{verdict} {finding['rule']}: {finding.get('address', '')} {finding.get('subject', '')}".rstrip()


def _changes(before: Json, after: Json) -> str:
    changes = [*difflib.unified_diff(_lines(before), _lines(after), n=0, lineterm="")][2:]
    return "\n".join(f"    {line[0]} {line[1:]}" for line in changes if not line.startswith("@@"))


def _lines(about: Json) -> list[str]:
    return [f"{key:9}{line}" for key in about if key not in TITLE for line in _text(about[key]).splitlines()]


def _text(value: Any) -> str:
    is_text = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return "\n".join(value) if is_text else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def compare(name: str, old: Section, new: Section, shown: int | None = None) -> str:
    """Return how a section differs, as text; nothing if it does not. What is true of several cases is told once.

    A finding that went and one that came about the same rule, address and subject are one that changed.
    """
    where: dict[tuple[str, str], list[str]] = {}
    for case in sorted(old.cases | new.cases):
        for change in _of_case(old.cases.get(case), new.cases.get(case), old, new):
            where.setdefault(change, []).append(case)
    lines = [f"{name}: {len(where)} DIFFERENCES"] if where else []
    for (head, text), cases in islice(where.items(), shown):
        lines += [f"\n  {head}", f"    in {len(cases)} of {len(new.cases)} cases: {'; '.join(cases[:3])}", text]
    if shown and len(where) > shown:
        lines.append(f"\n  and {len(where) - shown} more: --all shows them")
    return "\n".join(lines)


def held(kept: Section, case: str, asked: Mapping[str, Iterable[Json]]) -> str:
    """Return how what rules find in a case, by the rule that was asked, differs from what is kept of them, as text."""
    old, new = Section(), Section()
    new.add(case, [one for found in asked.values() for one in found])
    if case in kept.cases:
        told = [kept.findings[key] for key in kept.cases[case]["findings"]]
        plain = [({k: v for k, v in one.items() if k != "asked"}, one["asked"]) for one in told]
        old.add(case, [one for one, rules in plain for rule in rules if rule in asked])
    return compare(case, old, new)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections and compare or write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="keep the results instead of comparing them")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="directory of data/ and cases/")
    parser.add_argument(
        "--repositories", type=Path, default=ROOT.parent / "repositories", help="directory of checkouts"
    )
    parser.add_argument("--all", action="store_true", help="show every difference")
    options = parser.parse_args(arguments)
    names = options.only.split(",")
    if unknown := set(names) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}: use {', '.join(SECTIONS)}")
    with tempfile.TemporaryDirectory() as compiled, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPYCACHEPREFIX", compiled)  # modules are compiled once, and not in each run
        differ = [name for name in names if differs(name, options)]
    return int(bool(differ) and not options.write)


def differs(name: str, options: argparse.Namespace) -> bool:
    """Run a section, write it if that is asked for, and tell how it differs from what is kept."""
    new, path, began = Section(), KEPT / f"{name}.jsonl", sum(os.times()[:4])
    missing = {case.partition(" ")[0] for case in SECTIONS[name](new, options)}
    if missing:
        print(f"{name}: {len(missing)} are not there: --shared and --repositories say where they are")
    old = Section.read(path)
    skipped = {case: about for case, about in old.cases.items() if case.partition(" ")[0] in missing}
    if options.write:
        new.cases, new.findings = new.cases | skipped, old.findings | new.findings
        new.write(path)
    old.cases = {case: about for case, about in old.cases.items() if case not in skipped}
    report = compare(name, old, new, None if options.all else _SHOWN) if new.cases or not missing else ""
    print(f"{name}: {len(new.cases)} cases, {sum(os.times()[:4]) - began:.0f} s of processors")
    print(report or f"{name}: {'as before' if new.cases else 'nothing was compared'}", flush=True)
    return bool(report)


if __name__ == "__main__":
    sys.exit(main())
