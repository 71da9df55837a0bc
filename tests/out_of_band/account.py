"""The embedded AWS inside of this process, without a connection: botocore hands each request to it.

moto reads its environment when it is imported and the overlay is put over it for good, so a process of its own imports
this (`python -m tests.out_of_band`). Each change is made in a fork of it, so every one finds the account as deployed.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPResponse
from werkzeug.test import Client, EnvironBuilder

from infraspec import contract as contracts
from infraspec.aws.access import AccountAccess
from infraspec.aws.runner_policy import runner_policy
from infraspec.contract.live import Live
from infraspec.contract.models import Contract
from infraspec.sandbox.applying import AppliedPlan
from infraspec.sandbox.running import place_of
from infraspec.sandbox.server_process import Account, ServerSettings
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan

ROOT = Path(__file__).parents[2] / "fixtures" / "daily-report-tool"
ENVIRONMENT = "prod"
_OPERATOR, _RUNNER = "AKIAOPERATOROPERATOR", "AKIARUNNERRUNNERRUNN"
_ENDPOINT = "http://127.0.0.1:1"
"""An address that nothing listens at: what is not handed over fails."""


class Deployed:
    """The reference infrastructure, deployed in this process."""

    def __init__(self, root: Path = ROOT, environment: str = ENVIRONMENT) -> None:
        self.root, self.environment = root, environment
        self.contract: Contract = contracts.load(root / "infraspec.toml")
        self.environments = Environments(self.contract)
        self.plan: Plan = self.environments.plan(environment)
        account, region = place_of(self.plan, contracts.environment(self.contract, environment))
        self.account = Account(_ENDPOINT, account, region, "aws", _OPERATOR)
        policy = json.dumps(runner_policy(Live()))
        _begin(ServerSettings(account, region, "", _OPERATOR, _RUNNER, runner_policy=policy))
        self.applied = AppliedPlan(self.account)
        self.applied.apply(self.plan)

    def access(self, contract: Contract | None = None) -> AccountAccess:
        """Return what a new run asks as the runner."""
        os.environ.update(Account(_ENDPOINT, self.account.account, self.account.region, "aws", _RUNNER).environment())
        return AccountAccess.to(
            contract or self.contract,
            self.environment,
            self.account.region,
            is_local=True,
            taken=datetime.now(tz=UTC),
            directory=None,
        )


def _begin(settings: ServerSettings) -> None:
    """Put moto, with the overlay, in the place of the network."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_"))]:
        del os.environ[name]
    os.environ.update(
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        MOTO_ACCOUNT_ID=settings.account,
        MOTO_ALLOW_NONEXISTENT_REGION="true",
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
        MOTO_IAM_LOAD_MANAGED_POLICIES="true",
    )
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - it reads the environment
        DomainDispatcherApplication,
        create_backend_app,
    )

    from infraspec.sandbox.overlay import install, missing_service  # noqa: PLC0415 - likewise

    install(settings)
    client = Client(DomainDispatcherApplication(lambda name: create_backend_app(name) if name else missing_service))
    URLLib3Session.send = lambda _session, request: _sent(client, request)


def _sent(client: Client, request: Any) -> AWSResponse:
    """Answer a request as the server of the sandbox would."""
    where = urlsplit(request.url)
    body = request.body.read() if hasattr(request.body, "read") else request.body
    builder = EnvironBuilder(
        path=where.path or "/",
        base_url=f"{where.scheme}://{where.netloc}",
        query_string=where.query,
        method=request.method,
        data=body.encode() if isinstance(body, str) else body or b"",
        headers=[(name, _text(value)) for name, value in request.headers.items()],
    )
    answer = client.open(builder)
    content = io.BytesIO(answer.get_data())
    raw = HTTPResponse(content, dict(answer.headers), answer.status_code, preload_content=False)
    response = AWSResponse(request.url, answer.status_code, raw.headers, raw)
    if not request.stream_output:
        response.content  # noqa: B018 - botocore reads it before the connection is given back
    return response


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def applied(deployed: Deployed) -> Mapping[str, Mapping[str, Any]]:
    """Return the attributes of what was applied, by address."""
    return deployed.applied.attributes
