"""Write the pictures of what commands print on a terminal, docs/images/NAME.svg: `make images`."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from rich import _export_format
from rich.console import Console
from rich.text import Text

from tools.kpi_image import IMAGE as KPI
from tools.kpi_image import kpi_picture

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH = 110
COMMANDS = {
    "explain": (
        "explain --env prod --role daily-report-tool-prod-backend-execution --action secretsmanager:GetSecretValue"
        " --resource module.ecs.aws_secretsmanager_secret.refresh_token"
    )
}
"""The pictures, each of a command in the repository of the incident."""

_FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", _export_format.CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "Fira Code, ui-monospace, Menlo, Consolas, monospace"
)
"""The picture that rich draws, which loads no font."""


def printed(command: str, directory: Path, width: int = WIDTH) -> str:
    """Run a command of infraspec on a terminal; return what is written to it."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(width)}
    for name in ("NO_COLOR", "COLORTERM"):
        environment.pop(name, None)
    written = b""
    with subprocess.Popen(
        [sys.executable, "-m", "infraspec", *command.split()], cwd=directory, env=environment, stdout=slave
    ):
        os.close(slave)
        with suppress(OSError):  # Linux says so when the other side is closed
            while data := os.read(master, 65536):
                written += data
    os.close(master)
    return written.decode().replace("\r\n", "\n")


def picture(name: str) -> str:
    """Return the picture of a command as SVG."""
    command = COMMANDS[name]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="256")
    console.print(Text.from_ansi(printed(command, ROOT / "fixtures" / "incident-v16")))
    title = f"infraspec {command.split(' --')[0]} …"
    svg = console.export_svg(title=title, code_format=_FORMAT, unique_id=name)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


if __name__ == "__main__":
    KPI.write_text(kpi_picture(), encoding="utf-8")
    for name in COMMANDS:
        (IMAGES / f"{name}.svg").write_text(picture(name), encoding="utf-8")
