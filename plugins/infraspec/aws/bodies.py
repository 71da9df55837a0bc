"""Bodies of answers that are not whole: botocore reads cut JSON as an answer without anything in it, and asks no more.

A check would take that for "there are none". Such an answer is an error 500 here, which botocore asks again, as it does
with errors that S3 puts into an answer 200 (botocore.handlers, `_handle_200_error`). Nothing of its text is kept.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.parsers import ResponseParserError, create_parser

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
        if _is_json(protocol, shape, response):
            json.loads(response["body"])
    except (ResponseParserError, ValueError, LookupError, TypeError):
        return False
    return True


def _is_json(protocol: str, shape: Any, response: Any) -> bool:
    """Tell whether a body has to be JSON; of REST, it may also be one member as it is, or all may be in headers."""
    status, body = response["status_code"], response["body"]
    if protocol not in {"json", "rest-json"} or _FIRST_ERROR <= status < _FAILED:
        return False
    if status >= _FAILED or shape is None or not shape.members:
        return bool(body)
    return protocol == "json" or (bool(body) and "payload" not in shape.serialization)
