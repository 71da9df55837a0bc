"""The playbooks of the reference infrastructure, and edits of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from infraspec.process.markdown import parse_page
from infraspec.process.playbooks import Playbook, playbook_of, read_playbooks

REFERENCE = Path(__file__).parents[2] / "fixtures" / "daily-report-tool"
PAGES = read_playbooks(REFERENCE / "docs/playbooks", "docs/playbooks")
BY_NAME = {f"{page.id}-{page.language}": page for page in PAGES}


def text_of(page: Playbook) -> str:
    """Return the text of a page."""
    assert page.page.path
    return page.page.path.read_text(encoding="utf-8")


def edited(page: Playbook, old: str, new: str) -> Playbook:
    """Return a page in which the first of a text is another one."""
    text = text_of(page)
    assert old in text
    return playbook_of(parse_page(text.replace(old, new, 1), page.page.file, page.page.path))


def wrong_edits(page: Playbook) -> Iterator[tuple[str, Playbook]]:
    """Yield what a slip makes of each command of a page: a word that AWS does not have, a name, a variable."""
    for block in page.page.blocks:
        for line in block.text.splitlines():
            for operation in re.findall(r"\baws [\w-]+ ([a-z-]+)", line):
                yield f"operation {operation}", edited(page, line, line.replace(operation, f"{operation}z", 1))
            for option in re.findall(r"\baws [\w-]+ [a-z-]+ (--[a-z-]+)", line):
                yield f"option {option}", edited(page, line, line.replace(option, f"{option}-nothing", 1))
            for name in re.findall(r"daily-report-tool-prod-[\w-]+", line):
                yield f"name {name}", edited(page, line, line.replace(name, f"{name[:-1]}-{name[-1]}", 1))
            for variable in re.findall(r'"\$([A-Z_]+)"', line):
                yield f"variable {variable}", edited(page, line, line.replace(f'"${variable}"', f'"${variable}_X"', 1))
