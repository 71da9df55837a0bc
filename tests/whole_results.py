"""Hold each test to the whole text of what it was told, beside what it asserts of it.

Assertions say what matters in a test, which is a verdict or a line; what else a user reads would be free to change. So
a folder's conftest wraps the functions that its tests call, and compares what they return with what is kept in the
folder `results`, a file for each module and a section for each test. A test hands further text to `transcript` itself.
After an intended change:

    WRITE_RESULTS=1 python -m pytest tests/FOLDER -n 0

and the difference of the kept files, which git shows, is what users will see. Sections of tests that the run
left out are kept; with INFRASPEC_EDITS=all the run counts as whole, and those that no test has any more are dropped.
"""

from __future__ import annotations

import atexit
import difflib
import functools
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import msgspec
import pytest

from infraspec import __version__
from infraspec.core.unknown import Text, Unknown

WRITES = "WRITE_RESULTS" in os.environ
IS_WHOLE = os.environ.get("INFRASPEC_EDITS") == "all"
TEST, BLOCK = "=== test ", "--- text "
MOST = 100
Teller = Callable[[Any], Iterable[str]]
_ROOT = Path(__file__).parents[1]
_COUNTER = re.compile(r"\(#\d+\)")
_TEMPORARY = re.compile(r"/[^\s\"']*(pytest-of-[^/]+/pytest-\d+/(popen-gw\d+/)?[^/\s]+|/tmp[a-z0-9_]{8})/?")
_written: dict[Path, dict[str, list[str]]] = {}


class Transcript:
    """What a test was told; it can be called with more."""

    def __init__(self) -> None:
        self._given: list[Callable[[], Iterable[str]]] = []

    def __call__(self, blocks: Iterable[str] | Callable[[], Iterable[str]]) -> None:
        """Add to it, or what a function returns after the test."""
        self._given.append(blocks if callable(blocks) else lambda: blocks)

    @property
    def blocks(self) -> list[str]:
        """All of it; of very much a hash alone, since git would show no difference that anyone reads."""
        blocks = [_placeless(block) for given in self._given for block in given()]
        return blocks if len(blocks) <= MOST else [f"{len(blocks)} texts, {_id(''.join(blocks))}"]


def held(request: pytest.FixtureRequest) -> Iterator[Transcript]:
    """Compare what a test is told with what is kept, when it has passed."""
    transcript = Transcript()
    yield transcript
    blocks = transcript.blocks
    path = request.path.parent / "results" / f"{request.path.stem.removeprefix('test_')}.txt"
    name = request.node.nodeid.partition("::")[2].replace("\n", "\\n")
    if WRITES:
        _written.setdefault(path, {})[name] = blocks
        return
    kept = _kept(path).get(name, [])
    if blocks != kept:
        old, new = ("\n".join(texts).splitlines() for texts in (kept, blocks))
        lines = difflib.unified_diff(old, new, "kept", "told", lineterm="", n=2)
        pytest.fail(f"{path.name} has something else of this test; {__doc__}\n" + "\n".join(lines), pytrace=False)


def overhear(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    transcript: Transcript,
    package: str = "",
    tell: Teller = list,
) -> None:
    """Keep the text of each error that a test expects, and what functions of a package return to it.

    Property tests are left out, since their examples are random.
    """
    if getattr(request.function, "is_hypothesis_test", False):
        return
    real = pytest.raises

    @contextmanager
    def raises(*expected: Any, **options: Any) -> Iterator[Any]:
        with real(*expected, **options) as caught:
            yield caught
        transcript([f"{caught.type.__name__}: {caught.value}"])

    monkeypatch.setattr(pytest, "raises", lambda *given, **more: (real if len(given) > 1 else raises)(*given, **more))
    if not package:
        return
    for module, attribute, function in _functions(request.module, package, len(sys.modules)):
        monkeypatch.setattr(module, attribute, _recorded(function, tell, transcript))


@functools.cache
def _functions(module: ModuleType, package: str, _loaded: int) -> list[tuple[ModuleType, str, FunctionType]]:
    """Return the functions of a package that a module of tests, or a helper of tests, has under a name of its own."""
    helpers = [other for name, other in sys.modules.items() if name.startswith("tests.") and other is not module]
    return [
        (one, attribute, value)
        for one in (module, *helpers)
        for attribute, value in vars(one).items()
        if isinstance(value, FunctionType) and value.__module__.startswith(package)
    ]


def _recorded(function: FunctionType, tell: Teller, transcript: Transcript) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        returned = function(*arguments, **options)
        transcript(lambda: tell(returned))
        return returned

    return call


def described(value: Any) -> str:
    """Describe a value without the name of its class: enums by name, sets in order, fields that are no default."""
    match value:
        case Enum():
            said = value.name
        case Mapping():
            said = "{" + ", ".join(f"{described(key)}: {described(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            said = "[" + ", ".join(map(described, value)) + "]"
        case set() | frozenset():
            said = "{" + ", ".join(sorted(map(described, value))) + "}"
        case msgspec.Struct():
            said = "(" + ", ".join(_fields(value)) + ")"
        case None | bool() | int() | float() | str() | datetime() | timedelta() | Unknown() | Text() | Exception():
            said = str(value)
        case _:
            said = f"a {type(value).__name__}"
    return said


def _fields(value: msgspec.Struct) -> Iterator[str]:
    names, defaults = value.__struct_fields__, value.__struct_defaults__
    optional = dict(zip(reversed(names), reversed(defaults), strict=False))
    for name in names:
        item = getattr(value, name)
        if name not in optional or item != optional[name]:
            yield f"{name}={described(item)}"


def _placeless(text: str) -> str:
    """Leave out where the checkout and the temporary directory of a test are, which version this is, and counters."""
    text = (
        _TEMPORARY.sub("", text)
        .replace(f"{_ROOT}/", "")
        .replace(f"{Path.home()}/", "~/")
        .replace(f"infraspec {__version__}", "infraspec VERSION")
    )
    return _COUNTER.sub("(#N)", text)


def _id(block: str) -> str:
    return hashlib.sha256(block.encode()).hexdigest()[:10]


@atexit.register
def _write() -> None:
    for path, run in _written.items():
        told = run if IS_WHOLE else {**_kept(path), **run}
        path.unlink(missing_ok=True)
        named = sorted((name, blocks) for name, blocks in told.items() if blocks)
        tests = "".join(f"{TEST}{name}\n{' '.join(map(_id, blocks))}\n" for name, blocks in named)
        texts = sorted({block for _, blocks in named for block in blocks})
        if named:
            path.parent.mkdir(exist_ok=True)
            path.write_text(tests + "".join(f"{BLOCK}{_id(text)}\n{text}\n" for text in texts), "utf-8")


@functools.cache
def _kept(path: Path) -> dict[str, list[str]]:
    if not path.exists():
        return {}
    tests, *blocks = path.read_text("utf-8").removesuffix("\n").split(f"\n{BLOCK}")
    texts = dict(block.split("\n", 1) for block in blocks)
    named = (test.split("\n", 1) for test in tests.removeprefix(TEST).split(f"\n{TEST}"))
    return {name: [texts[id_] for id_ in ids.split()] for name, ids in named}
