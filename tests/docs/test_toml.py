"""Every TOML block of the documentation is a contract that loads, or tables of one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from infraspec import contract
from infraspec.core.errors import InfraspecError
from infraspec.core.rules import RULES
from tests.docs.blocks import Block, blocks

TAKEN = blocks("toml")


def completed(block: str) -> str:
    """Add the tables that a block leaves out because it is not about them."""
    data = tomllib.loads(block)
    project = "" if "project" in data else '[project]\napplication = "shop"\n'
    return block + project + ("" if "environments" in data else '[environments.prod]\nroot = "environments/prod"\n')


def make_files(directory: Path, data: dict[str, Any]) -> None:
    """Make the files that a contract names."""
    names = [data.get("tags", {}).get("policy"), data.get("suite", {}).get("baseline")]
    for environment in data["environments"].values():
        names += [f"{environment.get('root', '.')}/main.tf", environment.get("plan"), environment.get("state")]
        names += [*environment.get("var_files", []), *environment.get("snapshots", [])]
        names += [pattern.replace("*", "one") for pattern in environment.get("task_definitions", [])]
    names += [f"{name}/conftest.py" for name in data.get("suite", {}).get("own_rules", [])]
    for table in ("playbooks", "incidents", "process"):
        for key, name in data.get(table, {}).items():
            if key in {"directory", "workflows"}:
                (directory / name).mkdir(parents=True)
            elif key in {"template", "codeowners", "labels_file", "ruleset"}:
                names.append(name)
    for path in (directory / name for name in names if name):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def load(block: Block, directory: Path) -> None:
    """Load a block as somebody would who has copied it, given that the files are there."""
    text = completed(block.text)
    make_files(directory, tomllib.loads(text))
    (directory / "infraspec.toml").write_text(text, encoding="utf-8")
    contract.load(directory, rules=RULES)


@pytest.mark.parametrize("block", TAKEN, ids=str)
def test_contract_loads(block: Block, tmp_path: Path) -> None:
    """What the documentation shows can be copied; what it says is wrong, is refused."""
    if block.mark == "invalid":
        with pytest.raises(InfraspecError):
            load(block, tmp_path)
    else:
        load(block, tmp_path)
