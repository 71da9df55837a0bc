"""What a check says about one subject: a verdict with its evidence."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Verdict(Enum):
    """PROVEN: it holds. VIOLATED: it does not. UNDETERMINED: it cannot be told from what is known."""

    PROVEN = "proven"
    VIOLATED = "violated"
    UNDETERMINED = "undetermined"


class Location(Struct, frozen=True, order=True):
    """A line of a file; `line` counts from 1, 0 stands for the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Related(Struct, frozen=True):
    """Another place that takes part in a finding, such as the policy statement that came closest."""

    role: str
    """What the place is to the finding: "policy statement", "role"."""
    address: str
    location: Location | None = None


class Finding(Struct, frozen=True):
    """One verdict of one rule about one subject, with what shows it.

    `rule` is the rule's id, such as `secret-access`. `address` is a Terraform address, a file or an ARN; `subject`
    narrows it down (`container "app", secret "DB_PASSWORD"`). For a verdict other than PROVEN, `expected`, `found`
    and `reason` are filled, and `remedy` is the change that mends it (VIOLATED) or the cheapest way to know
    (UNDETERMINED), ready to paste. No field ever holds a sensitive value. With `advice` the verdict is PROVEN, and the
    same fields say what would be better. `rests_on` is what a proof takes into account, `unseen` what may have a say
    too and was not looked at.
    """

    rule: str
    verdict: Verdict
    address: str
    subject: str = ""
    location: Location | None = None
    expected: str = ""
    found: str = ""
    reason: str = ""
    remedy: str = ""
    related: tuple[Related, ...] = ()
    advice: bool = False
    rests_on: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What the finding is about, stable over runs and edits of lines."""
        return f"{self.address} {self.subject}".rstrip()

    def __str__(self) -> str:
        head = f"{'ADVICE' if self.advice else self.verdict.name} {self.rule}: {self.key}"
        lines = [f"{self.location}: {head}" if self.location else head]
        for label in ("expected", "found", "reason"):
            text = getattr(self, label)
            if text:
                lines.append(_labelled(label, text))
        for other in self.related:
            place = f" ({other.location})" if other.location else ""
            lines.append(_labelled(other.role, f"{other.address}{place}"))
        if self.remedy:
            label = "to know" if self.verdict is Verdict.UNDETERMINED else "fix"
            lines.append(_labelled(label, self.remedy))
        return "\n".join(lines)


def _labelled(label: str, text: str) -> str:
    first, *rest = text.splitlines()
    return "\n".join([f"    {label + ':':10} {first}", *(f"               {line}" if line else "" for line in rest)])
