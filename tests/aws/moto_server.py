"""A plain moto server in a process of its own, as AWS in tests of what asks AWS."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_POLLS = 200


@contextmanager
def moto_server() -> Iterator[str]:
    """Run the server on a free port of the loopback interface; the value is its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait(endpoint)
        yield endpoint
    finally:
        server.kill()
        server.wait()


def _wait(endpoint: str) -> None:
    for _ in range(_POLLS):
        try:
            urllib.request.urlopen(f"{endpoint}/moto-api/data.json")
        except URLError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("moto does not start")


def variables(endpoint: str) -> dict[str, str]:
    """Return the environment variables that lead boto3 to the server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
