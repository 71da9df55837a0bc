"""What the benchmarks say of a run: ratios, targets, what was found, and what could not be compared."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.comparison import bench as benches
from bench.comparison import command, environments
from bench.comparison.bench import Bench
from bench.comparison.environments import Environment, InstallError
from bench.comparison.process import Job, JobError, Pair, Sample, run
from bench.comparison.table import Table, Target
from bench.comparison.tools import Subject, findings, items, verdicts
from bench.comparison.trees import Coverage, Tree

OUTPUT = """
stacks/risk-0009/rds.tf:29: VIOLATED names: module.risk_0009.aws_db_instance.this
    expected:  {stage}-{service}-db
stacks/risk-0009/ecs.tf:70: UNDETERMINED secret-access: module.risk_0009.aws_ecs_task_definition.this container "a"
---------------------------------- infraspec -----------------------------------
environment  rule                    proven      violated  undetermined        waived
prod         names                       18             1             -             -
prod         secret-access                7             -             1             2
=========================== short test summary info ============================
FAILED tests_static/test_names.py::test_names[prod] - 1 violated of 19
1 failed, 5 passed, 1 skipped in 0.41s
"""


def python(source: str, tool: str = "infraspec", exits: frozenset[int] = frozenset({0})) -> Job:
    """Return a job that runs Python source."""
    return Job(tool, ((sys.executable, "-c", source),), Path.cwd(), exits)


def samples(*cpu: float) -> tuple[Sample, ...]:
    """Return runs that took so many seconds of CPU time."""
    return tuple(Sample(1.0, seconds, 1.0) for seconds in cpu)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the trees and environments be below a temporary directory."""
    for module in ("environments", "trees", "tools", "sections"):
        monkeypatch.setattr(f"bench.comparison.{module}.HOME", tmp_path)
    return tmp_path


@pytest.fixture
def tree(home: Path) -> Tree:
    """Return a tree of which only what was planted is there: a wrong name."""
    tree = Tree(1, planted=1)
    place = {"kind": "name", "stack": "risk-0009", "file": "stacks/risk-0009/rds.tf", "line": 29}
    tree.out.mkdir(parents=True)
    (tree.out / "expected.json").write_text(json.dumps({"violations": [place]}), "utf-8")
    assert home in tree.out.parents
    return tree


def test_ratio_is_the_median_of_pairs() -> None:
    """A run that was disturbed does not decide a ratio."""
    assert 0.5 == Pair(samples(1, 9, 1), samples(2, 2, 2)).ratio("cpu")


@pytest.mark.parametrize(
    ("target", "met", "shown"),
    [
        (Target("CPU", 0.49, 0.5), True, "≤ 0.5"),
        (Target("CPU", 0.51, 0.5), False, "≤ 0.5"),
        (Target("throughput", 11.9, 12, at_least=True), False, "≥ 12"),
        (Target("CPU", 99.0), True, "-"),
    ],
)
def test_target_is_met_or_missed(target: Target, met: object, shown: str) -> None:
    """A target says its bound and whether it is kept; a figure without a bound is never missed."""
    assert (met, shown) == (target.met, target.cells()[2])


def test_findings_and_counts_are_read() -> None:
    """Findings are read with file, line, rule and address; verdicts and items from the closing tables."""
    found = [(f.file, f.line, f.verdict, f.rule, f.address.rpartition(".")[0]) for f in findings(OUTPUT)]
    assert [
        ("stacks/risk-0009/rds.tf", 29, "VIOLATED", "names", "module.risk_0009.aws_db_instance"),
        ("stacks/risk-0009/ecs.tf", 70, "UNDETERMINED", "secret-access", "module.risk_0009.aws_ecs_task_definition"),
    ] == found
    assert (29, 7) == (verdicts(OUTPUT), items(OUTPUT))


@pytest.mark.parametrize(
    ("reported", "others", "found", "false"),
    [
        ([("name", "risk-0009")], (), "1 of 1", 0),
        ([], (), "0 of 1 (misses name)", 0),
        ([("name", "risk-0009"), ("tag", "risk-0009")], ("x.tf:1",), "1 of 1", 2),
    ],
)
def test_reports_are_held_against_what_was_planted(
    tree: Tree, reported: Sequence[tuple[str, str]], others: tuple[str, ...], found: str, false: int
) -> None:
    """What is missed is named by kind, and what was not planted is false."""
    coverage = Coverage(1, frozenset(reported), others)
    assert (found, false) == (coverage.found(tree), coverage.false(tree))


def test_command_is_measured() -> None:
    """A run has its CPU time, its peak of memory and what it printed."""
    sample = run(python("x = bytearray(50_000_000); sum(range(10**6)); print('done')"))
    assert sample.cpu > 0
    assert sample.memory > 50
    assert ("done\n",) == sample.outputs


def test_wrong_exit_code_is_an_error() -> None:
    """A command that ends as it should not is an error with the last of its output."""
    with pytest.raises(JobError, match=r"exit 3 .*: no such rule"):
        run(python("import sys; print('no such rule', file=sys.stderr); sys.exit(3)"))


def test_peer_that_cannot_be_installed(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that cannot be installed has a row that says why, infraspec is measured alone, and it is no fault."""

    def refuse(name: str, _: object) -> Environment:
        raise InstallError(f"{name} has no wheel for this Python")

    monkeypatch.setattr(benches, "install_peer", refuse)
    own = Subject(python("print(1)"), lambda _: Coverage(1, tree.violations))
    table = Bench(quick=True, runs=1).compare(
        "one", tree, own, "checkov", lambda *_: own, runs=2, targets=[("CPU", "cpu", 0.1)]
    )

    assert ["infraspec", "checkov"] == [row.tool for row in table.rows]
    assert "checkov cannot be installed: checkov has no wheel for this Python" in table.text()
    assert ([], [], ["checkov"]) == (table.targets, table.faults, table.not_compared)


def test_missed_violation_is_a_fault(tree: Tree) -> None:
    """What infraspec misses, sees less of or reports without cause makes the run fail."""
    table = Table("one", tree)
    own = Subject(python("print(1)"), lambda _: Coverage(0, frozenset({("tag", "risk-0009")})))
    Bench(quick=True, runs=1).alone(table, own)
    assert 3 == len(table.faults)


def test_a_run_cleans_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees and reports are gone after a run, also after an error; the environments of the tools stay."""

    def fail(_: object) -> Environment:
        raise InstallError("no index")

    monkeypatch.setattr(benches, "install_infraspec", fail)
    (home / "checkov").mkdir()
    assert 1 == command.main(["--quick", "--sections", "start"])
    assert ["checkov"] == [path.name for path in home.iterdir()]


def test_failed_installation_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that is not whole is removed, so that the next run makes it again."""
    monkeypatch.setitem(environments.PEERS, "broken", ("--no-index", "no-such-package==1"))
    with pytest.raises(InstallError, match="no-such-package"):
        environments.install_peer("broken", lambda _: None)
    assert not (home / "broken").exists()
