"""What live models ask is on the list of reads: a table of answers in a test lets everything pass, AWS does not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from infraspec.aws.reads import READS

PACKAGE = Path(__file__).parents[2] / "plugins" / "infraspec" / "live"
OPERATION = re.compile(r"(batch_get|describe|get|head|list|lookup|simulate)_[a-z_]+")
ALLOWED = {name.lower() for names in READS.values() for name in names}


def test_operations_are_on_the_list() -> None:
    """Every operation that a module of live models names is in infraspec.aws.reads; a new one is added there."""
    asked = {
        node.value: path.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OPERATION.fullmatch(node.value)
    }

    assert len(asked) > 10
    assert {} == {name: path for name, path in asked.items() if name.replace("_", "") not in ALLOWED}
