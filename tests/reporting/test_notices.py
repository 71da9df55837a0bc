from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infraspec.contract.operations import NoticeLevel
from infraspec.core.errors import ReportError
from infraspec.core.finding import Verdict
from infraspec.reporting.notify.notices import (
    FILE_NAME,
    Memory,
    Notice,
    NoticeChange,
    Told,
    changes,
    digest,
    followed,
    masked,
    notices,
    remember,
    remembered,
    singles,
)
from infraspec.reporting.run.results import Results
from tests.reporting.history import BROKEN, MOVED, OTHER, QUEUE, at
from tests.reporting.results import WAIVER, entry

ALL: tuple[NoticeLevel, ...] = ("critical", "warning", "info")
NAMES = ("dev", "prod")
DENIED = entry(rule="secret-access")
BOTH = {"dev": ("names", "secret-access")}


def told(results: Results, before: tuple[Told, ...] = (), wanted: tuple[NoticeLevel, ...] = ALL) -> NoticeChange | None:
    """Return the one change that a channel is told of."""
    now = notices(results, {}, NAMES)
    return next(iter(changes(list(followed(before, results)), now, results, wanted)), None)


def after(*runs: Results) -> NoticeChange | None:
    """Return what a channel is told of the last of some runs."""
    known: tuple[Told, ...] = ()
    change = None
    for run in runs:
        change = told(run, known)
        known = change.open if change else tuple(followed(known, run))
    return change


def said(change: NoticeChange | None) -> tuple[list[str], list[str]]:
    """Return the addresses of what is new and of what has recovered."""
    assert change is not None
    return [one.told.address for one in change.raised], [one.address for one in change.recovered]


FIRST, SECOND = QUEUE.finding.address, OTHER.finding.address


def test_what_is_new_is_told_once() -> None:
    """As long as nothing changes, nothing is said."""
    assert ([FIRST], []) == said(after(at(1, QUEUE)))
    assert after(at(1, QUEUE), at(2, QUEUE)) is None
    assert ([SECOND], []) == said(after(at(1, QUEUE), at(2, QUEUE, OTHER)))


def test_what_recovers_is_told() -> None:
    """Also by a waiver: nobody has to act any more."""
    assert ([], [FIRST]) == said(after(at(1, QUEUE, OTHER), at(2, OTHER)))
    assert ([], [FIRST]) == said(after(at(1, QUEUE), at(2, entry(state="waived", waiver=WAIVER))))
    assert after(at(1, QUEUE), at(2), at(3)) is None


def test_what_was_not_looked_at_stays() -> None:
    """A run of another rule, environment or suite recovers nothing, and what it left out is not new afterwards."""
    for other in (at(2, ran={"dev": ("tags",)}), at(2, ran={"prod": ("names",)}), at(2, suite="live")):
        assert after(at(1, QUEUE), other) is None
        assert after(at(1, QUEUE), other, at(3, QUEUE)) is None


def test_moves_are_followed() -> None:
    """A resource that is moved is not new, also when the block is taken out later."""
    moved = entry(address=FIRST.replace("jobs", "work"))

    assert after(at(1, QUEUE), at(2, moved, moves=MOVED)) is None
    assert after(at(1, QUEUE), at(2, moved, moves=MOVED), at(3, moved)) is None
    assert ([moved.finding.address], [FIRST]) == said(after(at(1, QUEUE), at(2, moved)))


@pytest.mark.parametrize(
    ("results", "level"),
    [
        (at(1, QUEUE), "warning"),
        (at(1, entry(verdict=Verdict.UNDETERMINED)), "info"),
        (at(1, DENIED, ran=BOTH), "critical"),
        (at(1, entry(rule="secret-access", verdict=Verdict.UNDETERMINED), ran=BOTH), "warning"),
        (at(1, entry(rule="state-store"), ran={"dev": ("state-store",)}), "critical"),
        (at(1, entry(rule="drift"), ran={"dev": ("drift",)}), "warning"),
        (at(1, entry(rule="mine"), ran={"dev": ("mine",)}), "warning"),
        (at(1, problems=(BROKEN,)), "warning"),
    ],
)
def test_levels(results: Results, level: str) -> None:
    """A violation of a critical rule is critical, others warn; what is in doubt is one level lower."""
    assert [level] == [notice.told.level for notice in notices(results, {}, NAMES)]


def test_levels_of_the_contract() -> None:
    """They win, and hold for violations."""
    levels: dict[str, NoticeLevel] = {"names": "critical", "broken": "info"}
    found = notices(at(1, QUEUE, entry(verdict=Verdict.UNDETERMINED, address="b"), problems=(BROKEN,)), levels, NAMES)

    assert ["critical", "warning", "info"] == [notice.told.level for notice in found]


def test_channels_hear_their_levels() -> None:
    """A pager that is told of what is critical hears nothing else, and of nothing else that it recovered."""
    critical: tuple[NoticeLevel, ...] = ("critical",)

    assert told(at(1, QUEUE), (), critical) is None
    raised = told(at(1, QUEUE, DENIED, ran=BOTH), (), critical)
    assert ([FIRST], []) == said(raised)
    assert raised is not None
    assert ([], [FIRST]) == said(told(at(2, QUEUE, ran=BOTH), raised.open, critical))


def test_what_becomes_worse_is_told_again() -> None:
    """What was in doubt and is violated now; not the other way round."""
    doubt = entry(verdict=Verdict.UNDETERMINED)

    assert ([FIRST], []) == said(after(at(1, doubt), at(2, QUEUE)))
    assert after(at(1, QUEUE), at(2, doubt)) is None


def test_environments_that_the_contract_does_not_have() -> None:
    """A run in the sandbox tells nobody."""
    assert [] == notices(at(1, entry(environment="local"), ran={"local": ("names",)}), {}, NAMES)


def test_tests_without_a_verdict() -> None:
    """They recover with a whole run that has them no more."""
    assert (["test_names.py::test_names[dev]"], []) == said(after(at(1, problems=(BROKEN,))))
    assert after(at(1, problems=(BROKEN,)), at(2, complete=False)) is None
    assert ([], ["test_names.py::test_names[dev]"]) == said(after(at(1, problems=(BROKEN,)), at(2)))


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=6))
def test_a_channel_knows_what_is_open(runs: list[set[str]]) -> None:
    """Whatever happens, what was raised and has not recovered is exactly what the last run has found."""
    heard: set[str] = set()
    known: tuple[Told, ...] = ()
    for number, names in enumerate(runs, 1):
        change = told(at(number, *(entry(address=name) for name in sorted(names))), known)
        if change:
            heard = (heard - set(said(change)[1])) | set(said(change)[0])
            known = change.open
    assert heard == runs[-1]


def test_a_digest() -> None:
    """One message of all: the worst first, how many are open, and the text of each finding."""
    change = after(at(1, OTHER, ran=BOTH), at(2, QUEUE, DENIED, ran=BOTH))
    assert change is not None
    message = digest(change, "shop")

    assert ("critical", "shop dev: 2 new, 1 recovered; 2 open now") == (message.kind, message.title)
    assert message.body.startswith("CRITICAL dev\nmodules/jobs/main.tf:7: VIOLATED secret-access: ")
    assert "\n\nWARNING dev\n" in message.body
    assert message.body.endswith(f'RECOVERED dev names: {SECOND} attribute "name"')


def test_a_digest_of_recovery() -> None:
    """It resolves once nothing is open any more, and not before."""
    partly, wholly = after(at(1, QUEUE, OTHER), at(2, OTHER)), after(at(1, QUEUE), at(2))
    assert partly is not None
    assert wholly is not None

    assert ("warning", "recovered") == (digest(partly, "shop").kind, digest(wholly, "shop").kind)
    assert "shop dev: 1 recovered; nothing is open now" == digest(wholly, "shop").title
    assert digest(partly, "shop").dedup == digest(wholly, "shop").dedup


def test_one_message_for_each() -> None:
    """What raises and what resolves have one key, which no run is part of."""
    raised, recovered = after(at(1, QUEUE)), after(at(1, QUEUE), at(2))
    assert raised is not None
    assert recovered is not None
    (first,), (second,) = singles(raised, "shop"), singles(recovered, "shop")

    assert ("warning", "recovered") == (first.kind, second.kind)
    assert first.dedup == second.dedup
    assert f'WARNING shop dev names: {FIRST} attribute "name"' == first.title


def test_long_digests() -> None:
    """Ten findings are enough to know where to look."""
    many = tuple(entry(address=f"q{number}", reason="x" * 5000) for number in range(30))
    change = told(at(1, *many))
    assert change is not None

    assert "and 20 more" in digest(change, "shop").body
    assert len(digest(change, "shop").body) < 20_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key AKIAABCDEFGHIJKLMNOP in x", "key *** in x"),
        ("mailto://user:pass@example.com", "mailto://***@example.com"),
        ("failed: slack://T/x/y now", "failed: *** now"),
        ("nothing", "nothing"),
    ],
)
def test_secrets_are_masked(text: str, shown: str) -> None:
    """Keys, users of URLs, and the URLs of channels."""
    assert shown == masked(text, ["slack://T/x/y", ""])


def test_what_is_remembered(tmp_path: Path) -> None:
    """What was told comes back; a new store knows nothing."""
    known = tuple(notice.told for notice in notices(at(1, QUEUE, problems=(BROKEN,)), {}, NAMES))
    memory = Memory(1, {"chat": known, "mail": ()})

    assert Memory(1, {}) == remembered(tmp_path / "new")
    remember(memory, tmp_path / "new")
    assert memory == remembered(tmp_path / "new")


@pytest.mark.parametrize("content", [b"{", b'{"version": 2, "channels": {}}', b"\xff", b"[" * 100_000])
def test_a_memory_that_is_none(tmp_path: Path, content: bytes) -> None:
    """The error says what happens without it."""
    (tmp_path / FILE_NAME).write_bytes(content)

    with pytest.raises(ReportError, match="remove the file"):
        remembered(tmp_path)


def test_a_notice_of_two_findings_with_one_key() -> None:
    """Is one."""
    assert [Notice] == [type(one) for one in notices(replace(at(1, QUEUE, QUEUE)), {}, NAMES)]


@pytest.mark.parametrize(("count", "more"), [(10, []), (11, ["and 1 more"])])
def test_a_digest_names_ten(count: int, more: list[str]) -> None:
    """What is beyond ten is counted, of what is new and of what has recovered."""
    many = tuple(entry(address=f"q{number:02}") for number in range(count))
    raised, recovered = after(at(1, *many)), after(at(1, *many), at(2))
    assert raised is not None
    assert recovered is not None
    bodies = [digest(change, "shop").body for change in (raised, recovered)]

    assert more == [line for line in bodies[0].splitlines() if line.startswith("and ")]
    assert [f"{line} recovered" for line in more] == [
        line for line in bodies[1].splitlines() if line.startswith("and ")
    ]
