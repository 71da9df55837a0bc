import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from infraspec.cli import main

CONTRACT = '[project]\napplication = "a"\n[environments.dev]\n'
CHECKLIST = '[process]\nchecklist = ["Planned", "権限検証スクリプトの実行"]\n'
OPEN = "- [x] Planned\n- [ ] 権限検証スクリプトの実行\n"


def run(directory: Path, requests: object, contract: str, *arguments: str) -> tuple[int, str]:
    """Run `infraspec checklist` on a list of pull requests."""
    (directory / "infraspec.toml").write_text(contract, encoding="utf-8")
    (directory / "merged.json").write_text(json.dumps(requests), encoding="utf-8")
    words = ["checklist", "--infra", str(directory), "--pull-requests", str(directory / "merged.json"), *arguments]
    result = CliRunner().invoke(main, words)
    return result.exit_code, result.output


def test_share_and_open_items(tmp_path: Path) -> None:
    """The share is printed, with what each pull request left open; too small a share is exit code 1."""
    requests = [{"number": 7, "body": OPEN}, {"number": 8, "body": OPEN.replace("[ ]", "[x]")}]

    code, output = run(tmp_path, requests, CONTRACT + CHECKLIST)
    assert code == 1
    assert output == "#7: 権限検証スクリプトの実行\n75.0% of 2 items in 2 pull requests\n"
    assert run(tmp_path, requests, CONTRACT + CHECKLIST, "--at-least", "0.75")[0] == 0


@pytest.mark.parametrize(
    ("requests", "contract", "fragment"),
    [
        ([], CONTRACT + CHECKLIST, "no pull request"),
        ({}, CONTRACT + CHECKLIST, "list of pull requests"),
        ([{"number": 1}], CONTRACT, "no checklist"),
    ],
)
def test_wrong_input(tmp_path: Path, requests: object, contract: str, fragment: str) -> None:
    """A list or a contract that has nothing to ask for is a named error."""
    code, output = run(tmp_path, requests, contract)

    assert code == 2
    assert fragment in output
