"""Answers that are got ahead, many at a time."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from infraspec.aws.session import Clients
from infraspec.aws.snapshot import Snapshot
from infraspec.core.errors import RunnerPermissionError
from tests.aws.test_snapshot import IDENTITY

NAMES = [f"arn:{number}" for number in range(20)]


class Client:
    """A client that says which secret it is asked for; one is refused, and one is not there."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.together = threading.Barrier(4, timeout=20)

    def get_resource_policy(self, SecretId: str) -> dict[str, Any]:  # noqa: N803 - as AWS has it
        """Answer when four ask at the same time."""
        self.together.wait()
        self.asked.append(SecretId)
        code = {"arn:3": "AccessDeniedException", "arn:5": "ResourceNotFoundException"}.get(SecretId)
        if code:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetResourcePolicy")
        return {"ResourcePolicy": f"policy of {SecretId}"}


class OneClient:
    """What makes clients makes one for all."""

    region, is_local = "eu-west-1", False

    def __init__(self, client: Client) -> None:
        self._client = client

    def client(self, _service: str, _region: str) -> Client:
        """Return it."""
        return self._client


def test_answers_are_got_together_and_once() -> None:
    """Each question has its own answer, an error is for who asks it, and nothing is asked again."""
    client = Client()
    snapshot = Snapshot(cast("Clients", OneClient(client)), IDENTITY)
    operation, absent = ("secretsmanager", "get_resource_policy"), ("ResourceNotFoundException",)
    for _ in range(2):
        snapshot.ahead(*operation, [{"SecretId": name} for name in NAMES], absent=absent)
    for name in NAMES:
        if name == "arn:3":
            with pytest.raises(RunnerPermissionError):
                snapshot.ask(*operation, absent=absent, SecretId=name)
            continue
        answer = snapshot.ask(*operation, absent=absent, SecretId=name)
        assert ({"ResourcePolicy": f"policy of {name}"} if name != "arn:5" else None) == answer

    assert sorted(NAMES) == sorted(client.asked)
