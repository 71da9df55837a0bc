"""One shell session: variables last, nothing waits, and it is known where it stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.sandbox.rehearsal.session import ShellSession, StepResult


def run(steps: list[str], directory: Path, seconds: float = 30) -> list[StepResult]:
    """Run steps until one fails."""
    (directory / "steps").mkdir()
    (directory / "work").mkdir()
    found: list[StepResult] = []
    environment = {"PATH": "/usr/bin:/bin"}
    with ShellSession(steps, directory / "work", directory / "steps", environment) as shell:
        for number in range(1, len(steps) + 1):
            found.append(shell.run(number, seconds))
            if found[-1].exit_code:
                break
    return found


def test_variables_last(tmp_path: Path) -> None:
    """What a step sets, and the directory it goes to, the next one has."""
    found = run(["A=one", "mkdir there && cd there", 'echo "$A" "${PWD##*/}"'], tmp_path)

    assert [(0, ""), (0, ""), (0, "one there")] == [(one.exit_code, one.output) for one in found]


@pytest.mark.parametrize(
    ("step", "code", "output"),
    [
        ("false", 1, ""),
        ("false | true", 1, ""),
        ("sh -c 'exit 7'", 7, ""),
        ("no-such-program", 127, "no-such-program: command not found"),
        ('echo "$UNSET"', 1, "UNSET: unbound variable"),
        ("exit 3", 3, ""),
        ("exit 0", 1, ""),
        ("read -r answer", 1, ""),
        ("echo out; echo err >&2; false", 1, "out\nerr"),
    ],
)
def test_where_it_stops(step: str, code: int, output: str, tmp_path: Path) -> None:
    """A step that fails, that needs what is not set, asks somebody, or ends the session is where it stops."""
    *_, last = run(["true", step, "echo never"], tmp_path)

    assert code == last.exit_code
    assert output in last.output
    assert not last.is_late


def test_a_step_that_takes_too_long(tmp_path: Path) -> None:
    """It is ended with all that it has started, and that is said."""
    *_, last = run(["sleep 600 | cat"], tmp_path, seconds=0.1)

    assert (124, True) == (last.exit_code, last.is_late)
