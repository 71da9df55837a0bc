"""`infraspec rehearse`: what it prints of rehearsals, what it records, and the input that it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from infraspec.cli import main
from infraspec.process.playbooks import Playbook
from infraspec.process.rehearsals import RESTORED, read_rehearsals
from infraspec.sandbox.rehearsal.rehearsing import STOPPED, Rehearsal, RehearsedStep, Rehearser, chosen
from infraspec.sandbox.rehearsal.session import StepResult
from tests.plugin.project import REFERENCE
from tests.rehearsal.pages import BY_NAME


def run(*arguments: str) -> tuple[int, str]:
    """Run the command on production of the reference."""
    result = CliRunner().invoke(main, ["rehearse", "--infra", str(REFERENCE), *arguments])
    return result.exit_code, result.output


def rehearsal(page: Playbook, *, stops: bool) -> Rehearsal:
    """Return a rehearsal of a page that restores after its third step, or stops there."""
    results = [StepResult(int(stops and number == 2), 2.0, "error: denied\x1b[31m") for number in range(3)]
    steps = [
        RehearsedStep(number, step, result)
        for number, (step, result) in enumerate(zip(page.steps(), results, strict=False), 1)
    ]
    left = ("service web: 0 of 3 tasks run",) if stops else ()
    result = STOPPED if stops else RESTORED
    return Rehearsal(
        page, "prod", "secret-missing", result, 21.0, tuple(steps), None if stops else 3, ("rollout: web",), left
    )


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rehearsals of pages in Japanese stop, and those in English restore, without a sandbox."""
    monkeypatch.setattr(Rehearser, "rehearse", lambda _, page: rehearsal(page, stops=page.language == "ja"))


@pytest.mark.usefixtures("pretended")
def test_what_restores() -> None:
    """A playbook that restores is a line, with the step after which all was well; the exit code is 0."""
    code, output = run("secret-missing", "--env", "prod", "--lang", "en")

    assert 0 == code
    assert output.splitlines() == [
        "Rehearsal of prod: 1 of 1 playbooks restore",
        "playbook             failure         result    healthy after  seconds",
        "secret-missing (en)  secret-missing  restored  step 3 of 3    6",
    ]


@pytest.mark.usefixtures("pretended")
def test_what_stops() -> None:
    """The first step that fails has its number, place, command, exit code and output; the exit code is 1."""
    code, output = run("secret-missing", "--env", "prod", "--lang", "ja")

    assert 1 == code
    assert "step:    3 of 3" in output
    assert "docs/playbooks/ja/secret-missing.md:28" in output
    assert "exit code 1, after 2.0 seconds" in output
    assert "error: denied" in output
    assert "\x1b" not in output
    assert "service web: 0 of 3 tasks run" in output


@pytest.mark.usefixtures("pretended")
def test_document() -> None:
    """Programs get every step."""
    _, output = run("secret-missing", "--env", "prod", "--lang", "en", "--format", "json")
    (told,) = json.loads(output)

    assert ("restored", "prod", 3, ["rollout: web"]) == tuple(
        told[name] for name in ("result", "environment", "healthy_after", "seen")
    )
    assert [26, 27, 28] == [step["line"] for step in told["steps"]]


@pytest.mark.usefixtures("pretended")
def test_record(tmp_path: Path) -> None:
    """The results are written where it is said, those of all languages."""
    record = tmp_path / "rehearsals.json"
    code, _ = run("--all", "--env", "prod", f"--record={record}")
    written = read_rehearsals(record, "rehearsals.json")

    assert 1 == code
    assert 38 == len(written)
    assert {("en", "restored"), ("ja", "stopped")} == {(one.playbook.split("/")[-2], one.result) for one in written}


def test_a_file_names_its_playbook() -> None:
    """A page of one language may be named by its path."""
    page = BY_NAME["escalation-ja"]

    assert [page] == chosen(list(BY_NAME.values()), str(page.page.path), ())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "which playbook is not said"),
        (["secret-missing", "--all"], "one playbook and all of them are asked for"),
        (["secret-mising"], "did you mean `secret-missing`?"),
        (["secret-missing", "--lang", "fr"], "there is no such playbook"),
        (["secret-missing", "--set", "TASK"], "expected: NAME=VALUE"),
        (["secret-missing", "--env", "prood"], "prood"),
    ],
)
def test_wrong_input(arguments: list[str], told: str) -> None:
    """It is refused before a sandbox is started, with what is possible."""
    code, output = run(*arguments)

    assert 2 == code
    assert told in " ".join(output.split())


def test_without_the_aws_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the AWS CLI it says what to install."""
    monkeypatch.setattr("infraspec.core.runtime.find_spec", lambda _: None)
    code, output = run("secret-missing")

    assert 2 == code
    assert "infraspec rehearse needs awscli" in output
    assert "pytest-infraspec[rehearse]" in output
