"""The record of rehearsals: a file of the repository that says when each playbook restored, and by which commands.

It is written by `infraspec rehearse --record`, and read by the rule `playbooks`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

from infraspec.core.errors import ProcessFileError
from infraspec.core.runtime import read_regular, write_whole
from infraspec.process.playbooks import Playbook

RESTORED, RAN = "restored", "ran"
RESTORING = frozenset({RESTORED, RAN})
"""The results that say that a playbook does what it is for."""


class RecordedRehearsal(Struct, frozen=True, forbid_unknown_fields=True):
    """One rehearsal. `playbook` is the path of the page in the directory of the contract, `commands` what was run."""

    playbook: str
    environment: str
    date: date
    failure: str
    result: str
    seconds: int
    commands: str


def recorded_name(playbook: Playbook, root: Path) -> str:
    """Return the name of a page in the record: its path in the directory of the contract."""
    path = playbook.page.path
    if path is None or not path.resolve().is_relative_to(root.resolve()):
        return playbook.page.file
    return path.resolve().relative_to(root.resolve()).as_posix()


def read_rehearsals(path: Path, shown: str) -> tuple[RecordedRehearsal, ...]:
    """Read the record; nothing if there is none yet. Raises ProcessFileError."""
    try:
        return msgspec.json.decode(read_regular(path, shown), type=tuple[RecordedRehearsal, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise ProcessFileError(
            "the record of rehearsals cannot be read",
            place=shown,
            expected="a list of rehearsals, as infraspec rehearse --record writes it",
            found=str(error),
            remedy="write it again: infraspec rehearse --all --record",
        ) from None


def write_rehearsals(path: Path, shown: str, new: Iterable[RecordedRehearsal]) -> None:
    """Put rehearsals into the record, in place of earlier ones of a page and environment. Raises ProcessFileError."""
    kept = {(one.playbook, one.environment): one for one in (*read_rehearsals(path, shown), *new)}
    lines = [msgspec.json.encode(kept[key]).decode() for key in sorted(kept)]
    try:
        write_whole(path, ("[\n" + ",\n".join(f"  {line}" for line in lines) + "\n]\n").encode())
    except OSError as error:
        raise ProcessFileError(
            "the record of rehearsals cannot be written",
            place=shown,
            found=str(error.strerror),
            remedy="name another file",
        ) from None
