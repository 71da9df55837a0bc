"""docs/live.md says what is so: its trust policy is one that AWS accepts, its rule and workflow are what they seem."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from ruamel.yaml import YAML

TEXT = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_blocks_are_what_they_say() -> None:
    """Each block of code can be read as its language."""
    readers = {"json": json.loads, "python": ast.parse, "yaml": YAML(typ="safe").load, "console": str.splitlines}

    assert {"json", "python", "yaml"} <= {language for language, _ in BLOCKS}
    for language, text in BLOCKS:
        assert readers.get(language, str)(text)
