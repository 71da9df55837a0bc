"""Waivers applied to findings: what is accepted until a day, what no longer is, and which waivers are of no use."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from infraspec.contract.baseline import with_lapse
from infraspec.contract.models import Contract, Waiver
from infraspec.core.errors import EventError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import PLAN_REVIEW


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


class Waived(Struct, frozen=True):
    """A finding and the waiver that matches it."""

    finding: Finding
    waiver: Waiver

    def __str__(self) -> str:
        until = f"waived by {self.waiver.owner} until {self.waiver.expires}: {self.waiver.reason}"
        return f"{self.finding.rule}: {self.finding.key} ({until})"


class WaiverResult(Struct, frozen=True):
    """What waivers make of the findings of one environment.

    `active` are the findings that count: all but the waived ones, in order; one whose waiver lapsed says so in its
    reason. `lapsed` pairs such a finding with the waiver that held last. `used` are positions of waivers in the
    contract.
    """

    environment: str
    rules: tuple[str, ...]
    active: tuple[Finding, ...]
    waived: tuple[Waived, ...] = ()
    lapsed: tuple[Waived, ...] = ()
    used: tuple[int, ...] = ()

    def to_builtins(self) -> dict[str, Any]:
        """Reduce to dicts, lists, str and int, which pass from an xdist worker to the controller."""
        return {
            "environment": self.environment,
            "rules": list(self.rules),
            "used": list(self.used),
            "waived": list(map(_row, self.waived)),
            "lapsed": list(map(_row, self.lapsed)),
        }


class Unused(Struct, frozen=True):
    """A waiver that matched nothing in the named environments, though its rule ran there."""

    waiver: Waiver
    environments: tuple[str, ...]

    def __str__(self) -> str:
        places = ", ".join(self.environments)
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

    def record(self, data: Mapping[str, Any]) -> None:
        """Note the use that another process reports; to note it twice changes nothing."""
        environment = data["environment"]
        self._ran |= {(rule, environment) for rule in data["rules"]}
        self._used |= {(position, environment) for position in data["used"]}

    def unused(self) -> tuple[Unused, ...]:
        """Return the waivers that matched nothing, in the contract's order.

        A waiver for named environments is unused in each of them where its rule ran; one for all environments only
        if it matched in none. A waiver whose rule did not run is not judged.
        """
        found = (Unused(waiver, self._idle(position, waiver)) for position, waiver in enumerate(self.waivers))
        return tuple(unused for unused in found if unused.environments)

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
) -> WaiverResult:
    """Part the findings of one environment into active and waived ones.

    A waiver holds for VIOLATED and UNDETERMINED findings of its rule, on its day of expiry for the last time. `rules`
    are the rules that ran; by default those of the findings.
    """
    ran = tuple(sorted({finding.rule for finding in findings} if rules is None else set(rules)))
    book = [(at, waiver) for at, waiver in enumerate(waivers) if waiver.rule in ran and _holds_in(waiver, environment)]
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
            told = f"waiver by {latest.owner} lapsed on {latest.expires}: {latest.reason}"
            active.append(with_lapse(finding, told))
            lapsed.append(Waived(active[-1], latest))
    return WaiverResult(environment, ran, tuple(active), tuple(waived), tuple(lapsed), tuple(sorted(used)))


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


def _covers(waiver: Waiver, finding: Finding) -> bool:
    return (
        finding.verdict is not Verdict.PROVEN
        and waiver.rule == finding.rule
        and (matches(waiver.address, finding.address) or matches(waiver.address, finding.key))
    )


def _holds_in(waiver: Waiver, environment: str) -> bool:
    return not waiver.environments or environment in waiver.environments


def _row(entry: Waived) -> dict[str, str]:
    finding, waiver = entry.finding, entry.waiver
    return {
        "rule": finding.rule,
        "verdict": finding.verdict.value,
        "address": finding.address,
        "subject": finding.subject,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires.isoformat(),
    }
