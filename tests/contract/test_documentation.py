from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from infraspec import contract
from infraspec.checks import RULES
from infraspec.contract.schema import schema
from infraspec.errors import InfraspecError

DOCUMENT = Path(__file__).parents[2] / "docs" / "contract.md"
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(match[1], match[2].strip(), match[3]) for match in BLOCK.finditer(DOCUMENT.read_text(encoding="utf-8"))]
VALID = [text for language, mark, text in BLOCKS if language == "toml" and not mark]


def completed(block: str) -> str:
    """Add the tables that a block leaves out because it is not about them."""
    data = tomllib.loads(block)
    project = "" if "project" in data else '[project]\napplication = "shop"\n'
    return block + project + ("" if "environments" in data else '[environments.prod]\nroot = "environments/prod"\n')


def make_files(directory: Path, data: dict[str, Any]) -> None:
    """Make the files that a contract names."""
    names = [data.get("tags", {}).get("policy")]
    for environment in data["environments"].values():
        names += [f"{environment.get('root', '.')}/main.tf", environment.get("plan"), environment.get("state")]
        names += [*environment.get("var_files", []), *environment.get("snapshots", [])]
        names += [pattern.replace("*", "one") for pattern in environment.get("task_definitions", [])]
    for table in ("playbooks", "incidents", "process"):
        for key, name in data.get(table, {}).items():
            if key in {"directory", "workflows"}:
                (directory / name).mkdir(parents=True)
            elif key in {"template", "codeowners", "labels_file", "ruleset"}:
                names.append(name)
    for path in (directory / name for name in names if name):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("block", VALID, ids=[str(number) for number in range(len(VALID))])
def test_every_example_loads(block: str, tmp_path: Path) -> None:
    """What the documentation shows can be copied, given that the files are there."""
    text = completed(block)
    make_files(tmp_path, tomllib.loads(text))
    (tmp_path / "infraspec.toml").write_text(text, encoding="utf-8")

    contract.load(tmp_path, rules=RULES)


def test_the_wrong_example_fails_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message in the documentation is the real one."""
    monkeypatch.chdir(tmp_path)
    (wrong,) = (text for _, mark, text in BLOCKS if mark == "invalid")
    (shown,) = (text for language, _, text in BLOCKS if language == "text")
    (tmp_path / "infraspec.toml").write_text(wrong, encoding="utf-8")

    with pytest.raises(InfraspecError) as caught:
        contract.load(tmp_path)

    assert str(caught.value) == shown.rstrip("\n")


def test_the_first_example_has_six_lines() -> None:
    """A new user starts with six lines."""
    assert VALID[0].count("\n") == 6


TABLES = {"Project": "[project]", "Environment": "[environments.NAME]", "Names": "[names]", "Tags": "[tags]"}
TABLES |= {"Alarms": "[alarms]", "Playbooks": "[playbooks]", "Incidents": "[incidents]", "Process": "[process]"}
TABLES |= {"PlanReview": "[plan_review]", "State": "[state]", "Versions": "[versions]", "Drift": "[drift]"}
TABLES |= {"Rollout": "[rollout]"}
TABLES |= {"Consistency": "[consistency]", "Modules": "[modules]", "Policies": "[policies]"}
TABLES |= {"Live": "[environments.NAME.live]", "Sandbox": "[sandbox]"}
TABLES |= {"Canary": "[environments.NAME.live.canary]"}
TABLES |= {"Metrics": "[metrics]", "Notifications": "[notifications]"}
TABLES |= {"Suite": "[suite]", "Waiver": "[[waivers]]"}


@pytest.mark.parametrize(("model", "heading"), TABLES.items())
def test_every_key_is_documented_under_its_table(model: str, heading: str) -> None:
    """A key of the schema has a row in the section of its table, and a row has a key."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.split(f"## `{heading}`\n", 1)[1].split("\n## ", 1)[0]

    rows = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)

    assert rows == list(schema()["$defs"][model]["properties"])


def test_every_table_has_a_section() -> None:
    """The tables at the top of the contract are the sections of the document."""
    headings = set(re.findall(r"^## `\[+([a-z_]+)[\].]", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))

    assert headings == set(schema()["properties"])
