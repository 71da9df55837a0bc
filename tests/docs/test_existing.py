"""Commands of the documentation that are not run: they exist, and what they print has the form that it has here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from infraspec.cli import main
from infraspec.core.rules import RULES
from tests.docs.blocks import PAGES, ROOT, Block
from tests.docs.circumstances import NOT_RUN
from tests.docs.console import Step, steps
from tests.docs.existing import assert_exists, made
from tests.docs.test_commands import LEFT_OUT, reason

FORMS: Mapping[str, str] = {
    "infraspec init": (
        r"application  \S+ \(\d+ of \d+ names start with it\)"
        r"|environment  \w+: \d+ resources, by the (root module|variable file) \S+"
        r"|names        patterns of \d+ resource types?"
        r"|tags         \w+(, \w+)*"
        r"|left out     \d+ root modules?, the first because: .*"
        r"|[\w./]+ +(written|there already)(  \(in the Makefile:  include infraspec\.mk\))?"
        r"|Next:|  (pytest|infraspec) .*|"
    ),
    "infraspec doctor": r"(ok|warning|problem) +\w.* {2,}\S.*| {25,}\S.*|\d+ ok, .*|",
    "infraspec check": (
        rf"\S+\.tf:\d+: VIOLATED ({'|'.join(RULES)}): .*"
        r"| {4}(expected|found|reason|role|statement|fix|also in): +\S.*| {15}\S?.*"
        r"|\w+ +[\w-]*( +(\d+|-)){4}"
        rf"|advice   \w+ \S+\.tf:\d+: ADVICE ({'|'.join(RULES)}): .*"
    ),
}
"""What a line of the output of a command looks like."""


def inline(path: Path) -> set[str]:
    """Return the commands that stand in the text of a page."""
    tokens = MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8"))
    code = (child.content for token in tokens for child in token.children or () if child.type == "code_inline")
    return {text for text in code if re.match(r"(infraspec|make) ", text)}


SHOWN = [step for block in LEFT_OUT for step in steps(block.text) if step.output]


@pytest.mark.parametrize("block", LEFT_OUT, ids=str)
def test_commands_exist(block: Block) -> None:
    """There is such a command, with these options."""
    for step in steps(block.text):
        assert_exists(step.command)


def unlike(command: str, output: str) -> list[str]:
    """Return the lines of an output that do not have the form of the command's."""
    return [line for line in output.splitlines() if line.strip() != "…" and not re.fullmatch(FORMS[command], line)]


@pytest.mark.parametrize("step", SHOWN, ids=range(len(SHOWN)))
def test_output_has_its_form(step: Step) -> None:
    """What is shown has the form of the command's output; the repositories are not here to compare it with."""
    assert [] == unlike(step.command, step.output)


def test_the_forms_are_those_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed about the reference infrastructure has the forms: they are no older than the commands."""
    infra = shutil.copytree(ROOT / "fixtures/daily-report-tool", tmp_path / "infra")
    (infra / "infraspec.toml").unlink()
    monkeypatch.chdir(infra)
    for command in ("infraspec init", "infraspec doctor"):
        assert [] == unlike(command, CliRunner().invoke(main, command.split()[1:]).output)
    assert '--env="prod"' in made("-f", "infraspec.mk", "infraspec", "ENV=prod", directory=infra)


def test_every_reason_is_used() -> None:
    """Each entry of the table is about a block, and there are few."""
    assert {reason(block) for block in LEFT_OUT} == set(NOT_RUN.values())
    assert len(NOT_RUN) <= 3


NO_COMMANDS = {
    "infraspec COMMAND": "it stands for each command",
    "infraspec COMMAND --help": "likewise",
    "make infraspec ENV=prod": "a target of the file that `infraspec init` writes: the test of the forms makes it",
}
INLINE = {
    path.relative_to(ROOT).as_posix(): commands for path in PAGES if (commands := inline(path) - set(NO_COMMANDS))
}


@pytest.mark.parametrize("page", INLINE)
def test_commands_within_the_text_exist(page: str) -> None:
    """A command that a sentence or a table names is there, with its options."""
    for command in sorted(INLINE[page]):
        assert_exists(command)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("infraspec dotcor", "has no dotcor"),
        ("infraspec report comment --bsae x", "--bsae"),
        ("cd x && pytest --infraspec-enviroment prod", "enviroment"),
        ("infraspec report sarif | infraspec report sarf", "has no sarf"),
    ],
)
def test_what_does_not_exist(script: str, message: str) -> None:
    """A command or an option that there is not is found, in pipes too."""
    with pytest.raises(AssertionError, match=message):
        assert_exists(script)
