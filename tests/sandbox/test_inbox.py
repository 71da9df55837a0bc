"""The sandbox sends nothing to anybody: what it would send is in its inbox."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from infraspec.cli import main
from infraspec.sandbox.running import Running
from infraspec.sandbox.server_process import INBOX_PATH


def inbox(sandbox: Running) -> list[dict[str, str]]:
    """Return what was sent."""
    headers = {"Authorization": sandbox.operator["AWS_ACCESS_KEY_ID"]}
    with urlopen(Request(sandbox.endpoint + INBOX_PATH, headers=headers), timeout=10) as answer:
        told: list[dict[str, str]] = json.load(answer)
    return told


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("https", "https://events.pagerduty.com/integration/11112222333344445555666677778888/enqueue"),
        ("http", "http://203.0.113.7/hook"),
        ("email", "someone@example.com"),
    ],
)
def test_what_is_published_is_kept(sandbox: Running, protocol: str, endpoint: str) -> None:
    """A message to a pager, to any address, to a person arrives in the inbox, and nowhere else."""
    sns = sandbox.account.client("sns")
    topic = sns.create_topic(Name=f"inbox-{protocol}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    sns.confirm_subscription(TopicArn=topic, Token=endpoint)
    sns.publish(TopicArn=topic, Subject="down", Message="the shop is down")
    sns.delete_topic(TopicArn=topic)

    (message,) = (one for one in inbox(sandbox) if one["topic"] == topic)
    assert (protocol, endpoint, "down", "the shop is down") == (
        message["protocol"],
        message["endpoint"],
        message["subject"],
        message["message"],
    )


def test_nothing_goes_to_who_has_not_confirmed(sandbox: Running) -> None:
    """A message to a subscription that is pending is lost, as in AWS."""
    sns = sandbox.account.client("sns")
    topic = sns.create_topic(Name="unconfirmed")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="nobody@example.com")
    sns.publish(TopicArn=topic, Message="down")
    sns.delete_topic(TopicArn=topic)

    assert [] == [one for one in inbox(sandbox) if one["topic"] == topic]


def test_no_sandbox_has_no_inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command `inbox` ends with exit code 2 and the command that starts one."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    result = CliRunner().invoke(main, ["sandbox", "inbox"])

    assert 2 == result.exit_code
    assert "infraspec sandbox up" in result.output
