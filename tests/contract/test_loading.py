from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from infraspec import contract
from infraspec.core.errors import (
    ContractError,
    InfraspecError,
    InputErrorGroup,
    PlanError,
    RootMissingError,
    UnknownEnvironmentError,
)

TWO_ENVIRONMENTS = """
[project]
application = "shop"

[environments.dev]
root = "environments/dev"

[environments.prod]
root = "environments/prod"
plan = "plan-of-prod.json"
"""


def written(directory: Path, text: str, name: str = "infraspec.toml") -> Path:
    """Write a contract and return its path."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def pasted(error: ContractError) -> str:
    """Return the contract that a remedy gives to paste, indented as the terminal shows it."""
    return str(error).split(":\n", 1)[1]


def test_the_place_may_be_the_file_or_its_directory(repository: Path) -> None:
    """A contract of another name is loaded by its path."""
    other = written(repository, TWO_ENVIRONMENTS.replace('plan = "plan-of-prod.json"', ""), "other.toml")
    written(repository, other.read_text(encoding="utf-8"))

    assert contract.load(repository).path == repository / "infraspec.toml"
    assert contract.load(Path("other.toml")).path == other


def test_a_missing_contract_names_what_writes_one(repository: Path) -> None:
    """Where there is Terraform, `infraspec init` is the remedy; where there is none, that is said."""
    with pytest.raises(ContractError, match="there is no contract") as caught:
        contract.load(repository)

    assert caught.value.place == "infraspec.toml"
    assert "run `infraspec init`" in caught.value.remedy
    (repository / "empty").mkdir()
    with pytest.raises(ContractError, match="there is no Terraform either"):
        contract.load(repository / "empty")


def test_a_missing_contract_names_one_in_a_parent_and_one_of_like_name(repository: Path) -> None:
    """A contract in a directory above, and a file with a name like it, are pointed out."""
    written(repository, "")
    (repository / "modules" / "infraspec.tml").touch()

    with pytest.raises(ContractError) as caught:
        contract.load(repository / "modules")

    assert "there is infraspec.toml: name its directory" in caught.value.remedy
    assert "did you mean `infraspec.tml`?" in caught.value.remedy


def test_a_directory_that_does_not_exist_is_said_to_be_missing(repository: Path) -> None:
    """A wrong path is no reason to paste a contract."""
    with pytest.raises(ContractError) as caught:
        contract.load(Path("shop-infro"))

    assert str(caught.value).startswith("shop-infro: there is no such directory")
    assert "[project]" not in caught.value.remedy


def test_a_directory_of_the_contracts_name_cannot_be_read(repository: Path) -> None:
    """What the operating system says goes into the message."""
    (repository / "infraspec.toml").mkdir()

    with pytest.raises(ContractError, match="cannot be read") as caught:
        contract.load(repository)

    assert caught.value.found == "Is a directory"


def test_the_contract_outside_the_current_directory_is_named_in_full(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From elsewhere the place tells which of many contracts is meant."""
    path = written(repository, "[project]\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    with pytest.raises(InfraspecError, match=re.escape(f"{path}:1: `application` is missing")):
        contract.load(repository)


def test_files_of_other_environments_need_not_exist(repository: Path) -> None:
    """Only the environments under test have to have their files; without a choice, all of them."""
    written(repository, TWO_ENVIRONMENTS)

    assert len(contract.load(repository, environments=["dev"]).environments) == 2
    with pytest.raises(PlanError, match=re.escape("infraspec.toml:10: the file of `environments.prod.plan`")):
        contract.load(repository)


def test_an_unknown_environment_names_the_closest_and_all(repository: Path) -> None:
    """Asking for an environment that is not there says which there are."""
    written(repository, TWO_ENVIRONMENTS)

    with pytest.raises(UnknownEnvironmentError) as caught:
        contract.load(repository, environments=["production"])

    assert str(caught.value).splitlines() == [
        "infraspec.toml: there is no environment `production`",
        "  expected: one of dev, prod",
        "  found:    production",
        "  remedy:   name one of them, or add [environments.production]",
    ]


def test_an_environment_is_found_by_name(repository: Path) -> None:
    """A misspelt name gets the one that was meant."""
    written(repository, TWO_ENVIRONMENTS)
    loaded = contract.load(repository, environments=["dev"])

    assert contract.environment(loaded, "dev") is loaded.environments["dev"]
    with pytest.raises(UnknownEnvironmentError) as caught:
        contract.environment(loaded, "Prod")
    assert caught.value.remedy == "did you mean `prod`?"


def test_errors_of_several_kinds_come_together(repository: Path) -> None:
    """A missing root and a missing plan are one group, each of its own class, and pass between processes."""
    written(repository, TWO_ENVIRONMENTS.replace("environments/dev", "environments/dve"))

    with pytest.raises(InputErrorGroup) as caught:
        contract.load(repository)

    assert [type(error) for error in caught.value.errors] == [RootMissingError, PlanError]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own pickle


def test_rules_are_checked_only_if_they_are_known(repository: Path) -> None:
    """Without the list of rules, what a contract allows to be empty is taken as it is."""
    text = TWO_ENVIRONMENTS.replace('plan = "plan-of-prod.json"', '[suite]\nallow_empty = ["no-such-rule"]')
    written(repository, text)

    assert contract.load(repository).suite.allow_empty == ["no-such-rule"]
    with pytest.raises(ContractError, match="names an unknown rule"):
        contract.load(repository, rules=["names"])


def test_the_place_of_a_key_is_its_line(repository: Path) -> None:
    """Errors found later on can name the line of the key they are about; in memory the key stands for it."""
    written(repository, TWO_ENVIRONMENTS)
    loaded = contract.load(repository, environments=["dev"])

    assert contract.place_of(loaded, "environments", "prod", "plan") == "infraspec.toml:10"
    (repository / "infraspec.toml").unlink()
    assert contract.place_of(loaded, "names", "patterns", "a b") == "names.patterns.'a b'"


def test_roots_nearby_leave_out_what_terraform_downloaded(repository: Path) -> None:
    """Copies of modules in .terraform are no roots to name, and modules come last."""
    written(repository, TWO_ENVIRONMENTS.replace("environments/dev", "environments/dve"))

    with pytest.raises(RootMissingError) as caught:
        contract.load(repository, environments=["dev"])

    assert caught.value.remedy == "set root to one of: environments/dev, environments/prod, modules/vpc"


def test_modules_are_the_last_roots_to_be_named(repository: Path) -> None:
    """Even for a path like a module's, a root module is what was probably meant."""
    written(repository, TWO_ENVIRONMENTS.replace("environments/dev", "modules/vcp"))

    with pytest.raises(RootMissingError) as caught:
        contract.load(repository, environments=["dev"])

    assert caught.value.remedy.endswith(", modules/vpc")


def test_a_repository_without_terraform_says_so(tmp_path: Path) -> None:
    """Where no directory holds Terraform the remedy does not make one up."""
    written(tmp_path, "project.application = 'shop'\nenvironments.prod.root = 'a'\n")

    with pytest.raises(RootMissingError, match="holds any"):
        contract.load(tmp_path)
