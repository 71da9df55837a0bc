"""What is cut out of the reference infrastructure, `infraspec fix` puts back, or something as good.

A run without more tries two mutations; `python -m tests.fixes.round_trip` tries all, with the numbers by rule.
"""

from __future__ import annotations

import pytest

from tests.fixes.round_trip import LEAST, RoundTrip, cases, share

CHOSEN = (
    r"modules/iam/main\.tf: data\.aws_iam_policy_document\.read_secrets\.statement$",
    r"modules/labels/outputs\.tf: output\.tags\.value\.CostCenter$",
)


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> RoundTrip:
    """Return a copy of the reference."""
    return RoundTrip(tmp_path_factory.mktemp("round-trip"))


@pytest.mark.parametrize("pattern", CHOSEN)
def test_what_is_cut_out_is_put_back(pattern: str, trip: RoundTrip) -> None:
    """A finding that has a patch is none after it, nothing else is violated, and most have one."""
    outcomes = [trip.tried(file, part) for file, part in cases(pattern)]
    assert [one.broken for one in outcomes] == [()]
    assert share(outcomes) >= LEAST
