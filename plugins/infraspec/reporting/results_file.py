"""The results file: written whole or not at all, and read with a named error."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import msgspec

from infraspec.core.atomic_write import write_whole
from infraspec.errors import ReportError
from infraspec.reporting.results import FILE_NAME, VERSION, Results


def encode(results: Results) -> bytes:
    """Return the text of the file."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"


def write(results: Results, path: Path) -> None:
    """Write the file, whole or not at all. Raises ReportError if that is not possible."""
    try:
        write_whole(path, encode(results))
    except OSError as error:
        raise _unwritable(path, error) from None


def prepare(path: Path) -> None:
    """Make the folder of a results file and take away the file of the run before. Raises ReportError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def read(path: Path) -> Results:
    """Read a file. Raises ReportError if it is not there or not a results file of this version."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReportError(
            "the results cannot be read",
            place=str(path),
            found=error.strerror or type(error).__name__,
            remedy=f"write them with: pytest --infraspec-results {FILE_NAME}",
        ) from None
    try:
        results = msgspec.json.decode(content, type=Results)
        _check_times(results)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ReportError(
            "this is no results file of this release",
            place=str(path),
            expected=f"what pytest --infraspec-results writes, version {VERSION}",
            found=str(error),
            remedy="write it again with this release",
        ) from None
    return results


def _check_times(results: Results) -> None:
    """Raise ValueError unless the times and days that reports reckon with are some."""
    if datetime.fromisoformat(results.run.time).tzinfo is None:
        raise ValueError(f"run.time has no offset from UTC: {results.run.time}")
    for day in (entry.waiver.expires for entry in results.findings if entry.waiver):
        date.fromisoformat(day)
    if results.baseline:
        date.fromisoformat(results.baseline.expires)


def _unwritable(path: Path, error: OSError) -> ReportError:
    return ReportError(
        "the results cannot be written",
        place=f"--infraspec-results {path}",
        expected="a file in a folder that the user running the tests may write to",
        found=error.strerror or type(error).__name__,
        remedy="choose another place",
    )
