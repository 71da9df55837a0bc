"""What a check says about one subject: a verdict with its evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import Enum
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from infraspec.core.errors import listing
from infraspec.core.visible_text import Visible, visible_line


class Verdict(Enum):
    """PROVEN: it holds. VIOLATED: it does not. UNDETERMINED: it cannot be decided from what is known."""

    PROVEN = "proven"
    VIOLATED = "violated"
    UNDETERMINED = "undetermined"


class Location(Struct, frozen=True, order=True):
    """A line of a file; `line` counts from 1, 0 stands for the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return visible_line(f"{self.file}:{self.line}" if self.line else self.file)


class Related(Visible, frozen=True):
    """Another place that takes part in a finding, such as the policy statement that came closest."""

    role: str
    """What the place is to the finding: "policy statement", "role"."""
    address: str
    location: Location | None = None
    name: str = ""
    """What AWS calls it, where the address does not say so."""

    @property
    def shown(self) -> str:
        """The address, with the name in AWS beside it."""
        return f'{self.address} "{self.name}"' if self.name else self.address


class SourceChange(Struct, frozen=True, omit_defaults=True):
    """A change of the source that may fix a finding, which `infraspec fix` tries: all texts are HCL.

    `kind` says what `into`, the address of a resource or data source, gets. `arguments`: each of `entries`, a name
    with its expression, in the object or block at `path`, or in the resource itself; `items` adds those of a list to
    a list. `statement`: a statement of the policy at `path`, in its own words (`text`) or of `actions` on `resources`,
    which takes the place of that at `instead`, if there is one; a role without a path gets a policy of its own.
    `block`: a nested block, in that at `path`. `beside`: blocks of the same module, `root`: of the root module.
    `references` are the attributes that these texts name, by address, each with the expression that names it there.
    `default_tags`: the entries for all resources of the provider configuration that the resource has.
    `shared_tags`: a variable or local value of the module that is a map with the keys of the entries, whatever they
    are there. `needs` are blocks of the root module that the change cannot do without, `beside` of the same module.
    """

    kind: Literal["arguments", "items", "statement", "block", "beside", "root", "default_tags", "shared_tags"]
    into: str
    path: str = ""
    text: str = ""
    entries: tuple[tuple[str, str], ...] = ()
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    instead: str = ""
    references: tuple[tuple[str, str], ...] = ()
    needs: str = ""
    beside: str = ""


class Finding(Visible, frozen=True):
    """One verdict of one rule about one subject, with what shows it.

    `rule` is the rule's id, such as `secret-access`. `address` is a Terraform address, a file or an ARN; `subject`
    narrows it down (`container "app", secret "DB_PASSWORD"`). For a verdict other than PROVEN, `expected`, `found`
    and `reason` are filled, and `remedy` is the change that fixes it (VIOLATED) or the cheapest way to know
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
    also: tuple[tuple[str, str], ...] = ()
    """Address and subject of further instances that the same place of the source makes the same of."""
    consequence: str = ""
    """What a violation means for the service: "new tasks of shop will not start"."""
    changes: tuple[SourceChange, ...] = ()
    """What may fix it in the source, the best first: one is enough."""

    def __post_init__(self) -> None:
        """Put each text as it may be shown, and what names the subject in one line."""
        super().__post_init__()
        for name in ("address", "subject"):
            if "\n" in getattr(self, name):
                force_setattr(self, name, visible_line(getattr(self, name)))

    @property
    def instances(self) -> tuple[tuple[str, str], ...]:
        """Address and subject of each instance that it is about."""
        return ((self.address, self.subject), *self.also)

    @property
    def key(self) -> str:
        """What the finding is about, stable over runs and edits of lines."""
        return f"{self.address} {self.subject}".rstrip()

    def __str__(self) -> str:
        head = f"{'ADVICE' if self.advice else self.verdict.name} {self.rule}: {self.key}"
        lines = [f"{self.location}: {head}" if self.location else head]
        for label in ("consequence", "expected", "found", "reason"):
            text = getattr(self, label)
            if text:
                lines.append(_labelled(label, text))
        if self.also:
            named = [address if subject == self.subject else f"{address} {subject}" for address, subject in self.also]
            lines.append(_labelled("also", listing(named, _MOST_ALSO)))
        for other in self.related:
            place = f" ({other.location})" if other.location else ""
            lines.append(_labelled(other.role, f"{other.shown}{place}"))
        if self.remedy:
            label = "to know" if self.verdict is Verdict.UNDETERMINED else "fix"
            lines.append(_labelled(label, self.remedy))
        return "\n".join(lines)


_INSTANCE = re.compile(r'module\.[\w-]+(?:\[[^\]]*\])?\.|\[(?:"[^"]*"|\d+|\?)\]')
"""What addresses of instances differ in: the modules that they are in, and their keys."""
_QUOTED = re.compile(r'"[^"]*"')
_MOST_ALSO = 5


def by_mistake(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings, as one those that a place of the source makes of each instance for the same reason."""
    findings = tuple(findings)
    if all(one.verdict is Verdict.PROVEN and not one.advice for one in findings):
        return findings
    alike: dict[tuple[object, ...], list[Finding]] = {}
    seen: Counter[tuple[object, ...]] = Counter()
    for finding in findings:
        if finding.location is None or (finding.verdict is Verdict.PROVEN and not finding.advice):
            alike[len(alike),] = [finding]
            continue
        of_block = [_INSTANCE.sub("", text) for text in (finding.address, finding.reason)]
        subject = _QUOTED.sub('""', _INSTANCE.sub("", finding.subject))
        mistake = (finding.rule, finding.verdict, finding.advice, finding.location, *of_block, subject)
        seen[mistake, finding.address] += 1  # several of one instance stay several
        alike.setdefault((mistake, seen[mistake, finding.address]), []).append(finding)
    return tuple(
        replace(first, also=tuple((one.address, one.subject) for one in rest)) if rest else first
        for first, *rest in alike.values()
    )


def _labelled(label: str, text: str) -> str:
    first, *rest = text.splitlines()
    return "\n".join([f"    {label + ':':12} {first}", *(f"                 {line}" if line else "" for line in rest)])
