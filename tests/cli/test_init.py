"""`infraspec init` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infraspec.cli import main
from tests.adoption.test_contract_text import SHOP
from tests.terraform.sources import write


def init(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["init", *arguments])


def test_writes_what_it_found(tmp_path: Path) -> None:
    """It says what was found, by what, writes the files, and says what to do next."""
    ran = init(str(write(tmp_path, SHOP)))

    assert ran.exit_code == 0
    lines = ran.output.splitlines()
    assert lines[0] == "application  shop (6 of 7 names start with it)"
    assert "environment  dev: 3 resources, by the root module terraform/envs/dev" in lines
    assert any(line.startswith("left out     1 root module, the first because: ") for line in lines)
    assert "tags         Environment, Team" in lines
    assert "infraspec.toml                    written" in lines
    assert lines[-2:] == ["  infraspec check", "  infraspec doctor"]
    assert (tmp_path / "infraspec.toml").is_file()


def test_again(tmp_path: Path) -> None:
    """The second run writes nothing and says so."""
    init(str(write(tmp_path, SHOP)))
    before = (tmp_path / "infraspec.toml").read_bytes()
    ran = init(str(tmp_path))

    assert ran.exit_code == 0
    assert "infraspec.toml                    exists, left as it is" in ran.output
    assert "infraspec init --dry-run" in ran.output
    assert (tmp_path / "infraspec.toml").read_bytes() == before


def test_dry_run(tmp_path: Path) -> None:
    """--dry-run prints the files, those that are there too, and writes nothing."""
    write(tmp_path, {**SHOP, "infraspec.toml": "# mine\n"})
    before = sorted(tmp_path.rglob("*"))
    ran = init(str(tmp_path), "--dry-run")

    assert ran.exit_code == 0
    assert "---- exists infraspec.toml ---" in ran.output
    assert "---- would write .github/workflows/infraspec.yml ---" in ran.output
    assert 'application = "shop"  # 6 of 7 names start with it' in ran.output
    assert sorted(tmp_path.rglob("*")) == before


def test_json(tmp_path: Path) -> None:
    """JSON has what was found with its numbers, and the files with their state."""
    document = json.loads(init(str(write(tmp_path, SHOP)), "--dry-run", "--format", "json").output)

    assert document["application"] == "shop"
    assert [(each["name"], each["resources"]) for each in document["environments"]] == [("dev", 3), ("prod", 4)]
    assert document["names"]["aws_sqs_queue"] == {
        "patterns": ["{application}-{environment}-{name}"],
        "held": 4,
        "of": 5,
    }
    assert document["tags"]["Team"] == {"rule": "orders", "held": 6, "of": 7}
    assert [each["root"] for each in document["left_out"]] == ["terraform/bootstrap"]
    assert {file["state"] for file in document["files"]} == {"would write"}


BAD: dict[str, tuple[dict[str, str], tuple[str, ...], str]] = {
    "no such directory": ({}, ("nowhere",), "there is no such directory"),
    "nothing in it": ({"README.md": ""}, (), "neither a root module nor a task definition"),
    "a file": ({"main.tf": ""}, ("main.tf",), "there is no such directory"),
    "a mistyped option": ({}, ("--dryrun",), "--dry-run"),
    "a mistyped format": ({}, ("--format", "yaml"), "'yaml' is not one of"),
}


@pytest.mark.parametrize(("files", "arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], arguments: tuple[str, ...], message: str
) -> None:
    """What is asked for wrongly is said with exit code 2, and nothing is written."""
    monkeypatch.chdir(write(tmp_path, files))
    before = sorted(tmp_path.rglob("*"))
    ran = init(*arguments)

    assert ran.exit_code == 2
    assert message in ran.output
    assert sorted(tmp_path.rglob("*")) == before


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """A place that cannot be written in is an error with the way out."""
    write(tmp_path, {**SHOP, ".github": "a file\n"})
    ran = init(str(tmp_path))

    assert ran.exit_code == 2
    assert "the file cannot be written" in ran.output
    assert "infraspec init --dry-run" in ran.output
