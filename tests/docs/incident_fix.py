"""The change of docs/incident-replay.md that fixes the incident."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.docs.blocks import ROOT, Block, blocks

(FIX,) = blocks("hcl", page="docs/incident-replay.md")
_PART = re.compile(r"^# (terraform/\S+\.tf)(?:, in (.+))?\n((?:(?!# terraform/).*\n)+)", re.MULTILINE)


def repaired(directory: Path, block: Block = FIX) -> Path:
    """Copy v16, and put in what the page says: each part into the block that it names, or at the end of the file."""
    infra = Path(shutil.copytree(ROOT / "fixtures" / "incident-v16", directory / "fixed"))
    for name, place, text in _PART.findall(block.text):
        path = infra / name
        before, opening, after = path.read_text(encoding="utf-8").partition(f"{place} {{\n" if place else "\0")
        assert opening or not place, place
        path.write_text(f"{before}{opening}\n{text}{after}", encoding="utf-8")
    return infra
