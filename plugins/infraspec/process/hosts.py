"""What a machine told of its tools, and of what it reaches."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class HostFacts(Struct, frozen=True):
    """The versions of tools, None for one that is not there or does not say it, and what was reached, by endpoint."""

    tools: Mapping[str, str | None] = field(default_factory=dict)
    reached: Mapping[str, bool] = field(default_factory=dict)
