"""Commands on a terminal: as wide as it is, with every word that a pipe gets, in colours or without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from infraspec.cli import main
from tests.terminal.screen import CONTROL, Screen, on_terminal
from tests.terraform.sources import write

ROOT = Path(__file__).parents[2]
READ, OTHER = "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"
HIDDEN = "hunter2"
SHOP = {
    "infraspec.toml": """\
        [project]
        application = "shop"

        [environments.prod]
        account_id = "111122223333"
        region = "eu-west-1"
        """,
    "main.tf": f"""\
        variable "secret" {{
          sensitive = true
          default   = "{HIDDEN}"
        }}

        data "aws_vpc" "main" {{}}

        module "jobs" {{
          source = "./jobs"
        }}

        resource "aws_secretsmanager_secret" "db" {{
          name        = "shop-db"
          description = "{"注文データベースのパスワード、" * 8}"
          tags        = {{ owner = "基盤チーム", token = var.secret }}
        }}

        resource "aws_security_group" "app" {{ vpc_id = data.aws_vpc.main.id }}
        resource "aws_iam_role" "app" {{ name = "shop-app" }}

        resource "aws_iam_role_policy" "app" {{
          role = aws_iam_role.app.id
          policy = jsonencode({{
            Version = "2012-10-17"
            Statement = [
              {{ Sid = "Read", Effect = "Allow", Action = "{READ}", Resource = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-with-a-long-name-that-is-folded-{"x" * 90}" }},
              {{ Effect = "Deny", Action = "s3:DeleteObject", Resource = "*" }},
            ]
          }})
        }}

        output "names" {{ value = ["日本語の名前", aws_secretsmanager_secret.db.arn] }}
        """,  # noqa: E501
    "jobs/main.tf": 'resource "aws_sqs_queue" "mails" {\n  name = "shop-メール"\n}\n',
    "cases.jsonl": "\n".join(
        json.dumps({"id": name, "policies": policies, "request": {
            "principal": "arn:aws:iam::111122223333:role/app", "action": READ, "resource": "*",
            "resourceAccount": "111122223333", "context": {},
        }})
        for name, policies in {
            "読む": [{"Statement": {"Effect": "Allow", "Action": READ, "Resource": "*"}}],
            "other": [{"Statement": {"Sid": "L" * 120, "Effect": "Allow", "Action": OTHER, "Resource": "*"}}],
        }.items()
    ),
}  # fmt: skip
EXPLAIN = ["explain", "--role", "shop-app", "--action"]
COMMANDS = {
    "denied": [*EXPLAIN, READ, "--resource", "aws_secretsmanager_secret.db"],
    "denied by a statement": [*EXPLAIN, "s3:DeleteObject", "--resource", "arn:aws:s3:::shop/a"],
    "plan": ["plan"],
    "simulate": ["simulate", "--cases", "cases.jsonl", "--format", "text"],
    "doctor": ["doctor"],
    "init": ["init"],
}
SYNTAX = {"#", "}", "{", "resource", "data", "output"}
"""Words of the plan's text that the tree of modules stands for, and its numbers of lines that JSON has."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a repository that has been started already."""
    directory = write(tmp_path_factory.mktemp("shop"), SHOP)
    assert CliRunner().invoke(main, ["init", str(directory)]).exit_code == 0
    return directory


@pytest.fixture
def here(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in the repository."""
    monkeypatch.chdir(shop)
    return shop


def on(width: int, name: str, **environment: str) -> Screen:
    """Run one of the commands on a terminal."""
    return on_terminal(partial(main, COMMANDS[name]), width, **environment)


def piped(name: str) -> str:
    """Run one of the commands in a pipe."""
    return CliRunner().invoke(main, COMMANDS[name]).stdout


def words(name: str) -> str:
    """Return what has to be on a terminal: all that a pipe gets, but for the syntax around a resource."""
    text = piped(name)
    if name == "plan":
        text = "\n".join(line for line in text.splitlines() if not line.startswith(("resource ", "data ", "}")))
        text = text.replace("\n# ", "\n").removeprefix("# ")
    return text


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_fits_and_says_all(name: str, width: int, here: Path) -> None:
    """No line is wider than the terminal but one to be pasted, which is whole; every word of the pipe is there."""
    screen = on(width, name)

    assert [line for line in screen.too_wide() if line not in {one.strip() for one in piped(name).splitlines()}] == []
    assert screen.missing(words(name)) == []
    assert CONTROL.search(screen.written)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_without_colours(name: str, variables: dict[str, str], here: Path) -> None:
    """With NO_COLOR, or on a terminal that can do nothing, the same text has no escape sequences."""
    screen = on(100, name, **variables)

    assert "\x1b" not in screen.written
    assert screen.lines == on(100, name).lines


@pytest.mark.parametrize("name", COMMANDS)
def test_no_secret(name: str, here: Path) -> None:
    """What is sensitive is masked on a terminal too."""
    text = "".join(on(120, name).lines)

    assert HIDDEN not in text
    assert (name == "plan") == ("(sensitive value)" in text)


def test_the_first_init(tmp_path: Path) -> None:
    """What is written, and where it belongs, is told on a terminal too."""
    first, second = (write(tmp_path / name, SHOP) for name in ("first", "second"))
    for directory in (first, second):
        (directory / "infraspec.toml").unlink()
    screen = on_terminal(partial(main, ["init", str(first)]), 80)
    text = CliRunner().invoke(main, ["init", str(second)]).stdout

    assert screen.missing(text) == []
    assert "(in the Makefile:  include infraspec.mk)" in text


def test_a_pipe_stays_a_pipe(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes other programs think that a pipe is a terminal changes nothing."""
    before = {name: piped(name) for name in COMMANDS}
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("COLUMNS", "40")

    assert {name: piped(name) for name in COMMANDS} == before


def test_json_is_the_same_on_a_terminal(here: Path) -> None:
    """A document for programs has neither colours nor line breaks that a pipe has not."""
    for name in ("denied", "plan", "doctor"):
        arguments = [*COMMANDS[name], "--format", "json"]
        screen = on_terminal(partial(main, arguments), 80)
        assert screen.written.splitlines() == CliRunner().invoke(main, arguments).stdout.splitlines()


def test_simulate_is_a_table_on_a_terminal_and_json_in_a_pipe(here: Path) -> None:
    """Without --format, people get a table with counts and programs JSON Lines; --format chooses either."""
    arguments = ["simulate", "--cases", "cases.jsonl"]
    screen = on_terminal(partial(main, arguments), 80)
    lines = CliRunner().invoke(main, arguments).stdout.splitlines()

    assert screen.lines[0].split() == ["id", "decision", "why"]
    assert screen.lines[-1] == "1 Allowed, 1 ImplicitlyDenied"
    assert [json.loads(line)["decision"] for line in lines] == ["Allowed", "ImplicitlyDenied"]
    assert on_terminal(partial(main, [*arguments, "--format", "json"]), 80).lines == lines


def test_places_are_links(here: Path) -> None:
    """A file that is there is a link to its line; NO_COLOR leaves links out too."""
    screen = on(120, "denied")

    assert f";{(here / 'main.tf').resolve().as_uri()}#" in screen.written
    assert "file://" not in on(120, "denied", NO_COLOR="1").written


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "euc-jp", "utf-8"])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_any_encoding(encoding: str, is_terminal: bool, here: Path) -> None:  # noqa: FBT001 - a parameter
    """What an encoding lacks is written as an escape, in a pipe as on a terminal; nothing ends with a traceback."""
    command = [sys.executable, "-m", "infraspec", *COMMANDS["plan"]]
    environment = {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONPATH": str(ROOT / "plugins"), "TERM": "xterm"}
    if is_terminal:
        run = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
        command = [sys.executable, "-c", run, *command]
    ran = subprocess.run(command, check=False, capture_output=True, env={"PATH": os.environ["PATH"], **environment})
    text = CONTROL.sub("", ran.stdout.decode("utf-8" if encoding == "ascii" else encoding))

    assert (ran.returncode, "Traceback" in text + ran.stderr.decode()) == (0, False)
    assert ("基盤チーム" in text, r"\u57fa" in text) == (encoding != "iso-8859-1", encoding == "iso-8859-1")


def test_a_pipe_does_without_rich(here: Path) -> None:
    """Neither the version nor a command that writes to a pipe imports what terminals need."""
    for arguments in (["--version"], ["doctor"], ["plan", "--format", "json"]):
        script = (
            "import sys\nfrom infraspec.cli import main\n"
            f"main({arguments!r}, standalone_mode=False)\nprint('rich' in sys.modules)"
        )
        ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, encoding="utf-8")
        assert ran.stdout.splitlines()[-1] == "False"
