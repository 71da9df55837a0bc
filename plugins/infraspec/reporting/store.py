"""A folder of the results of earlier runs: what trends are made of.

A file's name is the time of its run and the beginning of its content's SHA-256, so that files sort by time, and that a
run that is added again is there once.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from infraspec.core.atomic_write import write_whole
from infraspec.errors import ErrorCollector, ReportError
from infraspec.reporting.results import Results
from infraspec.reporting.results_file import encode, read

_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-[0-9a-f]{8}\.json")


class Stored(Struct, frozen=True):
    """A run, and the name of its file in the store."""

    name: str
    results: Results


class Store(Struct, frozen=True):
    """The results files of a folder that infraspec has named; other files in it are left alone."""

    directory: Path

    def add(self, results: Results) -> str:
        """Keep a run and return the name of its file. Raises ReportError."""
        name = name_of(results)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            write_whole(self.directory / name, encode(results))
        except OSError as error:
            raise ReportError(
                "the results cannot be stored",
                place=f"--store {self.directory}",
                expected="a folder that the user may write to",
                found=error.strerror or type(error).__name__,
                remedy="choose another folder",
            ) from None
        return name

    def runs(self) -> tuple[Stored, ...]:
        """Return what is stored, oldest first. Raises ReportError, for all files together that are no results."""
        if not self.directory.is_dir():
            return ()
        collector = ErrorCollector()
        found: list[Stored] = []
        for path in sorted(path for path in self.directory.iterdir() if _NAME.fullmatch(path.name)):
            with collector.collect():
                found.append(Stored(path.name, read(path)))
        collector.finalize()
        return tuple(found)


def name_of(results: Results) -> str:
    """Return the name of a run's file: 2026-11-01T080000Z-0123abcd.json."""
    moment = re.sub(r"[.+].*", "", results.run.time).replace(":", "")
    return f"{moment}Z-{sha256(encode(results)).hexdigest()[:8]}.json"


def in_order(runs: list[Results]) -> list[Results]:
    """Return runs as a store has them: oldest first, each once."""
    return [run for _, run in sorted({name_of(run): run for run in runs}.items())]
