"""`infraspec report metrics` and `infraspec report notify`: who is told of a run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from msgspec.structs import replace

from infraspec.cli.report import notify
from infraspec.cli.report.notify import publish
from infraspec.core.errors import InfraspecError, ReportError
from infraspec.core.finding import Verdict
from infraspec.reporting.run.results import Results, encode
from tests.cli.test_report import report
from tests.reporting.history import QUEUE, at
from tests.reporting.results import entry

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of plugins of apprise

CONTRACT = """
[project]
application = "shop"
[environments.dev]
root = "."
account_id = "123456789012"
region = "eu-west-1"
"""
METRICS = '[metrics]\nrole = "arn:aws:iam::{account_id}:role/metrics"\n'
CHAT = '[notifications.channels.chat]\nurl_variable = "CHAT_URL"\n'
PAGER = """
[notifications.channels.pager]
topic = "arn:aws:sns:{region}:{account_id}:{application}-{environment}"
each = true
"""


def today(*entries: Any, **changes: Any) -> Results:
    """Return the results of a run that ends now."""
    results = at(1, *entries, suite="live", **changes)
    return replace(
        results, run=replace(results.run, time=datetime.now(tz=UTC).isoformat(timespec="seconds"), seconds=3)
    )


def written(directory: Path, results: Results, *tables: str) -> tuple[Path, Path]:
    """Write a contract and results, and return the arguments of both commands."""
    (directory / "infraspec.toml").write_text(CONTRACT + "".join(tables), encoding="utf-8")
    (directory / "main.tf").touch()
    (directory / "infraspec-results.json").write_bytes(encode(results))
    return directory / "infraspec-results.json", directory


def test_metrics_are_published(tmp_path: Path, moto: str) -> None:
    """CloudWatch has them, with their dimensions and units."""
    lines = list(publish(*written(tmp_path, today(QUEUE), METRICS), dry_run=False))
    client = boto3.client("cloudwatch", region_name="eu-west-1")
    found = {metric["MetricName"]: metric for metric in client.list_metrics(Namespace="shop-dev")["Metrics"]}

    assert ["dev: shop-dev in eu-west-1: published RunCompleted 1, Duration 3, Proven 3, Violated 1"] == [
        line.partition(", Undetermined")[0] for line in lines
    ]
    assert [{"Name": "Environment", "Value": "dev"}, {"Name": "Suite", "Value": "live"}] == sorted(
        found["RunCompleted"]["Dimensions"], key=lambda dimension: str(dimension["Name"])
    )
    assert "ConsistencyCheckFailures" in found


def test_what_aws_refuses_is_an_error(tmp_path: Path, moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and fails the command unless that is only to do what it can."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("infraspec.aws.session._ATTEMPTS", 1)
    arguments = written(tmp_path, today(), "[metrics]\n")
    (line,) = publish(*arguments, dry_run=False, best_effort=True)
    with pytest.raises(ReportError, match="the metrics are not published") as raised:
        list(publish(*arguments, dry_run=False))

    assert "dev: AwsError" == raised.value.found
    assert "NOT PUBLISHED: AwsError: cloudwatch.put_metric_data in eu-west-1: AWS did not answer" in line


def test_a_dry_run_of_metrics(tmp_path: Path) -> None:
    """It needs no credentials, and says what would be published and what would not."""
    arguments = written(tmp_path, today(QUEUE, ran={"dev": ("names",), "local": ("names",)}), "[metrics]\n")
    ran = report(tmp_path, "metrics", "--dry-run")

    assert (0, "") == (ran.returncode, ran.stderr)
    assert "local: not published: not an environment of the contract" in ran.stdout
    assert "dev: shop-dev in eu-west-1: RunCompleted 1" in ran.stdout
    written(tmp_path, today(complete=False), "[metrics]\n")
    assert ["nothing is published: the run is incomplete"] == list(publish(*arguments, dry_run=True))


def test_the_metrics_of_a_part_of_a_run(tmp_path: Path) -> None:
    """A run that is not whole publishes nothing, and the command fails."""
    written(tmp_path, today(complete=False), "[metrics]\n")
    ran, tried = report(tmp_path, "metrics"), report(tmp_path, "metrics", "--best-effort")

    assert (2, 0) == (ran.returncode, tried.returncode)
    assert "ReportError: infraspec-results.json: the metrics are not published" in ran.stderr


class Receiver:
    """A server of this machine that keeps what is posted to it; it answers with `status`."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """Its address, for apprise."""
        return f"json://user:hunter2@127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Return a chat on this machine, whose URL is in CHAT_URL."""
    receiver = Receiver()
    monkeypatch.setenv("CHAT_URL", receiver.url)
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def tell(directory: Path, results: Results, *tables: str, dry_run: bool = False) -> list[str]:
    """Notify of a run and return what is said of it."""
    return list(notify.tell(*written(directory, results, *tables), directory / "store", dry_run=dry_run))


def test_a_chat_is_told_of_changes(tmp_path: Path, chat: Receiver) -> None:
    """Once what is wrong, once that it has recovered, and nothing between."""
    lines = [tell(tmp_path, run, CHAT) for run in (today(QUEUE), today(QUEUE), today())]

    assert [
        ["chat: shop dev: 1 new; 1 open now"],
        ["chat: nothing has changed"],
        ["chat: shop dev: 1 recovered; nothing is open now"],
    ] == lines
    assert [("shop dev: 1 new; 1 open now", "warning"), ("shop dev: 1 recovered; nothing is open now", "success")] == [
        (post["title"], post["type"]) for post in chat.posts
    ]
    assert "fix:         rename it:\n" in chat.posts[0]["message"]


def test_what_was_not_delivered_is_told_again(tmp_path: Path, chat: Receiver) -> None:
    """A chat that does not answer is a line without its URL, and hears of it after the next run."""
    chat.status = 500
    (line,) = tell(tmp_path, today(QUEUE), CHAT)
    chat.status = 200

    assert "chat: NOT DELIVERED: DeliveryError: $CHAT_URL: the message was not sent" in line
    assert "hunter2" not in line
    assert "127.0.0.1" not in line
    assert ["chat: shop dev: 1 new; 1 open now"] == tell(tmp_path, today(QUEUE), CHAT)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "the environment variable CHAT_URL is not set"),
        ("nosuch://hunter2", "no URL that apprise knows"),
        ("hunter2", "no URL that apprise knows"),
    ],
)
def test_urls_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
    """What is wrong with a channel is said without its URL."""
    monkeypatch.setenv("CHAT_URL", url)
    (line,) = tell(tmp_path, today(QUEUE), CHAT)

    assert said in line
    assert "hunter2" not in line


def test_a_dry_run_of_notifications(tmp_path: Path, chat: Receiver) -> None:
    """It says what would be sent, sends nothing, and remembers nothing."""
    ran = tell(tmp_path, today(QUEUE), CHAT, dry_run=True)

    assert ran[0].startswith("chat: shop dev: 1 new; 1 open now\n    WARNING dev\n")
    assert [] == chat.posts
    assert not (tmp_path / "store").exists()


def test_a_topic_has_a_message_for_each_finding(tmp_path: Path, moto: str) -> None:
    """SNS gets it with its key and kind; the queue behind it shows what people get."""
    sns, sqs = (boto3.client(name, region_name="eu-west-1") for name in ("sns", "sqs"))
    topic = sns.create_topic(Name="shop-dev")["TopicArn"]
    queue = sqs.create_queue(QueueName="people")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:people")
    for run in (today(QUEUE), today()):
        tell(tmp_path, run, PAGER)
    bodies = [
        json.loads(one["Body"]) for one in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    ]
    keys = {body["MessageAttributes"]["dedup_key"]["Value"] for body in bodies}

    assert {"warning", "recovered"} == {body["MessageAttributes"]["kind"]["Value"] for body in bodies}
    assert 1 == len(keys)
    assert all(body["Subject"].startswith(("WARNING shop dev names", "RECOVERED shop dev names")) for body in bodies)


def test_one_channel_does_not_stop_another(tmp_path: Path, chat: Receiver, moto: str) -> None:
    """A topic that is not there, and a chat that hears of it all the same."""
    lines = tell(tmp_path, today(QUEUE), PAGER, CHAT)

    assert lines[0].startswith("pager: NOT DELIVERED: AwsError: sns.publish in eu-west-1")
    assert "chat: shop dev: 1 new; 1 open now" == lines[1]


def test_secrets_stay_here(tmp_path: Path, chat: Receiver) -> None:
    """An access key in a remedy does not leave the machine."""
    tell(tmp_path, today(entry(remedy="AKIAABCDEFGHIJKLMNOP", verdict=Verdict.VIOLATED)), CHAT)

    assert "AKIA" not in json.dumps(chat.posts)


@pytest.mark.parametrize(
    ("tables", "arguments", "fragments"),
    [
        ("", ("metrics",), ["ContractError", "has no table [metrics]", "[metrics]"]),
        (
            "",
            ("notify", "--store", "s"),
            ["ContractError", "has no channels to notify", "[notifications.channels.chat]"],
        ),
        (CHAT, ("notify",), ["Missing option '--store'"]),
        (CHAT, ("notify", "--store", "infraspec.toml"), ["ReportError: infraspec.toml/notified.json"]),
        (CHAT, ("notify", "--store", "s", "none.json"), ["none.json: the results cannot be read"]),
        (
            CHAT.replace("CHAT_URL", "slack://hunter2/x"),
            ("notify", "--store", "s"),
            ["notifications.channels.chat.url_variable", "the URL itself is a secret"],
        ),
        (
            CHAT + 'topic = "arn:aws:sns:eu-west-1:1:x"\n',
            ("notify", "--store", "s"),
            ["either `url_variable` or `topic`"],
        ),
        ('[metrics]\nrole = "metrics"\n', ("metrics",), ["metrics.role", "the ARN of an IAM role"]),
    ],
)
def test_bad_input(tmp_path: Path, tables: str, arguments: tuple[str, ...], fragments: list[str]) -> None:
    """The error says what is wrong, without a traceback and without a URL."""
    written(tmp_path, today(), tables)
    ran = report(tmp_path, *arguments)

    assert (2, "") == (ran.returncode, ran.stdout)
    assert "Traceback" not in ran.stderr
    assert "hunter2" not in ran.stderr
    for fragment in fragments:
        assert fragment in ran.stderr


def test_an_old_run(tmp_path: Path) -> None:
    """CloudWatch takes no metrics of last year."""
    results = today()
    arguments = written(
        tmp_path, replace(results, run=replace(results.run, time="2020-01-01T00:00:00+00:00")), "[metrics]\n"
    )

    with pytest.raises(InfraspecError, match="accepts no metrics with this time"):
        list(publish(*arguments, dry_run=True))
