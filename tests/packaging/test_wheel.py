"""The wheel alone, in an empty environment, checks somebody's repository that has nothing but a contract."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from infraspec import __version__
from infraspec.resource_types import FAMILIES

ROOT = Path(__file__).parents[2]
NO_CREDENTIALS = {
    **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in an environment that has its dependencies and nothing of this checkout."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=False)
    executable = directory / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(executable),
        "install",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    purelib = Path(subprocess.run([executable, "-c", query], check=True, capture_output=True, text=True).stdout.strip())
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return executable


def run(
    python: Path, directory: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in a directory."""
    return subprocess.run(
        [python, "-m", *arguments], cwd=directory, env=environment, check=False, capture_output=True, text=True
    )


def test_wheel_holds_package_suite_and_data(wheel: Path) -> None:
    """The wheel has the package, the suites and their data, nothing else, and the version that texts read."""
    names = zipfile.ZipFile(wheel).namelist()

    assert {"infraspec", f"pytest_infraspec-{__version__}.dist-info"} == {name.split("/")[0] for name in names}
    for wanted in (
        "tests_static/test_rules.py",
        "tests_live/test_account.py",
        "tests_live/conftest.py",
        "py.typed",
        "ecs/access_table.json",
        "terraform/provider/aws_schema.txt",
    ):
        assert f"infraspec/{wanted}" in names
    assert {f"infraspec/resource_types/{file.name}" for file in FAMILIES} <= set(names)


def test_suite_runs_in_another_repository(python: Path, tmp_path: Path) -> None:
    """`pytest --pyargs infraspec.tests_static` checks a repository that has nothing but its contract."""
    repository = Path(shutil.copytree(ROOT / "fixtures" / "minimal", tmp_path / "repository"))
    result = run(python, repository, "pytest", "-p", "no:cacheprovider", "--pyargs", "infraspec.tests_static")

    assert " passed" in result.stdout
    assert result.returncode == 0
    shown = run(python, repository, "infraspec", "plan", "--env", "dev")
    assert "aws_ecs_task_definition.hello" in shown.stdout


def test_only_the_suites_are_rewritten(python: Path, tmp_path: Path) -> None:
    """The assertions of the suites are rewritten; the package is imported from the byte code that was installed."""
    repository = Path(shutil.copytree(ROOT / "fixtures" / "minimal", tmp_path / "repository"))
    own = repository / "test_own.py"
    own.write_text(
        "import sys\n\n"
        "def test_own(plan):\n"
        "    assert {'infraspec.terraform.plan', 'infraspec.tests_static.test_rules'} <= set(sys.modules)\n"
        "    names = [name for name, module in sys.modules.items() if name.startswith('infraspec.')\n"
        "                 and type(module.__spec__.loader).__name__ == 'AssertionRewritingHook']\n"
        "    assert 'infraspec.tests_static.test_rules' in names\n"
        "    assert not [name for name in names if name.startswith(('infraspec.terraform.', 'infraspec.checks.'))]\n"
    )
    arguments = ("--pyargs", "infraspec.tests_static", "test_own.py", "-k", "names or own")
    result = run(python, repository, "pytest", "-p", "no:cacheprovider", *arguments)

    assert (result.returncode, result.stdout) == (0, result.stdout)


def test_the_live_suite_is_live_by_the_name_of_its_package(python: Path, tmp_path: Path) -> None:
    """`pytest --pyargs infraspec.tests_live` asks who it is before its first test, and nothing without credentials."""
    repository = Path(shutil.copytree(ROOT / "fixtures" / "minimal", tmp_path / "repository"))
    suite = ("pytest", "-p", "no:cacheprovider", "--pyargs", "infraspec.tests_live", "--infraspec-env", "dev")
    result = run(python, repository, *suite, environment=NO_CREDENTIALS)

    assert "CredentialsError: sts.get_caller_identity" in result.stderr
    assert result.returncode == 4


def test_the_live_suite_does_not_run_unguarded(python: Path, tmp_path: Path) -> None:
    """Where pytest comes upon the live suite in a package, and the run is no live one, the run ends."""
    repository = Path(shutil.copytree(ROOT / "fixtures" / "minimal", tmp_path / "repository"))
    result = run(python, repository, "pytest", "-p", "no:cacheprovider", "--pyargs", "infraspec")

    assert "add --infraspec-live" in result.stdout + result.stderr
    assert result.returncode == 2
    assert "conftest.py:" not in result.stdout


def test_no_infraspec(python: Path, tmp_path: Path) -> None:
    """`-p no:infraspec` leaves the plugin out, and `-p infraspec` loads it where no plugin is loaded by itself."""
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    command = ("pytest", "-p", "no:cacheprovider", "--infraspec-env", "dev")
    without = run(python, tmp_path, *command, "-p", "no:infraspec")
    alone = {**NO_CREDENTIALS, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    named = run(python, tmp_path, *command, "-p", "infraspec", environment=alone)

    assert "unrecognized arguments: --infraspec-env" in without.stderr
    assert "there is no contract" in named.stderr


def test_package_in_the_environment_is_that_of_the_wheel(python: Path, tmp_path: Path) -> None:
    """The environment does not see this checkout."""
    result = run(python, tmp_path, "infraspec", "--version")

    assert f"infraspec, version {__version__}" in result.stdout
    located = subprocess.run(
        [python, "-c", "import infraspec; print(infraspec.__file__)"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert str(ROOT) not in located.stdout
