"""What runs under the name of a program in a rehearsal, and what a command sees."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infraspec.sandbox.rehearsal.programs import session_environment, write_programs
from infraspec.sandbox.rehearsal.stand_ins import RehearsalPlace

MAKEFILE = "plan:\n\tterraform plan\n\ntest: plan\n\tpytest\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return the programs of a rehearsal in a repository with a makefile."""
    for name in ("bin", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    write_programs(tmp_path / "bin", RehearsalPlace(str(tmp_path), "prod", str(tmp_path)))
    return tmp_path


def run(place: Path, command: str) -> tuple[int, str]:
    """Run a command as a step does."""
    account = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    environment = session_environment(place / "bin", place / "home", account | {"AWS_DEFAULT_REGION": "eu-west-1"}, [])
    bash = ["/usr/bin/env", "bash", "-c", command]
    ended = subprocess.run(bash, env=environment, cwd=place / "home", capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("make test ENV=prod", 0, "noted, not run"),
        ("make tests", 2, "No rule to make target 'tests'"),
        ("git log -1 --format=%H", 0, "0123456789abcdef"),
        ("git revert --no-edit HEAD", 0, "noted, not run"),
        ("gh issue list --json number --jq '.[0].number'", 0, "1"),
        ("gh issue list --json number", 0, "[]"),
        ("terraform -chdir=a plan", 0, "noted, not run"),
        ("echo '{\"a\": 1}' | jq keys", 0, '"a"'),
        ("wget https://example.com", 127, "wget: command not found"),
        ("ssh host", 127, "ssh: command not found"),
        ("aws --version", 0, "aws-cli"),
        ("aws ecs list-clusters --endpoint-url http://192.0.2.1", 255, "Could not connect"),
        ("env", 0, "AWS_PAGER=\n"),
    ],
)
def test_programs(command: str, code: int, told: str, place: Path) -> None:
    """A target has to exist, what leads elsewhere is noted, and what is not on the list is not found."""
    ended, output = run(place, command)

    assert code == ended, output
    assert told in output


def test_nothing_of_the_user_is_seen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command has no variable of the one who rehearses, and no home."""
    monkeypatch.setenv("GITHUB_TOKEN", "not-for-playbooks")
    _, output = run(place, 'env; ls -a "$HOME"')

    assert "not-for-playbooks" not in output
    assert ".aws" not in output
