"""The live suite, run about the sandbox of a rehearsal, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infraspec.core.errors import SandboxError

_SECONDS = 300
_FOREIGN = ("AWS_", "INFRASPEC_", "PYTEST_")
_LONGEST = 2000


def live_findings(infra: Path, runtime: Path, variables: Mapping[str, str]) -> frozenset[str]:
    """Return what the live suite does not prove of the sandbox that is noted in `runtime`, in a line each.

    `variables` are those of the runner. Raises SandboxError if the suite did not run.
    """
    results = runtime / "results.json"
    results.unlink(missing_ok=True)
    arguments = ("check", "--live", "--env", "local", "--infra", str(infra), "--results", str(results))
    ended = subprocess.run(  # noqa: S603 - this program itself
        [sys.executable, "-m", "infraspec", *arguments, "--", "-q", "-n", "0", "-p", "no:cacheprovider"],
        env={**_environment(), **variables, "XDG_RUNTIME_DIR": str(runtime)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if not results.is_file():
        raise SandboxError(
            "the live suite did not run in the sandbox",
            found=(ended.stdout + ended.stderr).strip()[-_LONGEST:],
            remedy=f"infraspec check --live --infra {infra}",
        )
    return frozenset(_lines(json.loads(results.read_text(encoding="utf-8"))))


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    packages = str(Path(__file__).resolve().parents[3])
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, [packages, kept.get("PYTHONPATH", "")]))}


def _lines(results: Mapping[str, Any]) -> Iterator[str]:
    for one in results["findings"]:
        finding = one["finding"]
        if finding["verdict"] in {"violated", "undetermined"}:
            yield f"{finding['rule']}: {finding['address']} {finding['subject']}".rstrip()
    for problem in results["problems"]:
        yield f"error: {problem}"
