"""A running sandbox: an AWS account on this machine that holds what a plan says."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from infraspec import contract as contracts
from infraspec.aws.runner_policy import runner_policy
from infraspec.checks.state.state_backend import state_place
from infraspec.contract import Contract
from infraspec.contract.live import Live
from infraspec.contract.models import Environment
from infraspec.core.errors import SandboxError
from infraspec.sandbox.applying import AppliedPlan, NotApplied
from infraspec.sandbox.server_process import START_SECONDS, Account, Child, ServerSettings, spawn
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan

_DEFAULT_ACCOUNT, _DEFAULT_REGION = "123456789012", "us-east-1"
_KEY_CHARACTERS = string.ascii_uppercase + string.digits


@dataclass(slots=True)
class Running:
    """A sandbox that answers at `endpoint` until it is stopped; also a context manager.

    `environment` holds the variables with which an SDK asks it as the runner of a suite, `operator` those of one who
    may do everything.
    """

    endpoint: str
    environment: dict[str, str]
    operator: dict[str, str]
    token: str = field(repr=False)
    """What the process shows to prove that it is this one."""
    deployment: AppliedPlan = field(repr=False)
    _child: Child = field(repr=False)

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._child.process.pid

    @property
    def not_applied(self) -> tuple[NotApplied, ...]:
        """What of the plan is not in it, with the reasons."""
        return self.deployment.not_applied

    @property
    def account(self) -> Account:
        """The account as the operator sees it."""
        return self.deployment.account

    def apply(self, plan: Plan) -> tuple[NotApplied, ...]:
        """Bring the sandbox to what another plan says, and return what of it could not be applied.

        Raises SandboxError if the process is gone.
        """
        if ended := self.ended():
            raise ended
        return self.deployment.apply(plan)

    def ended(self) -> SandboxError | None:
        """Return an error that says how its process ended, None while it runs."""
        if self._child.process.poll() is None:
            return None
        return SandboxError(
            "the sandbox is not running any more",
            place=self.endpoint,
            found=self._child.last_words() or "nothing on standard error",
            remedy="start another one",
        )

    def wait(self) -> None:
        """Wait until its process ends."""
        self._child.process.wait()

    def release(self) -> None:
        """Let a detached one live on after this process; it is not stopped by this object any more."""
        self.account.close()
        self._child.release()

    def stop(self) -> None:
        """End its process; more than once is as good as once."""
        self.account.close()
        self._child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    contract: Contract,
    environment: str,
    *,
    port: int = 0,
    settled: bool = True,
    log: Path | None = None,
    seconds: float = START_SECONDS,
) -> Running:
    """Start a sandbox and apply what an environment of the contract evaluates to.

    Unless `settled`, alarms stay without data and e-mail subscriptions pending, as right after an apply. With a `log`
    file it is detached: it can outlive this process. Raises SandboxError if the process does not listen within
    `seconds`, ContractError and TerraformError if the input is wrong.
    """
    environments = Environments(contract)
    plan = environments.plan(environment)
    known = contracts.environment(contract, environment)
    account, region = place_of(plan, known)
    running = start_empty(
        account=account,
        region=region,
        partition=known.partition,
        port=port,
        policy=_runner_policy(environments, environment),
        log=log,
        seconds=seconds,
    )
    running.deployment.settled = settled
    try:
        running.apply(plan)
    except BaseException:
        running.stop()
        raise
    return running


def start_empty(
    *,
    account: str = _DEFAULT_ACCOUNT,
    region: str = _DEFAULT_REGION,
    partition: str = "aws",
    port: int = 0,
    policy: str = "",
    log: Path | None = None,
    seconds: float = START_SECONDS,
) -> Running:
    """Start a sandbox of an account that holds nothing yet.

    `policy` is what the runner may do, by default what the live suite reads. Raises SandboxError.
    """
    token, operator_key, runner_key = secrets.token_hex(16), _access_key(), _access_key()
    settings = ServerSettings(
        account,
        region,
        token,
        operator_key,
        runner_key,
        port,
        detached=log is not None,
        runner_policy=policy or json.dumps(runner_policy(Live())),
    )
    child = spawn(settings, log=log, seconds=seconds)
    endpoint = f"http://127.0.0.1:{child.port}"
    operator, runner = (
        Account(endpoint, account, region, partition, key) for key in (settings.operator_key, settings.runner_key)
    )
    return Running(endpoint, runner.environment(), operator.environment(), token, AppliedPlan(operator), child)


def place_of(plan: Plan, known: Environment) -> tuple[str, str]:
    """Return the account and region that the sandbox of a plan has, where neither source nor contract says it too.

    The region of the contract counts first, as for a live run: that is where one asks.
    """
    account, region = (value if isinstance(value, str) else "" for value in (plan.account, plan.region))
    return account or known.account_id or _DEFAULT_ACCOUNT, known.region or region or _DEFAULT_REGION


def _runner_policy(environments: Environments, name: str) -> str:
    """Return the policy that `infraspec runner-policy` prints for an environment."""
    environment, settings = environments.contract.environments[name], environments.settings().get(name)
    place = state_place(settings.backend, environment) if settings and settings.backend.type == "s3" else None
    objects = [f"arn:{environment.partition}:s3:::{'/'.join(place)}"] if place else []
    return json.dumps(runner_policy(environment.live, objects))


def _access_key() -> str:
    return "AKIA" + "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(16))
