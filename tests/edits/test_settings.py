"""Edits of what workloads are set to, beside their roles, get the verdict of AWS's documents, in every layout.

data/settings.json has what starts tasks, each of which every edit of its network and its task definition is made of,
and other workloads with edits of their own.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from infraspec.checks.access.workload_roles import check_workload_roles
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.terraform.provider.known_data import KnownData
from tests.edits.test_edits import RANK, SEED
from tests.edits.test_invocation import TREES as CALLS
from tests.edits.trees import DATA, Body, Json, Layout, Tree
from tests.edits.writer import written
from tests.terraform.sources import plan_of


class Starter(Struct, frozen=True, forbid_unknown_fields=True):
    """What starts a task: where it names that (`at`, `named`), and its network."""

    rule: str
    nodes: dict[str, tuple[str, Body]]
    at: tuple[str, ...]
    named: str
    launch_type: str
    network: str
    is_block: bool = False
    document: Json = None


class Workload(Struct, frozen=True, forbid_unknown_fields=True):
    """Another workload, with its edits: verdict, name, node and arguments, of which null takes one out."""

    rule: str
    nodes: dict[str, tuple[str, Body]]
    edits: tuple[tuple[str, str, str, Body], ...]


class Trees(Struct, frozen=True, forbid_unknown_fields=True):
    """What data/settings.json has."""

    facts: dict[str, str]
    task: dict[str, tuple[str, Body]]
    workloads: dict[str, Starter]
    others: dict[str, Workload]


TREES = msgspec.json.decode((DATA / "settings.json").read_bytes(), type=Trees)
_VERDICTS = {"P": "proven", "V": "violated", "U": "undetermined"}


class Nodes(Tree):
    """Nodes in a layout; those of a starter can be set to something."""

    def __init__(self, layout: Layout, nodes: Mapping[str, tuple[str, Body]], document: Json = None) -> None:
        self.layout, self.facts = layout, {**TREES.facts, **layout.facts}
        self.nodes, self.documents = copy.deepcopy(dict(nodes)), {"flow": copy.deepcopy(document)}
        self.provider: list[str] = []
        edge = 'provider "aws" {\n  alias  = "edge"\n  region = "us-east-1"\n}'
        self.more = [edge, 'resource "random_pet" "net" {}']


class Starts(Nodes):
    """What starts a task."""

    def __init__(self, starter: Starter, layout: Layout) -> None:
        super().__init__(layout, {**TREES.task, **starter.nodes}, starter.document)
        self.starter = starter
        self.set(starter.named, "@task.arn")
        self.network(["@subnet.id"])

    def set(self, name: str, value: Json) -> None:
        """Set something beside the name of the task definition; None takes it out."""
        place = self.documents["flow"] if self.starter.document else self.nodes["caller"][1]
        for step in self.starter.at:
            place = place[step][0] if isinstance(place[step], list) else place[step]
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value

    def network(self, subnets: Json) -> None:
        """Give the task a network with subnets, or none."""
        value, name = subnets, "network_configuration" if self.starter.is_block else "NetworkConfiguration"
        for step in reversed(self.starter.network.split(".")):
            value = [{step: value}] if self.starter.is_block else {step: value}
        self.set(name, None if subnets is None else value)

    def task(self, **arguments: Json) -> None:
        """Replace arguments of the task definition; None takes one out."""
        changed(self, "task", arguments)


def changed(tree: Tree, node: str, arguments: Body) -> None:
    """Replace arguments of a node; None takes one out."""
    type_, body = tree.nodes[node]
    tree.nodes[node] = type_, {name: value for name, value in {**body, **arguments}.items() if value is not None}


Change = Callable[[Starts], None]
GONE = "arn:<partition>:ecs:<region>:<account>:task-definition/<family>-gone"


def _of_task() -> Iterator[tuple[str, str, Change]]:
    """Yield the edits of what starts a task: verdict, name, change."""
    yield "P", "as it is", lambda _tree: None
    yield "P", "two subnets", lambda tree: tree.network(["@subnet.id", "subnet-0a1b2c3d"])
    yield "P", "a subnet by its id", lambda tree: tree.network(["subnet-0a1b2c3d"])
    yield "P", "on Fargate", lambda tree: tree.set(tree.starter.launch_type, "FARGATE")
    yield (
        "P",
        "the family by its ARN",
        _named("arn:<partition>:ecs:<region>:<account>:task-definition/<family>-nightly"),
    )
    yield "P", "the mode bridge, and no network", _mode("bridge")
    yield "P", "no mode, and no network", _mode(None)
    yield "P", "the mode host on instances", _mode("host", launch_type="EC2")
    yield "P", "a data source that reads it", _read
    yield "V", "no network", lambda tree: tree.network(None)
    yield "V", "no subnets", lambda tree: tree.network([])
    yield "P", "subnets that are not known", lambda tree: tree.network("= data.aws_subnets.all.ids")
    yield "V", "the mode bridge with a network", _mode("bridge", ["@subnet.id"])
    yield "V", "no mode with a network", _mode(None, ["@subnet.id"])
    yield "V", "on Fargate, no network", _fargate
    yield "V", "the family by its ARN, no network", _by_family
    yield "U", "a task definition that nobody makes", _named(GONE)
    yield "U", "a mode that is not known, and no network", _mode("= random_pet.net.id")
    yield "U", "the ARN of a cluster", _named("<cluster>")


def _named(arn: str) -> Change:
    return lambda tree: tree.set(tree.starter.named, arn)


def _mode(mode: Json, subnets: Json = None, launch_type: Json = None) -> Change:
    def change(tree: Starts) -> None:
        tree.task(network_mode=mode)
        tree.network(subnets)
        tree.set(tree.starter.launch_type, launch_type)
        if mode and mode.startswith("="):
            tree.nodes["task"][1]["network_mode"] = "@given.id"
            tree.nodes = {"given": ("random_pet", {"length": 1}), **tree.nodes}

    return change


def _read(tree: Starts) -> None:
    tree.nodes["task"] = "data.aws_ecs_task_definition", {"task_definition": "<family>-nightly"}


def _fargate(tree: Starts) -> None:
    tree.set(tree.starter.launch_type, "FARGATE")
    tree.network(None)


def _by_family(tree: Starts) -> None:
    _named("arn:<partition>:ecs:<region>:<account>:task-definition/<family>-nightly")(tree)
    tree.network(None)


EDITS = list(_of_task())


def verdict(rule: str, tree: Tree, directory: Path) -> tuple[str, str]:
    """Return the worst verdict about the settings of a tree, and about who may assume its roles, and what it says."""
    facts = tree.facts
    place = {"account_id": facts["account"], "region": facts["region"]}
    contract = Contract.model_validate({"project": {"application": "edits"}, "environments": {"prod": place}})
    known = KnownData.of({}, account=facts["account"], region=facts["region"], partition=facts["partition"])
    plan = plan_of(directory, written(tree), known=known)
    found = [one for one in check_workload_roles(plan, contract, "prod", RULES[rule], None) if _is_asked(one)]
    worst = max((one.verdict.value for one in found), key=RANK.index, default=RANK[0])
    return worst, "\n".join(map(str, found))


def _is_asked(finding: Finding) -> bool:
    by_edge = "aws_iam_role." in finding.subject and "sts:AssumeRole" in finding.subject
    return by_edge or " role " not in finding.subject


def layouts(of: str, name: str) -> list[Layout]:
    """Return the layouts in which an edit is judged."""
    if SEED == "all":
        return list(CALLS.layouts)
    number = int.from_bytes(hashlib.sha256(f"{SEED} {of} {name}".encode()).digest()[:4])
    return [CALLS.layouts[number % len(CALLS.layouts)]]


@pytest.mark.parametrize("name", TREES.workloads)
def test_what_starts_a_task(name: str, tmp_path: Path) -> None:
    """Whatever starts a task names one that is there, and gives it a network where it has to, and nowhere else."""
    starter, wrong = TREES.workloads[name], []
    for number, (letter, edit, change) in enumerate(EDITS):
        for layout in layouts(name, edit):
            tree = Starts(starter, layout)
            change(tree)
            said, told = verdict(starter.rule, tree, tmp_path / f"{number}{layout.name}")
            if said != _VERDICTS[letter]:
                wrong.append(f"{name}: {edit} ({layout.name}): expected {letter}, said {said}\n{told}")
    assert wrong == [], "\n\n".join(wrong)


@pytest.mark.parametrize("name", TREES.others)
def test_other_settings(name: str, tmp_path: Path) -> None:
    """What AWS refuses of a workload is a violation, however it is written."""
    workload, wrong = TREES.others[name], []
    for number, (letter, edit, node, arguments) in enumerate(workload.edits):
        for layout in layouts(name, edit):
            tree = Nodes(layout, workload.nodes)
            changed(tree, node, arguments)
            said, told = verdict(workload.rule, tree, tmp_path / f"{number}{layout.name}")
            if said != _VERDICTS[letter]:
                wrong.append(f"{name}: {edit} ({layout.name}): expected {letter}, said {said}\n{told}")
    assert wrong == [], "\n\n".join(wrong)


def test_the_tables_are_balanced() -> None:
    """About half of the edits are harmless."""
    letters = [letter for letter, _, _ in EDITS] * len(TREES.workloads)
    letters += [letter for workload in TREES.others.values() for letter, *_ in workload.edits]
    assert len(letters) >= 100
    assert 0.4 <= letters.count("P") / len(letters) <= 0.6
