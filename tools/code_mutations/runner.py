"""Run the tests of one package on mutants, in the tree that is the current folder; tools.code_mutations asks for it.

    python -m tools.code_mutations.runner record PACKAGE RECORDS
    python -m tools.code_mutations.runner run PACKAGE RECORDS MUTANTS OUTCOMES
    python -m tools.code_mutations.runner fresh PACKAGE ORDER

Tests are collected once. Each mutant is then a fork, in which the changed function gets its new code.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import json
import math
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import msgspec
import pytest
from coverage.numbits import nums_to_numbits

from tools.code_mutations.mutants import Mutant

ANEW = ", anew"
FOUND, SURVIVED = "found", "survived"
HERE = Path.cwd()
GRACE = 20.0
"""Seconds that a mutant gets beyond five times of what its tests take."""
SLOWEST = 300.0
"""Seconds after which a test without a mutant is given up."""
MEMORY = 6 * 2**30
Answer = tuple[str, str, float]


class Reach(msgspec.Struct):
    """What is known of a test: how long it takes, the lines it reaches, and whether it starts another Python."""

    seconds: float
    passed: bool
    spawns: bool
    lines: dict[str, str]


class Record(msgspec.Struct):
    """What is known of a file of tests: the tests, the lines that collecting them reaches, and of which code."""

    tests: dict[str, Reach]
    collected: dict[str, str]
    code: dict[str, str]

    def reached_by(self, lines: dict[str, str], mutant: Mutant, code: dict[str, str]) -> bool:
        """Tell whether a mutant's line was reached; of a module that was changed since any line counts."""
        if self.code.get(mutant.path) != code[mutant.path]:
            return mutant.path in lines
        return reaches(lines, mutant)


def reaches(lines: dict[str, str], mutant: Mutant) -> bool:
    """Tell whether a line of the statement is among those, which are kept as the hexadecimal digits of a bit set."""
    bits = int.from_bytes(bytes.fromhex(lines.get(mutant.path, "")), "little")
    return any(bits >> line & 1 for line in range(mutant.first, mutant.last + 1))


def lines_of(data: coverage.CoverageData, context: str | None = None) -> dict[str, str]:
    """Return the lines that were reached, by file."""
    reached = {}
    if context is not None:
        data.set_query_context(context)
    for path in data.measured_files():
        if lines := data.lines(path):
            reached[Path(path).relative_to(HERE).as_posix()] = nums_to_numbits(lines).hex()
    return reached


def measured(package: str) -> coverage.Coverage:
    """Make a measurement of one package that writes no file."""
    made = coverage.Coverage(data_file=None, config_file=False, include=[f"{HERE}/plugins/infraspec/{package}/*"])
    made.set_option("run:disable_warnings", ["no-data-collected"])  # a test may reach nothing
    return made


class Plugin:
    """Collect as pytest does, and run something else than its loop."""

    def __init__(self, loop: Callable[[pytest.Session], None], collecting: coverage.Coverage | None = None) -> None:
        self.loop, self.collecting = loop, collecting

    def pytest_collection(self) -> None:
        """Let property tests try the same examples each time, and stop at the first failure."""
        import hypothesis  # noqa: PLC0415 - pytest has to load its plugin first
        import hypothesis.internal.conjecture.engine  # noqa: PLC0415 - likewise

        hypothesis.internal.conjecture.engine.MAX_SHRINKS = 0
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        name = "mutations"
        hypothesis.settings.register_profile(name, deadline=None, database=None, derandomize=True, phases=phases)
        hypothesis.settings.load_profile(name)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Note what each file reaches when it is collected."""
        if self.collecting is not None and isinstance(collector, pytest.Module):
            self.collecting.switch_context(collector.nodeid)
        return (yield)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do what was asked in place of running all tests."""
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        self.loop(session)
        return True


def in_child(act: Callable[[], Any], limit: float) -> Any:
    """Do something in a fork and return what it returns; None when it dies or takes longer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            answer = msgspec.json.encode(act())
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(answer + b"\n")
        except BaseException:  # noqa: BLE001 - whatever it is, it must not go on in two processes
            (HERE / "child.txt").write_text(traceback.format_exc())
        finally:
            os._exit(0)
    os.close(writing)
    said, end = b"", time.monotonic() + limit
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
            piece = pipe.read(1 << 20)
            said += piece
            if not piece or said.endswith(b"\n"):  # what the child has started may hold the pipe open
                break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return json.loads(said) if said else None


class Watch:
    """See the first failure among tests that are run."""

    def __init__(self) -> None:
        self.failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed:
            self.failed = self.failed or report.nodeid


def first_failure(items: Sequence[pytest.Item]) -> str:
    """Run tests until one fails, and return its id."""
    watch = Watch()
    items[0].config.pluginmanager.register(watch)
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if watch.failed:
            break
    return watch.failed


def collected(arguments: Sequence[str], plugin: Plugin) -> None:
    """Collect tests with pytest, quietly."""
    code = pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins=[plugin])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise SystemExit(f"pytest ends with {code}")


# What each test reaches


def digest(path: Path) -> str:
    """Return what stands for the content of a file."""
    return hashlib.sha256(f"{path.relative_to(HERE)}\n".encode() + path.read_bytes()).hexdigest()[:16]


def record_files(package: str, records: Path) -> dict[str, Path]:
    """Name the record of each file of tests."""
    return {
        path.relative_to(HERE).as_posix(): records / f"{package}-{path.stem}-{digest(path)}.json"
        for path in (HERE / "tests" / package).rglob("test_*.py")
    }


def code(package: str) -> dict[str, str]:
    """Return what stands for the content of each module of a package."""
    paths = (HERE / "plugins/infraspec" / package).rglob("*.py")
    return {path.relative_to(HERE).as_posix(): digest(path) for path in paths}


def record(package: str, records: Path) -> None:
    """Record each test of the files that have no record yet, in a fork of its own."""
    records.mkdir(parents=True, exist_ok=True)
    missing = {test: path for test, path in record_files(package, records).items() if not path.exists()}
    if not missing:
        return
    collecting = measured(package)

    def loop(session: pytest.Session) -> None:
        collecting.stop()
        data = collecting.get_data()
        gc.freeze()
        for test, path in missing.items():
            items = [item for item in session.items if item.nodeid.partition("::")[0] == test]
            record = Record({item.nodeid: reach(package, item) for item in items}, lines_of(data, test), code(package))
            path.write_bytes(msgspec.json.encode(record))

    collecting.start()
    collected(list(missing), Plugin(loop, collecting))


def reach(package: str, item: pytest.Item) -> Reach:
    """Run one test in a fork under coverage."""

    def act() -> Reach:
        spawned: list[bool] = []
        sys.addaudithook(lambda event, said: spawned.append(_is_python(event, said)))
        measure = measured(package)
        measure.start()
        started = time.perf_counter()
        failed = first_failure([item])
        seconds = time.perf_counter() - started
        measure.stop()
        return Reach(seconds, not failed, any(spawned), lines_of(measure.get_data()))

    said = in_child(act, SLOWEST)
    if said is None:
        print(f"{item.nodeid} is left out: alone in a process it dies or does not end", file=sys.stderr)
        return Reach(SLOWEST, passed=False, spawns=False, lines={})
    return msgspec.convert(said, Reach)


def _is_python(event: str, said: Sequence[Any]) -> bool:
    return event == "subprocess.Popen" and any("python" in str(part) or "infraspec" in str(part) for part in said[:2])


# Mutants


def all_code(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a module and of all that is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from all_code(constant)


def _named(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def patched(mutant: Mutant, source: str) -> bool:
    """Give the function of a mutant its new code wherever it is referred to, and what it made while it was loaded."""
    path = str(HERE / mutant.path)
    made = [code for code in all_code(compile(mutant.applied(source), path, "exec", dont_inherit=True))
            if f"{code.co_qualname}.".startswith(f"{mutant.function}.")]  # fmt: skip
    times = Counter(map(_named, made))
    new = {_named(code): code for code in made if times[_named(code)] == 1}  # not two lambdas of one line
    count = 0
    gc.unfreeze()
    for found in gc.get_objects():
        if isinstance(found, FunctionType) and found.__code__.co_filename == path:
            code = new.get(_named(found.__code__))
            if code is not None:
                found.__code__ = code
                count += code.co_qualname == mutant.function
    return count > 0


def ordered(tests: dict[str, Reach], names: Sequence[str]) -> list[str]:
    """Put the fastest first, and what is about as fast by file, which shares fixtures."""
    return sorted(names, key=lambda name: (tests[name].spawns, math.ceil(math.log(tests[name].seconds, 4)), name))


class Runner:
    """Run the mutants of one package."""

    def __init__(self, package: str, records: Path) -> None:
        self.package = package
        self.files = {
            test: msgspec.json.decode(path.read_bytes(), type=Record)
            for test, path in record_files(package, records).items()
        }
        self.code = code(package)
        self.good: set[str] = set()
        self.tests = {name: one for file in self.files.values() for name, one in file.tests.items() if one.passed}

    def reaching(self, mutant: Mutant) -> list[str]:
        """Return the tests that reach a mutant's line, or start another Python."""
        return [
            name
            for file in self.files.values()
            for name, one in file.tests.items()
            if name in self.tests and (one.spawns or file.reached_by(one.lines, mutant, self.code))
        ]

    def run(self, mutant: Mutant, source: str, items: dict[str, pytest.Item]) -> Answer:
        """Run a mutant; a test that fails without it as well is left out, and the mutant is run again."""
        while True:
            outcome, by, seconds = self.once(mutant, source, items)
            name = by.removesuffix(ANEW)
            if outcome != FOUND or name not in self.tests or name in self.good:
                return outcome, by, seconds
            killer = [items[name]]
            with unchanged(mutant, source):
                failed = in_child(functools.partial(first_failure, killer), SLOWEST)
            if failed == "":
                self.good.add(name)
            else:
                print(f"{name} is left out: it fails without a mutant", file=sys.stderr)
                del self.tests[name]

    def once(self, mutant: Mutant, source: str, items: dict[str, pytest.Item]) -> Answer:
        """Run a mutant in a fork where the tests were collected without its line, else in a fresh process."""
        touched = {name for name, file in self.files.items() if file.reached_by(file.collected, mutant, self.code)}
        if mutant.function == "<module>":
            return self.fresh(mutant, set(self.files))
        names = [name for name in self.reaching(mutant) if name in items and name.partition("::")[0] not in touched]
        answer = self.fork(mutant, source, [items[name] for name in ordered(self.tests, names)])
        if answer is None:
            return self.fresh(mutant, set(self.files))
        return answer if answer[0] == FOUND or not touched else self.fresh(mutant, touched)

    def fork(self, mutant: Mutant, source: str, items: Sequence[pytest.Item]) -> Answer | None:
        """Run a mutant in a fork; None when its function has to be made anew."""
        if not items:
            return SURVIVED, "no test reaches it", 0.0

        def act() -> list[str]:
            try:
                if not patched(mutant, source):
                    return ["fresh"]
            except ValueError:  # other free variables
                return ["fresh"]
            failed = first_failure(items)
            return [FOUND, failed] if failed else [SURVIVED, f"{len(items)} tests reach it"]

        started = time.perf_counter()
        limit = GRACE + 5 * sum(self.tests[item.nodeid].seconds for item in items)
        said = in_child(act, limit) or [FOUND, "dies or does not end"]
        return None if said == ["fresh"] else (said[0], said[1], time.perf_counter() - started)

    def fresh(self, mutant: Mutant, files: set[str]) -> Answer:
        """Run a mutant in a fresh process with some files of tests, those first that reach its module."""
        names = [name for name in self.tests if name.partition("::")[0] in files]
        near = [name for name in names if self.tests[name].spawns or mutant.path in self.tests[name].lines]
        first = set(near)
        order = HERE / "order.json"
        far = [name for name in names if name not in first]
        order.write_text(json.dumps([*ordered(self.tests, near), *ordered(self.tests, far)]))
        limit = 3 * GRACE + 5 * sum(self.tests[name].seconds for name in names)
        command = [sys.executable, "-m", "tools.code_mutations.runner", "fresh", self.package, str(order)]
        started = time.perf_counter()
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return FOUND, "does not end", time.perf_counter() - started
        seconds = time.perf_counter() - started
        if ran.returncode == 0:
            return SURVIVED, f"{len(names)} tests{ANEW}", seconds
        said = ran.stdout.strip().splitlines()[-1:] or ["the tests cannot be collected"]
        return FOUND, said[0] + ANEW, seconds


@contextlib.contextmanager
def unchanged(mutant: Mutant, source: str) -> Iterator[None]:
    """Restore the file for a while."""
    path = HERE / mutant.path
    changed, status = path.read_text("utf-8"), path.stat()
    path.write_text(source, "utf-8")
    yield
    path.write_text(changed, "utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextlib.contextmanager
def written(mutant: Mutant, number: int) -> Iterator[str]:
    """Change the file, for what reads it anew, and restore it; the time tells its bytecode from the original's."""
    path = HERE / mutant.path
    status, source = path.stat(), path.read_text("utf-8")
    path.write_text(mutant.applied(source), "utf-8")
    os.utime(path, (status.st_atime, status.st_mtime + 100 + number))
    yield source
    path.write_text(source, "utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def run(package: str, records: Path, asked: Path, answered: Path) -> None:
    """Run the mutants that a file names, and write what becomes of them."""
    mutants = msgspec.json.decode(asked.read_bytes(), type=list[Mutant])
    runner = Runner(package, records)

    def loop(session: pytest.Session) -> None:
        items = {item.nodeid: item for item in session.items}
        gc.collect()
        gc.freeze()
        outcomes = []
        for number, mutant in enumerate(mutants):
            with written(mutant, number) as source:
                outcomes.append(runner.run(mutant, source, items))
        answered.write_text(json.dumps(outcomes))

    collected([f"tests/{package}"], Plugin(loop))


def fresh(package: str, order: Path) -> None:
    """Run the tests that a file names, in its order, until one fails; say which."""
    names = json.loads(order.read_text())
    failed = []

    def loop(session: pytest.Session) -> None:
        items = {item.nodeid: item for item in session.items}
        renamed = {name.partition("::")[0] for name in names if name not in items}
        others = [name for name in items if name.partition("::")[0] in renamed and name not in set(names)]
        wanted = [items[name] for name in [*names, *others] if name in items]
        failed.append(first_failure(wanted) if wanted else "")

    with contextlib.redirect_stdout(sys.stderr):
        collected(sorted({name.partition("::")[0] for name in names}) or [f"tests/{package}"], Plugin(loop))
    print(failed[0])
    sys.exit(bool(failed[0]))


def main() -> None:
    """Do what the command line asks for."""
    task, package, *rest = sys.argv[1:]
    paths = [Path(text) for text in rest]
    {"record": record, "run": run, "fresh": fresh}[task](package, *paths)  # type: ignore[operator] # by task


if __name__ == "__main__":
    try:
        main()
    except Exception:  # noqa: BLE001 - the caller shows it
        traceback.print_exc()
        sys.exit(2)
