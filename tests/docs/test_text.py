"""Messages, tables and layouts in the documentation are what the code says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.plan_review.plan_review import check_plan_review
from infraspec.checks.state.consistency import consistency_table
from infraspec.core.finding import Verdict
from infraspec.terraform.environments import Environments
from tests.checks.test_plan_review import REPLACE, change, contract, plan
from tests.docs.blocks import ROOT, Block, blocks
from tests.docs.shown import assert_shown
from tools.reference import CONTRACT, check

PACKAGE = ROOT / "plugins" / "infraspec"


def is_the_table_of_the_reference(block: Block, _: Path) -> None:
    """Assert that the environments of the reference infrastructure differ in this."""
    environments = Environments(contracts.load(ROOT / "fixtures" / "daily-report-tool"))

    assert block.text == consistency_table(environments.sources(), environments.settings()) + "\n"


def is_the_finding_of_a_replacement(block: Block, _: Path) -> None:
    """Assert that this is said of a database that is replaced, where the contract has the approvals of the page."""
    engine = {"before": {"engine": "mysql", "skip_final_snapshot": True}, "after": {"engine": "postgres"}}
    database = change(
        "module.rds.aws_db_instance.main",
        REPLACE,
        **engine,
        replace_paths=[["engine"]],
        action_reason="replace_because_cannot_update",
    )
    (approvals,) = (one.text for one in blocks("toml", page=block.page) if "approvals" in one.text)
    rules = tomllib.loads(approvals)["plan_review"]
    (finding,) = check_plan_review(plan(database), contract(**rules), "prod")

    assert_shown(block.text, str(finding))


def is_the_finding_of_a_malformed_policy(block: Block, directory: Path) -> None:
    """Assert that this is said of a policy with `allow`."""
    policy = 'policy = jsonencode({ Statement = [{ Effect = "allow", Action = "s3:GetObject", Resource = "*" }] })'
    (line,) = re.findall(r"main\.tf:(\d+)", block.text)
    source = 'resource "aws_iam_policy" "read" {' + "\n" * (int(line) - 1) + f"  {policy}\n}}\n"
    (directory / "main.tf").write_text(source, encoding="utf-8")
    (directory / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    found = check("policies", contracts.load(directory))

    assert [block.text] == [f"{one}\n" for one in found if one.verdict is Verdict.VIOLATED]


def is_the_order_of_layers(block: Block, _: Path) -> None:
    """Assert that the order of the packages is import-linter's."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = (each["layers"] for each in settings["contracts"] if each["id"] == "layers")
    rank = {name: number for number, layer in enumerate(layers) for name in re.findall(r"\w+", layer)}
    listed = [layer.split(", ") for layer in " ".join(block.text.split()).split(" > ")]
    ranks = [{rank[name] for name in layer} for layer in listed]
    assert [1] * len(ranks) == [len(one) for one in ranks]
    assert sorted(map(min, ranks)) == [min(one) for one in ranks]


PRODUCERS: Mapping[str, Callable[[Block, Path], None]] = {
    "CONTRIBUTING.md": is_the_order_of_layers,
    "docs/plan-review.md": is_the_finding_of_a_replacement,
    "docs/policies.md": is_the_finding_of_a_malformed_policy,
    "docs/state-and-versions.md": is_the_table_of_the_reference,
}
TAKEN = [block for page in PRODUCERS for block in blocks("text", page=page)]


@pytest.mark.parametrize("block", TAKEN, ids=str)
def test_text_is_that_of_the_code(block: Block, tmp_path: Path) -> None:
    """What the page shows is said, or is so."""
    PRODUCERS[block.page](block, tmp_path)
