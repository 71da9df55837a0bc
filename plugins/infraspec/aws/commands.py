"""Commands on machines that AWS leads to: managed nodes by Run Command, containers by ECS Exec.

Both are writes, and leave the process by the consent of the contract alone. ECS Exec gives one stream, as a terminal
would, and no exit code: the command is wrapped, and says its own code behind a mark that nobody else can write.
Sources: AWS Systems Manager API Reference, SendCommand and GetCommandInvocation (output ends after 24,000 characters);
Amazon ECS API Reference, ExecuteCommand; AWS Systems Manager User Guide, "Install the Session Manager plugin".

Sources: Amazon SNS API Reference, Publish; Amazon SQS Developer Guide, "Amazon SQS visibility timeout" and "Short and
long polling".
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from infraspec.aws.failures import code_of, failures
from infraspec.aws.session import Clients
from infraspec.core.arn import Arn
from infraspec.core.errors import HostError

MARK = "infraspec-canary"
"""What the text of every test message holds, before its id."""
SUBJECT = "[TEST] infraspec: nothing is wrong"
_TEXT = "This is a test of infraspec: alerts of this topic arrive. Nothing is wrong, and nothing is to do. {mark}"
_LONGEST_POLL_SECONDS = 10
_BATCH = 10
_SPARE_SECONDS = 10


class Courier:
    """Publishes and receives with clients that may do that alone."""

    def __init__(self, clients: Clients, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clients = clients
        self._clock = clock

    def send(self, topic: str, queue: str, queue_url: str, seconds: int) -> float | None:
        """Publish to a topic and return after how many seconds the message was in the queue; None if it never was.

        The message has no attributes, as an alert has none. Raises RunnerPermissionError, CredentialsError, AwsError.
        """
        mark, region = f"{MARK}-{secrets.token_hex(16)}", Arn.parse(topic).region
        sns = self._clients.client("sns", region)
        began = self._clock()
        with failures("sns", "publish", region):
            sns.publish(TopicArn=topic, Subject=SUBJECT, Message=_TEXT.format(mark=mark))
        return self._awaited(_Queue(self._clients, queue, queue_url), mark, began, seconds)

    def _awaited(self, queue: _Queue, mark: str, began: float, seconds: int) -> float | None:
        with queue.reading(seconds) as receive:
            while (left := began + seconds - self._clock()) > 0:
                for message in receive(min(_LONGEST_POLL_SECONDS, int(left))):
                    if mark in message.get("Body", ""):
                        queue.delete(message)
                        return self._clock() - began
        return None


class _Queue:
    def __init__(self, clients: Clients, arn: str, url: str) -> None:
        self._region = Arn.parse(arn).region
        self._client = clients.client("sqs", self._region)
        self._url = url
        self._held: dict[str, str] = {}
        """The receipts of the messages that were received, by the ids of these."""

    @contextmanager
    def reading(self, seconds: int) -> Iterator[Callable[[int], list[Any]]]:
        """Give what receives messages; those that are not deleted are visible again afterwards, at once.

        Until then they stay hidden: else the first ten of others would be all that is ever received.
        """

        def receive(wait: int) -> list[Any]:
            with failures("sqs", "receive_message", self._region):
                answer = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=_BATCH,
                    WaitTimeSeconds=wait,
                    VisibilityTimeout=seconds + _SPARE_SECONDS,
                )
            found: list[Any] = answer.get("Messages", [])
            self._held |= {message["MessageId"]: message["ReceiptHandle"] for message in found}
            return found

        try:
            yield receive
        finally:
            self._give_back()

    def delete(self, message: Any) -> None:
        """Take a message out of the queue."""
        with failures("sqs", "delete_message", self._region):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        self._held.pop(message["MessageId"], None)

    def _give_back(self) -> None:
        receipts = list(self._held.values())
        for start in range(0, len(receipts), _BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + _BATCH])
            ]
            with failures("sqs", "change_message_visibility", self._region):
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


PLUGIN = "session-manager-plugin"
_RESPONSE = "AWS_SSM_START_SESSION_RESPONSE"
"""The variable that the plugin takes the session from: its token would be seen among the arguments."""
_DOCUMENT = "AWS-RunShellScript"
_SECONDS = 60
_POLL_SECONDS = 0.5
_LONGEST = 24_000
_UNFINISHED = {"Pending", "InProgress", "Delayed"}


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """The exit code of a command and what it wrote, of which no more than 24,000 characters are kept."""

    code: int
    output: str = field(default="", repr=False)
    errors: str = field(default="", repr=False)


class ContainerTarget(Struct, frozen=True):
    """A container of a running task: the ARNs or names that ECS Exec asks for."""

    cluster: str
    task: str
    name: str
    runtime: str

    @property
    def target(self) -> str:
        """The container as Session Manager names it."""
        cluster, task = (text.rpartition("/")[2] for text in (self.cluster, self.task))
        return f"ecs:{cluster}_{task}_{self.runtime}"


class Commands:
    """Runs commands with clients that may do that alone."""

    def __init__(
        self,
        clients: Clients,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._wait = wait

    def on_node(self, instance: str, command: str) -> CommandOutcome:
        """Run a command on a managed node, such as `i-0a1b2c3d`. Raises HostError, RunnerPermissionError, AwsError."""
        client = self._clients.client("ssm")
        sent = self._sent(client, instance, command)
        end = self._clock() + _SECONDS
        while True:
            answer = self._invocation(client, sent, instance)
            status = str(answer.get("Status", "Pending"))
            if status not in _UNFINISHED:
                break
            if self._clock() > end:
                raise _unanswered(instance, f"the command is {status} after {_SECONDS} s")
            self._wait(_POLL_SECONDS)
        if status not in {"Success", "Failed"} or answer.get("ResponseCode", -1) < 0:
            raise _unanswered(instance, f"the command is {answer.get('StatusDetails') or status}")
        texts = (answer.get(f"Standard{name}Content", "")[:_LONGEST] for name in ("Output", "Error"))
        return CommandOutcome(answer["ResponseCode"], *texts)

    def _sent(self, client: Any, instance: str, command: str) -> str:
        parameters = {"commands": [command], "executionTimeout": [str(_SECONDS)]}
        with failures("ssm", "send_command", self._clients.region):
            try:
                answer = client.send_command(InstanceIds=[instance], DocumentName=_DOCUMENT, Parameters=parameters)
            except client.exceptions.InvalidInstanceId:
                raise _unanswered(instance, "AWS knows no such managed node, or it is not running") from None
        return str(answer["Command"]["CommandId"])

    def _invocation(self, client: Any, command: str, instance: str) -> Mapping[str, Any]:
        """Return what became of a command; nothing as long as AWS does not know it yet."""
        with failures("ssm", "get_command_invocation", self._clients.region):
            try:
                found: Mapping[str, Any] = client.get_command_invocation(CommandId=command, InstanceId=instance)
            except client.exceptions.ClientError as error:
                if code_of(error) != "InvocationDoesNotExist":
                    raise
                return {}
            return found

    def in_container(self, container: ContainerTarget, command: str) -> CommandOutcome:
        """Run a command in a container. Raises HostError, RunnerPermissionError, AwsError."""
        if shutil.which(PLUGIN) is None:
            raise HostError(
                f"the {PLUGIN} is not installed, and ECS Exec needs it",
                place=container.target,
                expected=f"{PLUGIN} 1.2.497 or later on the PATH",
                remedy="https://docs.aws.amazon.com/systems-manager/latest/userguide/"
                "session-manager-working-with-install-plugin.html",
            )
        mark = secrets.token_hex(8)
        client = self._clients.client("ecs")
        with failures("ecs", "execute_command", self._clients.region):
            session = client.execute_command(
                cluster=container.cluster,
                task=container.task,
                container=container.name,
                command=f"/bin/sh -c {shlex.quote(wrapped(command, mark))}",
                interactive=True,
            )["session"]
        return outcome_of(self._streamed(session, container), mark, container.target)

    def _streamed(self, session: Mapping[str, str], container: ContainerTarget) -> str:
        """Return what a session wrote. The plugin ends with its input, so that stays open without a word."""
        given = {name[0].upper() + name[1:]: value for name, value in session.items()}
        endpoint = self._clients.client("ssm").meta.endpoint_url
        target = json.dumps({"Target": container.target})
        arguments = [PLUGIN, _RESPONSE, self._clients.region, "StartSession", "", target, endpoint]
        reading, writing = os.pipe()
        try:
            ended = subprocess.run(  # noqa: S603 - the plugin, with the session that AWS has opened
                arguments,
                stdin=reading,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
                env={**os.environ, _RESPONSE: json.dumps(given)},
            )
        except subprocess.TimeoutExpired:
            raise _unanswered(container.target, f"the session has not ended after {_SECONDS} s") from None
        finally:
            os.close(reading)
            os.close(writing)
        return ended.stdout.decode("ascii", errors="replace")


def wrapped(command: str, mark: str) -> str:
    """Return a script that runs a command and writes its code and output between marks; none without `base64`."""
    return (
        f'o=$( ({command}) 2>&1 </dev/null ); r=$?; e=$(printf %s "$o" | base64) && '
        f'printf \'%s:%s:%s:%s\' {mark} "$r" "$e" {mark}'
    )


def outcome_of(stream: str, mark: str, place: str) -> CommandOutcome:
    """Read what a wrapped command wrote, among what the plugin and the terminal did. Raises HostError."""
    found = re.search(f"{mark}:([0-9]+):([A-Za-z0-9+/=]*):{mark}", re.sub(r"\s", "", stream))
    if found is None:
        raise _unanswered(place, "the session ended without a result of the command")
    text = base64.b64decode(found[2]).decode(errors="replace")
    return CommandOutcome(int(found[1]), text[:_LONGEST])


def _unanswered(place: str, found: str) -> HostError:
    """Return the error of a machine that ran no command; what it wrote is not part of it."""
    return HostError(
        "the command did not run",
        place=place,
        expected="a machine that runs commands: a node with the SSM agent, a container with /bin/sh and base64 whose "
        f"service has enable_execute_command, and a {PLUGIN} of 1.2.497 or later",
        found=found,
        remedy="try it by hand: aws ssm start-session, or aws ecs execute-command",
    )
