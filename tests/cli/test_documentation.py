"""docs/cli.md says of the commands what they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from infraspec.cli import main

DOCS = Path(__file__).parents[2] / "docs"
SECTIONS = {
    match[1]: match[2]
    for match in re.finditer(
        r"^## `infraspec (\S+)`\n(.*?)(?=^## |\Z)", (DOCS / "cli.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
}
OPTION = re.compile(r"^\| (`.+?) \|", re.MULTILINE)
CODE = re.compile(r"`(\d)` ")


def commands(group: click.Group) -> dict[str, click.Command]:
    """Return the commands of a group, which are imported now."""
    context = click.Context(group)
    return {name: command for name in group.list_commands(context) if (command := group.get_command(context, name))}


COMMANDS = commands(main)


def options(command: click.Command) -> set[str]:
    """Return the options and arguments of a command, or of the commands of a group, as they are written."""
    if isinstance(command, click.Group):
        return {name for each in commands(command).values() for name in options(each)}
    return {
        name
        for parameter in command.params
        for name in (parameter.opts if isinstance(parameter, click.Option) else [parameter.human_readable_name])
    }


def codes(command: click.Command) -> set[str]:
    """Return the exit codes that the help of a command lists in a block."""
    block = re.search(r"exit code((?:  .*\n?|\s+\d  .*\n?)+)", command.help or "")
    return set(re.findall(r"^\s*(?:exit code)?\s*(\d)  ", "exit code" + block[1], re.MULTILINE)) if block else set()


@pytest.mark.parametrize("name", SECTIONS)
def test_section(name: str) -> None:
    """Each section is about a command that exists, and lists exactly its options and exit codes."""
    command = COMMANDS[name]
    section = SECTIONS[name]
    documented = {part.strip("` ") for row in OPTION.findall(section) for part in row.split(",")}
    exits = set(CODE.findall(section[section.index("Exit codes: ") :]))

    assert name == "report" or documented == options(command)  # its commands have pages of their own
    assert "0" in exits
    if codes(command):
        assert exits == codes(command)


def test_every_command_is_documented() -> None:
    """A command without a section here has documentation of its own."""
    texts = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    missing = [name for name in COMMANDS if name not in SECTIONS]

    assert len(SECTIONS) >= 8
    assert [name for name in missing if not any(f"infraspec {name}" in text for text in texts)] == []


@pytest.mark.parametrize("name", SECTIONS)
def test_help(name: str) -> None:
    """The help of every command opens with a sentence and fits its line in the list of commands."""
    command = COMMANDS[name]
    listed = CliRunner().invoke(main, ["--help"], terminal_width=80).output.split("Commands:")[1]

    assert command.help
    assert f"  {name} " in listed
    assert "..." not in next(line for line in listed.splitlines() if line.split()[:1] == [name])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """Each shell gets its completion script by the variable that the documentation names."""
    assert f"_INFRASPEC_COMPLETE={shell}_source infraspec" in (DOCS / "cli.md").read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from infraspec.cli import main; main(prog_name='infraspec')"],
        env={**os.environ, "_INFRASPEC_COMPLETE": f"{shell}_source", "PYTHONPATH": str(DOCS.parent / "plugins")},
        check=False,
        capture_output=True,
        encoding="utf-8",
    )

    assert "_INFRASPEC_COMPLETE" in done.stdout


@pytest.mark.parametrize("name", ["cli.md", "getting-started.md", "ten-minutes.md"])
def test_links(name: str) -> None:
    """Every relative link leads to a file, and to a heading that it has."""
    for target, anchor in re.findall(r"\]\(([^)#:]+)(?:#([\w-]+))?\)", (DOCS / name).read_text(encoding="utf-8")):
        text = (DOCS / target).read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        headings = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
        assert not anchor or anchor in headings, f"{target}#{anchor}"
