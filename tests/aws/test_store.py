"""What one process of a run has asked, the others read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.aws.snapshot import AnswerStore
from infraspec.core.errors import CredentialsError, InfraspecError, ResourceRefusalError, RunnerPermissionError

TIMES = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - of the strategy
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | TIMES
ANSWERS = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


class Counter:
    """A question that counts how often it is asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.count = 0

    def __call__(self) -> Any:
        """Return the answer."""
        self.count += 1
        return self.answer


@given(answer=ANSWERS)
def test_answers_are_read_as_they_were_asked(answer: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another process reads what was answered, times as aware datetimes in UTC; it does not ask."""
    directory = tmp_path_factory.mktemp("store")
    asked = Counter(answer)

    found = [AnswerStore(directory).answer("ecs.describe_services", "key", asked) for _ in range(3)]

    assert [answer] * 3 == found
    assert 1 == asked.count


@pytest.mark.parametrize(
    "error",
    [
        RunnerPermissionError("no", place="ecs", remedy="{\n}"),
        ResourceRefusalError("no", found="x"),
        CredentialsError("expired", found="x"),
    ],
)
def test_errors_are_shared(error: InfraspecError, tmp_path: Path) -> None:
    """What was denied to one process is not asked by another."""
    asked = Counter(error)
    found = [AnswerStore(tmp_path).answer("ecs.list", "key", asked) for _ in range(2)]

    assert 1 == asked.count
    assert type(error) is type(found[1])
    assert str(error) == str(found[1])


def test_other_question(tmp_path: Path) -> None:
    """Another key is another question."""
    assert [1, 2] == [
        AnswerStore(tmp_path).answer("ecs.list", key, Counter(value)) for key, value in (("a", 1), ("b", 2))
    ]


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written, each process asks for itself, and nothing half-written is left."""

    def full(path: Path, _content: bytes) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    asked = Counter({"services": []})
    found = [AnswerStore(tmp_path).answer("ecs.list", "key", asked) for _ in range(2)]

    assert [asked.answer] * 2 == found
    assert 2 == asked.count
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]
