"""Whether what the documentation shows is what is printed."""

from __future__ import annotations

import re

_VARIES = (
    (re.compile(r"^=+ (.*) in [\d.]+s(?: \([\d:]+\))? =+$", re.MULTILINE), r"= \1 ="),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
)
"""What is different in every run."""


def normalized(text: str) -> str:
    """Return an output without what is different in every run."""
    for pattern, replacement in _VARIES:
        text = pattern.sub(replacement, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def assert_shown(shown: str, printed: str) -> None:
    """Assert that a text is part of an output. A line of `…` stands for any lines, `…` at the end for the rest."""
    rest = normalized(printed)
    for part in re.split(r"^ *…\n", normalized(shown), flags=re.MULTILINE):
        lines = [re.escape(line).replace("…", ".*") for line in part.splitlines()]
        found = re.search("".join(f"^{line}\n" for line in lines), rest, re.MULTILINE)
        assert found, f"the output has nowhere:\n{part}but:\n{rest}"
        rest = rest[found.end() :]
