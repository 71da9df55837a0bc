"""Clients of AWS: one per service and region, with retries and timeouts that end."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from functools import cached_property
from typing import Any

from boto3.session import Session
from botocore.config import Config

from infraspec import __version__
from infraspec.aws.bodies import refuse_cut
from infraspec.aws.failures import failures
from infraspec.aws.guard import GUARD

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
