"""One environment's AWS: clients, who asks with them, and what was answered.

Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.session import Session
from msgspec import Struct

from infraspec.aws.commands import Commands, Courier
from infraspec.aws.guard import GUARD
from infraspec.aws.runner_policy import (
    CANARY,
    COMMANDS,
    canary_statements,
    command_statements,
    policy_of,
    session_policy,
)
from infraspec.aws.secret_values import SecretValues
from infraspec.aws.session import CallerIdentity, Clients
from infraspec.aws.snapshot import AnswerStore, Snapshot
from infraspec.contract.models import Contract
from infraspec.core.errors import GuardError, IdentityError
from infraspec.core.regular_expressions import fits

_VARIABLE = "AWS_ENDPOINT_URL"


def refuse_endpoints(environment: str) -> None:
    """Raise GuardError if a variable or the configuration leads boto3 to another place than AWS."""
    found = next(configured_endpoints(), None)
    if found is None:
        return
    place, endpoint = found
    raise GuardError(
        f"the environment `{environment}` is an AWS account, but {place} points elsewhere",
        place=place,
        expected="no custom endpoint",
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
    if "endpoint_url" in scoped:
        yield "endpoint_url of the profile", scoped["endpoint_url"]
    for service, settings in services.get(scoped.get("services"), {}).items():
        if isinstance(settings, dict) and "endpoint_url" in settings:
            yield f"endpoint_url of {service} in the configuration", settings["endpoint_url"]


class AccountAccess(Struct, frozen=True):
    """What the fixtures of an environment hand out."""

    identity: CallerIdentity
    snapshot: Snapshot
    secret_values: SecretValues
    courier: Courier | None = None
    """Who publishes test messages; none without the contract's consent."""
    commands: Commands | None = None
    """Who runs commands on machines; none without the contract's consent, and none in the sandbox."""

    def regions(self) -> Sequence[str]:
        """Return the regions of the partition, the one that the process is set to first."""
        known: list[str] = Session().get_available_regions("ecs", self.identity.partition)
        given = [os.environ.get(name, "") for name in ("AWS_REGION", "AWS_DEFAULT_REGION")]
        return list(dict.fromkeys((*filter(None, given), *known)))

    @classmethod
    def to(
        cls,
        contract: Contract,
        name: str,
        region: str,
        *,
        is_local: bool,
        taken: datetime,
        directory: Path | None,
        asking: Callable[[str, str, str], None] | None = None,
    ) -> AccountAccess:
        """Ask AWS who the process is, and compare it with the contract's environment.

        `directory` is where the processes of the run share answers; `asking` is called with service, operation and
        region before each call. Raises IdentityError, GuardError for an endpoint
        that is not AWS's, CredentialsError or AwsError.
        """
        live = contract.environments[name].live
        if not is_local:
            refuse_endpoints(name)
        GUARD.allow(reads=live.reads, secrets=live.read_secrets)
        role = None if is_local else live.role
        clients = Clients(region, role=role, session_policy=session_policy(live) if role else None, is_local=is_local)
        identity = CallerIdentity.of(clients)
        _compare(contract, name, identity, is_local=is_local)
        store = AnswerStore(directory) if directory else None
        snapshot = Snapshot(clients, identity, taken=taken, store=store, asking=asking)

        def narrow(statements: Sequence[dict[str, Any]], permits: Sequence[str]) -> Clients:
            policy = policy_of(statements) if role else None
            return Clients(region, role=role, session_policy=policy, is_local=is_local, permits=permits)

        courier = Courier(narrow(canary_statements(live.canary), CANARY)) if live.canary else None
        hosts = [one for one in contract.hosts.values() if one.is_reached_by_aws and name in one.environments]
        told = {"partition": identity.partition, "region": region, "account": identity.account}
        commands = Commands(narrow(command_statements(hosts, **told), COMMANDS)) if hosts and not is_local else None
        return cls(identity, snapshot, SecretValues(clients, live.read_secrets), courier, commands)


def _compare(contract: Contract, name: str, identity: CallerIdentity, *, is_local: bool) -> None:
    environment = contract.environments[name]
    place = f"{contract.path.name}: environments.{name}"
    if environment.account_id is not None and environment.account_id != identity.account:
        raise IdentityError(
            f"these credentials are not of the account of `{name}`",
            place=f"{place}.account_id",
            expected=f"account {environment.account_id}",
            found=f"account {identity.account}: {identity.arn}",
            remedy="choose the environment's profile with AWS_PROFILE, or name the role to assume in the contract:\n"
            f'[environments.{name}.live]\nrole = "arn:{environment.partition}:iam::{environment.account_id}:role/…"',
        )
    if environment.region is not None and environment.partition != identity.partition:
        raise IdentityError(
            f"these credentials are not of the partition of `{name}`",
            place=f"{place}.partition",
            expected=environment.partition,
            found=f"{identity.partition}: {identity.arn}",
            remedy="choose the environment's profile with AWS_PROFILE",
        )
    runner = environment.live.runner
    if not is_local and runner is not None and not fits(runner, identity.role):
        raise IdentityError(
            f"the suite does not run as the runner of `{name}`",
            place=f"{place}.live.runner",
            expected=f"a session of a role whose name matches {runner}",
            found=f"the role {identity.role}" if identity.role else identity.arn,
            remedy="assume the runner's role: it may read, and nothing else",
        )
