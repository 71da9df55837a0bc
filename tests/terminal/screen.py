"""A terminal to run commands on: what is written to it, without what controls it."""

from __future__ import annotations

import os
import pty
import re
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest
from rich.cells import cell_len

CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\].*?\x1b\\)")
"""CSI and OSC sequences. Source: ECMA-48, 5.4 and 8.3.89."""
_FRAMES = re.compile(r"[\s─│├└╭╮╰╯━┃]")
COLOURED = {"TERM": "xterm-256color"}


@dataclass(frozen=True)
class Screen:
    """What was written to a terminal."""

    written: str
    width: int

    @property
    def lines(self) -> list[str]:
        """The lines as they are read."""
        return [line.rstrip() for line in CONTROL.sub("", self.written).splitlines()]

    def too_wide(self) -> list[str]:
        """Return the lines that are wider than the terminal."""
        return [line.strip() for line in self.lines if cell_len(line) > self.width]

    def missing(self, text: str) -> list[str]:
        """Return the words of a text that are not there, a word that is folded taken as one."""
        squeezed = _FRAMES.sub("", "".join(self.lines))
        return [word for word in text.split() if _FRAMES.sub("", word) not in squeezed]


def on_terminal(
    run: Callable[[], object], width: int, streams: Sequence[str] = ("stdout",), **environment: str
) -> Screen:
    """Run something that has a pseudo-terminal for its standard output, or for other streams."""
    master, slave = pty.openpty()
    found: list[bytes] = []
    reader = threading.Thread(target=_read, args=(master, found))
    reader.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
            patch.delenv(name, raising=False)
        for name, value in {**COLOURED, "COLUMNS": str(width), **environment}.items():
            patch.setenv(name, value)
        with open(slave, "w", encoding="utf-8") as stream, suppress(SystemExit):  # noqa: PTH123 - a descriptor
            for name in streams:
                patch.setattr(sys, name, stream)
            run()
    reader.join()
    os.close(master)
    return Screen(b"".join(found).decode(), width)


def _read(master: int, found: list[bytes]) -> None:
    with suppress(OSError):  # Linux says so when the other side is closed
        while data := os.read(master, 65536):
            found.append(data)
