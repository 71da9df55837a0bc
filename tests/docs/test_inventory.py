"""No code block of the documentation is left out: each is run, compared, or in a table with the reason why not."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.docs import (
    test_commands,
    test_json,
    test_markdown,
    test_python,
    test_terraform,
    test_text,
    test_toml,
    test_yaml,
)
from tests.docs.blocks import BLOCKS, ROOT, blocks, blocks_in

RUNNERS: tuple[ModuleType, ...] = (
    test_commands,
    test_json,
    test_markdown,
    test_python,
    test_terraform,
    test_text,
    test_toml,
    test_yaml,
)
ELSEWHERE = {
    ("docs/alarms.md", "text"): "monitoring/test_alarms_document.py",
    ("docs/architecture.md", "text"): "tools/test_architecture.py",
    ("docs/contract.md", "text"): "contract/test_documentation.py",
    ("docs/diagnose.md", "text"): "live/test_diagnosing.py",
    ("docs/incident-replay.md", "sh"): "sandbox/test_incident_replay.py",
    ("docs/incident-replay.md", "text"): "sandbox/test_incident_replay.py",
    ("docs/names-and-tags.md", "text"): "conventions/test_names_and_tags_document.py",
}
"""Blocks by page and language that a test outside of this folder compares, because it has what produces them."""


def test_every_block_is_taken_once() -> None:
    """A block that no test takes fails; test_commands.py says which few cannot be run, with the reasons."""
    taken = [block for module in RUNNERS for block in (*module.TAKEN, *getattr(module, "SHOWN", ()))]
    taken += [block for block in BLOCKS if (block.page, block.language) in ELSEWHERE or block in test_commands.LEFT_OUT]

    assert [] == [f"{block}: {block.language or 'no language'}" for block in BLOCKS if block not in taken]
    assert sorted(map(str, taken)) == sorted(map(str, BLOCKS))


@pytest.mark.parametrize(("page", "language"), ELSEWHERE)
def test_what_is_compared_elsewhere(page: str, language: str) -> None:
    """The test that the table names takes all blocks of the page in the language, and there are some."""
    text = (ROOT / "tests" / ELSEWHERE[page, language]).read_text(encoding="utf-8")

    assert f'blocks("{language}", page="{page}")' in text
    assert blocks(language, page=page)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```toml\na = 1\n```\n", [("toml", "a = 1\n")]),
        ("~~~ sh x\nls\n~~~\n", [("sh", "ls\n")]),
        ("* item\n\n  ```json\n  {}\n  ```\n", [("json", "{}\n")]),
        ("> ```hcl\n> a = 1\n> ```\n", [("hcl", "a = 1\n")]),
        ("text\n\n    ls\n", [("", "ls\n")]),
        ("```\nls\n```\n", [("", "ls\n")]),
        ("<pre>\nls\n</pre>\n", [("", "<pre>\nls\n</pre>\n")]),
        ("`ls` and ```ls```\n", []),
    ],
)
def test_every_form_of_block_is_found(text: str, expected: list[tuple[str, str]]) -> None:
    """Whatever Markdown takes for a block of code is one: in a list, in a quotation, by indentation, in HTML."""
    assert expected == [(block.language, block.text) for block in blocks_in("page.md", text)]
