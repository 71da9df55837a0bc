"""JSON files that other tools wrote: read whatever Unicode encoding they chose, or refused with the command to run.

Source: RFC 8259, section 8.1. PowerShell's `>` writes UTF-16, which `json` tells from UTF-8 by its first bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infraspec.errors import ProcessFileError


def read_json(path: Path, shown: str, command: str) -> Any:
    """Return what a file holds; ProcessFileError, with the command that writes it, if that is no JSON."""
    remedy = f"write the file again: {command}"
    text = read_text(path, shown, remedy=remedy)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{shown}:{error.lineno}:{error.colno}"
        raise ProcessFileError("the file is not JSON", place=place, found=error.msg, remedy=remedy) from None
    except RecursionError:
        raise ProcessFileError("the JSON is nested too deeply", place=shown, remedy=remedy) from None


def read_text(path: Path, shown: str, *, expected: str = "", remedy: str = "") -> str:
    """Return the text of a file of JSON, or of lines of it; ProcessFileError if it cannot be read as text."""
    try:
        content = path.read_bytes()
        return content.decode(json.detect_encoding(content))
    except OSError as error:
        found = error.strerror or type(error).__name__
    except UnicodeDecodeError as error:
        found = f"no {error.encoding.upper()}: {error.reason}"
    raise ProcessFileError("the file cannot be read", place=shown, expected=expected, found=found, remedy=remedy)
