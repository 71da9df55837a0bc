"""Stand for pip where the wheel of this checkout is installed: see that it has the extras that are asked for."""

import re
import sys
from importlib.metadata import metadata

command, *packages = sys.argv[1:]
if command != "install":
    sys.exit(f"pip {command}: there is no stand-in for it")
for package in packages:
    name, _, extras = re.sub(r"\]$", "", package.partition(" @ ")[0]).partition("[")
    missing = {extra for extra in extras.split(",") if extra} - set(metadata(name).get_all("Provides-Extra") or ())
    if missing:
        sys.exit(f"{name} has no extra {', '.join(sorted(missing))}")
