"""The baseline of a repository that adopts the rules: findings that were there before, which do not fail until a day.

A known finding is told by rule, environment, address and subject, not by its lines; `moved` blocks are followed. One
that was only UNDETERMINED and is VIOLATED now is not known. What a plan changes is never known.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field, ValidationError

from infraspec.contract.field_types import ContractTable, Day, NonEmpty
from infraspec.core.errors import BaselineError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import RULES

NEVER_KNOWN = tuple(rule.id for rule in RULES.values() if rule.of_one_plan)
"""Rules about the changes of one plan."""

Move = tuple[str, str]
"""An address before, and after: a resource's, a module's, or that of one of their instances."""


class Known(ContractTable):
    """A known finding."""

    rule: NonEmpty
    environment: NonEmpty
    address: str
    subject: str = ""
    verdict: Literal["violated", "undetermined"] = "violated"

    def __str__(self) -> str:
        return f"{self.environment} {self.rule}: {self.address} {self.subject}".rstrip()


class _File(ContractTable):
    version: Literal[1]
    expires: Day
    findings: Annotated[list[Known], Field()]


@dataclass(frozen=True)
class Baseline:
    """The known findings of a file; `name` is its path as people see it, `expires` the last day it holds."""

    name: str
    expires: date
    findings: tuple[Known, ...]

    @classmethod
    def from_json(cls, text: str, *, place: str, environments: Collection[str] | None = None) -> Baseline:
        """Parse a file. Raises BaselineError, also for an environment that is not among the given ones."""
        try:
            read = _File.model_validate(json.loads(text))
        except ValidationError as error:
            first = error.errors()[0]
            raise _malformed(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", place) from None
        except (ValueError, RecursionError) as error:
            raise _malformed(f"no JSON: {error}", place) from None
        if any(known.rule in NEVER_KNOWN for known in read.findings):
            raise _malformed(f"a finding of {' or '.join(NEVER_KNOWN)}, which a waiver or a label approves", place)
        baseline = cls(place, read.expires, tuple(read.findings))
        strange = {known.environment for known in read.findings} - set(environments or ())
        if environments is not None and strange:
            raise BaselineError(
                "the baseline is about an environment that the contract does not have",
                place=place,
                expected=f"one of {', '.join(environments)}",
                found=", ".join(sorted(strange)),
                remedy="take its findings out, or write the baseline again: infraspec report baseline",
            )
        return baseline

    def part(
        self, findings: Sequence[Finding], rule: str, environment: str, today: date, moves: Sequence[Move] = ()
    ) -> BaselineResult:
        """Part the findings of a rule in an environment into those that count and known ones."""
        places = self._places(rule, environment, moves)
        active: list[Finding] = []
        known: list[Finding] = []
        used: dict[int, None] = {}
        for finding in findings:
            there = places.get((finding.address, finding.subject), ())
            at = next((at for at in there if at not in used and self._is(at, finding)), None)
            if at is None:
                active.append(finding)
                continue
            used[at] = None
            if today <= self.expires:
                known.append(finding)
            else:
                active.append(with_lapse(finding, f"the baseline {self.name} lapsed on {self.expires}"))
        return BaselineResult(tuple(active), tuple(known), tuple(used))

    def fixed(self, ran: Collection[tuple[str, str]], used: Collection[int]) -> tuple[Known, ...]:
        """Return what is no finding any more, of the (environment, rule) that ran; `used` are positions."""
        return tuple(
            known for at, known in enumerate(self.findings) if (known.environment, known.rule) in ran and at not in used
        )

    @cached_property
    def _by_rule(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = {}
        for at, known in enumerate(self.findings):
            found.setdefault((known.rule, known.environment), []).append(at)
        return found

    def _places(self, rule: str, environment: str, moves: Sequence[Move]) -> dict[tuple[str, str], list[int]]:
        """Return the positions of known findings by address, as it is after the moves, and subject."""
        found: dict[tuple[str, str], list[int]] = {}
        for at in self._by_rule.get((rule, environment), ()):
            known = self.findings[at]
            found.setdefault((moved(known.address, moves), known.subject), []).append(at)
        return found

    def _is(self, at: int, finding: Finding) -> bool:
        """Tell whether a finding of the same key is no worse than the known one."""
        known = self.findings[at].verdict
        return finding.verdict is not Verdict.PROVEN and known in {"violated", finding.verdict.value}


class BaselineResult(Struct, frozen=True):
    """Findings that count, known ones, and the positions of the latter in the baseline, lapsed ones too."""

    active: tuple[Finding, ...]
    known: tuple[Finding, ...] = ()
    used: tuple[int, ...] = ()


def with_lapse(finding: Finding, told: str) -> Finding:
    """Return a finding that says in its reason what accepted it until its day."""
    return replace(finding, reason="\n".join(filter(None, (finding.reason, told))))


def moved(address: str, moves: Iterable[Move]) -> str:
    """Return what an address is after all moves, one after the other as they are written.

    Source: Terraform Language Documentation, "Refactor modules": a move of a module or resource moves its instances.
    """
    table = list(moves)
    for _ in table:
        before = address
        for source, target in table:
            if source and target and (address == source or address.startswith((f"{source}.", f"{source}["))):
                address = target + address[len(source) :]
        if address == before:
            break
    return address


def _malformed(found: str, place: str) -> BaselineError:
    return BaselineError(
        "this is no baseline",
        place=place,
        expected="what infraspec report baseline writes",
        found=found,
        remedy="write it again, or fix the entry: rule, environment, address, subject, verdict; expires is a day",
    )
