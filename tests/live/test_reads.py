"""What is asked of AWS is on the list of reads, and nothing else: a table of answers in a test lets everything pass."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from botocore import xform_name

from infraspec.aws.guard import API, READS
from infraspec.resource_types import TYPES
from infraspec.resource_types.listing import snake

ROOT = Path(__file__).parents[2] / "plugins" / "infraspec"
PACKAGE = ROOT / "live"
NOT_ASKING = {"reads.py", "sandbox"}
OPERATION = re.compile(
    r"(batch_get|describe|get|head|list|lookup|simulate)_[a-z_]+|(BatchGet|Describe|Get|List|Lookup)[A-Z]\w+"
)
ALLOWED = {name.lower() for names in READS.values() for name in names}


def test_operations_are_on_the_list() -> None:
    """Every operation that a module of live models names is on the list of reads; a new one goes to aws/api.json."""
    asked = {
        node.value: path.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OPERATION.fullmatch(node.value)
    }

    assert len(asked) > 10
    assert {} == {name: path for name, path in asked.items() if name.replace("_", "").lower() not in ALLOWED}


def words_of(path: Path) -> set[str]:
    """Return the texts and names of attributes in a module."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return texts | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@cache
def modules() -> list[set[str]]:
    """Return the words of each module that may ask."""
    return [words_of(path) for path in ROOT.rglob("*.py") if not NOT_ASKING & set(path.relative_to(ROOT).parts)]


LISTINGS = [one.listing for one in TYPES.values() if one.listing is not None]


@pytest.mark.parametrize("service", READS)
def test_the_list_has_what_is_asked_and_no_more(service: str) -> None:
    """A runner has no permission that nothing uses: of each operation a module names it and its service.

    What the tables of the catalogue list is asked by them.
    """
    asking = [words for words in modules() if service in words]
    named = {*API.further.get(service, ()), *(name for one in LISTINGS if one.service == service for name in one.also)}

    assert [] == [name for name in sorted(named) if not any({name, xform_name(name)} & words for words in asking)]


def test_the_tables_name_operations_as_boto3_does() -> None:
    """The name of the API becomes the one of boto3 by the rule that makes names of Terraform, abbreviations too."""
    names = {name for one in LISTINGS for name in one.operations()}

    assert {name: xform_name(name) for name in names} == {name: snake(name) for name in names}
