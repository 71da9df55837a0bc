"""Parse every .tf file of a tree and print the bytes and the CPU seconds of the loop; `infraspec` or `python-hcl2`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def _parser(name: str) -> Callable[[str], object]:
    if name == "python-hcl2":
        import hcl2  # noqa: PLC0415 - each parser is imported where it alone is measured

        return hcl2.loads
    from infraspec.hcl.parser import parse  # noqa: PLC0415 - likewise

    return lambda text: parse(text, "main.tf")


parse_text = _parser(sys.argv[1])
texts = [path.read_text("utf-8") for path in sorted(Path(sys.argv[2]).rglob("*.tf"))]
parse_text(texts[0])  # the grammar is built on first use
start = time.process_time()
for text in texts:
    parse_text(text)
seconds = time.process_time() - start
print(json.dumps({"bytes": sum(len(text.encode()) for text in texts), "seconds": seconds}))
