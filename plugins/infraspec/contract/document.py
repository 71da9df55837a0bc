"""The text of a contract, parsed, with the place of every key."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infraspec.contract.paths import display
from infraspec.contract.positions import KeyPath, Positions, notation
from infraspec.errors import ContractError, WaiverError

_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_TUPLE = re.compile(r"\(['\"].*\)")
_REMEDIES = {
    "Invalid value": 'text needs quotes (key = "value"), a number no leading zeros, a boolean is true or false',
    "Invalid date": "write a day that the calendar has as 2026-11-01",
    "Invalid initial character for a key": "an inline table { … } stays on one line; for several lines use a [table]",
    "Invalid statement": 'write key = "value", or [table] for a table',
    "Expected '='": 'write key = "value", or [table] for a table',
    "Expected newline": "write one key = value a line; text needs quotes around all of it, as do digits after a 0",
    "Illegal character": "close the text with the quote it began with, on the same line",
    "Unterminated string": "close the text with the quotes it began with",
    "Unescaped": r"put text with backslashes in single quotes: '\d+'",
    "Unclosed array": "put commas between the entries, and close the list with ]",
    "Expected \"'''": "close the text with the quotes it began with",
    "Expected ']": "close the table's name with ], or with ]] if it began with [[",
    "Exceeds the limit": "put a number this long in quotes",
    "Unclosed inline table": "close the table with } on the same line; for several lines use a [table]",
    "Cannot declare": "a table is opened once: join the two, or write [[table]] for a list of tables",
    "Cannot overwrite": "a key is given once: keep one of the two",
    "Cannot mutate": "a table is written in one place: join the two",
    "Duplicate inline table key": "a key is given once: keep one of the two",
}
_CURLY = tuple("\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb")
_NULL = re.compile(r"(null|nil|none)\b", re.IGNORECASE)
_SECRET_TABLES = ("variables", "known", "url_variable")
_SECRET_WORD = re.compile("variables|known")


@dataclass(frozen=True)
class Document:
    """A contract file: `name` is its path as people see it, `data` what tomllib makes of the text."""

    path: Path
    name: str
    text: str
    data: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read and parse a file; ContractError if it cannot be read, is not UTF-8 or is not TOML."""
        name = display(Path(), path)
        text = _decode(_bytes(path, name), name)
        return cls(path, name, text, _parse(text, name))

    @cached_property
    def positions(self) -> Positions:
        """The lines of the keys; scanned on the way to an error only."""
        return Positions(self.text)

    def place(self, path: KeyPath) -> str:
        """Return `file:line` of a key or of the closest table around it."""
        line = self.positions.line(path)
        return f"{self.name}:{line}" if line else self.name


def is_secret(path: KeyPath) -> bool:
    """Tell whether a key holds values that no message may show: those of variables and known data."""
    return any(part in _SECRET_TABLES for part in path)


def too_deep(name: str) -> ContractError:
    """Make the error for nesting that passes Python's recursion limit."""
    return ContractError(
        "the contract is nested too deeply",
        place=name,
        expected="lists and tables a few levels deep",
        remedy="move deep values to a var file",
    )


def _bytes(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ContractError(
            "the contract cannot be read",
            place=name,
            expected="a file that the user running the tests may read",
            found=error.strerror or type(error).__name__,
            remedy="check the path, its owner and its mode",
        ) from None


def _decode(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        found = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else f"the byte 0x{content[error.start]:02x}"
        raise _no_text(name, content.count(b"\n", 0, error.start) + 1, found) from None
    if "\0" in text:
        raise _no_text(name, text.count("\n", 0, text.index("\0")) + 1, "the byte 0x00, of which UTF-16 has many")
    if "\r" in text:
        raise ContractError(
            "a line ends with a carriage return alone",
            place=f"{name}:{text.count(chr(10), 0, text.index(chr(13))) + 1}",
            expected="lines that end with LF or CRLF, as TOML demands",
            found="CR",
            remedy="save the file with the line endings LF",
        )
    return text


def _no_text(name: str, line: int, found: str) -> ContractError:
    return ContractError(
        "the contract is not UTF-8" if "0x00" not in found else "the contract is no text",
        place=f"{name}:{line}",
        expected="text in UTF-8, as TOML demands",
        found=found,
        remedy="save the file with the encoding UTF-8",
    )


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise too_deep(name) from None
    except ValueError as error:
        raise _syntax_error(text, name, str(error)) from None


def _syntax_error(text: str, name: str, message: str) -> ContractError:
    """Turn tomllib's message, "Invalid value (at line 3, column 5)", into an error with place and excerpt."""
    positions = Positions(text)
    found = _POSITION.search(message)
    what = message[: found.start()] if found else message.partition(";")[0]
    line, column = int(found[1] or 0) if found else 0, int(found[2] or 0) if found else 0
    key = positions.last(line or None)
    if found and not line:
        line, column = positions.line(key), 1
    is_expiry = key[:1] == ("waivers",) and key[-1:] == ("expires",)
    is_day = is_expiry and not what.startswith("Cannot")
    told = _TUPLE.sub(lambda match: f"`{notation(ast.literal_eval(match[0]))}`", what[:1].lower() + what[1:])
    return (WaiverError if is_expiry else ContractError)(
        f"this is not TOML: {told}" + (f", at or after `{notation(key)}`" if key else ""),
        place=f"{name}:{line}:{column}" if line else name,
        expected="a date such as 2026-11-01" if is_day else "TOML v1.0.0",
        found=_first(text, what, key, line),
        remedy=_remedy(what, text.split("\n")[line - 1][column - 1 :] if line else "", is_day=is_day),
        excerpt="" if not line or _shows_secret(text, positions, line) else _excerpt(text, line, column),
    )


def _first(text: str, what: str, key: KeyPath, line: int) -> str:
    """Return where a key or table that is given twice stands first."""
    above = Positions("\n".join(text.split("\n")[: line - 1]))
    twice = what.startswith(("Cannot declare", "Cannot overwrite", "Duplicate"))
    return f"the first on line {above.line(key)}" if twice and above.has(key) else ""


def _remedy(what: str, value: str, *, is_day: bool) -> str:
    """Return what to write instead, by what tomllib says and by the text from there on."""
    if is_day:
        return "write a day that the calendar has as year-month-day, without quotes: expires = 2026-11-01"
    if what.startswith("Invalid value") and value[:1] in _CURLY:
        return "write straight quotes: \" or '"
    if what.startswith("Invalid value") and _NULL.match(value):
        return "TOML has no null: take the key out"
    return next((text for start, text in _REMEDIES.items() if what.startswith(start)), "mend the line")


def _shows_secret(text: str, positions: Positions, line: int) -> bool:
    """Tell whether a line may hold a value of variables or known data; when in doubt, it does.

    The raw text counts too: after a stray quote the scan takes keys for text.
    """
    lines = text.split("\n")[:line]
    header = next((above for above in reversed(lines) if above.lstrip().startswith("[")), "")
    keys = [*positions.on(line), positions.last(line), positions.last(line - 1)]
    return any(map(is_secret, keys)) or any(map(_SECRET_WORD.search, (header, lines[-1])))


def _excerpt(text: str, line: int, column: int) -> str:
    content = text.split("\n")[line - 1]
    indent = "".join("\t" if character == "\t" else " " for character in content[: column - 1])
    return f"{content}\n{indent}^"
