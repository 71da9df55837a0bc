"""What each channel was told, in the file `notified.json` of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from infraspec.core.atomic_write import write_whole
from infraspec.errors import ReportError
from infraspec.reporting.notices import Told

FILE_NAME = "notified.json"


class Memory(Struct, frozen=True):
    """What channels know, by name."""

    version: Literal[1]
    channels: dict[str, tuple[Told, ...]]


def remembered(directory: Path) -> Memory:
    """Return what is remembered; nothing in a new store. Raises ReportError for a file that is none."""
    path = directory / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory(1, {})
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _unusable(path, str(error)) from None


def remember(memory: Memory, directory: Path) -> None:
    """Write what channels know. Raises ReportError."""
    path = directory / FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.format(msgspec.json.encode(memory), indent=1) + b"\n")
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from None


def _unusable(path: Path, found: str) -> ReportError:
    return ReportError(
        "what channels were told cannot be read or written",
        place=str(path),
        expected="a file that infraspec report notify has written, in a folder that the user may write to",
        found=found,
        remedy="take the file away: every open finding is told again",
    )
