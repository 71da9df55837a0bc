"""Errors in the protocol of the service that is asked, so that every SDK reads them as those of AWS."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, get_service_model

_JSON = {"json", "rest-json", "smithy-rpc-v2-cbor"}


class AwsAnswerError(Exception):
    """An error that AWS answers: its code and message. moto reads both attributes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def speaks_json(response: Any) -> bool:
    """Tell whether a request is in a JSON protocol."""
    if "x-amz-target" in response.headers:
        return True
    service = response.boto3_service_name
    return bool(service) and get_service_model(service).protocol in _JSON


def answer(response: Any, error: AwsAnswerError, status: int) -> Any:
    """Return an error as what moto's server sends."""
    _, headers, body = response.serialized(ActionResult(error))
    headers["status"] = str(status)
    return status, headers, body


def denied(response: Any, message: str) -> Any:
    """Return that a request is not allowed."""
    if speaks_json(response):
        return answer(response, AwsAnswerError("AccessDeniedException", message), 400)
    code = "UnauthorizedOperation" if response.boto3_service_name == "ec2" else "AccessDenied"
    return answer(response, AwsAnswerError(code, message), 403)


def unrecognized(response: Any) -> Any:
    """Return that nobody has this access key."""
    message = "The security token included in the request is invalid."
    if speaks_json(response):
        return answer(response, AwsAnswerError("UnrecognizedClientException", message), 400)
    code = "AuthFailure" if response.boto3_service_name == "ec2" else "InvalidClientTokenId"
    return answer(response, AwsAnswerError(code, message), 403)


def not_implemented(response: Any, message: str) -> Any:
    """Return that the sandbox has no such operation: SDKs do not ask again after 501."""
    return answer(response, AwsAnswerError("NotImplemented", message), 501)
