"""What views are made of: text that controls no terminal, links, and lines to be pasted."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from rich.console import RenderableType

from infraspec.cli.terminal import show, waiting
from infraspec.cli.terminal_view import code, sign, view, words
from infraspec.reporting.document import Document, Field, Fields, Part, Table
from tests.terminal.screen import on_terminal

HOSTILE = "a\x1b[31mred\x1b]0;title\x07\r\x08\x7f\x9b2J end"


def shown(part: Part) -> list[RenderableType]:
    """Return what a terminal shows of a part."""
    return list(view(Document(lambda _form: [part])))


def test_text_controls_no_terminal() -> None:
    """Control characters of what is shown, such as a container's message, are written as escapes."""
    for part in (words(HOSTILE), *shown(Fields((Field("message", HOSTILE),))), code(HOSTILE, "bash")):
        written = "".join(on_terminal(partial(show, part), 80, NO_COLOR="1").lines)
        assert r"a\x1b[31mred\x1b]0;title\x07\x0d\x08\x7f\x9b2J end" in written


def test_markup_is_text() -> None:
    """Brackets and colons, which rich would take for styles and emoji, stay what they are."""
    (line,) = on_terminal(partial(show, words("[environments.prod] :warning: [/bold]")), 80).lines

    assert line == "[environments.prod] :warning: [/bold]"


def test_what_is_pasted_is_whole() -> None:
    """A line of code is not wrapped, however narrow the terminal is; prose is."""
    line = f'name = "{"x" * 60}" # 日本語'

    assert on_terminal(partial(show, code(line, "terraform", 2)), 40).lines == [f"  {line}"]
    assert len(on_terminal(partial(show, words(line)), 40).lines) > 1


def test_full_width_characters_take_two_columns() -> None:
    """The columns of a table stand below each other where a cell is Japanese."""
    table = Table.of(("名前", "b"), [("日本語", "|"), ("abcdef", "|")])
    *_, japanese, latin = on_terminal(partial(show, *shown(table)), 80).lines

    assert (japanese.index("|") + 3, latin.index("|")) == (latin.index("|"), latin.index("|"))


def test_words_of_a_table_are_whole_where_they_fit() -> None:
    """A name is not broken while columns may move together, or another text may wrap at its spaces."""
    table = Table.of(("failure", "level", "alerted"), [("database-connections", "critical", "chat email pager")])
    wide, close, wrapped = (on_terminal(partial(show, *shown(table)), size).lines for size in (80, 47, 40))

    assert "database-connections   critical   chat email pager" == wide[2].rstrip()
    assert "database-connections critical chat email pager" == close[2].rstrip()
    assert ["database-connections critical chat email", "pager"] == [line.strip() for line in wrapped[2:]]


LONG = f"{'x' * 5000}.tf"
NAMES = [("a.tf", True), ("gone.tf", False), ("日本.tf", True), ("dir.d", False), (LONG, False)]


@pytest.mark.parametrize(("name", "linked"), NAMES, ids=range(len(NAMES)))
def test_links(name: str, linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a parameter
    """A file that is there is a link to its line; what only looks like one is not."""
    monkeypatch.chdir(tmp_path)
    for file in ("a.tf", "日本.tf"):
        (tmp_path / file).touch()
    (tmp_path / "dir.d").mkdir()
    written = on_terminal(partial(show, words(f"role.x ({name}:12)")), 80).written

    assert ((tmp_path / name).as_uri() + "#12" in written) == linked
    assert ("file://" in written) == linked


def test_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign that the encoding lacks has a plain one for it."""

    class Ascii:
        encoding = "ascii"

    assert sign("!", "?") == "!"
    monkeypatch.setattr("sys.stdout", Ascii())
    assert (sign("✓", "+"), sign("!", "?")) == ("+", "!")


def wait() -> None:
    """Wait for two things."""
    with waiting("evaluating") as say:
        say("asking AWS [for x]")


def test_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    """What takes long is said on a terminal, and taken back; without colours, or in a pipe, nothing is said."""
    screen = on_terminal(wait, 80, ["stderr"])

    assert screen.missing("asking AWS [for x]") == []
    assert screen.written.rstrip().endswith("\x1b[2K")
    assert on_terminal(wait, 80, ["stderr"], NO_COLOR="1").written == ""
    assert on_terminal(wait, 80, ["stderr"], TERM="dumb").written == ""
    wait()
    assert capsys.readouterr() == ("", "")
