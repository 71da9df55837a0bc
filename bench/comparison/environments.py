"""The virtual environments under .bench/: one for each tool, with byte code, so that start-up is what users see."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.comparison.process import environment

CHECKOUT = Path(__file__).resolve().parents[2]
BENCH = CHECKOUT / "bench"
HOME = CHECKOUT / ".bench"

PEERS: Mapping[str, tuple[str, ...]] = {
    "c7n-left": ("c7n-left==0.3.39",),
    "checkov": ("checkov==3.3.30",),
    "tfparse": ("tfparse==0.6.22",),
    # Asks for Python 3.14; what counts is the Go library, and its ctypes wrapper runs on older releases too.
    "opa": ("--ignore-requires-python", "opa-golib-python-bindings==0.4.4"),
}


class InstallError(Exception):
    """A tool cannot be installed; the message has the last of pip's output."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment."""

    path: Path

    @property
    def python(self) -> str:
        """The interpreter."""
        return str(self.path / "bin" / "python")

    def script(self, name: str) -> str:
        """Return the path of an installed command."""
        return str(self.path / "bin" / name)


def install_peer(name: str, report: Callable[[str], None]) -> Environment:
    """Install a peer unless it is there. Raises InstallError."""
    return _install(name, PEERS[name], " ".join(PEERS[name]), report)


def install_infraspec(report: Callable[[str], None]) -> Environment:
    """Install the wheel of this checkout as a user would. Raises InstallError."""
    # pytest looks upwards from the suite for its configuration, and must not find the checkout's: it would load the
    # package from there.
    HOME.mkdir(exist_ok=True)
    (HOME / "pytest.ini").write_text("[pytest]\n", "utf-8")
    with tempfile.TemporaryDirectory() as wheels:
        report("building the wheel")
        _pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", wheels, str(CHECKOUT))
        (wheel,) = Path(wheels).glob("*.whl")
        return _install("infraspec", ("--force-reinstall", f"{wheel}[allure]"), _digest(), report)


def clean_up() -> None:
    """Remove what a run has made, but the environments of the tools."""
    for name in ("trees", "allure"):
        shutil.rmtree(HOME / name, ignore_errors=True)
    for name in ("pytest.ini", "results.json"):
        (HOME / name).unlink(missing_ok=True)


def _digest() -> str:
    """Return what the wheel is made of, shortened."""
    files = [CHECKOUT / "pyproject.toml", CHECKOUT / "README.md"]
    for folder in ("plugins", "tests_static"):
        files += (path for path in (CHECKOUT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    content = hashlib.sha256()
    for path in sorted(files):
        content.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:12]


def _install(name: str, requirements: Sequence[str], wanted: str, report: Callable[[str], None]) -> Environment:
    made = Environment(HOME / name)
    marker = made.path / "installed.txt"
    if marker.is_file() and marker.read_text("utf-8") == wanted:
        return made
    report(f"installing {name}")
    try:
        _call(sys.executable, "-m", "venv", str(made.path))
        _pip(made.python, "install", *requirements)
    except InstallError:
        shutil.rmtree(made.path, ignore_errors=True)
        raise
    # Not every installer writes byte code, and without it a tool starts in twice the time. Some packages ship
    # files that are templates or of another Python, so what does not compile is left as it is.
    library = made.path / "lib"
    subprocess.run(
        [made.python, "-m", "compileall", "-q", str(library)], env=environment(), capture_output=True, check=False
    )
    marker.write_text(wanted, "utf-8")
    return made


def _pip(python: str, *arguments: str) -> None:
    _call(python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def _call(*command: str) -> None:
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise InstallError(" ".join(said) or f"exit {done.returncode}")
