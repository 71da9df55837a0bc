"""A rule: all that is known of it in one place, and the one way in which its findings are said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct, json
from msgspec.structs import replace

from infraspec.core.finding import Finding, Location, Related, Verdict

Suite: TypeAlias = Literal["static", "live"]
"""The suites: of the source, and of what is deployed."""

Severity: TypeAlias = Literal["blocker", "critical", "normal", "minor", "trivial"]
"""How much a violation of a rule matters, in the words of Allure, the worst first."""

Metric: TypeAlias = Literal["permissions", "consistency", "deployments"]
"""What the violations of a rule are counted under where a run is published as metrics."""


class Placed(Protocol):
    """What has an address and stands somewhere, such as a resource."""

    @property
    def address(self) -> str:
        """The Terraform address."""

    @property
    def location(self) -> Location | None:
        """Where it is written."""


_CHECKS = Path(__file__).parents[1] / "checks"
_VALUE = re.compile(r"\{(\w+)\}")


class Wording(Struct, frozen=True, forbid_unknown_fields=True):
    """A verdict and what is said with it; `{name}` stands for a value that the check gives."""

    verdict: Literal["violated", "undetermined", "advice"]
    expected: str
    found: str
    reason: str
    remedy: str = ""
    consequence: str = ""


@cache
def wordings(room: str, rule: str) -> Mapping[str, Wording]:
    """Return what a rule says, by name: the JSON file beside its check, read when the first of it is said."""
    file = _CHECKS / room / f"{rule.replace('-', '_')}.json"
    return json.decode(file.read_bytes(), type=dict[str, Wording])


class Subject(Struct, frozen=True):
    """What a finding is about; each verdict on it is a method."""

    rule: Rule
    address: str
    name: str = ""
    location: Location | None = None
    related: tuple[Related, ...] = ()

    def proven(self, reason: str = "", *, expected: str = "", found: str = "", remedy: str = "") -> Finding:
        """Say that the rule holds; `reason` is what shows it, `remedy` what can be done all the same."""
        return self._finding(Verdict.PROVEN, expected, found, reason, remedy)

    def violated(self, *, expected: str, found: str, reason: str, remedy: str = "", consequence: str = "") -> Finding:
        """Say that the rule does not hold, what that means for the service, and what change fixes it."""
        finding = self._finding(Verdict.VIOLATED, expected, found, reason, remedy)
        return replace(finding, consequence=consequence) if consequence else finding

    def undetermined(self, *, expected: str, found: str, reason: str, remedy: str = "") -> Finding:
        """Say that it cannot be decided whether the rule holds, and what the cheapest way is to know."""
        return self._finding(Verdict.UNDETERMINED, expected, found, reason, remedy)

    def unseen(self, found: str, remedy: str) -> Finding:
        """Say that the runner may not look at what the rule rests on here; `remedy` is the statement that lets it."""
        return self.undetermined(
            expected="a look at what it rests on",
            found=found,
            reason="the runner may not look at it, so nothing is known of it",
            remedy=remedy,
        )

    def advice(self, *, expected: str, found: str, reason: str, remedy: str = "") -> Finding:
        """Say that the rule holds, and what would be better."""
        return self._finding(Verdict.PROVEN, expected, found, reason, remedy, advice=True)

    def say(self, wording: str, /, **values: object) -> Finding:
        """Say what the rule has under a name, with the values in it; `{address}` is that of the subject.

        KeyError if there is no such text or value.
        """
        text, given = wordings(self.rule.room, self.rule.id)[wording], {"address": self.address, **values}
        parts = (text.expected, text.found, text.reason, text.remedy, text.consequence)
        expected, found, reason, remedy, meant = (_VALUE.sub(lambda name: str(given[name[1]]), part) for part in parts)
        verdict = {"violated": self.violated, "undetermined": self.undetermined, "advice": self.advice}[text.verdict]
        finding = verdict(expected=expected, found=found, reason=reason, remedy=remedy)
        return replace(finding, consequence=meant) if meant else finding

    def judge(self, wording: str, /, *, holds: bool, **values: object) -> Finding:
        """Say that the rule holds, or, if it does not, what it has under a name."""
        return self.proven() if holds else self.say(wording, **values)

    def _finding(
        self, verdict: Verdict, expected: str, found: str, reason: str, remedy: str, *, advice: bool = False
    ) -> Finding:
        said = (expected, found, reason, remedy)
        return Finding(self.rule.id, verdict, self.address, self.name, self.location, *said, self.related, advice)


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule is called, belongs to and asks for.

    `sentence` says what it asks for and `why` what for, `page` is the page of the documentation about it, `severity`
    how much a violation matters where the contract does not say otherwise.
    """

    id: str
    room: str
    """The part of `infraspec.checks` that has the check."""
    suites: tuple[Suite, ...] = ("static",)
    domain: str
    severity: Severity = "normal"
    sentence: str
    why: str
    page: str
    tables: tuple[str, ...] = ()
    """The tables of the contract that ask for the rule; a contract that has none of them skips it."""
    empty: str = ""
    """What it means that a check finds nothing to judge; where this is not said, it is an error."""
    keep_proven: bool = False
    """Whether the results file has the proven findings too."""
    of_one_plan: bool = False
    """Whether the findings are about the changes of one plan, so that none is ever known from before."""
    metric: Metric = "consistency"
    checks: tuple[str, ...] = ()
    """The parts that the contract may switch by themselves: the services whose actions a role needs."""

    @classmethod
    def own(cls, id_: str) -> Rule:
        """Return a rule of a repository's own, of which no more is known than its id."""
        return cls(
            id=id_,
            room="",
            domain="Own rules",
            sentence="A rule of this repository's own.",
            why="",
            page="",
        )

    @property
    def is_critical(self) -> bool:
        """Whether a violation stops something, or lets somebody in: people are told of it at once."""
        return self.severity in {"blocker", "critical"}

    @property
    def module(self) -> str:
        """The name of the module that has its check."""
        return f"infraspec.checks.{self.room}.{self.id.replace('-', '_')}"

    @property
    def test(self) -> str:
        """The name of its test in a suite."""
        return f"test_{self.id.replace('-', '_')}"

    def about(
        self,
        place: str | Placed,
        name: str = "",
        location: Location | None = None,
        related: Sequence[Related] = (),
    ) -> Subject:
        """Return a subject: an address, or what has one and stands somewhere; `name` narrows it down."""
        if isinstance(place, str):
            return Subject(self, place, name, location, tuple(related))
        return Subject(self, place.address, name, location or place.location, tuple(related))
