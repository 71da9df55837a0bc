"""A position in a text that is parsed: how blanks are skipped there, what errors say, how deep the text may nest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from infraspec.errors import HclSyntaxError
from infraspec.hcl.lexicon import Blank, free_blank, line_blank, simple_in_brackets, simple_in_line
from infraspec.hcl.source import Source

MAX_NESTING: Final = 200
"""How many brackets, blocks, templates and conditionals may stand inside each other."""
MAX_CHAIN: Final = 250
"""How many operators or traversal steps may follow each other: each nests the tree one deeper."""
Mode: TypeAlias = tuple[Blank, Callable[[str, int], "re.Match[str] | None"]]
IN_LINE: Final[Mode] = (line_blank, simple_in_line)
"""How to skip blanks and match a simple expression where a newline ends an argument."""
IN_BRACKETS: Final[Mode] = (free_blank, simple_in_brackets)
"""The same where newlines are blanks."""

_WIDEST_EXCERPT: Final = 400
_WIDEST_WORD: Final = 40
_word = re.compile(r"[\w-]+|::|=>|==|\.\.\.|&&|\|\||.", re.DOTALL).match
_NAMES: Final = {
    "\n": "the end of the line",
    "\r": "the end of the line",
    "": "the end of the file",
    "\t": "a tab",
    '"': 'a quote (")',
}
_HINTS: Final = {
    ";": "write each argument on a line of its own",
    "'": 'use double quotes (")',
    "`": "use a heredoc (<<EOT) for text of several lines",
    "\u201c": 'use straight quotes (")',
    "\u201d": 'use straight quotes (")',
    "\ufeff": "remove the byte order mark; it may stand only at the beginning of a file",
    "&": "use && for the logical operator; there are no bitwise operators",
    "|": "use || for the logical operator; there are no bitwise operators",
}


class Cursor:
    """The text and the position reached.

    `pos` is the offset after the last token taken, `ahead` the offset of the next one once `look` or an operation has
    found it. `failed_at` is the offset of the last error.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.reset(0)
        self.failed_at = 0

    def reset(self, pos: int) -> None:
        """Go on at an offset, outside all brackets."""
        self.pos = self.ahead = pos
        self.nesting = 0
        self.mode = IN_LINE

    def look(self) -> str:
        """Find the next token and return its first character, "" at the end of the text."""
        self.ahead = ahead = self.mode[0](self.text, self.pos).end()
        return self.text[ahead : ahead + 1]

    def take(self, token: str, message: str) -> None:
        """Take a token after blanks, or fail with a message."""
        self.look()
        if not self.text.startswith(token, self.ahead):
            raise self.error(message, self.ahead, expected=f'"{token}"')
        self.pos = self.ahead + len(token)

    def enter(self) -> None:
        """Count one more level of nesting; the caller counts it down again."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.too_deep()

    def open(self) -> Mode:
        """Take an opening bracket; return the mode to hand to `close`."""
        self.enter()
        self.pos += 1
        mode, self.mode = self.mode, IN_BRACKETS
        return mode

    def close(self, mode: Mode) -> None:
        """Go back to the mode outside a bracket, whose closing counterpart has been taken."""
        self.nesting -= 1
        self.mode = mode

    def too_deep(self) -> HclSyntaxError:
        """Build the error for text that nests deeper than a reader of the tree can follow."""
        return self.error(
            "the text is nested too deeply",
            self.pos,
            expected=f"at most {MAX_NESTING} levels of brackets, and {MAX_CHAIN} operators or steps in a row",
            found="more than that",
            remedy="split the expression up with locals",
        )

    def error(self, message: str, at: int, *, expected: str = "", found: str = "", remedy: str = "") -> HclSyntaxError:
        """Build the error for an offset; `found` is what stands there unless it is given."""
        self.failed_at = at
        if self.text.startswith("/*", at) and self.text.find("*/", at + 2) < 0:
            message, found, remedy = "the comment is not closed", "the end of the file", "close the comment with */"
            expected = '"*/"'
        return HclSyntaxError(
            message,
            place=self.source.place(at),
            expected=expected,
            found=found or self._describe(at),
            remedy=remedy or _HINTS.get(self.text[at : at + 1], ""),
            excerpt=self._excerpt(at),
        )

    def _describe(self, at: int) -> str:
        found = _word(self.text, at)
        word = found[0] if found else ""
        if word in _NAMES:
            return _NAMES[word]
        return f'"{word}"' if len(word) <= _WIDEST_WORD else f'"{word[:_WIDEST_WORD]}…"'

    def _excerpt(self, at: int) -> str:
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        width = (len(self.text) if end < 0 else end) - start
        return self.source.excerpt(at) if width <= _WIDEST_EXCERPT else ""
