"""One environment's AWS: clients, who asks with them, and what was answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from infraspec.aws.canary import Courier
from infraspec.aws.commands import Commands
from infraspec.aws.endpoints import refuse_endpoints
from infraspec.aws.guard import GUARD
from infraspec.aws.identity import Identity
from infraspec.aws.runner_policy import session_policy
from infraspec.aws.secret_values import SecretValues
from infraspec.aws.session import Clients
from infraspec.aws.snapshot import Snapshot
from infraspec.aws.store import Store
from infraspec.aws.writes import CANARY, COMMANDS, canary_statements, command_statements, policy_of
from infraspec.contract.models import Contract
from infraspec.errors import IdentityError


class Access(Struct, frozen=True):
    """What the fixtures of an environment hand out."""

    identity: Identity
    snapshot: Snapshot
    secret_values: SecretValues
    courier: Courier | None = None
    """Who publishes test messages; none without the contract's consent."""
    commands: Commands | None = None
    """Who runs commands on machines; none without the contract's consent, and none in the sandbox."""

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
    ) -> Access:
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
        identity = Identity.of(clients)
        _compare(contract, name, identity, is_local=is_local)
        store = Store(directory) if directory else None
        snapshot = Snapshot(clients, identity, taken=taken, store=store, asking=asking)

        def narrow(statements: Sequence[dict[str, Any]], permits: Sequence[str]) -> Clients:
            policy = policy_of(statements) if role else None
            return Clients(region, role=role, session_policy=policy, is_local=is_local, permits=permits)

        courier = Courier(narrow(canary_statements(live.canary), CANARY)) if live.canary else None
        hosts = [one for one in contract.hosts.values() if one.is_reached_by_aws and name in one.environments]
        told = {"partition": identity.partition, "region": region, "account": identity.account}
        commands = Commands(narrow(command_statements(hosts, **told), COMMANDS)) if hosts and not is_local else None
        return cls(identity, snapshot, SecretValues(clients, live.read_secrets), courier, commands)


def _compare(contract: Contract, name: str, identity: Identity, *, is_local: bool) -> None:
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
    if not is_local and runner is not None and not re.fullmatch(runner, identity.role):
        raise IdentityError(
            f"the suite does not run as the runner of `{name}`",
            place=f"{place}.live.runner",
            expected=f"a session of a role whose name matches {runner}",
            found=f"the role {identity.role}" if identity.role else identity.arn,
            remedy="assume the runner's role: it may read, and nothing else",
        )
