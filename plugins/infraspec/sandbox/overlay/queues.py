"""What moto leaves out of Amazon SQS: messages of a dead-letter queue go back to where they came from.

Source: Amazon SQS API Reference, StartMessageMoveTask: without a destination they go to the queues that have the queue
as their dead-letter queue. The move is done when the call returns.
"""

from __future__ import annotations

import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.responses import SQSResponse


def install() -> None:
    """Put the move over moto's queues."""
    SQSResponse.start_message_move_task = _start_message_move_task


def _start_message_move_task(response: Any) -> ActionResult:
    source = response._get_param("SourceArn")
    queues = {queue.queue_arn: queue for queue in response.sqs_backend.queues.values()}
    senders = [one for one in queues.values() if (one.redrive_policy or {}).get("deadLetterTargetArn") == source]
    named = response._get_param("DestinationArn")
    destinations = [queues[named]] if named in queues else [] if named else senders
    if source not in queues or not destinations:
        raise QueueDoesNotExist
    for message in list(queues[source]._messages):
        queues[source]._messages.remove(message)
        destinations[0].add_message(message)
    return ActionResult({"TaskHandle": str(uuid.uuid4())})
