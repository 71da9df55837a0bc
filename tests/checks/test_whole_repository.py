"""The whole text of the rules about a repository: its process files, its playbooks, and its migration to the names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict
from infraspec.process.checklist import pull_request_of
from tests.cli.test_conventions import migration, repository  # noqa: F401 - a fixture
from tests.live.fleet import Cluster
from tests.live.incident import ALLOWING, TERRAFORM, failing, healthy, repaired, rolled_back
from tests.live.test_diagnosing import as_json, as_text, diagnosed
from tests.plugin.project import REFERENCE
from tests.process.test_reference import (
    MUTATIONS,
    PLAYBOOK_MUTATIONS,
    RULESET,
    TEMPLATE,
    Edit,
    assert_found,
    changed_copy,
    changed_playbook,
    copy_process,
    judged,
    judged_playbooks,
    reference_playbooks,
)
from tests.samples import some
from tests.whole_results import Transcript


def findings(judge: Callable[[], list[Finding]]) -> list[str]:
    """Return what is not proven, or the error of the input."""
    try:
        return [str(finding) for finding in judge() if finding.verdict is not Verdict.PROVEN]
    except InfraspecError as error:
        return [str(error)]


def test_the_reference(transcript: Transcript) -> None:
    """What proves the reference is said of each of its files."""
    transcript(map(str, judged(REFERENCE)))
    transcript(map(str, judged_playbooks(reference_playbooks())))


SOME, SOME_OF_PLAYBOOKS = some(MUTATIONS, 3), some(PLAYBOOK_MUTATIONS, 7)


@pytest.mark.parametrize(("name", "path", "edit"), SOME, ids=[f"{path}: {name}" for name, path, _ in SOME])
def test_what_is_missing(name: str, path: Path, edit: Edit | None, tmp_path: Path, transcript: Transcript) -> None:
    """What is taken away is named, with its place and what fixes it."""
    copy_process(tmp_path)
    judge = cache(lambda: changed_copy(tmp_path, path, edit))
    assert_found(judge, path)
    transcript(findings(judge))


@pytest.mark.parametrize(
    ("name", "path", "edit"), SOME_OF_PLAYBOOKS, ids=[f"{path}: {name}" for name, path, _ in SOME_OF_PLAYBOOKS]
)
def test_what_a_playbook_lacks(name: str, path: Path, edit: Edit | None, transcript: Transcript) -> None:
    """What a playbook lacks is named, likewise."""
    judge = cache(lambda: changed_playbook(path, edit))
    assert_found(judge, path)
    transcript(findings(judge))


def test_unticked_item_of_the_pull_request() -> None:
    """A pull request that has not ticked an item is named with it; one that has ticked all is proven."""
    body = (REFERENCE / TEMPLATE).read_text(encoding="utf-8").replace("[ ]", "[x]")
    ticked = pull_request_of({"number": 7, "body": body}, "event")
    open_ = pull_request_of({"number": 8, "body": body.replace("[x] 必須タグ", "[ ] 必須タグ")}, "event")

    assert {finding.verdict for finding in judged(REFERENCE, ticked)} == {Verdict.PROVEN}
    (found,) = [finding for finding in judged(REFERENCE, open_) if finding.verdict is Verdict.VIOLATED]
    assert found.key == "pull request #8 item 必須タグの設定確認"


def test_ruleset_that_is_none(tmp_path: Path) -> None:
    """A ruleset that is no JSON, or has no rules, is a named error."""
    copy_process(tmp_path)
    for text in ("{", "[]", json.dumps({"rules": [1]})):
        (tmp_path / RULESET).write_text(text, encoding="utf-8")
        with pytest.raises(InfraspecError, match=r"main\.json"):
            judged(tmp_path)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_migration(form: str, repository: Path, transcript: Transcript) -> None:  # noqa: F811 - the fixture
    """What has to be renamed and tagged is listed, with what that costs."""
    transcript([migration(repository, "--format", form)])
    shutil.copytree(REFERENCE, repository / "reference")
    transcript([migration(repository / "reference", "--format", form)])


@pytest.mark.parametrize("make", [healthy, rolled_back, failing, repaired], ids=lambda make: make.__name__)
@pytest.mark.parametrize("text", [TERRAFORM, ALLOWING], ids=["denied", "allowed"])
def test_diagnoses(make: Callable[[], Cluster], text: str, tmp_path: Path, transcript: Transcript) -> None:
    """A diagnosis has all that is known of the cause."""
    found = diagnosed(tmp_path, make(), text)
    transcript([as_text(found), as_json(found)])
