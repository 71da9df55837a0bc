from __future__ import annotations

from pathlib import Path

import pytest

from infraspec import contract
from infraspec.contract.models import Contract, Environment, Project
from infraspec.core.errors import ContractError


@pytest.fixture
def loaded(repository: Path) -> Contract:
    """Make a contract that lies in the repository."""
    return Contract(
        project=Project(application="shop"),
        environments={"prod": Environment(task_definitions=["task-definitions/**", "task-definitions/*"])},
        path=repository / "infraspec.toml",
    )


def test_paths_start_at_the_contract(loaded: Contract, repository: Path, tmp_path: Path) -> None:
    """A relative path is taken from the contract's directory, an absolute one as it is; neither leads out."""
    assert contract.resolve(loaded, Path("environments/prod")) == repository / "environments/prod"
    assert contract.resolve(loaded, Path()) == repository
    assert contract.resolve(loaded, repository / "x") == repository / "x"
    (repository / "link").symlink_to(tmp_path)
    for path in (tmp_path / "x", Path("../x"), Path("link/x"), Path(".git/config")):
        with pytest.raises(ContractError, match="is outside the repository"):
            contract.resolve(loaded, path)


def test_paths_are_shown_from_where_the_user_is(
    loaded: Contract, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the current directory, else from the contract's, else in full; never out with `..`."""
    path = repository / "environments/prod/main.tf"

    assert contract.display(loaded, path) == "environments/prod/main.tf"
    monkeypatch.chdir(tmp_path)
    assert contract.display(loaded, path) == "shop-infra/environments/prod/main.tf"
    monkeypatch.chdir(repository / "modules")
    assert contract.display(repository, path) == "environments/prod/main.tf"
    assert contract.display(repository, Path("environments/../plan.json")) == "plan.json"
    assert contract.display(repository, tmp_path / "shop-infra-2/x") == (tmp_path / "shop-infra-2/x").as_posix()


def test_task_definition_files_come_sorted_and_once(loaded: Contract, repository: Path) -> None:
    """A file that two patterns match is one file; directories are none."""
    (repository / "task-definitions" / "nested").mkdir()
    (repository / "task-definitions" / "nested" / "backend.json").touch()

    found = contract.task_definition_files(loaded, loaded.environments["prod"])

    names = ["nested/backend.json", "worker.json"]
    assert found == tuple(repository / "task-definitions" / name for name in names)
