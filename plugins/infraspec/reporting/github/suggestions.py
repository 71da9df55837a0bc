"""A patch as a review of a pull request: as suggestions where it falls into the lines that the request shows.

Source: GitHub REST API, "Create a review for a pull request": a comment is on lines of the diff, counted in the new
file; GitHub Docs, "Commenting on a pull request": a block `suggestion` takes the place of the lines that it is on.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from infraspec.reporting.document import fence

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")
MARKER = "<!-- infraspec-fix -->"
"""What a suggestion begins with: by it those of an earlier run are found."""
Texts: TypeAlias = Mapping[str, str]


def shown_lines(diff: str) -> dict[str, set[int]]:
    """Return the lines of new files, from 1, that a unified diff shows, by path."""
    found: dict[str, set[int]] = {}
    path, number = "", 0
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path, number = line[4:].split("\t")[0].removeprefix("b/"), 0
        elif hunk := _HUNK.match(line):
            number = int(hunk[1])
        elif line[:1] in {"+", " "} and number:
            found.setdefault(path, set()).add(number)
            number += 1
        elif line.startswith("diff "):
            number = 0
    return found


def review(before: Texts, after: Texts, shown: Mapping[str, Collection[int]], told: str) -> dict[str, object]:
    """Return the review, as GitHub's API takes it; what does not fall into `shown` lines is a diff in its body."""
    comments, left = list[dict[str, object]](), list[str]()
    for path, text in after.items():
        old = before[path].splitlines()
        for start, end, lines in _changes(old, text.splitlines()):
            if set(range(start, end + 1)) <= set(shown.get(path, ())):
                place: dict[str, object] = {"start_line": start, "start_side": "RIGHT"} if start < end else {}
                body = f"{MARKER}\n{told}\n\n{fence(chr(10).join(lines), 'suggestion')}"
                comments.append({"path": path, **place, "line": end, "side": "RIGHT", "body": body})
            else:
                left += [
                    f"{path}:{start}",
                    *(f"-{line}" for line in old[start - 1 : end]),
                    *(f"+{line}" for line in lines),
                ]
    rest = f"\n\nOutside of the lines that this request changes:\n\n{fence(chr(10).join(left), 'diff')}" if left else ""
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
