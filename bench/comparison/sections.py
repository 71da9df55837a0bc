"""The sections of the benchmarks, each with the targets that the project has set itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from bench.comparison import tools
from bench.comparison.bench import Bench, with_stacks
from bench.comparison.environments import HOME, Environment
from bench.comparison.process import Job, JobError, alternate, median, run
from bench.comparison.table import Row, Table, Target
from bench.comparison.trees import Tree
from bench.generator.stacks import make_stacks

_HANDFUL = 12
_VERDICTS = 15_000


def source(bench: Bench) -> Iterator[Table]:
    """Compare one root, from source: c7n-left where it sees everything, checkov where it does not."""
    tree = bench.tree(30)
    own = tools.infraspec(bench.infraspec, tree)
    runs = 2 if bench.quick else bench.runs
    title = "source, 30 stacks in one root: c7n-left"
    table = bench.compare(
        title,
        tree,
        own,
        "c7n-left",
        tools.c7n_left,
        runs=runs,
        targets=[("CPU", "cpu", 0.5), ("memory", "memory", 0.6)],
    )
    _count_c7n_stacks(bench, table)
    bench.inform(table, "tfparse", tools.tfparse)
    yield table
    for stacks, runs in ((10, 1),) if bench.quick else ((100, min(2, bench.runs)), (300, 1)):
        tree = bench.tree(stacks)
        own = tools.infraspec(bench.infraspec, tree)
        title = f"source, {stacks} stacks in one root: checkov"
        targets = [("CPU", "cpu", _at_full_size(bench, 0.12))]
        table = bench.compare(title, tree, own, "checkov", tools.checkov, runs=runs, targets=targets)
        if stacks == 100:
            bench.inform(table, "c7n-left", tools.c7n_left)
            _count_c7n_stacks(bench, table)
            bench.inform(table, "tfparse", tools.tfparse)
        yield table


def roots(bench: Bench) -> Iterator[Table]:
    """Make every stack a root of its own: infraspec in one process, c7n-left in one for each."""
    stacks = 5 if bench.quick else 100
    tree = bench.tree(stacks, layout="roots")
    own = tools.infraspec(bench.infraspec, tree)
    yield bench.compare(
        f"source, {stacks} roots of one stack each: c7n-left",
        tree,
        own,
        "c7n-left",
        tools.c7n_left_per_root,
        runs=1,
        targets=[("CPU", "cpu", _at_full_size(bench, 0.1))],
    )


def plan(bench: Bench) -> Iterator[Table]:
    """Read the plan file alone, against the engine that conftest and OPA use."""
    stacks = 30 if bench.quick else 300
    tree = bench.tree(stacks, plan="update")
    own = tools.infraspec(bench.infraspec, tree, plan=True)
    size = (tree.out / "plan" / "plan.json").stat().st_size / 1e6
    title = f"plan JSON of {size:.0f} MB, {stacks} stacks: OPA"
    targets = [("CPU", "cpu", _at_full_size(bench, 0.5))]
    yield bench.compare(title, tree, own, "opa", tools.opa, runs=min(3, bench.runs), targets=targets)


def start(bench: Bench) -> Iterator[Table]:
    """Check one clean stack, where nothing may be reported: mostly start-up."""
    tree = bench.tree(1, planted=0)
    own = tools.infraspec(bench.infraspec, tree)
    runs = 3 if bench.quick else bench.runs
    title = "source, 1 clean stack: c7n-left"
    targets = [("wall time", "wall", 1.0)]
    table = bench.compare(title, tree, own, "c7n-left", tools.c7n_left, runs=runs, targets=targets)
    _count_c7n_stacks(bench, table)
    yield table


def parser(bench: Bench) -> Iterator[Table]:
    """Compare the parsers alone: throughput of the loop over every file, without start-up and grammar."""
    tree = bench.tree(3 if bench.quick else 100)
    table = Table(f"parser, {tree.expected['hcl_bytes'] / 1e6:.2f} MB of HCL", tree)
    jobs = [tools.parser(bench.infraspec, tree, name) for name in ("infraspec", "python-hcl2")]
    try:
        pair = alternate(jobs[0], jobs[1], min(3, bench.runs), bench.report)
    except JobError as error:
        table.faults.append(str(error))
    else:
        own, other = (sorted(map(tools.throughput, samples)) for samples in (pair.first, pair.second))
        fast, slow = own[len(own) // 2], other[len(other) // 2]
        table.targets = [
            Target("infraspec, KB/s", fast),
            Target("python-hcl2, KB/s", slow),
            Target("throughput, infraspec / python-hcl2", fast / slow, 12.0, at_least=True),
        ]
    yield table


def linear(bench: Bench) -> Iterator[Table]:
    """Measure CPU time per resource as the tree grows, start-up taken off."""
    sizes = (10, 30) if bench.quick else (100, 300)
    trees = [bench.tree(stacks) for stacks in (1, *sizes)]
    table = Table(f"linearity, {sizes[0]} and {sizes[1]} stacks in one root", trees[-1])
    base, *grown = _least_cpu(bench, table, trees)
    if not table.faults:
        first, second = ((cpu - base) / (tree.resources - 30) for cpu, tree in zip(grown, trees[1:], strict=True))
        table.targets = [
            Target(f"CPU ms a resource, {sizes[0]} stacks", 1000 * first),
            Target(f"CPU ms a resource, {sizes[1]} stacks", 1000 * second),
            Target("their ratio", second / first, _at_full_size(bench, 1.25)),
        ]
    yield table


def report(bench: Bench) -> Iterator[Table]:
    """Report many verdicts through few pytest items, and take what that adds to the run time."""
    stacks = 30 if bench.quick else 300
    tree = bench.tree(stacks)
    table = Table(f"reporting, {stacks} stacks", tree)
    sample = bench.alone(table, tools.infraspec(bench.infraspec, tree))
    if sample is not None:
        files = sum(1 for _ in (HOME / "allure").glob("*-result.json"))
        table.targets = [
            Target("verdicts", tools.verdicts(sample.outputs[0]), _VERDICTS * stacks / 300, at_least=True),
            Target("pytest items", tools.items(sample.outputs[0]), _HANDFUL),
            Target("Allure result files", files, _HANDFUL),
        ]
    yield table
    yield _reporting(bench, 10 if bench.quick else 100)


def _reporting(bench: Bench, stacks: int) -> Table:
    """Compare runs with and without Allure's results, results file and summary."""
    tree = bench.tree(stacks)
    table = Table(f"reporting, {tree.resources:,} resources: with and without Allure, results file and summary", tree)
    jobs = [tools.infraspec(bench.infraspec, tree, reports=reports).job for reports in (True, False)]
    try:
        pair = alternate(jobs[0], jobs[1], 2 if bench.quick else bench.runs, bench.report)
    except JobError as error:
        table.faults.append(str(error))
        return table
    cpu = [median(samples).cpu for samples in (pair.first, pair.second)]
    table.targets = [
        Target("CPU s with", cpu[0]),
        Target("CPU s without", cpu[1]),
        Target("CPU, with / without", pair.ratio("cpu"), _at_full_size(bench, 1.15)),
    ]
    return table


def readers(bench: Bench) -> Iterator[Table]:
    """Ask who may read each secret where roles name them by prefixes, or secrets have policies of their own."""
    stacks = 30 if bench.quick else 300
    exact = bench.tree(stacks, planted=0)
    table = Table(f"secret-readers, {stacks} stacks: CPU to that of roles that list the ARNs of their secrets", exact)
    for policies in ("prefix", "anywhere", "resource"):
        tree = bench.tree(stacks, planted=0, policies=policies)
        jobs = [tools.suite(bench.infraspec, one, rules="secret_readers") for one in (tree, exact)]
        _add_ratio(bench, table, policies, jobs, 1.2)
    yield table


def commands(bench: Bench) -> Iterator[Table]:
    """Compare what commands take that look at one thing with the default suite, which looks at all."""
    stacks = 30 if bench.quick else 300
    tree = bench.tree(stacks, planted=0)
    table = Table(f"commands, {stacks} stacks: CPU to that of the default suite", tree)
    whole = tools.suite(bench.infraspec, tree)
    stack = make_stacks(1, {})[0].label
    asked = ("--role", f"module.{stack}.aws_iam_role.execution", "--action", "secretsmanager:GetSecretValue")
    resource = ("--resource", f"module.{stack}.aws_secretsmanager_secret.api_key")
    for arguments, bound in ((("explain", *asked, *resource), 0.4), (("plan",), 0.8), (("doctor",), 1.0)):
        _add_ratio(bench, table, arguments[0], [tools.command(bench.infraspec, tree, *arguments), whole], bound)
    yield table


def workers(bench: Bench) -> Iterator[Table]:
    """Run many roots with two workers and with one process: wall time, for which the machine has to be idle."""
    tree = bench.tree(20 if bench.quick else 1000, layout="roots", planted=0)
    table = Table(f"default suite, {tree.stacks} roots: two workers", tree)
    jobs = [tools.suite(bench.infraspec, tree, *arguments) for arguments in (("-n", "2"), ("-p", "no:xdist"))]
    _add_ratio(bench, table, "two workers / one process, wall time", jobs, 1 / 1.6, measure="wall")
    yield table


def init(bench: Bench) -> Iterator[Table]:
    """Write a first contract for many roots: how CPU time grows with their number."""
    sizes = (10, 30) if bench.quick else (300, 1000)
    trees = [bench.tree(stacks, layout="roots", planted=0) for stacks in sizes]
    table = Table(f"init, {sizes[0]} and {sizes[1]} roots of one stack each", trees[-1])
    try:
        few, many = (run(tools.command(bench.infraspec, tree, "init", "--dry-run")).cpu for tree in trees)
    except JobError as error:
        table.faults.append(str(error))
    else:
        exponent = math.log(many / few) / math.log(sizes[1] / sizes[0])
        table.targets = [
            Target(f"CPU s, {sizes[0]} roots", few),
            Target(f"CPU s, {sizes[1]} roots", many, _at_full_size(bench, 10)),
            Target("exponent", exponent, _at_full_size(bench, 1.2)),
        ]
    yield table


def output(bench: Bench) -> Iterator[Table]:
    """Say many violations: the lines of the default suite, which are those of the causes and not of the findings."""
    sizes = (10, 30) if bench.quick else (30, 300)
    trees = [bench.tree(stacks, planted=stacks) for stacks in sizes]
    table = Table(f"output, every stack of {sizes[0]} and of {sizes[1]} with four violations", trees[-1])
    try:
        few, many = (run(tools.suite(bench.infraspec, tree)).outputs[0].count("\n") for tree in trees)
    except JobError as error:
        table.faults.append(str(error))
    else:
        table.targets = [
            Target(f"lines, {sizes[0]} stacks", few),
            Target(f"lines, {sizes[1]} stacks", many, 400),
            Target("lines, many / few", many / few, 1.2),
        ]
    yield table


def _add_ratio(
    bench: Bench, table: Table, name: str, jobs: Sequence[Job], bound: float, *, measure: str = "cpu"
) -> None:
    """Add the ratio of two jobs that run in turn to a table."""
    try:
        pair = alternate(jobs[0], jobs[1], 1 if bench.quick else min(3, bench.runs), bench.report)
    except JobError as error:
        table.faults.append(str(error))
    else:
        table.targets.append(Target(name, pair.ratio(measure), _at_full_size(bench, bound)))


SECTIONS: Mapping[str, Callable[[Bench], Iterator[Table]]] = {
    "source": source,
    "roots": roots,
    "plan": plan,
    "parser": parser,
    "start": start,
    "linear": linear,
    "report": report,
    "readers": readers,
    "commands": commands,
    "workers": workers,
    "init": init,
    "output": output,
}


def _at_full_size(bench: Bench, bound: float) -> float | None:
    """Return a bound that holds for the full size alone: on a small tree start-up is most of the time."""
    return None if bench.quick else bound


def _least_cpu(bench: Bench, table: Table, trees: Sequence[Tree]) -> list[float]:
    """Return the least CPU time of three runs over each tree, in turn; what disturbs a run only adds to it."""
    least = [math.inf] * len(trees)
    for _ in range(3):
        for position, tree in enumerate(trees):
            part = Table(table.title, tree)
            sample = bench.alone(part, tools.infraspec(bench.infraspec, tree))
            least[position] = min(least[position], sample.cpu if sample else math.inf)
            table.faults += [fault for fault in part.faults if fault not in table.faults]
    return least


def _count_c7n_stacks(bench: Bench, table: Table) -> None:
    """Fill in how many stacks c7n-left evaluates, by a run with a policy that matches once in each."""
    row = table.rows[-1]
    if row.sample is None or row.tool != "c7n-left":
        return

    def prepare(environment: Environment) -> int:
        return tools.c7n_stacks(run(tools.c7n_left(environment, table.tree, "c7n-coverage").job))

    try:
        table.rows[-1] = with_stacks(row, prepare(bench.peer("c7n-left")))
    except JobError as error:
        table.rows.append(Row("c7n-left, counting stacks", failure=str(error)))
