"""The patterns of fileset: `*`, `?`, `**`, `{a,b}`, `[abc]`.

Source: Terraform Language, "fileset Function".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from infraspec.errors import EvaluationError

_TOKEN = re.compile(
    r"(?P<deep>\*\*/)|(?P<rest>\*\*)|(?P<any>\*)|(?P<one>\?)|(?P<class>\[[!^]?[^]]+])|\\(?P<escaped>.)|(?P<other>.)",
    re.DOTALL,
)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a relative path matches; EvaluationError for a pattern that is none."""
    translated = "".join(_translated(pattern))
    try:
        compiled = re.compile(translated, re.DOTALL)
    except re.error:
        raise EvaluationError("failed to glob pattern", expected="*, ?, **, {a,b} or [abc]", found=pattern) from None
    return lambda path: compiled.fullmatch(path) is not None


def _translated(pattern: str) -> Iterator[str]:
    depth = 0
    for match in _TOKEN.finditer(pattern):
        found = match[0]
        if match["other"] in {"{", "}"}:
            depth += 1 if found == "{" else -1
            yield "(?:" if found == "{" else ")"
        elif match["other"] == "," and depth:
            yield "|"
        elif match["class"]:
            yield _class(found)
        else:
            yield _WILDCARDS.get(found) or re.escape(match["escaped"] or found)


def _class(text: str) -> str:
    inverted = text[1] in "!^"
    inside = text[2 if inverted else 1 : -1].replace("\\", "\\\\").replace("[", "\\[")
    return f"[{'^/' if inverted else ''}{inside}]"


_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
