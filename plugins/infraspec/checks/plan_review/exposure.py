"""Risk `public-exposure`, as far as attributes go: what becomes reachable or readable by everyone.

Policies that name everyone are judged in `permissions`. Sources: Terraform AWS provider, the resources of the table;
Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".

Source: Terraform AWS provider, resources aws_security_group, aws_security_group_rule and
aws_vpc_security_group_ingress_rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from infraspec.checks.plan_review.risk import Review, RiskFound
from infraspec.core.truth import Truth
from infraspec.core.unknown import Text, Unknown, Value, render
from infraspec.resource_types import resource_type
from infraspec.resource_types.model import PublicSetting
from infraspec.terraform.plan import Change, ChangeKind

_EVERYONE = ("0.0.0.0/0", "::/0")
_GROUPS = frozenset({"aws_security_group", "aws_default_security_group"})
_RANGES = {
    "aws_security_group_rule": ("cidr_blocks", "ipv6_cidr_blocks"),
    "aws_vpc_security_group_ingress_rule": ("cidr_ipv4", "cidr_ipv6"),
}
_ALL = ("-1", "all")


class _Opening(Struct, frozen=True):
    """Ports that a range of addresses reaches. None is a range, protocol or port that is not known."""

    cidr: str | None
    protocol: str | None
    first: int | None
    last: int | None

    def is_within(self, other: _Opening) -> bool:
        """Tell whether another opening lets in at least as much."""
        if other.cidr != self.cidr or other.protocol is None:
            return False
        if other.protocol in _ALL:
            return True
        if other.protocol != self.protocol or other.first is None or other.last is None:
            return False
        return self.first is not None and self.last is not None and other.first <= self.first <= self.last <= other.last

    def is_allowed(self, ports: list[int]) -> bool:
        """Tell whether every port of it may be open to everyone."""
        if self.protocol not in ("tcp", "6", "udp", "17") or self.first is None or self.last is None:
            return False
        return set(range(self.first, self.last + 1)) <= set(ports)

    def __str__(self) -> str:
        if (self.cidr, self.protocol, self.first, self.last) == (None, None, None, None):
            return "rules that are known only after apply"
        if self.protocol in _ALL:
            ports = "all ports"
        elif self.first is None or self.last is None:
            ports = "ports unknown until apply"
        else:
            ports = f"port {self.first}" if self.first == self.last else f"ports {self.first}-{self.last}"
        protocol = "" if self.protocol in _ALL else f" ({self.protocol or 'protocol unknown until apply'})"
        return f"{self.cidr or 'addresses unknown until apply'} reaches {ports}{protocol}"


def openings(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what a change opens to everyone, or may open to everyone."""
    path = "ingress" if change.type in _GROUPS else _RANGES.get(change.type, ("",))[0]
    if not path:
        return
    before = tuple(_openings(change.type, change.before, change.before.get("ingress")))
    inline = review.given(change, "ingress", block=True) if change.type in _GROUPS else None
    for opening in dict.fromkeys(_openings(change.type, review.after(change), inline)):
        if any(opening.is_within(other) for other in before) or opening.is_allowed(review.rules.public_ports):
            continue
        if opening.cidr is not None and opening.cidr not in _EVERYONE:
            continue
        answer, reason = Truth.YES, "the whole internet may connect, and could not before"
        if opening.cidr is None:
            answer, reason = Truth.MAYBE, "the addresses that it allows are known only after apply"
        yield RiskFound("open-ingress", answer, str(opening), reason, _remedy(change.type), path)


def _openings(type_: str, values: Mapping[str, Value], inline: Value) -> Iterator[_Opening]:
    if type_ in _RANGES:
        if values and values.get("type") in (None, "ingress"):
            protocol = "protocol" if type_ == "aws_security_group_rule" else "ip_protocol"
            yield from _rule(values, _RANGES[type_], protocol)
        return
    blocks = (inline,) if isinstance(inline, Unknown) else inline
    for block in blocks if isinstance(blocks, (list, tuple)) else ():
        if isinstance(block, Mapping):
            yield from _rule(block, _RANGES["aws_security_group_rule"], "protocol")
        else:
            yield _Opening(None, None, None, None)


def _rule(values: Mapping[str, Value], names: tuple[str, ...], protocol: str) -> Iterator[_Opening]:
    spoken = values.get(protocol)
    ports = (values.get(name) for name in ("from_port", "to_port"))
    first, last = (port if isinstance(port, int) else None for port in ports)
    for name in names:
        given = values.get(name)
        for cidr in given if isinstance(given, (list, tuple)) else (given,):
            if cidr is None or cidr == "":
                continue
            known = _cidr(cidr)
            if known != "":
                yield _Opening(known, spoken.lower() if isinstance(spoken, str) else None, first, last)


def _cidr(value: Value) -> str | None:
    """Return the range, `""` for text that cannot be everyone's, None if it is not known."""
    if isinstance(value, Text) and isinstance(value.parts[-1], str) and not value.parts[-1].endswith("0"):
        return ""
    if isinstance(value, (Unknown, Text)):
        return None
    text = render(value)
    if text.endswith("/0"):
        return "::/0" if ":" in text else "0.0.0.0/0"
    return ""


def _remedy(type_: str) -> str:
    line = {
        "aws_vpc_security_group_ingress_rule": "referenced_security_group_id = aws_security_group.clients.id",
        "aws_security_group_rule": "source_security_group_id = aws_security_group.clients.id",
    }.get(type_, "security_groups = [aws_security_group.clients.id]")
    return f"name who may connect:\n{line}"


_ALWAYS_PUBLIC = {"aws_ecrpublic_repository": "everyone may pull images of a public repository"}
_GUARDS = {"aws_s3_bucket_public_access_block": "aws_s3_bucket", "aws_s3_account_public_access_block": ""}
"""What holds off public access, and the type of what it guards."""


def exposures(review: Review, change: Change) -> Iterator[RiskFound]:
    """Yield what a change makes public that was not."""
    if change.kind is ChangeKind.CREATE and change.type in _ALWAYS_PUBLIC:
        remedy = "keep it private: aws_ecr_repository"
        yield RiskFound("public-exposure", Truth.YES, "create", _ALWAYS_PUBLIC[change.type], remedy)
    if change.kind is ChangeKind.DELETE:
        if change.type in _GUARDS and not _goes_with(review, change):
            reason = resource_type(change.type).public[0].reason
            yield RiskFound("public-exposure", Truth.YES, "destroy", reason, "keep the resource")
        return
    risks = [risk for rule in resource_type(change.type).public for risk in _judge(review, change, rule)]
    for answer in (Truth.YES, Truth.MAYBE):
        if same := [risk for risk in risks if risk.answer is answer]:
            texts = ([getattr(risk, name) for risk in same] for name in ("found", "reason", "remedy"))
            found, reason, remedy = ("\n".join(dict.fromkeys(lines)) for lines in texts)
            yield RiskFound("public-exposure", answer, found, reason, remedy, same[0].path)


def _judge(review: Review, change: Change, rule: PublicSetting) -> Iterator[RiskFound]:
    name = rule.attribute
    before, after = change.before.get(name), review.after(change).get(name)
    if after is None:
        after = rule.default
    old = before if isinstance(before, (list, tuple)) else (before,)
    for entry in after if isinstance(after, (list, tuple)) else (after,):
        if isinstance(entry, (Unknown, Text)):
            if review.given(change, name) is None:
                continue
            answer, found = Truth.MAYBE, f"{name} is known only after apply"
        elif entry in rule.values and entry not in old:
            answer, found = Truth.YES, f"{name} = " + (f'"{entry}"' if isinstance(entry, str) else render(entry))
        else:
            continue
        yield RiskFound("public-exposure", answer, found, rule.reason, f"{name} = {rule.private}", name)


def _goes_with(review: Review, change: Change) -> bool:
    """Tell whether what it guards is destroyed with it."""
    guarded = _GUARDS[change.type]
    return bool(guarded) and review.is_gone(guarded, named=change.before.get("bucket"))
