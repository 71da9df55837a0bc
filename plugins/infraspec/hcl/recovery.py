"""Where to go on in a file after an error."""

from __future__ import annotations

import re
from typing import Final

from infraspec.hcl.lexicon import IDENTIFIER

_lines: Final = re.compile(r"[^\n]*+\n?").finditer
_item: Final = re.compile(rf'{IDENTIFIER}(?:[ \t]++(?:"[^"\n]*+"|{IDENTIFIER}))*+[ \t]*+(?:\{{|=(?![=>]))').match
_heredoc: Final = re.compile(rf"<<-?({IDENTIFIER})\r?$").search


def next_item(text: str, start: int, after: int) -> int | None:
    """Return the offset of the first item after `after` that begins in the first column, None if there is none.

    `start` is where the broken item begins: what looks like an item inside a heredoc since then is not one. If a
    heredoc is never closed, that is most likely the error, and its lines count again.
    """
    marker = ""
    opened = start
    for line in _lines(text, text.rfind("\n", 0, start) + 1):
        content = line[0]
        if marker:
            marker = "" if content.strip() == marker else marker
        elif line.start() > after and _item(content):
            return line.start()
        elif "<<" in content and (heredoc := _heredoc(content.rstrip("\n"))):
            marker, opened = heredoc[1], line.end()
    if not marker:
        return None
    return next((line.start() for line in _lines(text, opened) if line.start() > after and _item(line[0])), None)
