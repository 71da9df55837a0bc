"""What a running task shows: when it started it read all the values that its revision names.

It shows no more than that. A later change may keep the next task from starting, so it is a proof only of what has not
changed since; attachments of policies, inline policies and policies of keys have no date in AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from infraspec.checks.secret_links import Judged, Link
from infraspec.ecs.stored_value import ChainFacts
from infraspec.iam.answer import Answer
from infraspec.terraform.plan import Plan

_DATE = "update_date"


class Reader(Struct, frozen=True):
    """A task that read the value, for the finding; `proves` if all that leaves the decision open is older than it."""

    text: str = ""
    proves: bool = False


def running_reader(link: Link, judged: Iterable[Judged], facts: ChainFacts, plan: Plan) -> Reader:
    """Return the newest running task of the revision, if it started after the last change of the secret."""
    resource = link.definition.resource
    arn = resource.get("arn") if resource is not None else None
    tasks = [task for task in facts.tasks if task.task_definition == arn]
    stored = facts.stored.get(link.arn)
    if not tasks or stored is None or stored.changed is None:
        return Reader()
    newest = max(tasks, key=lambda task: task.started)
    if newest.started <= stored.changed:
        return Reader()
    text = f"the task {newest.arn.rpartition('/')[2]} read it when it started, {newest.started:%Y-%m-%d %H:%M} UTC"
    dates = list(_dates(judged, plan))
    proves = bool(dates) and all(date is not None and date < newest.started for date in dates)
    return Reader(f"{text}, after the last change of secret and policies" if proves else text, proves)


def _dates(judged: Iterable[Judged], plan: Plan) -> Iterator[datetime | None]:
    """Yield when each policy that leaves a decision open last changed; None of one that has no date."""
    dates = {policy.address: policy.get(_DATE) for policy in plan.managed("aws_iam_policy")}
    for one in judged:
        if one.judgement.answer is not Answer.MAYBE:
            continue
        doubts = one.judgement.decision.doubts
        if one.judgement.doubt is not None or not doubts:
            yield None
        for doubt in doubts:
            date = dates.get(doubt.hit.policy.name)
            yield date if isinstance(date, datetime) else None
