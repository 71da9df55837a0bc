"""The golden results: what infraspec says is what it said before, and the comparison can fail."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from tools import golden

SMALL = [table for table, is_whole in golden.TABLES.items() if is_whole]
KEPT = [
    {"rule": "tags", "verdict": "violated", "address": "aws_x.y", "place": "main.tf:3", "found": "no tags"},
    {"rule": "names", "verdict": "proven", "address": "aws_x.y"},
]
ERROR = {"rule": "TerraformError", "message": "main.tf:1"}


def section(*findings: dict[str, Any], **about: Any) -> golden.Section:
    """Return a section of one case."""
    made = golden.Section()
    made.add("shop", findings, **about)
    return made


CHANGES: dict[str, tuple[golden.Section, tuple[str, ...]]] = {
    "text": (
        section({**KEPT[0], "found": "no Owner"}, KEPT[1], exit=1),
        ("changed: VIOLATED tags: aws_x.y", "- found    no tags", "+ found    no Owner"),
    ),
    "verdict": (
        section({**KEPT[0], "verdict": "proven"}, KEPT[1], exit=1),
        ("changed: PROVEN tags: aws_x.y", "- verdict  violated", "+ verdict  proven"),
    ),
    "place": (section({**KEPT[0], "place": "main.tf:4"}, KEPT[1], exit=1), ("- place    main.tf:3",)),
    "removed": (section(KEPT[0], exit=1), ("removed: PROVEN names: aws_x.y",)),
    "added": (section(*KEPT, KEPT[1], exit=1), ("added: PROVEN names: aws_x.y",)),
    "exit code": (section(*KEPT, exit=0), ("exit changed", "- ", "+ ")),
    "no case": (golden.Section(), ("a case is gone", "shop")),
}


@pytest.mark.parametrize(("new", "expected"), CHANGES.values(), ids=CHANGES)
def test_every_difference_is_told(new: golden.Section, expected: tuple[str, ...], tmp_path: Path) -> None:
    """A section that is written and read is the same; a change of text, verdict, place or exit code is told."""
    section(*KEPT, exit=1).write(tmp_path / "kept.jsonl")
    kept = golden.Section.read(tmp_path / "kept.jsonl")

    assert golden.compare("reference", kept, section(*KEPT, exit=1)) == ""
    told = golden.compare("reference", kept, new)
    assert told.startswith("reference: 1 DIFFERENCES")
    assert [text for text in expected if text not in told] == []


def test_a_difference_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with 1 if a section differs, and with 0 after it was written."""

    def found(now: golden.Section, _options: argparse.Namespace) -> tuple[str, ...]:
        now.add("shop", KEPT, exit=1)
        return ()

    monkeypatch.setattr(golden, "SECTIONS", {"reference": found})
    monkeypatch.setattr(golden, "KEPT", tmp_path)
    codes = [golden.main(arguments) for arguments in ([], ["--write"], [])]

    assert codes == [1, 0, 0]
    assert "a case was added" in capsys.readouterr().out


HELD: dict[str, tuple[dict[str, list[dict[str, Any]]], str]] = {
    "all of it": ({"tags": [KEPT[0]], "source": [ERROR]}, ""),
    "one rule": ({"tags": [KEPT[0]]}, ""),
    "an error of the class": ({"versions": [{**ERROR, "message": "main.tf:2"}], "source": [ERROR]}, ""),
    "another text": ({"tags": [{**KEPT[0], "found": "no Owner"}]}, "changed: VIOLATED tags"),
    "another subject": ({"tags": [{**KEPT[0], "subject": "Owner"}]}, "removed: VIOLATED tags"),
    "a finding vanished": ({"tags": [], "source": [ERROR]}, "removed: VIOLATED tags"),
    "an error vanished": ({"tags": [KEPT[0]], "source": []}, "removed: ERROR TerraformError"),
    "an error of the class vanished": ({"versions": [], "source": [ERROR]}, "removed: ERROR TerraformError"),
    "an error of another rule": ({"tags": [KEPT[0], ERROR]}, "added: ERROR TerraformError"),
}


@pytest.mark.parametrize(("asked", "expected"), HELD.values(), ids=HELD)
def test_an_edit_is_held_by_the_rules_that_were_asked(asked: dict[str, list[dict[str, Any]]], expected: str) -> None:
    """What rules find, or the error that they meet, is compared with all that is kept of these rules."""
    kept = section(
        {**KEPT[0], "asked": ["tags"]},
        {**ERROR, "asked": ["names", "source"]},
        {**ERROR, "message": "main.tf:2", "asked": ["versions"]},
    )
    told = golden.held(kept, "shop", asked)

    assert expected in told
    assert bool(told) == bool(expected)
    assert "a case was added" in golden.held(kept, "other", asked)


def test_the_reference_is_as_before() -> None:
    """The static suite says of the reference infrastructure, word for word, what it said before."""
    now = golden.Section()
    golden.suite(now, golden.REFERENCE, Path(golden.REFERENCE))
    kept = golden.kept("reference")
    old = golden.Section()
    old.findings, old.cases = kept.findings, {name: kept.cases.get(name, {"findings": []}) for name in now.cases}

    assert golden.compare("reference", old, now) == ""


@pytest.mark.parametrize("table", SMALL)
def test_the_edits_of_policies_are_as_before(table: str) -> None:
    """Every edit of policies and roles gives, word for word, the findings that it gave before."""
    kept = golden.kept("mutations")
    now = golden.Section()
    for name, findings, proven in golden.edits(table):
        now.add(name, findings, proven=proven)
    old = golden.Section()
    old.findings = kept.findings
    old.cases = {name: case for name, case in kept.cases.items() if name.startswith(table.removeprefix("tests."))}

    assert golden.compare("mutations", old, now) == ""
