"""One unknown character of an identifier that AWS completes, such as the six of a secret's ARN suffix."""

from __future__ import annotations

from infraspec.unknown import Text, Unknown, concatenate


class Character(Unknown):
    """Exactly one character that is not known yet: the `position`th of the part AWS appends to `address`.

    It is an Unknown to everything that does not know it, written `?` in messages, and equal to itself alone.
    """

    __slots__ = ("position",)

    def __init__(self, address: str, position: int) -> None:
        super().__init__(address)
        self.position = position

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Character) and (other.address, other.position) == (self.address, self.position)

    def __hash__(self) -> int:
        return hash((self.address, self.position))

    def __repr__(self) -> str:
        return f"<{self.address} character {self.position}>"

    def __str__(self) -> str:
        return "?"


def characters(address: str, count: int) -> str | Text:
    """Return `count` unknown characters that belong to `address`."""
    return concatenate(Character(address, position) for position in range(count))
