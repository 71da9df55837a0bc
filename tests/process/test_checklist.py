import json
from pathlib import Path

import pytest

from infraspec.core.errors import ProcessFileError
from infraspec.process.checklist import compliance, current_pull_request, pull_request_of, read_pull_requests

CHECKLIST = ["変更内容の影響範囲調査完了", "The plan was reviewed"]
BODY = "---\n- [x] 変更内容の影響範囲調査完了\r\n- [ ] The **plan** was reviewed\r\n"


def test_open_items() -> None:
    """An item that is not ticked, or not there, is open."""
    request = pull_request_of({"number": 7, "body": BODY}, "event")

    assert request.open_items(CHECKLIST) == ("The plan was reviewed",)
    assert pull_request_of({"number": 8, "body": None}, "event").open_items(CHECKLIST) == tuple(CHECKLIST)
    ticked = BODY.replace("[ ]", "[X]")
    assert pull_request_of({"number": 9, "body": ticked}, "event").open_items(CHECKLIST) == ()


def test_current_pull_request(tmp_path: Path) -> None:
    """The event file of a workflow names the pull request; other events have none."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "body": BODY}}), encoding="utf-8")
    environ = {"GITHUB_EVENT_PATH": str(event), "GITHUB_EVENT_NAME": "pull_request"}

    found = current_pull_request(environ)
    assert found is not None
    assert found.number == 7
    assert current_pull_request({**environ, "GITHUB_EVENT_NAME": "push"}) is None
    assert current_pull_request({}) is None


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '[{"number": "7"}]'])
def test_list_that_is_none(tmp_path: Path, text: str) -> None:
    """A file that is no list of pull requests is a named error, with what it is and the command that writes one."""
    path = tmp_path / "requests.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProcessFileError, match=r"pull request|JSON") as caught:
        read_pull_requests(path, "requests.json")
    assert caught.value.found
    assert "gh pr list --state merged" in caught.value.remedy


def test_compliance(tmp_path: Path) -> None:
    """The rate is the share of ticked items over all pull requests."""
    path = tmp_path / "requests.json"
    full = BODY.replace("[ ]", "[x]")
    path.write_text(json.dumps([{"number": n, "body": body} for n, body in enumerate([BODY, full])]), encoding="utf-8")

    assert compliance(read_pull_requests(path, "requests.json"), CHECKLIST) == 0.75
    assert compliance([], CHECKLIST) is None
