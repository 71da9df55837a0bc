"""Load and evaluate a root with tfparse and print how many stacks it saw; runs in tfparse's environment."""

from __future__ import annotations

import json
import sys

import tfparse  # type: ignore[import-not-found]  # is there where this runs

parsed = tfparse.load_from_path(sys.argv[1], vars_paths=sys.argv[2:])
print(json.dumps({"stacks": len(parsed.get("aws_ecs_cluster", ()))}))
