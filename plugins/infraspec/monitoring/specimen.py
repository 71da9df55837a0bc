"""Stand-ins for what is not known, so that a pattern can be tried on an event.

The same unknown gets the same stand-in wherever it occurs, and different ones different ones, as in
`Unknown.__eq__`. A match is then a match for every value; a mismatch is certain only where nothing was unknown but the
characters that AWS appends to an ARN.
"""

from __future__ import annotations

import hashlib

from msgspec import Struct

from infraspec.character import Character
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.unknown import Text, Unknown, Value

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Specimens(Struct):
    """Makes text of values; `certain` turns False once a part was unknown that is more than one character."""

    attributes: AwsAttributes
    certain: bool = True

    def text(self, value: Value) -> str:
        """Return a value as text, with stand-ins for its unknown parts."""
        narrowed = self.attributes.narrow(value)
        if isinstance(narrowed, Text):
            return "".join(part if isinstance(part, str) else self._stand_in(part) for part in narrowed.parts)
        return self._stand_in(narrowed) if isinstance(narrowed, Unknown) else str(narrowed)

    def _stand_in(self, unknown: Unknown) -> str:
        if isinstance(unknown, Character):
            digest = hashlib.sha256(f"{unknown.address} {unknown.position}".encode()).digest()
            return _LETTERS[digest[0] % len(_LETTERS)]
        self.certain = False
        return "x" + hashlib.sha256(unknown.address.encode(errors="surrogatepass")).hexdigest()[:16]
