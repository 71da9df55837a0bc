"""Configurations that Terraform accepts are read, and those that it refuses are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.terraform_oracle.configurations import DATA, by_infraspec, extracted, written

ROWS: dict[str, Any] = {row["name"]: row for row in json.loads(DATA.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_verdict_is_that_of_terraform(tmp_path: Path, row: Any) -> None:
    """A configuration is accepted or refused as Terraform does it."""
    verdict = by_infraspec(written(row, tmp_path), tmp_path)

    assert row["accepted"] is (verdict.word == "accepted"), verdict.reason


def test_the_test_data_of_a_checkout_is_found(tmp_path: Path) -> None:
    """Each directory with files of Terraform alone is a configuration; where a folder is named so, each file is one."""
    checkout = tmp_path / "checkout"
    for name in ("internal/testdata/a/main.tf", "internal/testdata/bad-files/b.tf", "internal/testdata/c/d/main.tf"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("", encoding="utf-8")
    for name in ("c/main.tofu", "c/d/a.tftest.hcl"):
        (checkout / "internal/testdata" / name).write_text("", encoding="utf-8")
    (checkout / "main.tf").write_text("", encoding="utf-8")

    found = [str(each.relative_to(tmp_path / "copy")) for each in extracted(checkout, tmp_path / "copy")]

    assert [f"internal/testdata/{name}" for name in ("a", "bad-files/b-tf", "c/d")] == found
