"""docs/names-and-tags.md: its contracts are valid, its message is the real one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.names import check_names
from infraspec.checks.tags import check_tag_policy, check_tags
from infraspec.contract.models import Contract
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.finding import Verdict
from infraspec.terraform.plan import Plan, Resource

DOCUMENT = Path(__file__).parents[2] / "docs/names-and-tags.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
CONTRACTS = [tomllib.loads(text) for language, text in BLOCKS if language == "toml"]
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
    (shown,) = (text for language, text in BLOCKS if language == "text")
    plan = _plan("aws_db_instance", identifier="daily-report-tool-prod-mysql5")
    (finding,) = check_names(plan, Contract.model_validate(BASE), "prod")
    assert str(finding) == shown.rstrip("\n")


def test_the_policy_is_one() -> None:
    """The tag policy of the document is read, and a log group without the tag violates it."""
    (text,) = (text for language, text in BLOCKS if language == "json")
    policy = TagPolicy.from_json(text)
    contract = Contract.model_validate(BASE)
    (finding,) = check_tag_policy(_plan("aws_cloudwatch_log_group"), contract, "prod", policy)
    assert finding.verdict is Verdict.VIOLATED
