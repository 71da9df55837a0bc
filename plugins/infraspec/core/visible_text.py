"""Text of others as it may be shown: in a terminal, a log, a file, a page, a comment, a notification.

A pull request writes names, tags, descriptions, file names and the contract. Of such a text nothing may move a cursor,
turn the order of letters, stand there unseen, or be a command to the runner whose log it is in. One function sees to it
for all that shows text; `Visible` does it for values that are shown, wherever they come from.

Sources: Unicode Standard Annex 9, "Directional Formatting Characters"; Unicode Technical Standard 39, 5.4, "Optional
Detection"; GitHub Docs, "Workflow commands for GitHub Actions"; Azure Pipelines documentation, "Logging commands";
RFC 3986, 3.2.1, "User Information".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple, force_setattr, replace

_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    f"{''.join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))}"
)
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_SUSPECT = re.compile(f"[{_UNSEEN}{_SELECTORS}]")
_HIDDEN = re.compile(
    f"[{_UNSEEN}][{_SELECTORS}]*|"
    "(?<![\xa9\xae\u203c\u2049\u2070-\ufdff\ufe10-\ufefe\uff00-\uffef\U00010000-\U000dffff])"
    f"[{_SELECTORS}]+"
)
"""What is not seen, or acts; of the variation selectors those that select nothing, which hide a text among them."""
_COMMAND = re.compile(r"(?m)(?:^|(?<=[\s>(\[{\"'`]))::(?=[A-Za-z][\w-]*(?:[^\w:./-]|::|$))|##(?=(?:[A-Za-z]+)?\[)")
"""What a runner takes for a command: at the beginning of a line, wherever a terminal breaks it; or anywhere in one."""
_USER = re.compile(r"(?<=://)(?!git@[^@/\s\"'<>]*(?:[/\s\"'<>]|$))[^/\s\"'<>]+@")


def visible(text: str) -> str:
    """Return a text of one or several lines with escapes for what would not be seen, and without passwords in URLs."""
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    if _is_suspect(text):
        text = _HIDDEN.sub(lambda found: "".join(map(_escaped, found[0])), text)
    if "::" in text or "##" in text:
        text = _COMMAND.sub(lambda found: rf"\x{ord(found[0][0]):02x}{found[0][1]}", text)
    return _USER.sub("***@", text) if "@" in text and "://" in text else text


@lru_cache(maxsize=4096)
def visible_line(text: str) -> str:
    """Return a text in one line, as the name of a thing is shown."""
    return visible(text.replace("\n", r"\n")) if "\n" in text else visible(text)


def hcl_string(text: str) -> str:
    """Return a text as a quoted template of HCL without interpolation, with escapes for what would not be seen.

    Source: HCL Native Syntax Specification, "Quoted Template Expressions": JSON's other escapes are not HCL's.
    """
    text = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n").replace("\t", r"\t").replace("\r", r"\r")
    text = _HIDDEN.sub(lambda found: "".join(map(_escape_of_hcl, found[0])), text)
    return '"' + text.replace("${", "$${").replace("%{", "%%{") + '"'


def _escape_of_hcl(character: str) -> str:
    return rf"\u{ord(character):04x}" if character <= "\uffff" else rf"\U{ord(character):08x}"


def visible_json(text: str) -> str:
    """Return JSON that says the same, with escapes of JSON for what would not be seen; it may hold URLs."""
    if _is_suspect(text):
        text = _HIDDEN.sub(lambda found: _escapes_of_json(found[0]), text)
    if "##" in text:
        text = _COMMAND.sub(lambda found: rf"\u{ord(found[0][0]):04x}{found[0][1]}", text)
    return _USER.sub("***@", text) if "@" in text and "://" in text else text


def _escaped(character: str) -> str:
    code = ord(character)
    return rf"\x{code:02x}" if code < 0x100 else rf"\u{code:04x}" if code < 0x10000 else rf"\U{code:08x}"  # noqa: PLR2004 - as Python writes them


def _escapes_of_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(rf"\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, tuple) and value and isinstance(value[0], str | tuple):
        return tuple(map(_shown, value))
    if isinstance(value, Struct) and not isinstance(value, Visible):
        lines = {
            name: visible_line(text) for name in value.__struct_fields__ if type(text := getattr(value, name)) is str
        }
        return replace(value, **lines)
    return value


class Visible(Struct, frozen=True):
    """A value whose texts are shown to people: it holds them as they may be shown."""

    def __post_init__(self) -> None:
        """Put each text, and each of a tuple of texts, as it may be shown; those of a place in one line."""
        texts: list[str] = []
        for value in astuple(self):
            if type(value) is str:
                texts.append(value)
            elif type(value) is tuple and value:
                texts += _texts(value)
            elif isinstance(value, Struct) and not isinstance(value, Visible):
                texts += (text.replace("\n", "\0") for text in astuple(value) if type(text) is str)
        if _is_as_shown("\n".join(texts)):
            return
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value and (shown := _shown(value)) != value:
                force_setattr(self, name, shown)


def _texts(value: tuple[Any, ...]) -> list[str]:
    if type(value[0]) is str:
        return list(value)
    return [text for part in value if type(part) is tuple and part for text in _texts(part)]


def _is_suspect(text: str) -> bool:
    """Tell whether something may be hidden; most texts are printable ASCII, which Python sees fast."""
    is_plain = text.isascii() and text.replace("\n", "").replace("\t", "").isprintable()
    return not is_plain and _SUSPECT.search(text) is not None


def _is_as_shown(text: str) -> bool:
    """Tell whether lines may be shown as they are."""
    if _is_suspect(text) and _HIDDEN.search(text):
        return False
    is_command = ("::" in text or "##" in text) and _COMMAND.search(text)
    return not is_command and not ("://" in text and "@" in text)
