"""What has changed since a channel was told last: findings that are new, and those that have recovered.

A finding is told by suite, environment, rule, address and subject; moves are followed. What a run did not look at is as
it was told. `Told` is what is remembered of a channel, in a file beside the stored results.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infraspec.contract.baseline import moved
from infraspec.contract.operations import NoticeLevel
from infraspec.core.errors import DeliveryError, ReportError
from infraspec.core.finding import Verdict
from infraspec.core.rules import rule_of
from infraspec.core.runtime import installation, require, write_whole
from infraspec.core.visible_text import Visible
from infraspec.reporting.language import say, say_finding
from infraspec.reporting.run.recorder import REPOSITORY
from infraspec.reporting.run.results import Entry, Results, find

BROKEN = "broken"
"""What stands in place of a rule for a test without a verdict."""

_ORDER: tuple[NoticeLevel, ...] = ("critical", "warning", "info")
_LOWER: Mapping[NoticeLevel, NoticeLevel] = {"critical": "warning", "warning": "info", "info": "info"}


class Told(Struct, frozen=True):
    """What a channel was told is wrong."""

    suite: Literal["static", "live"]
    environment: str
    rule: str
    address: str
    subject: str
    level: NoticeLevel

    @property
    def identity(self) -> tuple[str, str, str, str, str]:
        """What it is about, whatever its level."""
        return self.suite, self.environment, self.rule, self.address, self.subject

    def __str__(self) -> str:
        return f"{self.environment} {self.rule}: {self.address} {self.subject}".rstrip()


class Notice(Struct, frozen=True):
    """Something that is wrong now, and what is said of it."""

    told: Told
    text: str


class NoticeChange(Struct, frozen=True):
    """What is new and what has recovered in an environment, for one channel; `open` is all that it then knows of."""

    environment: str
    raised: tuple[Notice, ...]
    recovered: tuple[Told, ...]
    open: tuple[Told, ...]


def notices(results: Results, levels: Mapping[str, NoticeLevel], environments: Collection[str]) -> list[Notice]:
    """Return what is wrong in the environments of the contract, each once; what is waived or known is not."""
    suite, names = results.run.suite, {*environments, REPOSITORY}
    found = [
        Notice(_of_entry(entry, suite, levels), str(entry.finding))
        for entry in find(results.findings, "failing", "warning")
    ]
    for problem in results.problems:
        test = problem.test or "the run"
        told = Told(suite, problem.environment, BROKEN, test, "", levels.get(BROKEN, "warning"))
        found.append(Notice(told, f"no verdict: {test}: {problem.error}\n{problem.message}".rstrip()))
    first: dict[tuple[str, ...], Notice] = {}
    for notice in found:
        if notice.told.environment in names:
            first.setdefault(notice.told.identity, notice)
    return list(first.values())


def _of_entry(entry: Entry, suite: Literal["static", "live"], levels: Mapping[str, NoticeLevel]) -> Told:
    finding = entry.finding
    level = levels.get(finding.rule) or ("critical" if rule_of(finding.rule).is_critical else "warning")
    if finding.verdict is Verdict.UNDETERMINED:
        level = _LOWER[level]
    return Told(suite, entry.environment, finding.rule, finding.address, finding.subject, level)


def changes(
    before: Sequence[Told], now: Sequence[Notice], results: Results, wanted: Collection[NoticeLevel]
) -> Iterator[NoticeChange]:
    """Return the change of each environment that a channel, which wants some levels, has to be told of.

    `before` is what it knows, by the addresses of this run.
    """
    known = {told.identity: told for told in before}
    chosen = {notice.told.identity: notice for notice in now if notice.told.level in wanted}
    kept = {key: told for key, told in known.items() if key not in chosen and not _is_looked_at(told, results)}
    names = dict.fromkeys(told.environment for told in (*known.values(), *(one.told for one in chosen.values())))
    for name in names:
        raised = [
            one for key, one in chosen.items() if one.told.environment == name and _is_worse(one.told, known.get(key))
        ]
        recovered = [
            told for key, told in known.items() if told.environment == name and key not in chosen and key not in kept
        ]
        still = [told for told in (*kept.values(), *(one.told for one in chosen.values())) if told.environment == name]
        if raised or recovered:
            yield NoticeChange(name, tuple(raised), tuple(recovered), tuple(still))


def followed(before: Sequence[Told], results: Results) -> Iterator[Told]:
    """Return what was told, by the addresses that a run's moves give it."""
    for told in before:
        moves = [(move.before, move.after) for move in results.moves if move.environment == told.environment]
        yield replace(told, address=moved(told.address, moves))


def _is_looked_at(told: Told, results: Results) -> bool:
    """Tell whether a run would have found it again, were it still there."""
    if told.suite != results.run.suite:
        return False
    if told.rule == BROKEN:
        return results.run.complete
    return (told.environment, told.rule) in results.ran()


def _is_worse(now: Told, before: Told | None) -> bool:
    return before is None or _ORDER.index(now.level) < _ORDER.index(before.level)


def dedup_key(*parts: str) -> str:
    """Return the key by which a pager knows that two messages are about one thing; the run is no part of it."""
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


FILE_NAME = "notified.json"


class Memory(Struct, frozen=True):
    """What channels know, by name."""

    version: Literal[1]
    channels: dict[str, tuple[Told, ...]]


def remembered(directory: Path) -> Memory:
    """Return what is remembered; nothing in a new store. Raises ReportError for a file that is none."""
    path = directory / FILE_NAME
    with _usable(path):
        try:
            return msgspec.json.decode(path.read_bytes(), type=Memory)
        except FileNotFoundError:
            return Memory(1, {})


def remember(memory: Memory, directory: Path) -> None:
    """Write what channels know. Raises ReportError."""
    path = directory / FILE_NAME
    with _usable(path):
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.format(msgspec.json.encode(memory), indent=1) + b"\n")


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ReportError(
            "the record of what was sent cannot be read or written",
            place=str(path),
            expected="a file that infraspec report notify has written, in a folder that the user may write to",
            found=(error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error),
            remedy="remove the file: every open finding is then sent again",
        ) from None


Kind: TypeAlias = NoticeLevel | Literal["recovered"]

_MOST = 10
_LONGEST = 1500
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_USER = re.compile(r"(?<=://)[^/\s@]+@")


class Message(Visible, frozen=True):
    """A message; those with one `dedup` are about one thing, which is over once `kind` is recovered."""

    kind: Kind
    title: str
    body: str
    dedup: str


def digest(change: NoticeChange, application: str) -> Message:
    """Return one message of all that has changed in an environment; recovered if nothing is open any more."""
    raised, recovered = len(change.raised), len(change.recovered)
    parts = [
        *([say("{number} new", number=raised)] if raised else ()),
        *([say("{number} recovered", number=recovered)] if recovered else ()),
    ]
    still = say("{number} open now", number=len(change.open)) if change.open else say("nothing is open now")
    texts = [_shown(notice) for notice in _by_level(change.raised)[:_MOST]]
    if raised > _MOST:
        texts.append(say("and {number} more", number=raised - _MOST))
    texts += [f"{say('RECOVERED')} {told}" for told in change.recovered[:_MOST]]
    if recovered > _MOST:
        texts.append(say("and {number} more recovered", number=recovered - _MOST))
    levels = [told.level for told in ([one.told for one in change.raised] or change.open)]
    return Message(
        min(levels, key=_ORDER.index) if levels else "recovered",
        f"{application} {change.environment}: {', '.join(parts)}; {still}",
        "\n\n".join(texts),
        dedup_key(application, change.environment, "digest"),
    )


def singles(change: NoticeChange, application: str) -> Iterator[Message]:
    """Return a message for each finding that is new, and for each that has recovered."""
    for notice in _by_level(change.raised):
        told = notice.told
        yield Message(told.level, f"{_level(told)} {application} {told}", _shown(notice), _key(application, told))
    for told in change.recovered:
        yield Message(
            "recovered",
            f"{say('RECOVERED')} {application} {told}",
            f"{say('RECOVERED')} {told}",
            _key(application, told),
        )


def _key(application: str, told: Told) -> str:
    return dedup_key(application, *told.identity)


def _by_level(raised: Collection[Notice]) -> list[Notice]:
    return sorted(raised, key=lambda notice: _ORDER.index(notice.told.level))


def _level(told: Told) -> str:
    levels = {"critical": say("CRITICAL"), "warning": say("WARNING"), "info": say("INFO")}
    return levels[told.level]


def _shown(notice: Notice) -> str:
    text = f"{_level(notice.told)} {notice.told.environment}\n{say_finding(notice.text)}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def masked(text: str, secrets: Collection[str] = ()) -> str:
    """Return a text without access keys, users of URLs, and what is given as secret.

    Findings hold no secrets; this is for what a remedy quotes from a file, and for what a library says of a URL.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return _USER.sub("***@", _ACCESS_KEY.sub("***", text))


_TYPES: Mapping[Kind, str] = {"critical": "failure", "warning": "warning", "info": "info", "recovered": "success"}
_SUBJECT = 99
_BODY = 200_000


def send_by_url(url: str, message: Message, variable: str) -> None:
    """Send a message through apprise. Raises DeliveryError, which names the variable of the URL and not the URL."""
    try:
        import apprise  # noqa: PLC0415 - only what is asked for is loaded
    except ImportError:
        raise DeliveryError(
            "apprise is not installed",
            place=f"${variable}",
            remedy=installation("notify"),
        ) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    channel = apprise.Apprise(asset=apprise.AppriseAsset(app_id="infraspec", async_mode=False))
    place = f"${variable}"
    try:
        is_known = channel.add(_with_dedup(url, message.dedup))
        is_sent = is_known and channel.notify(
            body=message.body,
            title=message.title,
            notify_type=_TYPES[message.kind],
            body_format=apprise.NotifyFormat.TEXT,
        )
    except Exception as error:  # noqa: BLE001 - a channel must not stop the others, whatever its library raises
        raise DeliveryError("the message was not sent", place=place, found=type(error).__name__) from None
    if not is_known:
        raise DeliveryError(
            "this is no URL that apprise knows",
            place=place,
            expected="a URL such as slack://…, mailto://…, pagerduty://… or jsons://…",
            remedy="https://github.com/caronc/apprise/wiki has all kinds",
        )
    if not is_sent:
        raise DeliveryError(
            "the message was not sent", place=place, remedy="check the URL, and whether it can be reached"
        )


def _with_dedup(url: str, dedup: str) -> str:
    """Return a pager's URL with the key by which it raises once and resolves; another's as it is."""
    if not url.startswith("pagerduty://") or "dedup=" in url:
        return url
    action = "" if "action=" in url else "action=map&"
    return f"{url}{'&' if '?' in url else '?'}{action}dedup={dedup}"


def topic_policy(topic: str) -> dict[str, Any]:
    """Return what the session that publishes may do: to publish to the topic."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}]}


def send_by_topic(topic: str, role: str | None, message: Message) -> None:
    """Publish a message to a topic, by a session that may do nothing else. Raises DeliveryError or errors of AWS."""
    require("live", "publishing to a topic")
    from infraspec.aws.failures import failures  # noqa: PLC0415 - boto3 is loaded only to publish
    from infraspec.reporting.notify.metrics import narrow_client  # noqa: PLC0415 - likewise

    region = topic.split(":")[3]
    client = narrow_client("sns", "Publish", region, role, topic_policy(topic))
    attributes = {"kind": message.kind, "dedup_key": message.dedup}
    with failures("sns", "publish", region):
        client.publish(
            TopicArn=topic,
            Subject=subject(message.title),
            Message=f"{message.title}\n\n{message.body}"[:_BODY],
            MessageAttributes={key: {"DataType": "String", "StringValue": text} for key, text in attributes.items()},
        )


def subject(title: str) -> str:
    """Return a title as SNS takes a subject: one line of printable ASCII."""
    plain = "".join(letter if " " <= letter <= "~" else "?" for letter in " ".join(title.split()))
    return plain if len(plain) <= _SUBJECT else f"{plain[: _SUBJECT - 3]}..."
