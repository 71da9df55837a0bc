"""Clients of AWS that can do one thing: what tells of a run is no part of what reads an account.

The session policy is what AWS enforces where a role is assumed; the list of operations is enforced here in any case.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from infraspec.aws.session import Clients
from infraspec.errors import NarrowSessionError

_HERE = ("127.0.0.1", "localhost", "::1")


def narrow_client(service: str, operation: str, region: str, role: str | None, policy: Mapping[str, Any]) -> Any:
    """Return a client of a service on which one operation can be called, such as `PutMetricData`.

    With `role` it is assumed for no more than `policy` allows. Raises CredentialsError if it cannot be.
    """
    local = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in _HERE
    session_policy = json.dumps(policy, separators=(",", ":")) if role else None
    client = Clients(region, role=role, session_policy=session_policy, is_local=local).client(service)

    def check(model: Any, **_: Any) -> None:
        if model.name != operation:
            raise NarrowSessionError(
                f"{model.name} is called on a client for {operation}", expected=operation, found=str(model.name)
            )

    client.meta.events.register_first(f"before-parameter-build.{service}", check)
    return client
