"""Note where each connection of a process goes: Python loads this in every process that PYTHONPATH leads to it.

Source: Python Library Reference, "Audit events table" and "site" (sitecustomize).
"""

from __future__ import annotations

import os
import sys


def _see(event: str, said: tuple[object, ...]) -> None:
    place: object = None
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        place = said[1]
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        place = (said[0],)
    if isinstance(place, tuple) and place and place[0] is not None:  # what is no tuple is a socket of the file system
        host = place[0].decode() if isinstance(place[0], bytes) else str(place[0])
        line = f"{os.getpid()} {event} {host}\n".encode()
        noted = os.open(os.environ["CONNECTIONS_NOTED_IN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(noted, line)
        os.close(noted)


if "CONNECTIONS_NOTED_IN" in os.environ:
    sys.addaudithook(_see)
