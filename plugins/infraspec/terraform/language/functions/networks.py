"""Functions of IP networks.

Source: Terraform Language, "cidrhost", "cidrnetmask", "cidrsubnet" and "cidrsubnets" Functions.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias

from infraspec.core.errors import EvaluationError
from infraspec.terraform.language.functions.parameters import function, integer, text, whole
from infraspec.terraform.language.partial_values import Undetermined
from infraspec.terraform.language.values import ListValue

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_WORD = (1 << 64) - 1
_MOST_NEW_BITS = 32
"""How much longer than its base a prefix of `cidrsubnets` may be."""


@function("cidrhost", text, whole)
def host(prefix: str, number: int) -> str:
    """Return the address of a host number; a negative one counts from the end."""
    network = _network(prefix)
    if not -network.num_addresses <= number < network.num_addresses:
        expected = f"less than {network.num_addresses}"
        raise EvaluationError(
            "prefix does not accommodate a host with this number", expected=expected, found=str(number)
        )
    return str(network[number])


@function("cidrnetmask", text)
def netmask(prefix: str) -> str:
    """Return the netmask of an IPv4 network."""
    network = _network(prefix)
    if network.version != 4:  # noqa: PLR2004 - the version of the protocol
        raise EvaluationError("IPv6 addresses cannot have a netmask", expected="an IPv4 network", found=prefix)
    return str(network.netmask)


@function("cidrcontains", text, text)
def contains(prefix: str, other: str) -> bool:
    """Tell whether a network holds an address or another network. Source: OpenTofu, "cidrcontains" Function."""
    network = _network(prefix)
    inner = _network(other if "/" in other else f"{other}/{network.max_prefixlen}")
    if network.version != inner.version:
        raise EvaluationError("address family mismatch", expected=f"one of IPv{network.version}", found=other)
    return inner.network_address in network and inner.broadcast_address in network


@function("cidrsubnet", text, integer, whole)
def subnet(prefix: str, new_bits: int, number: int) -> str:
    """Return the subnet of a number, its prefix longer by some bits.

    A negative number counts by its size and is put in as it is: `cidrsubnet("10.0.0.0/8", 8, -1)` is `0.1.0.0/16`.
    """
    network = _network(prefix)
    length = network.prefixlen + new_bits
    _check_length(network, length)
    if length < 0:
        raise Undetermined
    if new_bits >= 0 and (abs(number) & _WORD) >= 1 << min(new_bits, 64):
        expected = f"0 to {(1 << new_bits) - 1}"
        raise EvaluationError(
            "prefix extension does not accommodate a subnet with this number", expected=expected, found=str(number)
        )
    address = abs(int(network.network_address) | (number << network.max_prefixlen - length))
    if address >> network.max_prefixlen:
        raise Undetermined
    return _written(network, address, length)


@function("cidrsubnets", text, rest=integer)
def subnets(prefix: str, *new_bits: int) -> ListValue:
    """Return consecutive subnets, each as near behind the one before as its size allows.

    Terraform begins one before the first, which a network at the address 0 does not have.
    """
    network = _network(prefix)
    following, end = int(network.network_address), int(network.broadcast_address)
    found = ListValue()
    for bits in new_bits:
        if not 1 <= bits <= _MOST_NEW_BITS:
            raise EvaluationError(
                "each subnet must extend the prefix", expected=f"1 to {_MOST_NEW_BITS} bits", found=str(bits)
            )
        length = network.prefixlen + bits
        _check_length(network, length)
        size = 1 << network.max_prefixlen - length
        start = -(-following // size) * size
        if start + size - 1 > end or not int(network.network_address):
            raise EvaluationError("not enough remaining address space", expected=f"room for a /{length}", found=prefix)
        found.append(_written(network, start, length))
        following = start + size
    return found


def _network(prefix: str) -> Network:
    address, slash, length = prefix.partition("/")
    if not slash or not length.isascii() or not length.isdigit() or "%" in address:
        raise _no_network(prefix)
    try:
        network = ipaddress.ip_network(prefix if ":" in address else _LEADING_ZEROS.sub("", prefix), strict=False)
    except ValueError:
        raise _no_network(prefix) from None
    if isinstance(network.network_address, ipaddress.IPv6Address) and network.network_address.ipv4_mapped:
        raise Undetermined
    return network


def _no_network(found: str) -> EvaluationError:
    return EvaluationError("invalid CIDR expression", expected="an address, / and a number of bits", found=found)


def _check_length(network: Network, length: int) -> None:
    if length > network.max_prefixlen:
        expected = f"a prefix of at most {network.max_prefixlen} bits"
        raise EvaluationError("insufficient address space to extend the prefix", expected=expected, found=str(length))


def _written(network: Network, address: int, length: int) -> str:
    family = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address  # noqa: PLR2004 - as above
    return f"{family(address)}/{length}"
