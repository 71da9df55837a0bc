"""docs/names-and-tags.md: its contracts are valid, its message is the real one."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from infraspec.checks.conventions.names import check_names
from infraspec.checks.conventions.tags import check_tags
from infraspec.contract.models import Contract
from infraspec.terraform.plan import Plan, Resource
from tests.docs.blocks import blocks

CONTRACTS = [tomllib.loads(block.text) for block in blocks("toml", page="docs/names-and-tags.md")]
BASE: dict[str, Any] = CONTRACTS[0]


def _plan(type_: str, **values: Any) -> Plan:
    return Plan("test", [Resource(f"{type_}.main", "managed", type_, "main", None, "", values)])


@pytest.mark.parametrize("tables", CONTRACTS, ids=range(len(CONTRACTS)))
def test_contracts_are_valid(tables: dict[str, Any]) -> None:
    """Each TOML block is a contract, or tables of one, and its patterns and tags compile."""
    contract = Contract.model_validate({"project": BASE["project"], "environments": {"prod": {}}, **tables})
    assert check_names(Plan("test", []), contract, "prod") == []
    assert check_tags(Plan("test", []), contract, "prod") == []


def test_the_message_is_the_real_one() -> None:
    """The finding that the document shows is what the check says."""
    (shown,) = blocks("text", page="docs/names-and-tags.md")
    plan = _plan("aws_db_instance", identifier="daily-report-tool-prod-mysql5")
    (finding,) = check_names(plan, Contract.model_validate(BASE), "prod")
    assert f"{finding}\n" == shown.text
