"""Waivers applied to findings: what is accepted until a day, what no longer is, and which waivers are of no use."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from infraspec.contract.baseline import with_lapse
from infraspec.contract.models import Contract, Waiver
from infraspec.core.errors import EventError
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rules import PLAN_REVIEW, RULES, SOURCE


def approvals(contract: Contract, labels: Collection[str], today: date) -> tuple[Waiver, ...]:
    """Return a waiver of today for each risk that a label approves."""
    table = contract.plan_review.approvals if contract.plan_review else {}
    return tuple(
        Waiver(
            rule=PLAN_REVIEW.id, address=f"* {risk}", reason=f"label {label}", owner="the pull request", expires=today
        )
        for label, risks in table.items()
        if label in labels
        for risk in risks
    )


def labels_of_event(path: Path) -> tuple[str, ...]:
    """Return the labels of the pull request that an event file of GitHub Actions is about; none for other events.

    EventError if the file cannot be read. Source: GitHub, "Webhook events and payloads", pull_request.
    """
    try:
        event = json.loads(path.read_text(encoding="utf-8"))
        request = event.get("pull_request") or {}
        return tuple(label["name"] for label in request.get("labels", ()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EventError(
            "the event of the workflow run cannot be read",
            place=str(path),
            expected="the JSON file that GITHUB_EVENT_PATH names",
            found=f"{type(error).__name__}: {error}",
            remedy="give the labels yourself: --infraspec-labels approve/destroy",
        ) from None


NOBODY = "the comment"
"""Who accepts what a comment in the source waives, where it names no owner."""


class InlineWaiver(Struct, frozen=True):
    """A waiver that a comment in the source is, of the findings of a rule in the item that it stands on.

    `location` is that of the comment, `first` and `last` are the lines of the item.
    """

    rule: str
    reason: str
    expires: date
    location: Location
    first: int
    last: int
    owner: str = NOBODY
    environments: tuple[str, ...] = ()

    def covers(self, finding: Finding) -> bool:
        """Tell whether a finding stands in the item."""
        place = finding.location
        return place is not None and place.file == self.location.file and self.first <= place.line <= self.last


class Waived(Struct, frozen=True):
    """A finding and the waiver that matches it."""

    finding: Finding
    waiver: Waiver | InlineWaiver

    @property
    def place(self) -> Location | None:
        """Where the waiver stands in the source; None if it is one of the contract."""
        return self.waiver.location if isinstance(self.waiver, InlineWaiver) else None

    @property
    def by(self) -> str:
        """Who accepts it, and where it is said if that is not the contract."""
        return f"{self.waiver.owner} at {self.place}" if self.place else self.waiver.owner

    def __str__(self) -> str:
        until = f"waived by {self.by} until {self.waiver.expires}: {self.waiver.reason}"
        return f"{self.finding.rule}: {self.finding.key} ({until})"


class WaiverResult(Struct, frozen=True):
    """What waivers make of the findings of one environment.

    `active` are the findings that count: all but the waived ones, in order; one whose waiver lapsed says so in its
    reason. `lapsed` pairs such a finding with the waiver that held last. `used` are positions of waivers in the
    contract, `inline` are waivers of the source, each with whether it was of use: those of the rule, and of `source`
    those of rules that may be the repository's own, should these not run.
    """

    environment: str
    rules: tuple[str, ...]
    active: tuple[Finding, ...]
    waived: tuple[Waived, ...] = ()
    lapsed: tuple[Waived, ...] = ()
    used: tuple[int, ...] = ()
    inline: tuple[tuple[InlineWaiver, bool], ...] = ()

    def to_builtins(self) -> dict[str, Any]:
        """Reduce to dicts, lists, str and int, which pass from an xdist worker to the controller."""
        return {
            "environment": self.environment,
            "rules": list(self.rules),
            "used": list(self.used),
            "waived": list(map(_row, self.waived)),
            "lapsed": list(map(_row, self.lapsed)),
            "inline": msgspec.to_builtins(self.inline),
        }


class Unused(Struct, frozen=True):
    """A waiver that matched nothing in the named environments, though its rule ran there."""

    waiver: Waiver | InlineWaiver
    environments: tuple[str, ...]
    has_run: bool = True

    def __str__(self) -> str:
        places = ", ".join(self.environments)
        if isinstance(self.waiver, InlineWaiver) and not self.has_run:
            why = f"no rule {self.waiver.rule} ran in {places}: it is misspelt, or a rule of your own that was not run"
            return f"waiver of {self.waiver.rule} at {self.waiver.location}: {why}"
        if isinstance(self.waiver, InlineWaiver):
            lines = f"{self.waiver.first} to {self.waiver.last}"
            return (
                f"waiver of {self.waiver.rule} at {self.waiver.location} covers no finding in lines {lines} "
                f"in {places}: take it out"
            )
        return (
            f"waiver of {self.waiver.rule} for {self.waiver.address} by {self.waiver.owner} "
            f"matches no finding in {places}: take it out"
        )


class WaiverBook(Struct):
    """The waivers of a contract, and their use over a session of several rules and environments.

    Workers apply; the controller records what they send, `WaiverResult.to_builtins()`, and asks for `unused`.
    """

    waivers: Sequence[Waiver]
    _ran: set[tuple[str, str]] = field(default_factory=set)
    _used: set[tuple[int, str]] = field(default_factory=set)
    _inline: dict[InlineWaiver, dict[str, bool]] = field(default_factory=dict)
    """Whether a waiver of the source was of use, by environment."""

    def record(self, data: Mapping[str, Any]) -> None:
        """Note the use that another process reports; to note it twice changes nothing."""
        environment = data["environment"]
        self._ran |= {(rule, environment) for rule in data["rules"]}
        self._used |= {(position, environment) for position in data["used"]}
        for waiver, is_used in msgspec.convert(data["inline"], list[tuple[InlineWaiver, bool]]):
            uses = self._inline.setdefault(waiver, {})
            uses[environment] = uses.get(environment, False) or is_used

    def unused(self) -> tuple[Unused, ...]:
        """Return the waivers that matched nothing, in the contract's order, then those of the source by place.

        A waiver for named environments is unused in each of them where its rule ran; one for all environments, and one
        of the source, only if it matched in none. A waiver whose rule did not run is not judged.
        """
        found = (Unused(waiver, self._idle(position, waiver)) for position, waiver in enumerate(self.waivers))
        ran = {rule for rule, _ in self._ran}
        idle = [(waiver, uses) for waiver, uses in self._inline.items() if not any(uses.values())]
        of_source = [
            Unused(waiver, tuple(sorted(uses)), waiver.rule in ran)
            for waiver, uses in sorted(idle, key=lambda pair: (pair[0].location, pair[0].rule))
        ]
        return (*(unused for unused in found if unused.environments), *of_source)

    def _idle(self, position: int, waiver: Waiver) -> tuple[str, ...]:
        ran = [name for rule, name in sorted(self._ran) if rule == waiver.rule and _holds_in(waiver, name)]
        idle = tuple(name for name in ran if (position, name) not in self._used)
        return idle if waiver.environments or len(idle) == len(ran) else ()


def apply(
    findings: Sequence[Finding],
    waivers: Sequence[Waiver],
    environment: str,
    today: date,
    rules: Collection[str] | None = None,
    *,
    inline: Sequence[InlineWaiver] = (),
) -> WaiverResult:
    """Part the findings of one environment into active and waived ones.

    A waiver holds for VIOLATED and UNDETERMINED findings of its rule, on its day of expiry for the last time. `rules`
    are the rules that ran; by default those of the findings. `inline` are the waivers of the source.
    """
    ran = tuple(sorted({finding.rule for finding in findings} if rules is None else set(rules)))
    every: Iterable[tuple[int, Waiver | InlineWaiver]] = enumerate((*waivers, *inline))
    book = [(at, waiver) for at, waiver in every if waiver.rule in ran and _holds_in(waiver, environment)]
    active: list[Finding] = []
    waived: list[Waived] = []
    lapsed: list[Waived] = []
    used: set[int] = set()
    for finding in findings:
        matching = [(at, waiver) for at, waiver in book if _covers(waiver, finding)]
        used |= {at for at, _ in matching}
        latest = max((waiver for _, waiver in matching), key=lambda waiver: waiver.expires, default=None)
        if latest is None:
            active.append(finding)
        elif today <= latest.expires:
            waived.append(Waived(finding, latest))
        else:
            told = f"waiver by {Waived(finding, latest).by} lapsed on {latest.expires}: {latest.reason}"
            active.append(with_lapse(finding, told))
            lapsed.append(Waived(active[-1], latest))
    refused = {finding.location for finding in findings}
    of_source = tuple(
        (waiver, at in used)
        for at, waiver in enumerate(inline, len(waivers))
        if waiver.rule in ran or (SOURCE.id in ran and waiver.rule not in RULES and waiver.location not in refused)
    )
    of_contract = tuple(at for at in sorted(used) if at < len(waivers))
    return WaiverResult(environment, ran, tuple(active), tuple(waived), tuple(lapsed), of_contract, of_source)


def matches(pattern: str, text: str) -> bool:
    """Match a whole text against a pattern in which `*` is any text and everything else is itself.

    Addresses hold brackets and quotes, so this is not fnmatch. Each piece is taken at its first place, which makes
    the time linear in the text.
    """
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == text
    last = middle.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _covers(waiver: Waiver | InlineWaiver, finding: Finding) -> bool:
    if finding.verdict is Verdict.PROVEN or waiver.rule != finding.rule:
        return False
    if isinstance(waiver, InlineWaiver):
        return waiver.covers(finding)
    return matches(waiver.address, finding.address) or matches(waiver.address, finding.key)


def _holds_in(waiver: Waiver | InlineWaiver, environment: str) -> bool:
    return not waiver.environments or environment in waiver.environments


def _row(entry: Waived) -> dict[str, str]:
    finding, waiver = entry.finding, entry.waiver
    return {
        "rule": finding.rule,
        "verdict": finding.verdict.value,
        "address": finding.address,
        "subject": finding.subject,
        "reason": waiver.reason,
        "owner": entry.by,
        "expires": waiver.expires.isoformat(),
    }
