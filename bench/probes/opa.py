"""Evaluate a policy over a plan file with the Go OPA engine and print its report; runs in the engine's environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from opa_bindings import OpaEngine, engine  # type: ignore[import-not-found]  # is there where this runs

# The bytes of the file go to the engine as they are: decoding and encoding them in Python would be charged to it.
engine._encode_input = bytes  # noqa: SLF001 - the binding has no public way to pass JSON text

policy, plan = map(Path, sys.argv[1:])
with OpaEngine() as opa:
    opa.add_policy(policy.name, policy.read_text("utf-8"))
    print(json.dumps(opa.eval_document("bench.report", plan.read_bytes())))
