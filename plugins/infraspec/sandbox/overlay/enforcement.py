"""IAM enforcement: our evaluator says who may do what, and the answer is AWS's, code and text.

moto's own enforcement knows no resources and no conditions, and answers 403 to every service.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from functools import partialmethod
from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, get_service_model
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import S3AccessDeniedError, S3ClientError, S3InvalidAccessKeyIdError
from moto.s3.models import FakeBucket, S3Backend, s3_backends
from moto.sts.responses import TokenResponse
from werkzeug.exceptions import HTTPException

from infraspec.core.errors import InfraspecError
from infraspec.sandbox.overlay import trail
from infraspec.sandbox.overlay.decisions import SandboxIdentity, allowed, ask, compiled, of_key, refusal
from infraspec.sandbox.overlay.passed_roles import passed_roles
from infraspec.sandbox.overlay.refusals import is_public, refused
from infraspec.sandbox.overlay.request_context import keys_of
from infraspec.sandbox.overlay.secret_keys import key_error, parameter_key_error
from infraspec.sandbox.overlay.targets import PREFIXES, Place, RegisteredTarget, parameters_of, targets
from infraspec.sandbox.server_process import ServerSettings

_JSON = {"json", "rest-json", "smithy-rpc-v2-cbor"}


class AwsAnswerError(Exception):
    """An error that AWS answers: its code and message. moto reads both attributes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def answer(response: Any, error: AwsAnswerError, status: int) -> Any:
    """Return an error as what moto's server sends."""
    _, headers, body = response.serialized(ActionResult(error))
    headers["status"] = str(status)
    return status, headers, body


def denied(response: Any, message: str) -> Any:
    """Return that a request is not allowed."""
    return _refused(response, message, "AccessDeniedException", "UnauthorizedOperation", "AccessDenied")


def unrecognized(response: Any) -> Any:
    """Return that nobody has this access key."""
    message = "The security token included in the request is invalid."
    return _refused(response, message, "UnrecognizedClientException", "AuthFailure", "InvalidClientTokenId")


def _refused(response: Any, message: str, in_json: str, of_ec2: str, in_xml: str) -> Any:
    """Return a refusal with the code that a JSON protocol, EC2 and everything else has for it."""
    service = response.boto3_service_name
    if "x-amz-target" in response.headers or (service and get_service_model(service).protocol in _JSON):
        return answer(response, AwsAnswerError(in_json, message), 400)
    code = of_ec2 if service == "ec2" else in_xml
    return answer(response, AwsAnswerError(code, message), 403)


def not_implemented(response: Any, message: str) -> Any:
    """Return that the sandbox has no such operation: SDKs do not ask again after 501."""
    return answer(response, AwsAnswerError("NotImplemented", message), 501)


_NEVER_ASKED = {"sts:GetCallerIdentity", "sts:GetSessionToken"}
_S3_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
}


def install(settings: ServerSettings) -> None:
    """Put the enforcement over every service of moto."""
    BaseResponse.call_action = partialmethod(_call_action, settings, BaseResponse.call_action)
    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = lambda *_, **__: None
    ActionAuthenticatorMixin._authenticate_and_authorize_s3_action = partialmethod(_authorize_s3, settings)
    FakeBucket.get_permission = lambda *_, **__: PermissionResult.NEUTRAL
    S3Backend.put_bucket_policy = partialmethod(_put_bucket_policy, S3Backend.put_bucket_policy)
    TokenResponse.get_caller_identity = partialmethod(_get_caller_identity, settings)


def _call_action(response: Any, settings: ServerSettings, original: Callable[[Any], Any]) -> Any:
    action = response._get_action()
    if not action:
        return original(response)
    parameters = parameters_of(response)
    who = of_key(settings, response.partition, response.get_access_key())
    if who is None:
        return unrecognized(response)
    message = _refusal(response, who, action, parameters)
    if message is not None:
        trail.record(response, who, action, parameters, error=("AccessDenied", message))
        return denied(response, message)
    if (error := _not_taken(response, who, action, parameters)) is not None:
        return error
    try:
        answered = original(response)
    except NotImplementedError as error:
        return not_implemented(response, str(error))
    except (ServiceException, HTTPException):
        raise
    except Exception as error:  # noqa: BLE001 - whatever fails in moto is a gap, and asking again is in vain
        traceback.print_exc()
        return not_implemented(response, f"moto fails at {action}: {type(error).__name__}: {error}")
    trail.record(response, who, action, parameters)
    if action == "BatchGetSecretValue":
        return _readable_alone(response, who, answered)
    return answered


def _place(response: Any) -> Place:
    return Place(response.current_account, response.region, response.partition)


def _refusal(response: Any, who: SandboxIdentity, action: str, parameters: dict[str, Any]) -> str | None:
    """Return why a request is refused, None if it is not."""
    service = response.boto3_service_name
    name = f"{PREFIXES.get(service, service)}:{action}"
    place = _place(response)
    keys = keys_of(service, parameters, place)
    if who.everything and name == "sts:AssumeRole":
        (target,) = targets(service, parameters, place)
        return (
            None
            if target.policies
            else f"User: {who.arn} is not authorized to perform: {name} on resource: {target.arn}"
        )
    if who.everything or name in _NEVER_ASKED:
        return None
    for target in targets(service, parameters, place):
        message = _of_target(place, who, name, target, keys)
        if message is not None:
            return message
    for role, receiver in passed_roles(service, action, parameters, place).items():
        told = {"iam:PassedToService": receiver, "aws:SourceIp": keys["aws:SourceIp"]}
        message = _of_target(place, who, "iam:PassRole", RegisteredTarget(role), told)
        if message is not None:
            return message
    return None


def _of_target(
    place: Place, who: SandboxIdentity, action: str, target: RegisteredTarget, keys: Mapping[str, Any]
) -> str | None:
    decision = ask(
        who,
        action,
        target.arn,
        account=place.account,
        region=place.region,
        resource_policies=target.policies,
        tags=target.tags,
        keys=keys,
    )
    return None if allowed(who, decision) else refusal(who, action, target.arn, decision)


def _not_taken(response: Any, who: SandboxIdentity, action: str, parameters: dict[str, Any]) -> Any:
    """Return the error of a request that is allowed and that AWS does not take, None if it does."""
    service, place = response.boto3_service_name, _place(response)
    if (error := refused(service, action, parameters, place)) is not None:
        return answer(response, AwsAnswerError(error.code, error.message), error.status)
    told = None
    if service == "secretsmanager":
        (target,) = targets(service, parameters, place)[:1]
        told = key_error(place, who, action, parameters, target.arn)
    elif service == "ssm":
        told = parameter_key_error(place, who, action, parameters)
    if told is None:
        return None
    trail.record(response, who, action, parameters, error=told)
    return answer(response, AwsAnswerError(*told), 400)


def _readable_alone(response: Any, who: SandboxIdentity, answered: Any) -> Any:
    """Leave in an answer of BatchGetSecretValue what may be read; the rest is among its errors.

    Source: AWS Secrets Manager API Reference, BatchGetSecretValue: it takes GetSecretValue for each secret.
    """
    status, headers, body = answered
    place = _place(response)
    told, read = json.loads(body), "GetSecretValue"
    kept, errors = [], list(told["Errors"] or ())
    for value in told["SecretValues"]:
        parameters = {"SecretId": value["ARN"]}
        (target,) = targets("secretsmanager", parameters, place)
        keys = keys_of("secretsmanager", parameters, place)
        message = _of_target(place, who, f"secretsmanager:{read}", target, keys)
        error = ("AccessDeniedException", message) if message else key_error(place, who, read, parameters, target.arn)
        if error is None:
            kept.append(value)
        else:
            errors.append({"SecretId": value["ARN"], "ErrorCode": error[0], "Message": error[1]})
    return status, headers, json.dumps({**told, "SecretValues": kept, "Errors": errors})


def _authorize_s3(
    response: Any, settings: ServerSettings, bucket_name: str | None = None, key_name: str | None = None
) -> None:
    who = of_key(settings, response.partition, response.get_access_key())
    if who is None:
        raise S3InvalidAccessKeyIdError
    action = response.data.get("Action") or response._get_action()  # the first is the name that policies have
    name = f"s3:{_S3_ACTIONS.get(action, action)}"
    place = _place(response)
    arn = f"arn:{place.partition}:s3:::{bucket_name or '*'}" + (f"/{key_name}" if key_name else "")
    keys = {"aws:SourceIp": keys_of("s3", {}, place)["aws:SourceIp"]}
    message = _of_target(place, who, name, RegisteredTarget(arn, _bucket_policies(place, bucket_name)), keys)
    if message is not None:
        raise S3AccessDeniedError
    trail.record(response, who, action, {"bucketName": bucket_name, "key": key_name})


def _bucket_policies(place: Place, name: str | None) -> tuple[Any, ...]:
    bucket = s3_backends[place.account][place.partition].buckets.get(name)
    policy = bucket.policy if bucket is not None else None
    if not policy:
        return ()
    text = policy.decode() if isinstance(policy, bytes) else policy
    return (compiled(f"the policy of bucket {name}", text, with_principals=True),)


def _put_bucket_policy(backend: Any, original: Callable[..., None], bucket_name: str, policy: bytes) -> None:
    """Refuse what is no policy, and a public one where BlockPublicPolicy is on.

    Sources: Amazon S3 API Reference, "Error responses" (MalformedPolicy) and PublicAccessBlock. moto takes any text,
    and then no request about the bucket could be decided.
    """
    try:
        compiled(f"the policy of bucket {bucket_name}", policy.decode(), with_principals=True)
    except (InfraspecError, UnicodeDecodeError):
        raise S3ClientError("MalformedPolicy", "Policies must be valid JSON and follow its syntax") from None
    block = backend.get_bucket(bucket_name).public_access_block
    if block is not None and str(block.block_public_policy).lower() == "true" and is_public(policy):
        raise S3AccessDeniedError
    original(backend, bucket_name, policy)


def _get_caller_identity(response: Any, settings: ServerSettings) -> Any:
    who = of_key(settings, response.partition, response.get_access_key())
    arn = who.arn if who else ""
    return ActionResult({"UserId": who.user_id if who else "", "Account": settings.account, "Arn": arn})
