"""Only reads leave this process: every session of botocore that is made from now on refuses everything else.

Source: botocore.register_initializer, whose function is called with each new session, boto3's own included. A session
that was made before is not guarded, which is why the guard is armed before the first test is collected. It keeps
mistakes from AWS, not attacks: the wall is the policy of the runner, `infraspec runner-policy`.

The catalogue says which operations list the resources of a type. A check of anything else adds its operations to
api.json, under boto3's name of the service and the API's name of the operation, and `infraspec runner-policy` prints
the IAM actions that they need. Nothing there may change anything or return the value of a secret. Source of the
actions: Service Authorization Reference.
"""

from __future__ import annotations

import fnmatch
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import botocore
import msgspec
from msgspec import Struct

from infraspec.core.errors import GuardError
from infraspec.resource_types import TYPES


class ApiTables(Struct, frozen=True, forbid_unknown_fields=True):
    """What api.json says of the API of AWS.

    `further` are operations by service that list no resources of the catalogue, `actions` the IAM actions of an
    operation, where they are not its own name. `credentials` is what botocore asks to get the credentials of a profile
    or a role; the sessions made of them are guarded too. The others are codes of errors: of what is not allowed, of
    credentials that were right once, and of such as AWS does not know.
    """

    further: Mapping[str, tuple[str, ...]]
    actions: Mapping[str, tuple[str, ...]]
    credentials: Mapping[str, tuple[str, ...]]
    denied: frozenset[str]
    expired: frozenset[str]
    unknown: frozenset[str]


API = msgspec.json.decode(Path(__file__).with_name("api.json").read_bytes(), type=ApiTables)


def _reads() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set, {service: set(names) for service, names in API.further.items()})
    for listing in (one.listing for one in TYPES.values() if one.listing is not None):
        found[listing.service].update(listing.operations())
    return {service: tuple(sorted(found[service])) for service in sorted(found)}


READS = _reads()
"""All operations by service."""

PREFIXES: Mapping[str, str] = {
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "stepfunctions": "states",
}
"""The prefix of a service's IAM actions, where it is not boto3's name of the service."""

VALUES: Mapping[str, str] = {"secretsmanager:GetSecretValue": "SecretId", "ssm:GetParameter": "Name"}
"""Operations that return the value of a secret, by the parameter that names it: for those alone of the contract."""

STATE_ACTIONS = ("s3:GetObject",)
"""Actions that are granted for the state of Terraform alone: `terraform state pull` needs them before a run."""

UNSHARED = frozenset(
    {
        ("apprunner", "DescribeService"),
        ("batch", "DescribeJobDefinitions"),
        ("lambda", "GetFunctionConfiguration"),
        ("s3", "GetObject"),
        ("sns", "GetSubscriptionAttributes"),
        ("sns", "ListSubscriptionsByTopic"),
    }
)
"""Operations whose answers may hold secrets: they stay in the memory of one process.

A state of Terraform holds them, the environment of a function or job may, and the endpoint of a pager's subscription is
its integration key.
"""


def api_name(service: str, operation: str) -> str:
    """Return the API's name of an operation (`DescribeServices`) by boto3's (`describe_services`).

    That of another one, which a contract may allow, is guessed: abbreviations have one capital (`DescribeDbProxies`).
    """
    plain = _plain(operation)
    own = (name for name in READS.get(service, ()) if _plain(name) == plain)
    return next(own, operation.title().replace("_", ""))


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """Return the IAM actions that an operation needs."""
    name = api_name(service, operation)
    return API.actions.get(f"{service}:{name}", (f"{PREFIXES.get(service, service)}:{name}",))


def _plain(operation: str) -> str:
    return operation.replace("_", "").lower()


_LOGGERS = ("boto3", "botocore", "s3transfer", "testinfra", "urllib3")


class Guard:
    """What sessions may ask. `reads` are further operations, as `glue:GetTables`; `secrets` patterns of ARNs."""

    def __init__(self) -> None:
        self.is_armed = False
        self.reads: frozenset[str] = frozenset()
        self.secrets: tuple[str, ...] = ()
        self._permitted: list[frozenset[str] | None] = []

    def arm(self) -> None:
        """Guard every session from now on, forget boto3's default one, and keep bodies of answers out of logs."""
        boto3.DEFAULT_SESSION = None
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)
        if not self.is_armed:
            botocore.register_initializer(self._attach)
            self.is_armed = True

    def disarm(self) -> None:
        """Leave the sessions alone that are made from now on, and allow those made before no more than reads."""
        if self.is_armed:
            botocore.unregister_initializer(self._attach)
            self.is_armed = False
        self.reads, self.secrets = frozenset(), ()

    def allow(self, *, reads: Iterable[str] = (), secrets: Iterable[str] = ()) -> None:
        """Allow what the contract does, beside the reads of the suite."""
        self.reads |= frozenset(reads)
        self.secrets += tuple(secrets)

    @contextmanager
    def permitting(self, *operations: str) -> Iterator[None]:
        """Allow the sessions that are made inside some operations more, such as `sns:Publish`; without one, all."""
        self._permitted.append(frozenset(operations) if operations else None)
        try:
            yield
        finally:
            self._permitted.pop()

    def _attach(self, session: Any) -> None:
        permitted = self._permitted[-1] if self._permitted else frozenset()
        if permitted is None:
            return

        def refuse(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            self._check(model.service_model.service_name, model.name, params, permitted)

        session.register("before-parameter-build", refuse)

    def _check(self, service: str, operation: str, parameters: Mapping[str, Any], permitted: frozenset[str]) -> None:
        name = f"{service}:{operation}"
        if operation in READS.get(service, ()) or operation in API.credentials.get(service, ()):
            return
        if name in permitted or name in self.reads:
            return
        if name in VALUES:
            self._check_value(name, str(parameters.get(VALUES[name], "")))
            return
        raise GuardError(
            f"the live suite only reads, and {name} is not on its list of reads",
            expected="an operation that changes nothing and returns no secret",
            found=name,
            remedy=f'if it is one, allow it in the contract:\n[environments.NAME.live]\nreads = ["{name}"]',
        )

    def _check_value(self, name: str, subject: str) -> None:
        if any(fnmatch.fnmatchcase(subject, pattern) for pattern in self.secrets):
            return
        raise GuardError(
            "the live suite reads no value of a secret that the contract does not name",
            expected="an ARN of environments.NAME.live.read_secrets",
            found=f"{name} of {subject or 'several'}",
            remedy="if its value may be read by who runs the suite, allow it in the contract:\n"
            f'[environments.NAME.live]\nread_secrets = ["{subject or "arn:…"}"]',
        )


GUARD = Guard()
"""The guard of this process: botocore's initializers are the process's too."""
