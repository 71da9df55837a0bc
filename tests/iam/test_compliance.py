"""The cases whose only policies are the principal's own, without conditions: every answer is AWS's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infraspec.iam.decision import decide
from infraspec.iam.document import PolicyDocument
from infraspec.iam.policy import IdentityPolicy

CASES = Path(__file__).parents[2] / "../shared/data/iam/cases.jsonl"
OTHER_LAYERS = ("boundary", "resourcePolicy", "sessionPolicy", "scps", "rcps")


def relevant_cases(*layers: str) -> Iterator[dict[str, Any]]:
    """Yield the unambiguous cases of a role in the resource's account with only the given layers, no conditions."""
    for line in CASES.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        text = json.dumps([case["policies"], case["boundary"]])
        request = case["request"]
        principal = request["principal"].split(":")
        skipped = (
            '"Condition"' in text
            or "${" in text
            or case.get("ambiguous")
            or any(case.get(layer) for layer in OTHER_LAYERS if layer not in layers)
            or not all(case.get(layer) for layer in layers)
            or len(principal) < 6
            or principal[4] != request["resourceAccount"]
            or request["action"].startswith(("sts:", "kms:"))
        )
        if not skipped:
            yield case


def identity_policy(policy: Mapping[str, Any]) -> IdentityPolicy:
    """Compile a policy of a case, which stands alone or under a name."""
    return IdentityPolicy.of(policy.get("name", "policy"), PolicyDocument.from_value(policy.get("policy", policy)))


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not beside the checkout")
@pytest.mark.parametrize(("layers", "at_least"), [((), 650), (("boundary",), 20)])
def test_every_case_is_decided_as_aws_does(layers: tuple[str, ...], at_least: int) -> None:
    """Every unambiguous case of the principal's own policies, and of a boundary, is decided as AWS decides it."""
    counts: Counter[str] = Counter()
    wrong = []
    for case in relevant_cases(*layers):
        request = case["request"]
        policies = [identity_policy(policy) for policy in case["policies"]]
        boundary = [identity_policy(case["boundary"])] if case["boundary"] else None
        decision = decide(policies, request["action"], request["resource"], boundary=boundary)
        counts[decision.outcome.value] += 1
        expected = case.get("aws", case["expected"])
        if decision.outcome.value != expected:
            wrong.append((case["id"], expected, decision.outcome.value))
    assert (wrong, counts.total() >= at_least) == ([], True), counts
