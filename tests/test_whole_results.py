"""The kept texts of tests, when a run has only some of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import whole_results


@pytest.mark.parametrize(("is_whole", "kept"), [(False, ["old", "new"]), (True, ["new"])])
def test_sections_of_tests_that_did_not_run_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_whole: bool, kept: list[str]
) -> None:
    """Writing the results of a part of the tests drops no other section, unless the run counts as whole."""
    path = tmp_path / "results" / "names.txt"
    for name in ("old", "new"):
        monkeypatch.setattr(whole_results, "_written", {path: {f"test_{name}": [name]}})
        monkeypatch.setattr(whole_results, "IS_WHOLE", is_whole)
        whole_results._kept.cache_clear()
        whole_results._write()

    whole_results._kept.cache_clear()
    assert {f"test_{name}": [name] for name in kept} == whole_results._kept(path)
