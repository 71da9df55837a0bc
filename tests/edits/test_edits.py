"""Edits of a whole service get the verdict that AWS's and Terraform's documentation gives them, in every layout.

The verdict of a tree is the worst of what the rules about it say. A run without more judges each edit in one layout,
which a seed chooses; INFRASPEC_EDITS=all judges all of them, INFRASPEC_EDITS=SEED those that another seed chooses.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.task_access import check_task_access
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.checks.policies.policies import check_policies
from infraspec.checks.policies.secret_readers import check_secret_readers
from infraspec.checks.state.source import check_source
from infraspec.contract.models import Contract
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.provider.known_data import KnownData
from tests.edits.trees import EDITS, LAYOUTS, Edit, Layout, Tree
from tests.edits.writer import written
from tests.terraform.sources import plan_of

SEED = os.environ.get("INFRASPEC_EDITS", "20261201")
P = "proven"
RANK = (P, "undetermined", "violated")
"""Verdicts, the worst last."""
Outcome = dict[str, tuple[str, str]]
"""By rule: the worst verdict, and the text of a finding that has it."""


def judged(tree: Tree, directory: Path) -> Outcome:
    """Return what each rule says of a tree; an error of the input is what Terraform or AWS refuses."""
    facts = tree.facts
    place = {"account_id": facts["account"], "region": facts["region"]}
    contract = Contract.model_validate({"project": {"application": "edits"}, "environments": {"prod": place}})
    known = KnownData.of({}, account=facts["account"], region=facts["region"], partition=facts["partition"])
    try:
        plan = plan_of(directory, written(tree), known=known)
        tasks = task_definitions(plan)
        found = [
            *check_source(plan),
            *check_task_definitions(plan, tasks, contract, "prod"),
            *check_policies(plan, tasks, contract, "prod"),
            *check_secret_readers(plan, contract, "prod"),
        ]
    except InfraspecError as error:
        return {"error": (RANK[-1], str(error))}
    try:
        found += check_secret_access(plan, tasks, contract, "prod")
        found += check_task_access(plan, contract, "prod")
    except InfraspecError as error:
        return {"secret-access": (RANK[-1], str(error))}
    outcome: Outcome = {}
    for finding in found:
        known_worst = outcome.get(finding.rule, ("", ""))[0]
        if not known_worst or RANK.index(finding.verdict.value) > RANK.index(known_worst):
            outcome[finding.rule] = finding.verdict.value, "" if finding.verdict is Verdict.PROVEN else str(finding)
    return outcome


def wrong(edit: Edit, layout: Layout, directory: Path) -> str:
    """Return what is wrong with the verdict of an edit in a layout; nothing if it is right."""
    tree = Tree(layout)
    edit.make(tree)
    outcome = judged(tree, directory)
    verdict = max((verdict for verdict, _ in outcome.values()), key=RANK.index)
    silent = edit.rule and "error" not in outcome and outcome.get(edit.rule, (P, ""))[0] == P
    if verdict in edit.expected and not silent:
        return ""
    told = "\n".join(text for _, text in outcome.values() if text)
    said = f"{edit.rule} says proven" if silent and verdict in edit.expected else verdict
    expected = " or ".join(sorted(edit.expected))
    return f"{edit} ({layout.name}): expected {expected}, by {edit.source}; {said}\n{told}"


def layouts(edit: Edit) -> list[Layout]:
    """Return the layouts in which an edit is judged."""
    possible = [layout for layout in LAYOUTS if layout.name not in edit.skip]
    if SEED == "all":
        return possible
    number = int.from_bytes(hashlib.sha256(f"{SEED} {edit}".encode()).digest()[:4])
    return [possible[number % len(possible)]]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_trees_are_proven(layout: Layout, tmp_path: Path) -> None:
    """Nothing is found in a tree before it is edited."""
    assert {verdict for verdict, _ in judged(Tree(layout), tmp_path).values()} == {P}


@pytest.mark.parametrize("dimension", sorted({edit.dimension for edit in EDITS}))
def test_edits(dimension: str, tmp_path: Path) -> None:
    """Every edit has a verdict that the documentation gives it: harmless ones stay proven, a rule objects to others."""
    found = list(filter(None, all_wrong(dimension, tmp_path)))
    assert found == [], "\n\n".join(found)


def all_wrong(dimension: str, directory: Path) -> Iterator[str]:
    """Yield what is wrong with the edits of a dimension."""
    chosen = ((edit, layout) for edit in EDITS if edit.dimension == dimension for layout in layouts(edit))
    for number, (edit, layout) in enumerate(chosen):
        yield wrong(edit, layout, directory / str(number))


def test_the_table_is_balanced() -> None:
    """No edit is twice in the table; it has 250 and more, of which about half are harmless."""
    names = [str(edit) for edit in EDITS]
    assert len(set(names)) == len(names)
    harmless = sum(P in edit.expected for edit in EDITS)
    assert len(names) >= 250
    assert 0.4 <= harmless / len(names) <= 0.6
