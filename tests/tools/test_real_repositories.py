"""The tool that runs the suite over repositories of other people."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.sources import write
from tools import real_repositories

SHOP = {
    "main.tf": """\
        provider "aws" {
          region = "eu-west-1"
        }

        resource "aws_secretsmanager_secret" "db" {
          name = "shop-db"
        }

        resource "aws_iam_role" "execution" {
          name               = "shop-execution"
          assume_role_policy = jsonencode({
            Version   = "2012-10-17"
            Statement = [{
              Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" }
            }]
          })
        }

        resource "aws_ecs_task_definition" "app" {
          family             = "shop-app"
          execution_role_arn = aws_iam_role.execution.arn
          container_definitions = jsonencode([{
            name    = "app"
            image   = "nginx"
            secrets = [{ name = "DB", valueFrom = aws_secretsmanager_secret.db.arn }]
          }])
        }
        """,
}


def test_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each repository has a line; every VIOLATED of secret-access is listed; the original stays as it is."""
    shop, empty = write(tmp_path / "shop", SHOP), tmp_path / "empty"
    empty.mkdir()
    before = sorted(shop.rglob("*"))
    code = real_repositories.main([str(shop), str(empty)])
    printed = capsys.readouterr().out

    assert code == 0
    assert "| shop | ran | 1 | " in printed
    assert "| empty | input error | 0 | " in printed
    assert "VIOLATED main.tf:" in printed
    assert 'secret "DB": secretsmanager:GetSecretValue: no statement allows it' in printed
    assert "there is neither a root module nor a task definition file" in printed
    assert sorted(shop.rglob("*")) == before


ENDS: dict[str, tuple[Any, str, str]] = {
    "a crash": (subprocess.CompletedProcess([], 3, "", "INTERNALERROR> boom\n"), "crash", "boom"),
    "a traceback": (
        subprocess.CompletedProcess([], 1, "", "Traceback (most recent call last):\nKeyError: 'x'\n"),
        "crash",
        "KeyError",
    ),
    "a hang": (subprocess.TimeoutExpired([], 5), "hang", "init did not end within 5 s"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_crash_and_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], end: tuple[Any, str, str]
) -> None:
    """What crashes or does not end is said, and the exit code is 1."""
    result, state, detail = end

    def run(*_: object, **__: object) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(subprocess, "run", run)
    code = real_repositories.main([str(write(tmp_path / "shop", SHOP)), "--format", "json", "--timeout", "5"])
    (outcome,) = json.loads(capsys.readouterr().out)

    assert code == 1
    assert outcome["state"] == state
    assert detail in outcome["detail"]


def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory that is not there is an error of the command line."""
    with pytest.raises(SystemExit) as caught:
        real_repositories.main([str(tmp_path / "none")])

    assert caught.value.code == 2
    assert "there is no such directory" in capsys.readouterr().err
