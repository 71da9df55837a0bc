"""Resources that need no tags: by type, or by an address pattern in which `*` is the only wildcard."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct


class Exemptions(Struct, frozen=True):
    """The entries of `tags.exempt`. A type holds no dot and an address does, so an entry may be either."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, entries: Iterable[str]) -> Exemptions:
        """Compile the entries."""
        patterns = [expression_of(entry) for entry in entries]
        return cls(re.compile("|".join(patterns), re.DOTALL) if patterns else None)

    def covers(self, type_: str, address: str) -> bool:
        """Tell whether an entry is the type or matches the address."""
        if self.pattern is None:
            return False
        return bool(self.pattern.fullmatch(type_) or self.pattern.fullmatch(address))


def expression_of(entry: str) -> str:
    """Return the regular expression of an entry."""
    return ".*".join(re.escape(piece) for piece in re.split(r"\*+", entry))
