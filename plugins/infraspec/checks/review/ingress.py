"""Risk `open-ingress`: a security group lets in everyone, on ports where it did not before.

Source: Terraform AWS provider, resources aws_security_group, aws_security_group_rule and
aws_vpc_security_group_ingress_rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from infraspec.checks.review.risk import Review, RiskFound
from infraspec.iam.answer import Answer
from infraspec.terraform.plan import Change
from infraspec.unknown import Text, Unknown, Value, render

_EVERYONE = ("0.0.0.0/0", "::/0")
_GROUPS = frozenset({"aws_security_group", "aws_default_security_group"})
_RANGES = {
    "aws_security_group_rule": ("cidr_blocks", "ipv6_cidr_blocks"),
    "aws_vpc_security_group_ingress_rule": ("cidr_ipv4", "cidr_ipv6"),
}
_IN_GROUP = ("cidr_blocks", "ipv6_cidr_blocks")
_ALL = ("-1", "all")
_LAST_PORT = 65535


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
            return "rules that are not known before apply"
        if self.protocol in _ALL:
            ports = "all ports"
        elif self.first is None or self.last is None:
            ports = "ports not known yet"
        else:
            ports = f"port {self.first}" if self.first == self.last else f"ports {self.first}-{self.last}"
        protocol = "" if self.protocol in _ALL else f" ({self.protocol or 'protocol not known yet'})"
        return f"{self.cidr or 'addresses not known yet'} reaches {ports}{protocol}"


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
        yield RiskFound(
            "open-ingress",
            Answer.MAYBE if opening.cidr is None else Answer.YES,
            str(opening),
            "it is not known before apply which addresses it lets in"
            if opening.cidr is None
            else "the whole internet may connect, and could not before",
            _remedy(change.type),
            path,
        )


def _openings(type_: str, values: Mapping[str, Value], inline: Value) -> Iterator[_Opening]:
    if type_ in _RANGES:
        if values and values.get("type") in (None, "ingress"):
            yield from _rule(
                values, _RANGES[type_], "protocol" if type_ == "aws_security_group_rule" else "ip_protocol"
            )
        return
    if isinstance(inline, Unknown):
        yield _Opening(None, None, None, None)
    for block in inline if isinstance(inline, list | tuple) else ():
        if isinstance(block, Mapping):
            yield from _rule(block, _IN_GROUP, "protocol")
        else:
            yield _Opening(None, None, None, None)


def _rule(values: Mapping[str, Value], names: tuple[str, ...], protocol: str) -> Iterator[_Opening]:
    spoken = values.get(protocol)
    first, last = (_port(values.get(name)) for name in ("from_port", "to_port"))
    for name in names:
        given = values.get(name)
        for cidr in given if isinstance(given, list | tuple) else (given,):
            if cidr is None or cidr == "":
                continue
            known = _cidr(cidr)
            if known != "":
                yield _Opening(known, spoken.lower() if isinstance(spoken, str) else None, first, last)


def _cidr(value: Value) -> str | None:
    """Return the range, `""` for text that cannot be everyone's, None if it is not known."""
    if isinstance(value, Text) and isinstance(value.parts[-1], str) and not value.parts[-1].endswith("0"):
        return ""
    if isinstance(value, Unknown | Text):
        return None
    text = render(value)
    if text.endswith("/0"):
        return "::/0" if ":" in text else "0.0.0.0/0"
    return ""


def _port(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _remedy(type_: str) -> str:
    if type_ == "aws_vpc_security_group_ingress_rule":
        return "name who may connect:\nreferenced_security_group_id = aws_security_group.clients.id"
    if type_ == "aws_security_group_rule":
        return "name who may connect:\nsource_security_group_id = aws_security_group.clients.id"
    return "name who may connect:\nsecurity_groups = [aws_security_group.clients.id]"
