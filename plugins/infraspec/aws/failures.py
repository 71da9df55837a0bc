"""What botocore raises, as errors of ours that say what to do. None of their texts holds what AWS was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError

from infraspec.aws.guard import API, actions_of
from infraspec.core.errors import (
    AwsError,
    CredentialsError,
    InfraspecError,
    ResourceRefusalError,
    RunnerPermissionError,
)

_ACTION = re.compile(r"not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9]+)")
_MISSING = re.compile(r"because no ([\w -]+) allows")
_DENIED_BY = re.compile(r"with an explicit deny in an? ([\w-]+(?: [\w-]+)*? (?:policy|boundary))")
_OWN = "identity-based policy"
_RESOURCE_POLICY = "resource-based policy"
_RESOURCE = re.compile(r"""on resource:? "?(arn:[^\s"]+|\*)""")
_CALLER = re.compile(r"User: (arn:\S+)")
_SESSION = re.compile(r":sts::(\d+):assumed-role/([^/]+)/.*")
_LONGEST = 1000


@contextmanager
def failures(service: str, operation: str, region: str = "") -> Iterator[None]:
    """Turn what botocore raises for an operation (`ecs`, `describe_services`) into InfraspecError."""
    try:
        yield
    except ClientError as error:
        raise _answered(error.response, service, operation, region) from None
    except (BotoCoreError, HTTPClientError) as error:
        raise _unanswered(error, service, operation, region) from None
    except ResponseParserError:  # its text has the whole answer
        raise AwsError(
            "what answers is not AWS",
            place=_place(service, operation, region),
            found="an answer that is not of the API's form, such as a page of HTML",
            remedy="check what is in between: a proxy (HTTPS_PROXY), a firewall; if there is nothing, run again",
        ) from None


def code_of(error: Any) -> str:
    """Return the error code of a botocore ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _answered(response: Any, service: str, operation: str, region: str) -> InfraspecError:
    code = str(response.get("Error", {}).get("Code", ""))
    message = _line(str(response.get("Error", {}).get("Message", "")))
    place = _place(service, operation, region)
    found = f"{code}: {message}" if message else code
    if code in API.denied:
        return _denied(service, operation, place, message, found)
    if code in API.expired:
        return expired(found, place)
    if code in API.unknown:
        return CredentialsError(
            "AWS does not know these credentials",
            place=place,
            found=found,
            remedy="check AWS_PROFILE and AWS_ACCESS_KEY_ID: a variable wins over a profile; "
            "`aws sts get-caller-identity` shows what they are",
        )
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    attempts = response.get("ResponseMetadata", {}).get("RetryAttempts", 0) + 1
    return AwsError(
        "AWS did not answer" if attempts == 1 else f"AWS did not answer, asked {attempts} times",
        place=place,
        found=f"{found} (HTTP {status})",
    )


def _denied(service: str, operation: str, place: str, message: str, found: str) -> RunnerPermissionError:
    """Name the action and the resource as AWS does, or else as the table of reads does."""
    named, resource = _ACTION.search(message), _RESOURCE.search(message)
    actions = [named[1]] if named else list(actions_of(service, operation))
    statement = {
        "Effect": "Allow",
        "Action": actions[0] if len(actions) == 1 else actions,
        "Resource": resource[1] if resource else "*",
    }
    missing, denied = _MISSING.search(message), _DENIED_BY.search(message)
    by = denied or missing
    caller = _CALLER.search(message) if by and by[1] == _RESOURCE_POLICY else None
    if denied:
        remedy = f"take the runner out of the Deny: it is in a policy of the kind {denied[1]}{_exception(caller)}"
    elif missing and missing[1] != _OWN:
        remedy = f"the {missing[1]} denies the runner, whatever its own policy says: allow {actions[0]} there"
        remedy += _admission(caller, statement)
    else:
        where = "add to the policy of the runner (infraspec runner-policy prints all of it)"
        remedy = f"{where}:\n{json.dumps(statement, indent=2)}"
    kind = ResourceRefusalError if by and by[1] == _RESOURCE_POLICY else RunnerPermissionError
    return kind(f"the runner may not {' or '.join(actions)}", place=place, found=found, remedy=remedy)


def _exception(caller: re.Match[str] | None) -> str:
    """Return what is added to a Deny of a resource's policy; a Deny has no list of who it spares."""
    if caller is None:
        return ""
    condition = {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": _principal(caller[1])}}}
    return f"; add to it, with the path of the role if it has one\n{json.dumps(condition, indent=2)}"


def _admission(caller: re.Match[str] | None, statement: Mapping[str, Any]) -> str:
    """Return the statement that lets the runner in; the policy of a repository of ECR takes no Resource."""
    if caller is None:
        return ""
    resource = {} if ":ecr:" in statement["Resource"] else {"Resource": statement["Resource"]}
    admitting = {
        "Effect": "Allow",
        "Principal": {"AWS": _principal(caller[1])},
        "Action": statement["Action"],
        **resource,
    }
    return f", with the path of the role if it has one\n{json.dumps(admitting, indent=2)}"


def _principal(caller: str) -> str:
    """Return the role whose session a caller is, or else the caller: a session's name changes from run to run."""
    return _SESSION.sub(r":iam::\1:role/\2", caller)


def expired(found: str, place: str) -> CredentialsError:
    """Return the error of credentials that were right once."""
    return CredentialsError(
        "the AWS credentials have expired",
        place=place,
        found=found,
        remedy="get new ones, such as with `aws sso login`; in a workflow, assume the role in the job that runs this",
    )


def _unanswered(error: Exception, service: str, operation: str, region: str) -> InfraspecError:
    place = _place(service, operation, region)
    name = type(error).__name__
    match name:
        case "NoCredentialsError" | "PartialCredentialsError" | "CredentialRetrievalError":
            return CredentialsError(
                "there are no AWS credentials",
                place=place,
                found=f"{name}: {_line(str(error))}",
                remedy="set AWS_PROFILE, or in a workflow assume a role with aws-actions/configure-aws-credentials; "
                "ENV=local needs none",
            )
        case "ProfileNotFound" | "InvalidConfigError" | "ConfigParseError" | "ConfigNotFound":
            return CredentialsError(
                "the AWS configuration does not have this profile",
                place=place,
                found=_line(str(error)),
                remedy="`aws configure list-profiles` shows those there are; AWS_PROFILE chooses one",
            )
        case _ if "SSO" in name or "Token" in name or "LoginRefresh" in name:
            return expired(f"{name}: {_line(str(error))}", place)
        case _:
            return AwsError("AWS did not answer", place=place, found=f"{name}: {_line(str(error))}")


def _place(service: str, operation: str, region: str) -> str:
    return f"{service}.{operation}" + (f" in {region}" if region else "")


def _line(text: str) -> str:
    """Return a message on one line; the cause of AWS's long ones stands at their end."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
