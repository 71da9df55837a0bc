"""Reading and writing files, and the parts of infraspec that need more installed, by the extra that brings it."""

from __future__ import annotations

import errno
import gc
import glob
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from infraspec import __version__
from infraspec.core.errors import LimitError, MissingExtraError
from infraspec.core.limits import MOST_FILE_BYTES


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and put it there at once; what was there stays if that fails. Raises OSError.

    What is no file, such as /dev/stdout, is written to as it is.
    """
    place = path.resolve()
    if place.exists() and not place.is_file():
        place.write_bytes(content)
        return
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    for left in place.parent.glob(f".{glob.escape(place.name)}.*.part"):
        pid = left.name.rsplit(".", 2)[1]
        if pid.isdigit() and not is_alive(int(pid)):  # a run was killed while it wrote
            left.unlink(missing_ok=True)
    try:
        part.write_bytes(content)
        if place.exists():
            part.chmod(stat.S_IMODE(place.stat().st_mode))
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Tell whether there is a process of a number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def repository_of(directory: Path) -> Path:
    """Return the root of the git work tree that a directory is in, else where the contract is, else the directory."""
    resolved = directory.resolve()
    for marker in (".git", "infraspec.toml"):
        for above in (resolved, *resolved.parents):
            if (above / marker).exists():
                return above
    return resolved


def is_in_repository(path: Path, within: Path) -> bool:
    """Tell whether a path that somebody has written leads to something in the repository that a directory is in."""
    found = os.path.realpath(path)
    is_there = os.path.exists(found)  # noqa: PTH110 - Path raises of a name that is too long
    return is_there and Path(found).is_relative_to(repository_of(within))


def read_regular(path: Path, shown: str = "", *, within: Path | None = None) -> bytes:
    """Return the content of a file of the repository that its directory, or another one, is in.

    Raises OSError, also for a pipe or a device, and for a path that leads out or into .git; LimitError if the file is
    too large.
    """
    with regular(path, within) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > MOST_FILE_BYTES:
            raise LimitError(
                "the file is too large",
                place=shown,
                expected=f"at most {MOST_FILE_BYTES:,} bytes",
                found=f"{size:,} bytes",
                remedy="make the file smaller",
            )
        return stream.read()


def regular(path: Path, within: Path | None = None) -> BinaryIO:
    """Open a file of the repository that its directory, or another one, is in. Raises OSError as `read_regular`."""
    really = Path(os.path.realpath(path))  # `resolve` fails of a link to itself
    if within is not None or str(really) != os.path.abspath(path):  # noqa: PTH100 - links are not followed
        repository = repository_of(within) if within else _repository_around(path)
        if not really.is_relative_to(repository):
            raise PermissionError(errno.EPERM, f"a path outside the repository {repository}")
        if ".git" in really.relative_to(repository).parts:
            raise PermissionError(errno.EPERM, "a path into .git, which is never read")
    if ".git" in path.parts and ".git" in really.relative_to(repository_of(path.parent)).parts:
        raise PermissionError(errno.EPERM, "a path into .git, which is never read")
    stream = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "no regular file")
    return stream


def _repository_around(path: Path) -> Path:
    """Return the repository that a path is written in, whatever the links on its way lead to."""
    written = Path(os.path.abspath(path))  # noqa: PTH100 - links are not followed
    for marker in (".git", "infraspec.toml"):
        for above in written.parents:
            if (above / marker).exists():
                return above.resolve()
    return written.parent.resolve()


def text_or_nothing(path: Path, within: Path) -> str:
    """Return the text of a file of a repository for who only looks round in it; nothing if it cannot be read."""
    try:
        return read_regular(path, within=within).decode("utf-8-sig", "replace")
    except (OSError, LimitError):
        return ""


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause the collector: among many small objects that live on, it costs a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def keep_to_the_end() -> None:
    """Tell the collector that all there is now stays until the process ends, so that it never looks at it again.

    A plan is a million objects, and pytest and the interpreter each collect twice when they end: half of the time of
    a run. What no longer is referred to is freed as before; only cycles that are garbage already stay. For the process
    of a run, that is, and not for a library.
    """
    gc.freeze()


_MODULES = {"live": "boto3", "sandbox": "moto", "rehearse": "awscli"}
_REPOSITORY = "https://github.com/infraspec/pytest-infraspec"
_FROM = f" @ git+{_REPOSITORY}@v{__version__}"
"""Where pip finds this version: RELEASING.md says what becomes of it with a release on an index."""
SCHEMA = f"{_REPOSITORY}/raw/v{__version__}/docs/infraspec.schema.json"
"""The schema of this version's contract, for editors."""


def requirement(extra: str = "") -> str:
    """Return what pip installs this version by, with an extra: `pytest-infraspec[live] @ git+https://…@v1.2.3`."""
    return f"pytest-infraspec{f'[{extra}]' if extra else ''}{_FROM}"


def installation(extra: str = "") -> str:
    """Return the command that installs this version, with an extra."""
    return f"pip install '{requirement(extra)}'"


def require(extra: str, what: str) -> None:
    """Raise MissingExtraError if what an extra such as `live` brings is not installed, and `what` needs it."""
    if find_spec(_MODULES[extra]) is None:
        raise MissingExtraError(
            f"{what} needs {_MODULES[extra]}, which is not installed",
            remedy=installation(extra),
        )
