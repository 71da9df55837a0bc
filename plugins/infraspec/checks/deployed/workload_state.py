"""Rule `workload-state`: functions, and what calls them, work; nothing that failed lies unread.

AWS keeps what could not be handled in a dead-letter queue, so one that is not empty tells of a failure that nobody has
looked at yet. The infrastructure is as specified all the same, so it is advice, as an alarm that rings is. How the
last run of a rule or schedule ended is told by the metrics of EventBridge.

Sources: AWS Lambda API Reference, EventSourceMappingConfiguration (LastProcessingResult) and FunctionConfiguration
(State, LastUpdateStatus); Amazon SQS Developer Guide, "Using dead-letter queues in Amazon SQS"; Amazon EventBridge
Pipes API Reference, DescribePipe (CurrentState); Amazon RDS API Reference, DBProxy; AWS App Runner API Reference,
Service; AWS Secrets Manager API Reference, DescribeSecret (NextRotationDate); Amazon EventBridge User Guide,
"Monitoring Amazon EventBridge".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.core.finding import Finding
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.unknown import Unknown, render
from infraspec.terraform.plan import Plan, Resource
from infraspec.workloads.named_roles import values_at

RULE = RULES["workload-state"]


class LastRun(Struct, frozen=True):
    """When something last ran by the clock, None if not in the last week, and whether that failed for good.

    Where metrics are counted for a group of schedules alone, `group` is its name.
    """

    at: datetime | None = None
    failed: bool = False
    group: str = ""


Runs = Mapping[str, LastRun | Unknown]
"""The last runs by the address of a rule or schedule; Unknown where the runner may not look."""


class _State(Struct, frozen=True):
    """An attribute that says how a resource does, and what is said where it is none of the `fine` ones."""

    type: str
    attribute: str
    fine: tuple[str, ...]
    wording: str = "failed"
    reason: str = ""


_STATES = (
    _State("aws_lambda_function", "state", ("Active", "Inactive", "Pending"), reason="state_reason"),
    _State(
        "aws_lambda_function",
        "last_update_status",
        ("Successful", "InProgress"),
        wording="not-updated",
        reason="last_update_status_reason",
    ),
    _State("aws_lambda_event_source_mapping", "last_processing_result", ("OK", "No records processed"), "problem"),
    _State(
        "aws_pipes_pipe",
        "current_state",
        ("RUNNING", "STARTING", "CREATING", "UPDATING", "STOPPED", "STOPPING"),
        reason="state_reason",
    ),
    _State("aws_apprunner_service", "status", ("RUNNING", "OPERATION_IN_PROGRESS", "PAUSED")),
    _State("aws_db_proxy", "status", ("available", "creating", "modifying", "reactivating")),
    _State("aws_secretsmanager_secret_rotation", "overdue", ("no",), "overdue"),
)
_DEAD_LETTERS = (
    "aws_sqs_queue.redrive_policy.deadLetterTargetArn",
    "aws_sns_topic_subscription.redrive_policy.deadLetterTargetArn",
    "aws_lambda_function.dead_letter_config.target_arn",
    "aws_lambda_event_source_mapping.destination_config.on_failure.destination_arn",
    "aws_lambda_function_event_invoke_config.destination_config.on_failure.destination",
    "aws_scheduler_schedule.target.dead_letter_config.arn",
    "aws_cloudwatch_event_target.dead_letter_config.arn",
)
"""Where a queue is named that gets what failed."""
_QUEUE = "aws_sqs_queue"


def check_workload_state(plan: Plan, live_plan: Plan, runs: Runs) -> list[Finding]:
    """Judge what AWS says of the functions, callers, schedules and dead-letter queues of a source."""
    known = [one for one in live_plan.managed(*{one.type for one in _STATES}) if one.address in plan.by_address]
    findings = [finding for one in known for state in _STATES if state.type == one.type for finding in _of(one, state)]
    ran = [_ran(live_plan.by_address[address], run) for address, run in runs.items() if address in plan.by_address]
    return [*findings, *ran, *(_left(queue) for queue in _dead_letters(plan, live_plan))]


def _of(resource: Resource, state: _State) -> Iterator[Finding]:
    found, subject = resource.stated(state.attribute), RULE.about(resource, state.attribute)
    if isinstance(found, Unknown):
        yield subject.unseen(found.address, how_to_know(found))
    elif found in state.fine:
        yield subject.proven(f"{state.attribute} is {found}")
    elif found is not None:
        why = resource.stated(state.reason) if state.reason else None
        yield _said(subject, state, render(found), f": {render(why)}" if why else "")


def _said(subject: Subject, state: _State, found: str, why: str) -> Finding:
    match state.wording:
        case "problem":
            return subject.say("problem", found=found)
        case "overdue":
            return subject.say("overdue")
        case "not-updated":
            return subject.say("not-updated", found=found, why=why)
        case _:
            return subject.say("failed", found=found, why=why)


def _ran(resource: Resource, run: LastRun | Unknown) -> Finding:
    subject = RULE.about(resource, "last run")
    if isinstance(run, Unknown):
        return subject.unseen(run.address, how_to_know(run))
    if run.failed and run.at is not None:
        of_group = f" (the schedules of {run.group} together)" if run.group else ""
        return subject.say("run-failed", at=f"{run.at:%Y-%m-%d %H:%M %Z}{of_group}")
    return subject.proven(
        "no run of the last week failed after the last that started" if run.at else "no run of the last week failed"
    )


def _dead_letters(plan: Plan, live: Plan) -> Iterator[Resource]:
    """Yield the queues of the source that get what failed."""
    named = set()
    for place in _DEAD_LETTERS:
        type_, _, path = place.partition(".")
        for one in live.managed(type_):
            named |= {found.value for found in values_at((one.values,), path) if isinstance(found.value, str)}
    yield from (one for one in live.managed(_QUEUE) if one.address in plan.by_address and one.stated("arn") in named)


def _left(queue: Resource) -> Finding:
    found, subject = queue.stated("messages"), RULE.about(queue, "dead letters")
    if isinstance(found, Unknown):
        return subject.unseen(found.address, how_to_know(found))
    if render(found) == "0":
        return subject.proven("no message is in it")
    return subject.say("left", found=render(found), name=render(queue.stated("name")))
