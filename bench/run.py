"""Compare infraspec with its peers, as ratios within one run.

Run it as `python bench/run.py --help`; the work is done in bench/comparison/.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    runpy.run_module("bench.comparison.command", run_name="__main__")
