"""Whether the value of a secret is what a task definition expects, told without ever handing out the value.

No frame that holds the value outlives the look, and none is part of a traceback: what a failing test shows is without.
Source: Amazon ECS Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables".
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from infraspec.aws.session import Clients
from infraspec.core.arn import Arn


class SecretShape(Struct, frozen=True):
    """What is said of a value: whether it was read, whether it is a JSON object, and the names of its keys.

    `code` is AWS's error code, or the class of another error, if it was not read.
    """

    is_readable: bool
    is_object: bool = False
    keys: tuple[str, ...] = ()
    code: str = ""


class SecretValues:
    """The values that the contract opts in, by patterns of ARNs; each is looked at once in a process."""

    def __init__(self, clients: Clients, patterns: Sequence[str]) -> None:
        self._clients = clients
        self._patterns = tuple(patterns)
        self._shapes: dict[tuple[str, str, str], SecretShape] = {}

    def __repr__(self) -> str:
        return f"SecretValues({len(self._patterns)} patterns)"

    def shape(self, arn: str, *, stage: str = "", version: str = "") -> SecretShape | None:
        """Return the shape of the value of a secret or parameter, None if the contract does not allow to read it."""
        if not any(fnmatch.fnmatchcase(arn, pattern) for pattern in self._patterns):
            return None
        key = (arn, stage, version)
        if key not in self._shapes:
            self._shapes[key] = _shape(self._clients, arn, stage, version)
        return self._shapes[key]


def _shape(clients: Clients, arn: str, stage: str, version: str) -> SecretShape:
    """Look without raising; an interruption leaves here, without the frames that held the value."""
    interruption: type[BaseException]
    try:
        return _looked_at(clients, arn, stage, version)
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold the value
        return SecretShape(is_readable=False, code=_code(error))
    except BaseException as error:  # noqa: BLE001 - likewise
        interruption = type(error)
    raise interruption


def _looked_at(clients: Clients, arn: str, stage: str, version: str) -> SecretShape:
    client, parameters = _request(clients, arn, stage, version)
    answer = client(**parameters)
    value = _object(answer["Parameter"]["Value"] if "Parameter" in answer else answer.get("SecretString", ""))
    return SecretShape(is_readable=True, is_object=value is not None, keys=tuple(value or ()))


def _object(text: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _request(clients: Clients, arn: str, stage: str, version: str) -> tuple[Any, dict[str, Any]]:
    parsed = Arn.parse(arn)
    client = clients.client(parsed.service, parsed.region)
    if parsed.service == "ssm":
        return client.get_parameter, {"Name": arn, "WithDecryption": True}
    chosen = {"VersionStage": stage, "VersionId": version}
    return client.get_secret_value, {"SecretId": arn, **{key: value for key, value in chosen.items() if value}}


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)
