"""A proxy between a suite and the sandbox that does to answers what networks and a busy AWS do."""

from __future__ import annotations

import http.client
import itertools
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HIDDEN = "canary-4711"
"""Text in bodies of failed answers: nothing of them belongs into a message."""
_QUERY = re.compile(rb"(?:^|&)Action=(\w+)")
_PAGE = f"<!DOCTYPE html><html><p>Service Unavailable {HIDDEN}</html>".encode()

_REST_JSON = (
    "/2015-03-31/", "/2017-03-31/", "/2019-09-25/", "/2019-09-30/", "/2020-06-30/", "/2021-10-31/", "/schedules/",
    "/schedule-groups/",
)  # fmt: skip
"""What the paths of Lambda and of EventBridge Scheduler begin with."""
_KEPT = ("content-type",)


@dataclass
class Answer:
    """An answer in the protocol of its service; `length` is what the header says where that is not the truth."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_json: bool = False
    length: int | None = None


def _error(code: str, answer: Answer) -> Answer:
    """Return an error in the protocol of the answer."""
    if answer.is_json:
        headers = {**answer.headers, "x-amzn-errortype": code}
        return Answer(400, headers, f'{{"__type":"{code}","message":"as told"}}'.encode())
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>as told</Message></Error></ErrorResponse>"
    return Answer(400, answer.headers, body.encode())


FAULTS: Mapping[str, Callable[[Answer], Answer | None]] = {
    "throttled": lambda answer: _error("ThrottlingException", answer),
    "failed": lambda _: Answer(503, {"content-type": "text/html"}, _PAGE),
    "reset": lambda _: None,
    "slow": lambda _: None,
    "expired": lambda answer: _error("ExpiredToken", answer),
    "cut": lambda answer: Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2]),
    "broken off": lambda answer: Answer(
        answer.status, answer.headers, answer.body[: len(answer.body) // 2], length=len(answer.body)
    ),
}
"""What becomes of an answer; None if there is none."""


@dataclass
class Proxy:
    """Do `fault` to each operation that `operations` has (all, without any) so often as `times`, then answer."""

    target: str
    fault: str = ""
    operations: frozenset[str] = frozenset()
    times: float = 0
    endpoint: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    turns: Iterator[str] = field(default_factory=lambda: itertools.cycle(["throttled", "failed", "reset", "cut"]))
    """What `any` does, one after the other; an answer to HEAD has no body, and nothing tells half of a policy."""
    ended: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        """Disturb nothing any more, and count from nothing."""
        self.fault, self.operations, self.times = "", frozenset(), 0
        self.asked.clear()

    def does(self, operation: str) -> str:
        """Count an operation, and return the fault that it has now."""
        self.asked[operation] += 1
        chosen = not self.operations or operation in self.operations
        if not chosen or self.asked[operation] > self.times:
            return ""
        if self.fault != "any":
            return self.fault
        turn = next(self.turns)
        return turn if not operation.startswith("HEAD ") and "?policy" not in operation else "failed"


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Run a proxy before an endpoint; it does nothing but count until it is told to."""
    told = Proxy(target)

    class Handler(_Handler):
        proxy = told

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.ended.set()
        server.shutdown()
        thread.join()
        server.socket.close()  # connections that are kept open have threads that nobody waits for


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Hand a request on, and its answer back, with a fault if one is due."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = self.proxy.does(self._operation(body))
        answer = None if fault in {"reset", "slow"} else self._asked(body)
        if fault and answer is not None:
            answer = FAULTS[fault](answer)
        if fault == "slow":
            self.proxy.ended.wait(20)
        if answer is None:
            self._reset()
            return
        self._send(answer)

    do_GET = do_HEAD = do_PUT = do_POST  # noqa: N815 - names of http.server

    def _operation(self, body: bytes) -> str:
        if target := self.headers.get("x-amz-target"):
            return target.rpartition(".")[2]
        if found := _QUERY.search(body):
            return found[1].decode()
        return f"{self.command} {self.path}"

    def _asked(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        try:
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            kept = {name.lower(): value for name, value in response.getheaders() if name.lower() in _KEPT}
            is_json = "x-amz-target" in self.headers or self.path.startswith(_REST_JSON)
            return Answer(response.status, kept, response.read(), is_json=is_json)
        finally:
            connection.close()

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        if answer.length is not None:
            self.close_connection = True

    def _reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Write nothing."""
