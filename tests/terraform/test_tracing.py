"""A path into an attribute leads to the line of the source that sets it, or to the last one that is sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.finding import Location
from infraspec.terraform.plan import Plan
from tests.terraform.sources import plan_of

HERE = "# HERE"
CASES: dict[str, tuple[str, ...]] = {
    "an attribute": ("policy", "  policy = jsonencode({}) # HERE"),
    "a member": (
        "policy.Statement.1.Action",
        'policy = jsonencode({ Statement = [{},\n{\nAction = "a:B" # HERE\n}] })',
    ),
    "a list that is concatenated": (
        "policy.Statement.2",
        "policy = jsonencode({ Statement = concat([1],\n[2,\n3 # HERE\n]) })",
    ),
    "a list that is concatenated with one that cannot be read": (
        "policy.Statement.1",
        "policy = jsonencode({\nStatement = concat(local.list, [1, # HERE\n2]) })",
    ),
    "a member of what is merged": (
        "policy.Statement",
        "policy = jsonencode(merge({ Statement = 1 }, {\nStatement = 2 # HERE\n}))",
    ),
    "a member that a later argument may have": (
        "policy.Statement",
        "policy = jsonencode(merge({ # HERE\nStatement = 1\n}, local.object))",
    ),
    "a list that a set has sorted": ("policy.1", 'policy = jsonencode(toset([ # HERE\n"b",\n"a"]))'),
    "a value that may be another": ("policy.a", "policy = jsonencode(try({ # HERE\na = local.object.x\n}, {}))"),
    "a statement of a document": (
        "policy.Statement.1",
        "policy = data.aws_iam_policy_document.d.json",
        'statement { sid = "A" }\nstatement { # HERE\nsid = "B"\n}',
    ),
    "a statement of a minified document of an instance": (
        "policy.Statement.0.Resource",
        "policy = data.aws_iam_policy_document.d[0].minified_json",
        "count = 1\nstatement {} # HERE",
    ),
    "another part of a document": (
        "policy.Version",
        "policy = data.aws_iam_policy_document.d.json",
        "# DOCUMENT\nstatement {}",
    ),
    "a document": ("policy", "policy = data.aws_iam_policy_document.d.json # HERE", "statement {}"),
    "a statement that there is not": (
        "policy.Statement.1",
        "policy = data.aws_iam_policy_document.d.json",
        "# DOCUMENT\nstatement {}",
    ),
    "a statement before a dynamic one": (
        "policy.Statement.0",
        "policy = data.aws_iam_policy_document.d.json",
        'statement {} # HERE\ndynamic "statement" {\nfor_each = [1]\ncontent {}\n}',
    ),
    "a statement after a dynamic one": (
        "policy.Statement.1",
        "policy = data.aws_iam_policy_document.d.json",
        '# DOCUMENT\ndynamic "statement" {\nfor_each = [1, 2]\ncontent {}\n}\nstatement {}',
    ),
    **{
        f"a statement beside {argument}": (
            "policy.Statement.0",
            "policy = data.aws_iam_policy_document.d.json",
            f'# DOCUMENT\n{argument} = {value}\nstatement {{ sid = "A" }}',
        )
        for argument, value in (
            ("source_policy_documents", '[jsonencode({ Statement = [{ Effect = "Deny" }] })]'),
            ("override_policy_documents", '[jsonencode({ Statement = [{ Sid = "A", Effect = "Deny" }] })]'),
            ("source_json", 'jsonencode({ Statement = [{ Effect = "Deny" }] })'),
            ("override_json", 'jsonencode({ Statement = [{ Sid = "A" }] })'),
        )
    },
}


def planned(directory: Path, attributes: str, document: str) -> tuple[Plan, list[str]]:
    """Return the plan of a role policy and a document, and the lines of their source."""
    source = (
        "locals {\n  list = [0]\n  object = { Statement = 0 }\n}\n"
        f'resource "aws_iam_role_policy" "p" {{\n{attributes}\n}}\n'
        f'data "aws_iam_policy_document" "d" {{\n{document}\n}}\n'
    )
    return plan_of(directory, source), source.splitlines()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_location(tmp_path: Path, case: tuple[str, ...]) -> None:
    """The line is the one marked HERE, or the head of the document that is marked so."""
    path, attributes, *document = case
    plan, lines = planned(tmp_path, attributes, "".join(document))
    marked = [number for number, line in enumerate(lines, 1) if HERE in line]
    line = marked[0] if marked else lines.index('data "aws_iam_policy_document" "d" {') + 1

    assert plan.by_address["aws_iam_role_policy.p"].location_of(path) == Location(str(tmp_path / "main.tf"), line)
    assert len(marked) == (0 if "DOCUMENT" in "".join(document) else 1)


@pytest.mark.parametrize(
    ("path", "line"), [("ingress.0", 2), ("ingress.1", 1), ("ingress.2", 1), ("egress.0", 7), ("egress", 7), ("x", 1)]
)
def test_nested_blocks(tmp_path: Path, path: str, line: int) -> None:
    """A nested block is found by its number, up to the first dynamic one of its type."""
    plan = plan_of(
        tmp_path,
        'resource "aws_security_group" "sg" {\n  ingress {}\n  dynamic "ingress" {\n    for_each = [1, 2]\n'
        "    content {}\n  }\n  egress {}\n  ingress {}\n}",
    )

    found = plan.by_address["aws_security_group.sg"].location_of(path)
    assert found is not None
    assert found.line == line
