"""Version constraints as Terraform reads them."""

from __future__ import annotations

import pytest

from infraspec.terraform.configuration.settings import allows, parse

CASES = [
    ("1.2.3", "1.2.3", True),
    ("= 1.2", "1.2.0", True),
    ("!= 1.2.3", "1.2.3", False),
    ("> 1.2", "1.2.1", True),
    ("> 1.2", "1.2.0", False),
    (">= 1.2", "1.2.0", True),
    ("< 2", "1.99.0", True),
    ("<= 2.0", "2.0.1", False),
    ("~> 1.2", "1.9.0", True),
    ("~> 1.2", "2.0.0", False),
    ("~> 1.2.3", "1.2.9", True),
    ("~> 1.2.3", "1.3.0", False),
    ("~> 1", "2.0.0", False),
    (">= 1.2, < 2.0, != 1.5.0", "1.5.0", False),
    (">= 1.2, < 2.0, != 1.5.0", "1.5.1", True),
    (">= 1.0", "1.5.0-rc1", False),
    ("1.5.0-rc1", "1.5.0-rc1", True),
    ("v1.2.3", "1.2.3", True),
    (">= 1.0", "latest", False),
]


@pytest.mark.parametrize(("constraint", "version", "expected"), CASES)
def test_a_version_meets_a_constraint(constraint: str, version: str, expected: bool) -> None:  # noqa: FBT001 - a case
    """All clauses have to be met; a pre-release is met by itself alone."""
    clauses = parse(constraint)
    assert clauses is not None
    assert allows(clauses, version) is expected


@pytest.mark.parametrize("text", ["latest", ">> 1", "1.x", "", "1.2,"])
def test_other_text_is_no_constraint(text: str) -> None:
    """What Terraform would refuse is not read as something else."""
    assert parse(text) is None


@pytest.mark.parametrize(
    ("constraint", "bounded", "exact"),
    [
        (">= 1.2", False, False),
        ("> 1", False, False),
        ("!= 2.0.0", False, False),
        ("~> 1", False, False),
        ("~> 1.2", True, False),
        ("< 2", True, False),
        ("1.2.3", True, True),
        ("= 1.2", True, False),
    ],
)
def test_what_a_clause_leaves_open(constraint: str, bounded: bool, exact: bool) -> None:  # noqa: FBT001 - a case
    """An upper bound keeps later major versions out; only three numbers are one version."""
    (clause,) = parse(constraint) or ()
    assert (clause.bounds_above, clause.is_exact) == (bounded, exact)
