"""How each tool is run over a tree, and what its output says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.comparison.environments import BENCH, HOME, Environment
from bench.comparison.process import Job, Sample
from bench.comparison.trees import Coverage, Tree
from bench.generator.stacks import RESOURCES_PER_STACK

RULES = BENCH / "rules"
_FINDING = re.compile(
    r"^(?:E +)?(?:(?P<file>[^\s:]+):(?P<line>\d+): )?(?P<verdict>VIOLATED|UNDETERMINED) "
    r"(?P<rule>[\w-]+): (?P<address>\S+)(?: (?P<subject>.*))?$",
    re.MULTILINE,
)
_SUMMARY = re.compile(r"^\S+ +(?P<rule>[a-z-]+)(?P<counts>(?: +(?:\d+|-)){4})$", re.MULTILINE)
_STACK = re.compile(r"stacks/([a-z]+-\d{4})/|module\.([a-z]+_\d{4})\b")
_CHECKOV_RULES = {f"CKV2_BENCH_{number}": "name" for number in range(1, 6)} | {
    "CKV2_BENCH_6": "tag",
    "CKV2_BENCH_7": "secret",
}
_OPA_RULES = {"names": "name", "tags": "tag", "secret-access": "secret", "log-access": "log"}


@dataclass(frozen=True, slots=True)
class Subject:
    """A job and the reading of its output."""

    job: Job
    read: Callable[[Sample], Coverage]


@dataclass(frozen=True, slots=True)
class Reported:
    """A finding as infraspec prints it."""

    verdict: str
    rule: str
    address: str
    subject: str
    file: str
    line: int


_RULES = "source or selectors or names or tags or tag_policy or task_definitions or secret_access"
"""The tests that say what the peers' rules say, and what they rest on."""


def infraspec(python: Environment, tree: Tree, *, plan: bool = False, reports: bool = True) -> Subject:
    """Run the rules that peers have too on the source, or on the plan file alone, all environments in one process.

    With `reports` the run writes Allure's results, the results file and the summary; without, nothing is reported.
    """
    directory = tree.out / "plan" if plan else tree.source
    command = [python.python, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--pyargs", "infraspec.tests_static"]
    command += ["-k", _RULES, "--infraspec-dir", str(directory)]
    if reports:
        command += ["--alluredir", str(HOME / "allure"), "--clean-alluredir"]
        command += ["--infraspec-results", str(HOME / "results.json")]
    else:
        command += ["-p", "no:allure_pytest", "--no-summary"]
    return Subject(Job("infraspec", (tuple(command),), directory), lambda sample: _read_infraspec(sample, tree))


def suite(python: Environment, tree: Tree, *arguments: str, rules: str = "") -> Job:
    """Run the default suite, or some of its rules, with nothing written but the summary."""
    command = [python.python, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:allure_pytest"]
    command += ["--pyargs", "infraspec.tests_static", "--infraspec-dir", str(tree.source), *arguments]
    return Job(f"infraspec {rules}".rstrip(), ((*command, *(("-k", rules) if rules else ())),), tree.source)


def command(python: Environment, tree: Tree, *arguments: str) -> Job:
    """Run a command of infraspec in a tree, such as `plan`; exit code 3 says that something cannot be decided."""
    exits = frozenset({0, 1, 3})
    return Job(f"infraspec {arguments[0]}", ((python.script("infraspec"), *arguments),), tree.source, exits)


def findings(output: str) -> Iterator[Reported]:
    """Yield the findings of an infraspec run."""
    for match in _FINDING.finditer(output):
        file, line = match["file"] or "", int(match["line"] or 0)
        yield Reported(match["verdict"], match["rule"], match["address"], match["subject"] or "", file, line)


def verdicts(output: str) -> int:
    """Return how many verdicts an infraspec run reached, from its summary."""
    return sum(int(count) for match in _SUMMARY.finditer(output) for count in match["counts"].split() if count != "-")


def items(output: str) -> int:
    """Return how many pytest items ran, from the last line of the output."""
    last = output.rstrip().rpartition("\n")[2]
    return sum(int(count) for count in re.findall(r"(\d+) (?:passed|failed|skipped|xfailed|error)", last))


def _read_infraspec(sample: Sample, tree: Tree) -> Coverage:
    reported, others = set(), []
    for finding in findings(sample.outputs[0]):
        pair = (_kind(finding), _stack(f"{finding.file} {finding.address}"))
        # A finding of the source has to point at the line of what was planted; a plan has no lines.
        where = f"{finding.file}:{finding.line}" if finding.file.endswith(".tf") else tree.places.get(pair, "")
        if finding.verdict == "VIOLATED" and tree.places.get(pair, where) == where:
            reported.add(pair)
        else:
            others.append(f"{where} {finding.verdict} {finding.rule}: {finding.address} {finding.subject}")
    # The suite ends with an error where it cannot read a module, so a run that ends with verdicts saw all of them.
    return Coverage(tree.stacks if verdicts(sample.outputs[0]) else 0, frozenset(reported), tuple(others))


def _kind(finding: Reported) -> str:
    match finding.rule:
        case "names":
            return "name"
        case "tags":
            return "tag"
        case "secret-access":
            return "secret" if "WEBHOOK_TOKEN" in finding.subject else "log" if "log" in finding.subject else ""
        case _:
            return ""


def c7n_left(environment: Environment, tree: Tree, rules: str = "c7n") -> Subject:
    """Run c7n-left over the one root."""
    command = _c7n_command(environment, tree.source, tree.variables, rules)
    return Subject(Job("c7n-left", (command,), tree.source), lambda sample: _read_c7n(sample, None))


def c7n_left_per_root(environment: Environment, tree: Tree) -> Subject:
    """Run c7n-left once for every root: it takes one at a time."""
    roots = tree.roots()
    commands = tuple(_c7n_command(environment, root, root / tree.variables.name, "c7n") for root in roots)
    return Subject(
        Job("c7n-left, a process per root", commands, tree.source),
        lambda sample: _read_c7n(sample, [root.name for root in roots]),
    )


def c7n_stacks(sample: Sample) -> int:
    """Return how many stacks a run with the coverage policy saw."""
    return len(json.loads(sample.outputs[0])["results"])


def _c7n_command(environment: Environment, root: Path, variables: Path, rules: str) -> tuple[str, ...]:
    where = ("-p", str(RULES / rules), "-d", str(root), "--var-file", str(variables))
    return (environment.script("c7n-left"), "run", *where, "-o", "json")


def _read_c7n(sample: Sample, roots: list[str] | None) -> Coverage:
    reported = set()
    for position, output in enumerate(sample.outputs):
        for result in json.loads(output)["results"]:
            stack = roots[position] if roots else _stack(result["resource"]["__tfmeta"]["path"])
            name = result["policy"]["name"]
            reported.add(("name" if name.startswith("names-") else _OPA_RULES[name], stack))
    return Coverage(len(roots) if roots else None, frozenset(reported))


def checkov(environment: Environment, tree: Tree) -> Subject:
    """Run checkov over the one root with the seven custom checks alone."""
    command = (environment.script("checkov"), "-d", str(tree.source), "--framework", "terraform")
    rules = ("--external-checks-dir", str(RULES / "checkov"), "-c", "CKV2_BENCH_*")
    output = ("--skip-download", "--compact", "--quiet", "-o", "json", "--var-file", str(tree.variables))
    return Subject(Job("checkov, 7 custom rules", ((*command, *rules, *output),), tree.source), _read_checkov)


def _read_checkov(sample: Sample) -> Coverage:
    document = json.loads(sample.outputs[0])
    failed = document["results"]["failed_checks"]
    reported = {(_CHECKOV_RULES[check["check_id"]], _stack(check["file_path"])) for check in failed}
    return Coverage(document["summary"]["resource_count"] // RESOURCES_PER_STACK, frozenset(reported))


def opa(environment: Environment, tree: Tree) -> Subject:
    """Run the Go OPA engine over the plan file."""
    command = (environment.python, str(BENCH / "probes" / "opa.py"), str(RULES / "rego" / "policy.rego"))
    return Subject(
        Job("OPA (Go engine), Rego", ((*command, str(tree.out / "plan" / "plan.json")),), tree.out), _read_opa
    )


def _read_opa(sample: Sample) -> Coverage:
    report = json.loads(sample.outputs[0])
    reported = {(_OPA_RULES[rule], _stack(address)) for rule, address in report["violations"]}
    return Coverage(report["stacks"], frozenset(reported))


def tfparse(environment: Environment, tree: Tree) -> Subject:
    """Load and evaluate the one root with tfparse, without any rule."""
    probe = str(BENCH / "probes" / "tfparse_stacks.py")
    command = (environment.python, probe, str(tree.source), tree.variables.name)
    return Subject(
        Job("tfparse, evaluation alone", (command,), tree.source),
        lambda sample: Coverage(json.loads(sample.outputs[0])["stacks"]),
    )


def parser(environment: Environment, tree: Tree, name: str) -> Job:
    """Parse every file of a tree with `infraspec` or `python-hcl2`, both in infraspec's environment."""
    return Job(name, ((environment.python, str(BENCH / "probes" / "parse.py"), name, str(tree.source)),), tree.source)


def throughput(sample: Sample) -> float:
    """Return what a parser run printed, in KB of source a CPU second."""
    measured = json.loads(sample.outputs[0])
    return float(measured["bytes"]) / 1000 / float(measured["seconds"])


def _stack(text: str) -> str:
    match = _STACK.search(text)
    return (match[1] or match[2]).replace("_", "-") if match else ""
