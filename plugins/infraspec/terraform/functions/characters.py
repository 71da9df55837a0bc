"""Characters as Terraform counts and changes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from infraspec.terraform.symbolic import Undetermined

SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
"""White space of Unicode."""

_INTRICATE = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0590-\u109f\u1100-\u11ff\u1700-\u1cff\u1dc0-\u1dff\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u20d0-\u20ff\u3099\u309a\ua670-\ua6ff\ua800-\uabff\ud7b0-\udfff\ufe00-\ufe2f\ufeff\U00010000-\U0010ffff]"
)
"""Characters that may form one user-perceived character with a neighbour."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def clusters(value: str) -> list[str]:
    """Split text into user-perceived characters, which Terraform counts; Undetermined where that is intricate."""
    normal = value if value.isascii() else unicodedata.normalize("NFC", value)
    if not normal.isascii() and _INTRICATE.search(normal):
        raise Undetermined
    return re.findall(r"\r\n|.", normal, re.DOTALL) if "\r\n" in normal else list(normal)


def utf8(value: str) -> bytes:
    """Encode text, half a surrogate pair as the replacement character."""
    return value.encode() if value.isascii() else _SURROGATE.sub("\ufffd", value).encode()


def well_formed(value: str) -> str:
    """Bring text to Unicode's form NFC, as Terraform does, half a surrogate pair to the replacement character."""
    return value if value.isascii() else unicodedata.normalize("NFC", _SURROGATE.sub("\ufffd", value))


def _simple(change: Callable[[str], str], special: dict[str, str]) -> Callable[[str], str]:
    """Map character by character, leaving out the mappings to several characters, as Go does."""

    def apply(value: str) -> str:
        if value.isascii():
            return change(value)
        return "".join(special.get(old, new if len(new := change(old)) == 1 else old) for old in value)

    return apply


to_upper = _simple(str.upper, {})
to_lower = _simple(str.lower, {"\u0130": "i"})


def to_title(value: str) -> str:
    """Turn the first letter of each word to title case."""
    return "".join(_titled(value[position - 1 : position], letter) for position, letter in enumerate(value))


def _titled(before: str, letter: str) -> str:
    separates = not before or (not (before.isalnum() or before == "_") if before.isascii() else before in SPACE)
    new = letter.title()
    return new if separates and len(new) == 1 else letter
