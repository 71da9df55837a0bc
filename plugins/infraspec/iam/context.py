"""What is known of the context of a request: the values of condition keys, and which keys are absent.

Source: IAM User Guide, "AWS global condition context keys" and "Single-valued vs. multivalued context keys". Key names
are compared without regard to letter case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from infraspec.iam.answer import Answer
from infraspec.unknown import ConditionKey, Text, Unknown, Value, render


class Entry(Struct, frozen=True):
    """What is known of one key: whether it is in the request, and its values, each known, partly known or Unknown.

    A key that may be absent has one Unknown for a value, named `context key NAME`. One without any value is the empty
    list of a multivalued key.
    """

    present: Answer
    values: tuple[Value, ...] = ()


ABSENT = Entry(Answer.NO)


class Context(Struct, frozen=True, eq=False):
    """The condition keys of a request, to be made with Context.of.

    A key that is not told is unknown: the request may or may not have it, with any value. Where the context is
    `complete`, it is absent.
    """

    complete: bool = False
    _entries: dict[str, Entry] = field(default_factory=dict)
    _asked: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def of(
        cls, values: Mapping[str, Value] | None = None, *, absent: Iterable[str] = (), complete: bool = False
    ) -> Context:
        """Make a context of the keys a request has, and those it has not.

        A value is text, a number, true or false, or a list of these; one that is known to be there but not what it is
        is an Unknown, or Text that holds one. None says the same as `absent`. An Entry is taken as it is: it can say of
        a key that may be absent what its values are if it is not.

        >>> context = Context.of({"aws:SecureTransport": True, "aws:PrincipalAccount": "111122223333"})
        """
        entries = {key.lower(): _entry(value) for key, value in (values or {}).items()}
        return cls(complete, entries | {key.lower(): ABSENT for key in absent})

    def get(self, key: str) -> Entry:
        """Return what is known of a key."""
        entry = self._asked.get(key)
        if entry is None:
            entry = self._asked[key] = self._entries.get(key.lower()) or self._untold(key)
        return entry

    def _untold(self, key: str) -> Entry:
        return (
            ABSENT
            if self.complete
            else Entry(Answer.MAYBE, (Unknown(f"context key {key.lower()}", ConditionKey(key)),))
        )

    def updated(self, values: Mapping[str, Value]) -> Context:
        """Return the context with more keys, or other values of them."""
        return Context(self.complete, self._entries | {key.lower(): _entry(value) for key, value in values.items()})


def _entry(value: Value) -> Entry:
    if isinstance(value, Entry):
        return value
    if value is None:
        return ABSENT
    if isinstance(value, list | tuple):
        return Entry(Answer.YES, tuple(map(_scalar, value)))
    return Entry(Answer.YES, (_scalar(value),))


def _scalar(value: Value) -> Value:
    return value if isinstance(value, str | Text | Unknown) else render(value)
