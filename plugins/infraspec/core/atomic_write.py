"""Files that are there whole or not at all, whatever ends the process or fills the disk while they are written."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and put it there at once; what was there stays if that fails. Raises OSError.

    What is no file, such as /dev/stdout, is written to as it is.
    """
    place = path.resolve()
    if place.exists() and not place.is_file():
        place.write_bytes(content)
        return
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
