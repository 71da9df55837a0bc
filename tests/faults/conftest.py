"""A proxy before the sandbox of the session, and a botocore that does not wait between its attempts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace

import pytest

from infraspec.aws.session import CallerIdentity, Clients
from infraspec.aws.snapshot import Snapshot
from infraspec.sandbox.running import Running
from tests.faults.proxy import Proxy, proxy


@pytest.fixture(scope="session")
def _proxy(sandbox: Running) -> Iterator[Proxy]:
    with proxy(sandbox.endpoint) as before:
        yield before


@pytest.fixture
def variables(sandbox: Running, _proxy: Proxy) -> Mapping[str, str]:
    """Return the environment variables that lead to the proxy."""
    return {**sandbox.environment, "AWS_ENDPOINT_URL": _proxy.endpoint}


@pytest.fixture
def faulty(_proxy: Proxy, variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Lead the environment variables of the process to a proxy that does not disturb anything yet."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    _proxy.reset()
    yield _proxy
    _proxy.reset()


@pytest.fixture(scope="session")
def _shared(sandbox: Running) -> Clients:
    """Return clients that are made once: making one takes longer than what is tested with it."""
    return Clients(sandbox.account.region, is_local=True)


@pytest.fixture
def ask(faulty: Proxy, sandbox: Running, _shared: Clients, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Snapshot]:
    """Return what makes snapshots that ask through the proxy, as one who may do everything, and never sleep."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", sandbox.operator["AWS_ACCESS_KEY_ID"])
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    identity = CallerIdentity(sandbox.account.account, "aws", "arn:aws:iam::111122223333:root")
    return lambda: Snapshot(_shared, identity)


@pytest.fixture
def ask_as_operator(
    ask: Callable[[], Snapshot], sandbox: Running, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Snapshot]:
    """Return what makes such snapshots for one who may read what the runner may not: objects of any bucket."""
    identity = CallerIdentity(sandbox.account.account, "aws", "arn:aws:iam::111122223333:root")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, sandbox.operator[name])
    return lambda: Snapshot(Clients(sandbox.account.region, is_local=True), identity)


@pytest.fixture
def ask_within(
    ask: Callable[[], Snapshot], sandbox: Running, monkeypatch: pytest.MonkeyPatch
) -> Callable[[float], Callable[[], Snapshot]]:
    """Return what makes such snapshots that wait no longer than some seconds for an answer."""
    identity = CallerIdentity(sandbox.account.account, "aws", "arn:aws:iam::111122223333:root")

    def within(seconds: float) -> Callable[[], Snapshot]:
        monkeypatch.setattr("infraspec.aws.session._READ_SECONDS", seconds)
        clients = Clients(sandbox.account.region, is_local=True)
        return lambda: Snapshot(clients, identity)

    return within
