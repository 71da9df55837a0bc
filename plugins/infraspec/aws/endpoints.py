"""Endpoints that take the place of AWS's own: an account is asked, and not what answers in its name.

Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.session import Session

from infraspec.errors import GuardError

_VARIABLE = "AWS_ENDPOINT_URL"


def refuse_endpoints(environment: str) -> None:
    """Raise GuardError if a variable or the configuration leads boto3 to another place than AWS."""
    found = next(configured_endpoints(), None)
    if found is None:
        return
    place, endpoint = found
    raise GuardError(
        f"the environment `{environment}` is an account, and {place} leads elsewhere",
        place=place,
        expected="no endpoint of its own",
        found=endpoint,
        remedy="unset it; ENV=local asks an AWS on this machine",
    )


def configured_endpoints() -> Iterator[tuple[str, str]]:
    """Yield where an endpoint is set, and what it is."""
    for name, value in sorted(os.environ.items()):
        if value and (name == _VARIABLE or name.startswith(f"{_VARIABLE}_")):
            yield name, value
    session = Session()
    try:
        scoped, services = session.get_scoped_config(), session.full_config.get("services", {})
    except BotoCoreError:
        return  # whoever asks for credentials says what is wrong with the configuration
    yield from _of_profile(scoped, services)


def _of_profile(profile: Any, services: Any) -> Iterator[tuple[str, str]]:
    if "endpoint_url" in profile:
        yield "endpoint_url of the profile", profile["endpoint_url"]
    section = services.get(profile.get("services"), {})
    for service, settings in section.items():
        if isinstance(settings, dict) and "endpoint_url" in settings:
            yield f"endpoint_url of {service} in the configuration", settings["endpoint_url"]
