"""The tool that runs the suite over repositories of other people."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.terraform.sources import write
from tools import corpus

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
    code = corpus.main([str(shop), str(empty)])
    printed = capsys.readouterr().out

    assert code == 0
    assert "| shop | ran | " in printed
    assert " | 0 | 1 of 1 |" in printed
    assert "| empty | input error | " in printed
    assert "seen: 2 repositories, a verdict of access in 1 of 1 with task definitions" in printed
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
    code = corpus.main([str(write(tmp_path / "shop", SHOP)), "--timeout", "5"])
    printed = capsys.readouterr().out

    assert code == 1
    assert f"| shop | {state} | " in printed
    assert detail in printed


def test_numbers_are_compared_with_those_kept() -> None:
    """What changed of a repository is said by its number, and nothing of one that did not."""
    kept = {"example/shop": corpus.Numbers(proven=3), "example/same": corpus.Numbers()}
    outcomes = [corpus.Outcome("example/shop", corpus.Numbers(proven=4)), corpus.Outcome("example/same")]

    assert ["example/shop: proven 3 → 4"] == list(corpus.differences(kept, outcomes))


def test_the_list_has_repositories_that_nobody_has_looked_at() -> None:
    """At least sixty repositories are listed by their commit, half of them unseen; kept are numbers alone."""
    listed = msgspec.json.decode(corpus.LIST.read_bytes(), type=list[corpus.Repository])
    kept = msgspec.json.decode(corpus.KEPT.read_bytes(), type=corpus.Table)

    assert len(listed) >= 60
    assert len(listed) == len({each.repository for each in listed})
    assert all(len(each.commit) == 40 for each in listed)
    assert abs(sum(each.unseen for each in listed) * 2 - len(listed)) <= 1
    assert {each.repository for each in listed} == set(kept)


def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory that is not there is an error of the command line."""
    with pytest.raises(SystemExit) as caught:
        corpus.main([str(tmp_path / "none")])

    assert caught.value.code == 2
    assert "there is no such directory" in capsys.readouterr().err
