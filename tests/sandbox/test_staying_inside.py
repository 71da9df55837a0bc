"""A process that stays on this machine reaches nothing beyond it, whoever asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRY = """
import socket, sys
from infraspec.sandbox.this_machine import stay_on_this_machine
stay_on_this_machine()
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), 5).close()
try:
    {}
except OSError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('203.0.113.7', 80), 0.1)",
        "socket.create_connection(('example.com', 80), 0.1)",
        "socket.socket(socket.AF_INET6, socket.SOCK_STREAM).connect_ex(('2001:db8::1', 80))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.7', 53))",
        "import requests; requests.post('https://events.pagerduty.com/x', timeout=1)",
    ],
)
def test_nothing_is_reached(attempt: str) -> None:
    """Loopback answers, and all else is refused before a packet leaves."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    command = [sys.executable, "-W", "ignore", "-c", TRY.format(attempt)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert 1 == done.returncode
    assert "the sandbox reaches nothing beyond this machine" in done.stderr
