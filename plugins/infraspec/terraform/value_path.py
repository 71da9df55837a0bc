"""Where a part stands in a value, as the errors of conversions say it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class ValuePath(Struct, frozen=True):
    """A path such as `["web"].ports[0]`; empty for the value itself.

    `hidden` says that the value may be a secret: the path then has no key of a map, and no error shows a value.
    """

    text: str = ""
    hidden: bool = False

    def __str__(self) -> str:
        return self.text

    def index(self, position: int) -> ValuePath:
        """Return the path of an element of a list, set or tuple."""
        return self._then(f"[{position}]")

    def key(self, key: str) -> ValuePath:
        """Return the path of an element of a map."""
        return self._then("[…]" if self.hidden else f'["{key}"]')

    def attribute(self, name: str) -> ValuePath:
        """Return the path of an attribute that the type of an object names."""
        return self._then(f".{name}")

    def hide(self) -> ValuePath:
        """Return the path of the same part, the value of which may be a secret."""
        return replace(self, hidden=True)

    def _then(self, step: str) -> ValuePath:
        return replace(self, text=self.text + step)
