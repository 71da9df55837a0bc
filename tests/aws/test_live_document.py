"""What docs/live.md shows can be copied."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TEXT = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


READERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "python": ast.parse,
    "yaml": YAML(typ="safe").load,
    "console": str.splitlines,
}


def test_blocks_are_what_they_say() -> None:
    """Each block of code can be read as its language, and there is one of each."""
    assert set(READERS) <= {language for language, _ in BLOCKS}
    for language, text in BLOCKS:
        assert READERS.get(language, str)(text)
