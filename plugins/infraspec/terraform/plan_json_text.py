"""The bytes of a plan or state file: read, decoded to UTF-8, and parsed as JSON, with every failure named.

PowerShell writes `terraform show -json > plan.json` as UTF-16 with a byte order mark, so that is accepted too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TypeVar

import msgspec

from infraspec.errors import PlanError

Buffer = bytes | memoryview
T = TypeVar("T")

REMEDY = "terraform show -json plan.tfplan > plan.json"
_BYTE = re.compile(r" \(byte (\d+)\)$")
_EXPECTED_TEXT = "JSON as `terraform show -json` prints it"


def read(path: Path) -> bytes:
    """Read a file; PlanError if that is not possible."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise PlanError("the file does not exist", place=str(path), remedy=REMEDY) from None
    except IsADirectoryError:
        raise PlanError(
            "this is a directory", place=str(path), expected=f"a file: {_EXPECTED_TEXT}", remedy=REMEDY
        ) from None
    except OSError as error:
        raise PlanError(
            "the file cannot be read",
            place=str(path),
            expected="a file that the user running the tests may read",
            found=error.strerror or str(error),
            remedy="check its owner and its mode",
        ) from None


def to_utf8(data: bytes, name: str) -> Buffer:
    """Return the text as UTF-8 without byte order mark; PlanError for what is no text at all."""
    if data.startswith(b"PK"):
        raise PlanError(
            "this is a binary plan, which only terraform can read",
            place=name,
            expected=_EXPECTED_TEXT,
            found="a zip archive",
            remedy=f"terraform show -json {name} > plan.json",
        )
    if not data.strip():
        raise PlanError("the file is empty", place=name, expected=_EXPECTED_TEXT, remedy=REMEDY)
    encoding = json.detect_encoding(data)
    if encoding == "utf-8":
        return data
    if encoding == "utf-8-sig":
        return memoryview(data)[3:]
    try:
        return data.decode(encoding).encode()
    except UnicodeError as error:
        raise PlanError(
            f"the file is not complete {encoding.upper()} text",
            place=name,
            found=error.reason if isinstance(error, UnicodeDecodeError) else "text that cannot be encoded",
            remedy=REMEDY,
        ) from None


def parse(text: Buffer, kind: type[T], name: str) -> T:
    """Decode JSON text to a type.

    Raises msgspec.ValidationError if it is JSON of another shape, and PlanError with line and column if it is not
    JSON. No message quotes the text, which may hold secrets.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise _not_json(text, str(error), name) from None
    except UnicodeDecodeError:
        raise _not_utf8(text, name) from None
    except RecursionError:
        raise PlanError("the JSON is nested too deeply", place=name, remedy=REMEDY) from None


def _not_json(text: Buffer, message: str, name: str) -> PlanError:
    raw = bytes(text)
    found = _BYTE.search(message)
    position = int(found[1]) if found else len(raw)
    if "trailing" in message:
        position -= 1  # msgspec has read the character by then
    place = f"{name}:{_line_column(raw, position)}"
    if raw.lstrip().startswith(b'{"@level"'):
        return PlanError(
            "this is the log of `terraform plan -json`, not a plan", place=place, expected=_EXPECTED_TEXT, remedy=REMEDY
        )
    if found is None:
        return PlanError(
            "the JSON ends too early", place=place, expected="a complete file", found="a truncated one", remedy=REMEDY
        )
    return PlanError(
        "the file is not JSON", place=place, expected=_EXPECTED_TEXT, found=_BYTE.sub("", message), remedy=REMEDY
    )


def _not_utf8(text: Buffer, name: str) -> PlanError:
    raw = bytes(text)
    position = 0
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        position = error.start
    return PlanError("the text is not UTF-8", place=f"{name}:{_line_column(raw, position)}", remedy=REMEDY)


def _line_column(raw: bytes, position: int) -> str:
    before = raw[:position]
    line_start = before.rfind(b"\n") + 1
    column = len(before[line_start:].decode(errors="replace")) + 1
    line = before.count(b"\n") + 1
    return f"{line}:{column}"
