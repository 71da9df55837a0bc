"""Messages on their way: through an apprise URL, or to an SNS topic. No error shows a URL: it is a secret.

Source: Amazon SNS API Reference, "Publish": a subject has less than 100 ASCII characters in one line, a message at most
256 KiB.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from infraspec.core.extras import require
from infraspec.errors import DeliveryError
from infraspec.reporting.messages import Kind, Message

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
    from infraspec.reporting.narrow import narrow_client  # noqa: PLC0415 - likewise

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
