"""A patch as a review of a pull request: as suggestions where it falls into the lines that the request shows.

Source: GitHub REST API, "Create a review for a pull request": a comment is on lines of the diff, counted in the new
file; GitHub Docs, "Commenting on a pull request": a block `suggestion` takes the place of the lines that it is on.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from infraspec.core.visible_text import visible
from infraspec.reporting.document import fence

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")
MARKER = "<!-- infraspec-fix -->"
"""What a suggestion begins with: by it those of an earlier run are found."""
Texts: TypeAlias = Mapping[str, str]


def shown_lines(diff: str) -> dict[str, set[int]]:
    """Return the lines of new files, from 1, that a unified diff shows, by path."""
    found: dict[str, set[int]] = {}
    path, number = "", 0
    for line in _lines(diff):
        if line.startswith("+++ "):
            path, number = _path(line[4:].rstrip("\r")), 0
        elif hunk := _HUNK.match(line):
            number = int(hunk[1])
        elif line[:1] in {"+", " "} and number:
            found.setdefault(path, set()).add(number)
            number += 1
        elif line.startswith("diff "):
            number = 0
    return found


def _path(written: str) -> str:
    """Return a path of a diff. Source: Git documentation, git-config, core.quotePath: octal digits in quotes."""
    if written.startswith('"'):
        escaped = written[1:].rpartition('"')[0].encode("utf-8", "surrogateescape").decode("unicode_escape")
        written = escaped.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    else:
        written = written.split("\t")[0]
    return written.removeprefix("b/")


def _lines(text: str) -> list[str]:
    """Return lines as Git and GitHub count them: what else ends a line for Unicode is a part of it."""
    return text.removesuffix("\n").split("\n") if text else []


def review(before: Texts, after: Texts, shown: Mapping[str, Collection[int]], told: str) -> dict[str, Any]:
    """Return the review, as GitHub's API takes it; what does not fall into `shown` lines is a diff in its body.

    So is a change of lines in which something is not seen: whoever takes a suggestion has to see what it is.
    """
    comments, left = list[dict[str, Any]](), list[str]()
    for path, text in after.items():
        old = _lines(before[path])
        for start, end, lines in _changes(old, _lines(text)):
            seen = all(line.removesuffix("\r") == visible(line.removesuffix("\r")) for line in lines)
            if seen and set(range(start, end + 1)) <= set(shown.get(path, ())):
                place: dict[str, Any] = {"start_line": start, "start_side": "RIGHT"} if start < end else {}
                body = f"{MARKER}\n{told}\n\n{fence(chr(10).join(lines), 'suggestion')}"
                comments.append({"path": path, **place, "line": end, "side": "RIGHT", "body": body})
            else:
                left += [
                    f"{path}:{start}",
                    *(f"-{line}" for line in old[start - 1 : end]),
                    *(f"+{line}" for line in lines),
                ]
    rest = ""
    if left:
        rest = f"\n\nOutside of the lines that this request changes:\n\n{fence(visible(chr(10).join(left)), 'diff')}"
    return {"event": "COMMENT", "body": f"{told}{rest}", "comments": comments}


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, Sequence[str]]]:
    """Yield the first and last line that change, from 1, and what takes their place; an insertion has its neighbour."""
    for tag, start, end, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if start < end or not old:
            yield start + 1, max(end, 1), new[first:last]
        elif start:
            yield start, start, [old[start - 1], *new[first:last]]
        else:
            yield 1, 1, [*new[first:last], old[0]]
