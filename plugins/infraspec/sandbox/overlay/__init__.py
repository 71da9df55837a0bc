"""What moto leaves out of AWS, put over its backends in the sandbox process alone; nothing else imports moto."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from infraspec.sandbox.overlay import (
    alarms,
    databases,
    enforcement,
    events,
    functions,
    inbox,
    keys,
    metrics,
    queues,
    services,
    simulator,
    subscriptions,
    targets,
    trail,
)
from infraspec.sandbox.server_process import ServerSettings

_PARTS = (
    alarms, metrics, events, targets, databases, functions, keys, queues, services, simulator, subscriptions, trail,
    inbox,
)  # fmt: skip


def install(settings: ServerSettings) -> None:
    """Put everything over moto; once, before the first request."""
    for part in _PARTS:
        part.install()
    enforcement.install(settings)


def missing_service(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer 501 for a service that moto has not at all, as an error that SDKs read in JSON and in XML."""
    credential = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
    name = credential[3] if len(credential) > 3 else "this service"  # noqa: PLR2004 - key, day, region, service
    message = f"the sandbox has no {name}"
    body, kind = json.dumps({"__type": "NotImplemented", "message": message}), "application/json"
    if "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        error = f"<Error><Code>NotImplemented</Code><Message>{message}</Message></Error>"
        body, kind = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>", "text/xml"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-ErrorType", "NotImplemented")]
    start_response("501 Not Implemented", headers)
    return [body.encode()]
