"""Generate a Terraform tree, its plan JSON, its contract and the list of what was planted.

Run it as `python bench/generate.py --help`; the work is done in bench/generator/.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    runpy.run_module("bench.generator.command", run_name="__main__")
