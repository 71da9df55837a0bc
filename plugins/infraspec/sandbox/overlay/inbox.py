"""Where the sandbox delivers: nothing leaves this machine, whatever a subscription, a webhook or a queue says.

What AWS would send to a person or another system is kept in an inbox, in the order in which it was sent. The process
refuses every connection beyond loopback, and asks no name server, so that what is not known to send cannot either.
Sources: Amazon SNS API Reference, Publish and Subscribe (protocols); Python documentation, "Audit events table".
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Mapping
from functools import partialmethod
from ipaddress import ip_address
from typing import Any

from moto.sns import models

from infraspec.sandbox.overlay.subscriptions import is_pending

_OUTWARD = ("email", "email-json", "http", "https", "sms", "application")
_MOST = 1000
MESSAGES: deque[Mapping[str, str]] = deque(maxlen=_MOST)
"""The newest messages: topic, protocol, endpoint, subject and message of each."""


def install() -> None:
    """Deliver to the inbox from now on."""
    models.Subscription.publish = partialmethod(_deliver, models.Subscription.publish)


def stay_on_this_machine() -> None:
    """Refuse every connection of this process beyond loopback from now on; there is no way back."""
    sys.addaudithook(_refuse_outside)


def _deliver(subscription: Any, original: Callable[..., None], message: str, *arguments: Any, **named: Any) -> None:
    """Keep what goes to a person or another system; what goes to a queue or a function of the sandbox is delivered."""
    if subscription.protocol not in _OUTWARD:
        original(subscription, message, *arguments, **named)
        return
    if is_pending(subscription):
        return
    matcher = subscription._filter_policy_matcher
    if matcher is not None and not matcher.matches(named.get("message_attributes"), message):
        return
    MESSAGES.append(
        {
            "topic": subscription.topic.arn,
            "protocol": subscription.protocol,
            "endpoint": subscription.endpoint,
            "subject": named.get("subject") or "",
            "message": message,
        }
    )


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    match event, arguments:
        case ("socket.connect", (_, (host, *_))) | ("socket.sendto", (_, (host, *_))):
            pass
        case ("socket.getaddrinfo" | "socket.gethostbyname", (host, *_)):
            pass
        case _:
            return
    if not _is_here(host):
        raise ConnectionRefusedError(f"the sandbox reaches nothing beyond this machine: {host}")


def _is_here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ip_address(str(name).partition("%")[0]).is_loopback or str(name) in {"0.0.0.0", "::"}  # noqa: S104 - to listen
    except ValueError:
        return False
