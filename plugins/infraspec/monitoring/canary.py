"""What became of a test message that was published to a topic, and what is on its way."""

from __future__ import annotations

from msgspec import Struct

from infraspec.monitoring.live_subscription import LiveSubscription


class CanaryFacts(Struct, frozen=True):
    """The way of one message: `topic` and `queue` are ARNs, `subscription` is that of the queue, None if it has none.

    `seconds` is how long it took; None if it was not published, or did not arrive in time. `policy` is the queue's as
    JSON, empty if it has none, `key` the KMS key that it is encrypted with.
    """

    topic: str
    queue: str
    is_topic: bool = True
    is_queue: bool = True
    subscription: LiveSubscription | None = None
    policy: str = ""
    key: str = ""
    published: bool = False
    seconds: float | None = None
