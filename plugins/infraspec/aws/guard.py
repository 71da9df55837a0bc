"""Only reads leave this process: every session of botocore that is made from now on refuses everything else.

Source: botocore.register_initializer, whose function is called with each new session, boto3's own included. A session
that was made before is not guarded, which is why the guard is armed before the first test is collected. It keeps
mistakes from AWS, not attacks: the wall is the policy of the runner, `infraspec runner-policy`.
"""

from __future__ import annotations

import fnmatch
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import botocore

from infraspec.aws.reads import CREDENTIALS, READS, VALUES
from infraspec.errors import GuardError

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
        if operation in READS.get(service, ()) or operation in CREDENTIALS.get(service, ()):
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
