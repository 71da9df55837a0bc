"""Whether commands exist, with their options: what can be told of those that cannot be run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click

from infraspec.cli import main
from infraspec.pytest_plugin import options
from tests.docs.blocks import ROOT


def assert_exists(script: str) -> None:
    """Assert of each command of infraspec, of its suites and of make that there is one, with these options."""
    for words in _commands(script):
        match words:
            case ["infraspec", *rest]:
                _assert_command(rest)
            case ["pytest", *rest]:
                own = {word.removeprefix("--infraspec-") for word in rest if word.startswith("--infraspec-")}
                assert own <= {name.replace("_", "-") for name in options.documented()}, rest
            case ["make", *rest]:
                made(*rest, directory=ROOT)


def made(*arguments: str, directory: Path) -> str:
    """Return what make would run, also where make itself runs the tests. Raises CalledProcessError."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-n", *arguments]
    return subprocess.run(command, cwd=directory, env=environ, check=True, capture_output=True, text=True).stdout


def _commands(script: str) -> Iterator[list[str]]:
    for line in re.sub(r"\\\n", " ", script).splitlines():
        words = shlex.split(line, comments=True)
        command: list[str] = []
        for word in (*words, ";"):
            if word in {";", "|", "&&", ">", ">>"}:
                yield command and [command[0].rpartition("/")[2], *command[1:]]
                command = []
            else:
                command.append(word)


def _assert_command(words: list[str]) -> None:
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command, resilient_parsing=True), words[0])
        assert found is not None, f"infraspec has no {words[0]}"
        command, words = found, words[1:]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, words
