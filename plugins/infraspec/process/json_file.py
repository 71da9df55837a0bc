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
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ProcessFileError(
            "the file cannot be read", place=shown, found=str(error.strerror), remedy=remedy
        ) from None
    except json.JSONDecodeError as error:
        place = f"{shown}:{error.lineno}:{error.colno}"
        raise ProcessFileError("the file is not JSON", place=place, found=error.msg, remedy=remedy) from None
    except UnicodeDecodeError as error:
        found = f"no {error.encoding.upper()}: {error.reason}"
        raise ProcessFileError("the file is not JSON", place=shown, found=found, remedy=remedy) from None
    except RecursionError:
        raise ProcessFileError("the JSON is nested too deeply", place=shown, remedy=remedy) from None
