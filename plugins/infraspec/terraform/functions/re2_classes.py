"""Character classes of the RE2 syntax, as those of Python's `re`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infraspec.errors import EvaluationError
from infraspec.terraform.symbolic import Undetermined

SPACE_ESCAPES = r"\t\n\f\r "
"""White space as RE2's `\\s` has it."""

_LAST_CODE_POINT = 0x10FFFF
_ITEM = re.compile(
    r"\[:(?P<posix>\^?\w+):\]|(?P<number>\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3})"
    r"|\\(?P<escape>.)|(?P<other>.)",
    re.DOTALL,
)
_SETS = {"d": "0-9", "D": r"\D", "w": "0-9A-Za-z_", "W": r"\W", "s": SPACE_ESCAPES, "S": r"\S\v"}
_RANGE = ("-", "-")
"""A hyphen that is not escaped: between two characters it makes a range."""

_CONTROLS = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


def code_point(escape: str) -> str:
    r"""Return the character of `\x{10}`, `\x10` or `\20`."""
    digits = escape[1:].strip("x{}")
    point = int(digits, 16 if escape[1] == "x" else 8)
    if point > _LAST_CODE_POINT:
        raise EvaluationError("invalid regexp pattern: invalid escape sequence", expected="RE2 syntax", found=escape)
    return chr(point)


def character_class(text: str) -> str:
    """Translate a class, brackets included."""
    inverted = text.startswith("[^")
    items = list(_items(text[2 if inverted else 1 : -1]))
    translated = []
    position = 0
    while position < len(items):
        literal, written = items[position]
        if literal and items[position + 1 : position + 2] == [_RANGE] and position + 2 < len(items):
            translated.append(_range(literal, items[position + 2][0], text))
            position += 3
        else:
            translated.append(re.escape(written) if items[position] == _RANGE else written)
            position += 1
    return f"[{'^' if inverted else ''}{''.join(translated)}]"


def _range(first: str, last: str, text: str) -> str:
    if not last or last < first:
        raise EvaluationError(
            "invalid regexp pattern: invalid character class range", expected="RE2 syntax", found=text
        )
    return f"{re.escape(first)}-{re.escape(last)}"


def _items(text: str) -> Iterator[tuple[str, str]]:
    """Yield each item: the character it is, or nothing for a set, and how Python writes it."""
    for match in _ITEM.finditer(text):
        if match["posix"]:
            yield "", _posix(match["posix"])
        elif match["escape"] in _SETS:
            yield "", _SETS[match["escape"]]
        else:
            character = _character(match)
            yield _RANGE if match[0] == "-" else (character, re.escape(character))


def _posix(name: str) -> str:
    if name.startswith("^"):
        raise Undetermined
    if name not in _POSIX:
        found = f"[:{name}:]"
        raise EvaluationError("invalid regexp pattern: invalid character class", expected="RE2 syntax", found=found)
    return _POSIX[name]


def _character(match: re.Match[str]) -> str:
    if match["number"]:
        return code_point(match["number"])
    escape = match["escape"]
    if escape is None:
        return match["other"]
    if escape in "pP":
        raise Undetermined
    if escape in _CONTROLS:
        return _CONTROLS[escape]
    if escape.isascii() and not escape.isalnum():
        return escape
    found = f"\\{escape}"
    raise EvaluationError("invalid regexp pattern: invalid escape sequence", expected="RE2 syntax", found=found)
