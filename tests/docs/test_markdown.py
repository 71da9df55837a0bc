"""The playbook in the documentation is one that the rule takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.process.playbooks import check_playbooks
from infraspec.core.finding import Verdict
from infraspec.process.playbooks import read_playbooks
from tests.docs.blocks import Block, blocks
from tools.reference import CONTRACT

TAKEN = blocks("markdown")
TABLE = """
[playbooks]
directory = "books"
languages = ["en"]
owners = ["platform-team"]
required = ["secret-access-denied", "shop-prod-secret-access-denied"]
"""


@pytest.mark.parametrize("block", TAKEN, ids=str)
def test_playbook_is_taken(block: Block, tmp_path: Path) -> None:
    """It is read, and everything of it is proven: what it is for, its owner, its times."""
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "page.md").write_text(block.text, encoding="utf-8")
    (tmp_path / "infraspec.toml").write_text(CONTRACT + TABLE, encoding="utf-8")
    (tmp_path / "main.tf").touch()
    contract = contracts.load(tmp_path)
    assert contract.playbooks
    found = check_playbooks(contract, contract.playbooks, read_playbooks(tmp_path / "books", "books"))

    assert found
    assert [] == [str(one) for one in found if one.verdict is not Verdict.PROVEN]
