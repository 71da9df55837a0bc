"""A process that stays on this machine: it refuses every connection beyond loopback, and asks no name server.

So what is not known to send cannot send either. Source: Python documentation, "Audit events table".
"""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import Any


def stay_on_this_machine() -> None:
    """Refuse every connection of this process beyond loopback from now on; there is no way back."""
    sys.addaudithook(_refuse_outside)


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    match event, arguments:
        case ("socket.connect", (_, (host, *_))) | ("socket.sendto", (_, (host, *_))):
            pass
        case ("socket.getaddrinfo" | "socket.gethostbyname", (host, *_)):
            pass
        case _:
            return
    if not _is_here(host):
        raise ConnectionRefusedError(f"the sandbox reaches nothing beyond this machine: {host}")


def _is_here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ip_address(str(name).partition("%")[0]).is_loopback or str(name) in {"0.0.0.0", "::"}  # noqa: S104 - to listen
    except ValueError:
        return False
