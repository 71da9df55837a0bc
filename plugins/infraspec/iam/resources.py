"""The resources that a statement lists, ready to be asked: most are names, and found without looking at the others."""

from __future__ import annotations

from infraspec.iam.answer import Answer, both
from infraspec.iam.context import Context
from infraspec.iam.matching import match
from infraspec.iam.pattern import Pattern, Subject
from infraspec.iam.variables import Template

_COLONS = 5


class Resources:
    """The entries of a Resource or NotResource.

    Those without a wildcard, or with question marks at the end only, are indexed by their text before these; a request
    is compared with what is found there and with the others.
    """

    __slots__ = ("_asked", "_endings", "_named", "_others", "entries", "everywhere")

    def __init__(self, entries: tuple[Pattern | Template, ...]) -> None:
        self.entries = entries
        self.everywhere = any(isinstance(entry, Pattern) and entry.known == "*" for entry in entries)
        """Whether every resource is listed."""
        self._named: dict[str, list[tuple[Pattern, str | None]]] = {}
        self._others: list[Pattern | Template] = []
        endings: set[int] = set()
        for entry in entries:
            text = entry.known if isinstance(entry, Pattern) else None
            name = "*" if text is None else text.rstrip("?")
            if isinstance(entry, Template) or text is None or "*" in name or "?" in name or entry.incomplete:
                self._others.append(entry)
            else:
                length = len(text) - len(name)
                endings.add(length)
                self._named.setdefault(name.lower(), []).append((entry, _tail(name, length)))
        self._endings = tuple(endings)
        self._asked: dict[Subject, Answer] = {}

    def include(self, subject: Subject, context: Context, *, without_value: Answer) -> Answer:
        """Tell whether a resource is listed.

        `without_value` is the answer where a policy variable has no value: AWS documents it for Resource alone.
        """
        if self.everywhere:
            return Answer.YES
        best = Answer.NO
        certain = subject.known or not subject.has_open
        for length in self._endings:
            name = subject.code[:-length] if length else subject.code
            for pattern, tail in self._named.get(name.lower(), ()):
                if certain and tail is not None and name.endswith(tail):
                    return Answer.YES
                best = max(best, match(pattern, subject))
                if best is Answer.YES:
                    return best
        if subject.known:
            return self._compared(self._others, subject, context, without_value) if self._others else best
        answer = self._asked.get(subject)
        if answer is None:
            answer = self._compared(self.entries, subject, context, without_value)
            if not any(isinstance(entry, Template) for entry in self._others):
                self._asked[subject] = answer
        return answer

    @staticmethod
    def _compared(
        entries: list[Pattern | Template] | tuple[Pattern | Template, ...],
        subject: Subject,
        context: Context,
        without_value: Answer,
    ) -> Answer:
        best = Answer.NO
        for entry in entries:
            if isinstance(entry, Template):
                filled, certain = entry.filled(context)
                found = without_value if certain is Answer.NO else both(certain, match(filled, subject))
            elif entry.rejects(subject):
                continue
            else:
                found = match(entry, subject)
            if found is Answer.YES:
                return found
            best = max(best, found)
        return best


def _tail(name: str, length: int) -> str | None:
    """Return the last field of an ARN, whose letter case counts, before question marks of a length.

    None where that is not all there is to compare: too few fields, or a wildcard in the resource type.
    """
    fields = name.split(":", _COLONS)
    if len(fields) <= _COLONS or (length and ":" not in fields[-1] and "/" not in fields[-1]):
        return None
    return fields[-1]
