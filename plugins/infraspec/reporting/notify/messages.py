"""Changes as messages for people: one for all of an environment, or one for each finding."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from infraspec.contract.telling import NoticeLevel
from infraspec.core.extras import require
from infraspec.errors import DeliveryError
from infraspec.reporting.notify.notices import Change, Notice, Told, dedup_key

Kind: TypeAlias = NoticeLevel | Literal["recovered"]

_MOST = 10
_LONGEST = 1500
_ORDER: tuple[NoticeLevel, ...] = ("critical", "warning", "info")
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_USER = re.compile(r"(?<=://)[^/\s@]+@")


class Message(Struct, frozen=True):
    """A message; those with one `dedup` are about one thing, which is over once `kind` is recovered."""

    kind: Kind
    title: str
    body: str
    dedup: str


def digest(change: Change, application: str) -> Message:
    """Return one message of all that has changed in an environment; recovered if nothing is open any more."""
    parts = [
        f"{number} {word}"
        for number, word in ((len(change.raised), "new"), (len(change.recovered), "recovered"))
        if number
    ]
    still = f"{len(change.open)} open now" if change.open else "nothing is open now"
    texts = [_shown(notice) for notice in _by_level(change.raised)[:_MOST]]
    if len(change.raised) > _MOST:
        texts.append(f"and {len(change.raised) - _MOST} more")
    texts += [f"RECOVERED {told}" for told in change.recovered[:_MOST]]
    if len(change.recovered) > _MOST:
        texts.append(f"and {len(change.recovered) - _MOST} more recovered")
    kind = (
        _worst(one.told for one in change.raised)
        if change.raised
        else (_worst(change.open) if change.open else "recovered")
    )
    return Message(
        kind,
        f"{application} {change.environment}: {', '.join(parts)}; {still}",
        "\n\n".join(texts),
        dedup_key(application, change.environment, "digest"),
    )


def singles(change: Change, application: str) -> Iterator[Message]:
    """Return a message for each finding that is new, and for each that has recovered."""
    for notice in _by_level(change.raised):
        told = notice.told
        yield Message(told.level, f"{told.level.upper()} {application} {told}", _shown(notice), _key(application, told))
    for told in change.recovered:
        yield Message("recovered", f"RECOVERED {application} {told}", f"RECOVERED {told}", _key(application, told))


def _key(application: str, told: Told) -> str:
    return dedup_key(application, *told.identity)


def _by_level(raised: Collection[Notice]) -> list[Notice]:
    return sorted(raised, key=lambda notice: _ORDER.index(notice.told.level))


def _worst(found: Iterator[Told] | Collection[Told]) -> NoticeLevel:
    return min((told.level for told in found), key=_ORDER.index)


def _shown(notice: Notice) -> str:
    text = f"{notice.told.level.upper()} {notice.told.environment}\n{notice.text}"
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
            remedy="pip install 'pytest-infraspec[notify]'",
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
    from infraspec.reporting.notify.single_action_client import narrow_client  # noqa: PLC0415 - likewise

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
