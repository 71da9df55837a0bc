"""What the sandbox process runs: moto's server with the overlay, until its standard input ends.

The process alone imports this, and pays for moto.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from msgspec import Struct, field
from werkzeug.serving import make_server

from infraspec.sandbox.overlay import install, missing_service
from infraspec.sandbox.server_process import APPLIED_PATH, IDENTITY_PATH, Settings, settings_of

if TYPE_CHECKING:
    import boto3

_SECRET = "sandbox"  # noqa: S105 - the sandbox does not look at signatures


class Account(Struct):
    """An account and region behind an endpoint, with the access key of one who asks."""

    endpoint: str
    account: str
    region: str
    partition: str
    key: str
    _session: boto3.Session | None = None
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service, made once."""
        place = (service, region or self.region)
        if place not in self._clients:
            self._clients[place] = self._make(*place)
        return self._clients[place]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def close(self) -> None:
        """Close the connections of all clients; a client that is asked for afterwards is a new one."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def environment(self) -> dict[str, str]:
        """Return the environment variables by which the AWS SDKs and the AWS CLI ask this account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _make(self, service: str, region: str) -> Any:
        import boto3  # noqa: PLC0415 - the static path never imports it
        from botocore.config import Config  # noqa: PLC0415 - likewise

        from infraspec.aws.guard import GUARD  # noqa: PLC0415 - likewise

        if self._session is None:
            with GUARD.permitting():  # a sandbox is filled by writes, and leaves this machine with none
                self._session = boto3.Session(self.key, _SECRET, region_name=self.region)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=60,
            parameter_validation=True,
            s3={"addressing_style": "path"},
        )
        return self._session.client(service, region_name=region, endpoint_url=self.endpoint, config=config)


HOST = "127.0.0.1"


def main() -> None:
    """Read the settings from standard input, listen, say the port on standard output, and serve."""
    settings = settings_of(json.loads(sys.stdin.readline()))
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


def _server(settings: Settings) -> Any:
    install(settings)

    def create(service: str | None) -> Any:
        return create_backend_app(service) if service else missing_service

    application = DomainDispatcherApplication(create)

    return make_server(HOST, settings.port, _Own(settings, application), threaded=True, request_handler=Handler)


class _Own:
    """The paths of the sandbox itself; all others are AWS's."""

    def __init__(self, settings: Settings, aws: Any) -> None:
        self._settings, self._aws = settings, aws
        self._applied = b"{}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO")
        if path == IDENTITY_PATH:
            told = {"pid": os.getpid(), "token": self._settings.token}
            return _answer(start_response, "200 OK", json.dumps(told).encode())
        if path != APPLIED_PATH:
            return self._aws(environ, start_response)
        if environ.get("HTTP_AUTHORIZATION") != self._settings.operator_key:
            return _answer(start_response, "403 Forbidden", b"{}")
        if environ["REQUEST_METHOD"] == "PUT":
            self._applied = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return _answer(start_response, "200 OK", self._applied)


def _answer(start_response: Any, status: str, body: bytes) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    main()
