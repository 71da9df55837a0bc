"""Keep the static suite off the network: it needs none, and a check that reaches out proves something else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infraspec.errors import NetworkBlockedError


@contextmanager
def blocked_network() -> Iterator[None]:
    """Make connections, datagrams and name look-ups raise NetworkBlockedError; local (AF_UNIX) sockets work."""
    connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_remote(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_remote(self, address)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        _refuse_remote(self, rest[-1])
        return sendto(self, data, *rest)

    # unittest.mock would import asyncio and ssl, at each start.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", guarded_sendto)
        patch.setattr(socket, "getaddrinfo", _refuse_lookup)
        yield


def _refuse_remote(connection: socket.socket, address: Any) -> None:
    if connection.family != getattr(socket, "AF_UNIX", None):
        raise _blocked(address)


def _refuse_lookup(host: Any, port: Any, *_: Any, **__: Any) -> Any:
    raise _blocked((host, port))


def _blocked(address: Any) -> NetworkBlockedError:
    shown = ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address)
    return NetworkBlockedError(
        "the static suite does not reach the network",
        found=f"a connection to {shown}",
        remedy="read what the check needs from the source, a plan or the contract's known data; "
        "a test that talks to AWS is marked @pytest.mark.live",
    )
