from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infraspec.iam.lint.document import document_faults
from infraspec.iam.lint.faults import FINDINGS, PolicyFault
from infraspec.iam.policy.document import PolicyDocument
from infraspec.resource_types import Policy, PolicyKind

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "faults.json").read_text(encoding="utf-8"))


def faults_of(case: dict[str, Any]) -> list[PolicyFault]:
    """Return what is found in the document of a case."""
    use = Policy(PolicyKind(case.get("kind", "identity policy")), services=case.get("service", ""))
    return document_faults(PolicyDocument.from_value(case["document"], with_principals=use.names_principals), use)


def shown(fault: PolicyFault) -> str:
    """Write a fault as the cases do: `advise ` where it is not certain, the finding, what it is about, the remedy."""
    return f"{'' if fault.certain else 'advise '}{fault.finding} {fault.about}".rstrip() + f": {fault.remedy}"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_document_has_these_faults_and_no_others(case: dict[str, Any]) -> None:
    """Every fault of the case is found, in order, and nothing else is."""
    found = list(map(shown, faults_of(case)))

    assert len(found) == len(case["finds"]), found
    for text, wanted in zip(found, case["finds"], strict=True):
        assert text.startswith(wanted)


@pytest.mark.parametrize("case", [case for case in CASES if case["finds"]], ids=lambda case: case["name"])
def test_every_fault_says_what_was_expected_and_why(case: dict[str, Any]) -> None:
    """No part of the message is empty, and the place is in the document."""
    for fault in faults_of(case):
        assert all([fault.expected, fault.found, fault.reason, fault.remedy])
        assert fault.path.startswith("Statement.")


def test_every_finding_has_a_case() -> None:
    """The table has a case of every finding, but for the two that need more than a document."""
    seen = {wanted.removeprefix("advise ").partition(" ")[0].partition(":")[0] for c in CASES for wanted in c["finds"]}

    assert seen == set(FINDINGS) - {"too-long", "broader-than-needed"}
