"""Two runs in one checkout at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "fixtures/daily-report-tool"
ENVIRONMENTS = ("prod", "staging")


@pytest.mark.parametrize("names", [("prod.json", "staging.json"), ("results.json", "results.json")], ids=["own", "one"])
def test_runs_do_not_mix_their_results(tmp_path: Path, names: tuple[str, str]) -> None:
    """Each file is that of one run, whole: its own, or that of whoever wrote it last."""
    checkout = Path(shutil.copytree(REFERENCE, tmp_path / "checkout"))
    before = {path.name for path in checkout.iterdir()}
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    command = [sys.executable, "-m", "infraspec", "check", "--env"]
    further = ["--", "-q", "-p", "no:cacheprovider", "-k", "names or tags", "--infraspec-results"]
    runs = [
        subprocess.Popen(
            [*command, environment, *further, name, *(("-n", "2") if index else ())],
            cwd=checkout,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index, (environment, name) in enumerate(zip(ENVIRONMENTS, names, strict=True))
    ]
    told = [run.communicate()[0] for run in runs]

    assert [0, 0] == [run.returncode for run in runs], told
    found = {name: json.loads((checkout / name).read_text()) for name in names}
    environments = {name: {one["environment"] for one in results["counts"]} for name, results in found.items()}
    assert all(len(one) == 1 for one in environments.values())
    assert len(set(names)) == 1 or environments == {"prod.json": {"prod"}, "staging.json": {"staging"}}
    assert {*names} == {path.name for path in checkout.iterdir()} - before
