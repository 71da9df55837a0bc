"""The compliance suite: cases of one request each, with what AWS decides."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from infraspec.cli.simulate import Case

ROOT = Path(__file__).parents[2]
FILES = {
    "ours": (ROOT / "fixtures/iam/cases.jsonl", 2000),
    "beside the checkout": (ROOT / "../shared/data/iam/cases.jsonl", 2000),
}


@pytest.mark.parametrize("name", FILES)
def test_every_case_is_decided_as_aws_does(name: str) -> None:
    """Every case that AWS's documents decide is decided so; an ambiguous one is never decided the other way round."""
    file, at_least = FILES[name]
    if not file.exists():
        pytest.skip("the cases are not beside the checkout")
    counts: Counter[str] = Counter()
    wrong = []
    for line in file.read_bytes().splitlines():
        case = msgspec.json.decode(line, type=Case)
        outcome = case.decide(file.name).outcome.value
        counts[outcome] += 1
        if not case.ambiguous and outcome != (case.aws or case.expected):
            wrong.append((case.id, case.aws or case.expected, outcome))
    assert (wrong, counts.total() >= at_least) == ([], True), counts
