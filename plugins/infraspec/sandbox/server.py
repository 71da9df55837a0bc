"""What the sandbox process runs: moto's server with the overlay, until its standard input ends.

The process alone imports this, and pays for moto.
"""

from __future__ import annotations

import json
import os
import posixpath
import sys
import threading
from typing import Any, TextIO

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from infraspec.sandbox.overlay import install, missing_service
from infraspec.sandbox.overlay.inbox import MESSAGES
from infraspec.sandbox.server_process import APPLIED_PATH, IDENTITY_PATH, INBOX_PATH, ServerSettings
from infraspec.sandbox.this_machine import stay_on_this_machine

HOST = "127.0.0.1"


def main() -> None:
    """Read the settings from standard input, listen, say the port on standard output, and serve."""
    settings = ServerSettings(**json.loads(sys.stdin.readline()))
    server = _server(settings)
    print(json.dumps({"port": server.server_port}), flush=True)  # noqa: T201 - what the parent waits for
    sys.stdout = sys.stderr
    if not settings.detached:
        threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
    server.serve_forever()


def _end_with(parent: TextIO) -> None:
    """End the process when the one that started it does, or closes the pipe."""
    while parent.readline():
        pass
    os._exit(0)  # the serving threads hold nothing that has to be put away


class Handler(MotoRequestHandler):  # type: ignore[misc] # moto is not typed for us
    """Keep connections open between calls, and write no line for each."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing: standard error is for what goes wrong."""


def _server(settings: ServerSettings) -> Any:
    install(settings)
    stay_on_this_machine()
    application = DomainDispatcherApplication(
        lambda service: create_backend_app(service) if service else missing_service
    )
    return make_server(HOST, settings.port, _Own(settings, application), threaded=True, request_handler=Handler)


class _Own:
    """The paths of the sandbox itself; all others are AWS's."""

    def __init__(self, settings: ServerSettings, aws: Any) -> None:
        self._settings, self._aws = settings, aws
        self._applied = b"{}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO")
        if path == IDENTITY_PATH:
            told = {"pid": os.getpid(), "token": self._settings.token}
            return _answer(start_response, "200 OK", json.dumps(told).encode())
        of_moto = _is_of_moto(environ)
        if path not in {APPLIED_PATH, INBOX_PATH} and not of_moto:
            return self._aws(environ, start_response)
        if environ.get("HTTP_AUTHORIZATION") != self._settings.operator_key:
            return _answer(start_response, "403 Forbidden", b"{}")
        if of_moto:
            environ.pop("HTTP_AUTHORIZATION")  # moto reads the service from it
            return self._aws(environ, start_response)
        if path == INBOX_PATH:
            return _answer(start_response, "200 OK", json.dumps(list(MESSAGES)).encode())
        if environ["REQUEST_METHOD"] == "PUT":
            self._applied = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return _answer(start_response, "200 OK", self._applied)


def _is_of_moto(environ: dict[str, Any]) -> bool:
    """Tell whether a request is for moto itself, which resets, seeds, records and shows everything."""
    path = posixpath.normpath("/" + str(environ.get("PATH_INFO") or "").lstrip("/"))
    return path.split("/")[1].lower().startswith("moto-api")


def _answer(start_response: Any, status: str, body: bytes) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    main()
