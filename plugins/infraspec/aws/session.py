"""Clients of AWS: one per service and region, with retries and timeouts that end.

A check would take that for "there are none". Such an answer is an error 500 here, which botocore asks again, as it does
with errors that S3 puts into an answer 200 (botocore.handlers, `_handle_200_error`). Nothing of its text is kept.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import nullcontext
from functools import cached_property
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.parsers import ResponseParserError, create_parser
from msgspec import Struct

from infraspec import __version__
from infraspec.aws.failures import failures
from infraspec.aws.guard import GUARD
from infraspec.core.arn import Arn

CODE = "UnreadableAnswer"
_FAILED = 500
_FIRST_ERROR = 300


def refuse_cut(events: Any) -> None:
    """Have the clients that a session with these events makes from now on ask again where a body is not whole."""
    events.register("before-parse", _mark)
    events.register_first("needs-retry.*.*", _count_as_failed)  # before the handler of the service, which decides


def _mark(operation_model: Any, response_dict: Any, customized_response_dict: Any, **_: Any) -> None:
    status, body = response_dict["status_code"], response_dict["body"]
    is_stream = operation_model.has_streaming_output or operation_model.has_event_stream_output
    if (is_stream and status < _FIRST_ERROR) or _is_whole(operation_model, response_dict):
        return  # whoever reads a stream counts its bytes
    message = f"HTTP {status} with {len(body)} bytes that are no answer of {operation_model.service_model.service_name}"
    response_dict["status_code"] = max(_FAILED, status)
    response_dict["body"] = b""
    customized_response_dict["Error"] = {"Code": CODE, "Message": message}


def _count_as_failed(response: Any, **_: Any) -> None:
    """Give the answer the status that it was marked with: what decides on retries looks there."""
    if response is not None and response[1].get("Error", {}).get("Code") == CODE:
        response[0].status_code = response[1]["ResponseMetadata"]["HTTPStatusCode"]


def _is_whole(operation_model: Any, response: Any) -> bool:
    """Tell whether botocore reads of the body what was sent; its parser of JSON alone takes anything."""
    protocol, shape = operation_model.service_model.resolved_protocol, operation_model.output_shape
    try:
        create_parser(protocol).parse(response, shape)
        if _is_json(protocol, shape, response) or _is_document(shape, response):
            return isinstance(json.loads(response["body"]), dict)
        if protocol == "rest-xml" and _has_body(shape, response):
            return bool(response["body"])
    except (ResponseParserError, ValueError, LookupError, TypeError, AttributeError):
        return False
    return True


def _is_json(protocol: str, shape: Any, response: Any) -> bool:
    """Tell whether a body has to be JSON; of REST, it may also be one member as it is, or all may be in headers."""
    status, body = response["status_code"], response["body"]
    if protocol not in {"json", "rest-json"}:
        return False
    if _FIRST_ERROR <= status < _FAILED:
        return bytes(body).lstrip().startswith(b"{")  # a proxy on the way answers with a page
    if status >= _FAILED or shape is None or not shape.members:
        return bool(body)
    return protocol == "json" or (bool(body) and "payload" not in shape.serialization)


def _has_body(shape: Any, response: Any) -> bool:
    """Tell whether an answer of REST in XML has a body: S3 says in one that there is nothing, too."""
    in_body = shape is not None and any("location" not in member.serialization for member in shape.members.values())
    return in_body and response["status_code"] < _FIRST_ERROR


def _is_document(shape: Any, response: Any) -> bool:
    """Tell whether a body is a JSON document as it is: a policy, of which a part may be read as another one."""
    payload = shape.serialization.get("payload") if shape is not None else None
    return payload == "Policy" and response["status_code"] < _FIRST_ERROR


_CONNECT_SECONDS = 5
_READ_SECONDS = 20
_ATTEMPTS = 8
_LOCAL_ATTEMPTS = 3


class Clients:
    """The clients of one identity, each made once: making one takes up to 30 ms, another session 100 ms.

    `role` is assumed with the credentials of the process, for no more than `session_policy` allows. `endpoint` takes
    the place of AWS's own, as does that of an environment variable or the configuration if `is_local`. `permits` are
    the operations, as `sns:Publish`, that the guard lets through beside the reads.
    """

    def __init__(
        self,
        region: str,
        *,
        role: str | None = None,
        session_policy: str | None = None,
        is_local: bool = False,
        permits: Collection[str] = (),
    ) -> None:
        self.region = region
        self._permits = tuple(permits)
        self._role = role
        self._session_policy = session_policy
        self.is_local = is_local
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service, such as `ecs`. Raises CredentialsError if the role cannot be assumed."""
        key = (service, region or self.region)
        if key not in self._clients:
            self._clients[key] = self._session.client(service, region_name=key[1], config=self._config)
        return self._clients[key]

    @cached_property
    def _config(self) -> Any:
        return Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _LOCAL_ATTEMPTS if self.is_local else _ATTEMPTS},
            ignore_configured_endpoint_urls=not self.is_local,
            user_agent_extra=f"infraspec/{__version__}",
        )

    @cached_property
    def _session(self) -> Any:
        with GUARD.permitting(*self._permits) if self._permits else nullcontext():
            return self._made()

    def _made(self) -> Any:
        with failures("sts", "assume_role"):
            own = Session(region_name=self.region)
            refuse_cut(own.events)
            if self._role is None:
                return own
            policy = {"Policy": self._session_policy} if self._session_policy else {}
            answer = own.client("sts", config=self._config).assume_role(
                RoleArn=self._role, RoleSessionName="infraspec", **policy
            )
        given = answer["Credentials"]
        assumed = Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name=self.region,
        )
        refuse_cut(assumed.events)
        return assumed


class CallerIdentity(Struct, frozen=True):
    """The caller: `arn` is that of a user, a role's session or the account's root."""

    account: str
    partition: str
    arn: str

    @classmethod
    def of(cls, clients: Clients) -> CallerIdentity:
        """Ask AWS who calls. Raises CredentialsError or AwsError."""
        with failures("sts", "get_caller_identity", clients.region):
            answer = clients.client("sts").get_caller_identity()
        return cls(answer["Account"], Arn.parse(answer["Arn"]).partition, answer["Arn"])

    @property
    def role(self) -> str:
        """The name of the role whose session this is; empty for a user or the root."""
        kind, _, rest = self.arn.split(":", 5)[5].partition("/")
        return rest.split("/")[0] if kind == "assumed-role" else ""
