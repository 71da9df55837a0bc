"""Exempt resources."""

from __future__ import annotations

import pytest

from infraspec.conventions.effective_tags import Exemptions


@pytest.mark.parametrize(
    ("entry", "type_", "address", "expected"),
    [
        ("aws_eip", "aws_eip", "aws_eip.nat", True),
        ("aws_eip", "aws_eip_association", "aws_eip_association.nat", False),
        ("aws_s3_*", "aws_s3_bucket", "aws_s3_bucket.logs", True),
        ("module.legacy.*", "aws_s3_bucket", "module.legacy.aws_s3_bucket.logs", True),
        ("module.legacy.*", "aws_s3_bucket", "module.legacy_2.aws_s3_bucket.logs", False),
        ('aws_eip.nat["a"]', "aws_eip", 'aws_eip.nat["a"]', True),
        ('aws_eip.nat["?"]', "aws_eip", 'aws_eip.nat["a"]', False),
        ("aws_eip.nat[*]", "aws_eip", "aws_eip.nat[0]", True),
        ("aws_eip.nat", "aws_eip", "aws_eip.nat[0]", False),
    ],
)
def test_covers(entry: str, type_: str, address: str, expected: bool) -> None:  # noqa: FBT001 - a case of the table
    """An entry is a type or an address as a whole; `*` alone is a wildcard."""
    assert expected is Exemptions.of(["aws_other", entry]).covers(type_, address)


def test_no_entries() -> None:
    """Without entries nothing is exempt."""
    assert not Exemptions.of([]).covers("aws_eip", "aws_eip.nat")
