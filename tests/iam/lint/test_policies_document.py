"""docs/policies.md says what the rule does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infraspec.iam.lint.document import document_faults
from infraspec.iam.lint.faults import FINDINGS
from infraspec.iam.policy.document import PolicyDocument
from infraspec.resource_types import Policy, PolicyKind

DOCUMENT = (Path(__file__).parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
DEFAULTS = {"fails": "fail", "advises": "advise"}
SECTIONS = {part.partition("`")[0]: part for part in DOCUMENT.split("\n### `")[1:]}
WITHOUT_EXAMPLE = {"too-long", "broader-than-needed"}
USES = {
    "trust": Policy(PolicyKind.TRUST),
    "resource": Policy(PolicyKind.RESOURCE),
    "": Policy(PolicyKind.IDENTITY),
    "document": Policy(PolicyKind.IDENTITY),
}


def test_the_table_is_that_of_the_findings() -> None:
    """Every finding stands in the table with what it does by default, in order."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", DOCUMENT, re.MULTILINE)

    assert [(name, DEFAULTS[does]) for name, does in rows] == list(FINDINGS.items())


def test_every_finding_has_a_section_with_its_source() -> None:
    """The sections are those of the findings, in order, and each names a document of AWS."""
    assert list(SECTIONS) == list(FINDINGS)
    assert [name for name, text in SECTIONS.items() if not re.search(r"Sources?:", text)] == []


@pytest.mark.parametrize("name", [name for name in FINDINGS if name not in WITHOUT_EXAMPLE])
def test_the_example_has_the_finding(name: str) -> None:
    """The example of a section has what the section is about, and the remedy it quotes."""
    match = re.search(r"```json ?(\w*)\n(.*?)```", SECTIONS[name], re.DOTALL)
    assert match is not None
    tree = json.loads(match[2])
    use = USES[match[1]]
    document = tree if match[1] == "document" else {"Version": "2012-10-17", "Statement": [tree]}

    faults = document_faults(PolicyDocument.from_value(document, with_principals=use.names_principals), use)

    fault = next(fault for fault in faults if fault.finding == name)
    quoted = re.search(r"^`(did you mean .*?\?|log streams.*?\*\")` —", SECTIONS[name], re.MULTILINE)
    assert quoted is None or quoted[1] == fault.remedy
