"""A repository for contracts to lie in."""

from __future__ import annotations

from pathlib import Path

import pytest

FILES = (
    "environments/prod/main.tf",
    "environments/dev/main.tf.json",
    "environments/common.tfvars",
    "modules/vpc/main.tf",
    "modules/vpc/.terraform/modules/nested/main.tf",
    "task-definitions/worker.json",
    "plan.json",
    "terraform.tfstate",
    "tag-policy.json",
)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with roots and files, but without a contract, and go there."""
    directory = tmp_path / "shop-infra"
    for name in FILES:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    monkeypatch.chdir(directory)
    return directory
