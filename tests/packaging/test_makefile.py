"""`make test-static` checks what was meant, or says why not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Show what make would run, also where make itself runs the tests."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "-n", *arguments], cwd=ROOT, env=environ, check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    "arguments", [("INFRASTRUCTURE=../x",), ("INFRA=a b", "EVN=prod"), ("ARGS=-k a --tb=no", "X=1")]
)
def test_variable_that_does_not_exist(arguments: tuple[str, ...]) -> None:
    """A mistyped variable ends make, instead of checking the reference infrastructure."""
    result = make("test-static", *arguments)

    assert 2 == result.returncode
    assert f"there is no variable {arguments[-1].partition('=')[0]}: use one of PYTHON VENV INFRA" in result.stderr


def test_what_is_given_is_passed_on() -> None:
    """Directories with blanks and several arguments reach pytest as they are."""
    result = make("test-static", "INFRA=../a b", "ENV=dev,prod", "PLAN=p.json", "WORKERS=2", "ARGS=-k names --tb=no")

    assert 0 == result.returncode
    for wanted in ('--infraspec-dir="../a b" ', '--infraspec-env="dev,prod"', '--infraspec-plan="p.json"', "-n 2 "):
        assert wanted in result.stdout
    assert result.stdout.rstrip().endswith("-k names --tb=no")


def test_nothing_given_leaves_environment_variables_their_say() -> None:
    """Without INFRA no option is passed, so that INFRASPEC_DIR wins over the reference infrastructure of pytest.ini."""
    result = make("test-static")

    assert 0 == result.returncode
    assert [] == [name for name in ("dir", "env", "plan") if f"--infraspec-{name}" in result.stdout]


@pytest.mark.parametrize(
    ("target", "workers", "spread"),
    [("test-static", "", ""), ("test-live", "", " -n auto "), ("test-live", "0", ""), ("test", "3", " -n 3 ")],
)
def test_workers(target: str, workers: str, spread: str) -> None:
    """The static suite runs in one process, the others on all cores, unless WORKERS says how many."""
    result = make(target, *([f"WORKERS={workers}"] if workers else []))

    assert spread in result.stdout
    assert spread or " -n " not in result.stdout
