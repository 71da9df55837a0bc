from __future__ import annotations

import re
from pathlib import Path

import pytest

from infraspec import contract
from infraspec.contract.schema import schema
from infraspec.core.errors import InfraspecError
from tests.docs.blocks import blocks

DOCUMENT = Path(__file__).parents[2] / "docs" / "contract.md"
BLOCKS = blocks("toml", page="docs/contract.md")


def test_the_wrong_example_fails_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message in the documentation is the real one."""
    monkeypatch.chdir(tmp_path)
    (wrong,) = (block.text for block in BLOCKS if block.mark == "invalid")
    (shown,) = blocks("text", page="docs/contract.md")
    (tmp_path / "infraspec.toml").write_text(wrong, encoding="utf-8")

    with pytest.raises(InfraspecError) as caught:
        contract.load(tmp_path)

    assert f"{caught.value}\n" == shown.text


def test_the_first_example_has_six_lines() -> None:
    """A new user starts with six lines."""
    assert BLOCKS[0].text.count("\n") == 6


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
