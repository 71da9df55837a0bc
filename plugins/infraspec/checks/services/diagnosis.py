"""What is wrong with a service, and what fixes it: the first five minutes of a playbook in one go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from infraspec.checks.access.explanation import Explanation, explain
from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.services.next_start import check_next_start
from infraspec.checks.services.rollout import check_rollout
from infraspec.checks.services.stopped_tasks import Stopped, faults, is_past
from infraspec.contract.live import Rollout
from infraspec.core.errors import AwsError, RequestError, RunnerPermissionError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.truth import Truth
from infraspec.ecs.fleet import DeployedService, Fleet
from infraspec.ecs.service import Event, Service, ServiceDeployment, revision_of
from infraspec.ecs.start import StartFacts
from infraspec.ecs.stop_cause import StopCause
from infraspec.process.history import RecordedChanges
from infraspec.process.playbooks import Playbook
from infraspec.terraform.plan import Plan

DEPLOYMENT_FAILURE = "deployment-failure"
"""The playbook of a deployment that fails for a cause that is none of the ten."""


class Diagnosis(Struct, frozen=True):
    """What is known of one service. `rollout` are the findings that are not proven, `stopped` the tasks that failed.

    `cause` is what the newest of them, or an event, says; `explanation` the decision about what was refused, from the
    source, and `deployed` the one from what is deployed. `missing` are things that the next start needs and that are
    gone. `is_past` tells that the service has recovered; `note` why what is deployed could not be looked at.
    """

    one: DeployedService
    rollout: tuple[Finding, ...]
    stopped: tuple[Stopped, ...]
    events: tuple[Event, ...]
    cause: StopCause | None
    explanation: Explanation | None
    deployed: Explanation | None
    missing: tuple[Finding, ...]
    playbooks: tuple[Playbook, ...]
    asked: datetime
    is_past: bool = False
    note: str = ""
    changes: RecordedChanges | None = None

    @property
    def live(self) -> Service | None:
        """The service as it runs."""
        return self.one.live

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong now."""
        broken = any(finding.verdict is not Verdict.PROVEN for finding in self.rollout)
        return not broken and not self.missing and (self.cause is None or self.is_past)

    @property
    def is_known(self) -> bool:
        """Whether a text says why, or something that a start needs is gone."""
        return bool(self.missing) or (self.cause is not None and self.cause.is_known)

    @property
    def failure(self) -> str:
        """The id of the failure class, or of the playbook for a deployment that fails."""
        return self.cause.failure.value if self.cause and self.cause.failure else DEPLOYMENT_FAILURE

    @property
    def begun(self) -> datetime:
        """When it began, so far as ECS knows: with the deployment, or the first task that failed."""
        failed = [task.stopped for group in self.stopped for task in group.tasks if task.stopped]
        last = self.live.last if self.live else None
        if last is not None and last.created is not None and last.status != "SUCCESSFUL":
            return min([last.created, *failed])
        return min(failed, default=self.asked)

    @property
    def previous(self) -> str:
        """The revision that worked last, as family:revision; empty if ECS does not know one."""
        live = self.live
        if live is None:
            return ""
        bad = {group.newest.task_definition for group in self.stopped}
        worked = [one for one in live.service_deployments if one.status == "SUCCESSFUL" and one.task_definition]
        good = next((one.task_definition for one in worked if one.task_definition not in bad), "")
        running = [task.task_definition for task in live.tasks if task.is_running and task.task_definition not in bad]
        return revision_of(good or (running[0] if running else ""))

    @property
    def has_gone_back(self) -> bool:
        """Whether ECS has put the revision before back already."""
        live = self.live
        last: ServiceDeployment | None = live.last if live else None
        return last is not None and last.status == "ROLLBACK_SUCCESSFUL"


def diagnose(
    one: DeployedService,
    facts: StartFacts,
    *,
    source: Plan,
    deployed: Plan | None,
    playbooks: Sequence[Playbook],
    since: datetime,
    asked: datetime,
) -> Diagnosis:
    """Put together what is known of a service; `deployed` is what is deployed as a plan, if that can be read."""
    single = Fleet((one,), (), (), asked)
    rollout = tuple(
        finding for finding in check_rollout(single, Rollout(newest=True), {}) if finding.verdict is not Verdict.PROVEN
    )
    missing = [finding for finding in check_next_start([(one, facts)]) if finding.verdict is Verdict.VIOLATED]
    failed = faults(one.live.tasks) if one.live else ()
    stopped = tuple(group for group in failed if group.newest.stopped is None or group.newest.stopped >= since)
    events = tuple(event for event in one.live.events if event.at >= since) if one.live else ()
    current = [group for group in stopped if one.live is not None and not is_past(group, one.live)]
    cause = _cause(current or stopped, events, is_broken=bool(rollout))
    failure = cause.failure.value if cause and cause.failure else DEPLOYMENT_FAILURE
    there, note = _deployed(deployed, cause)
    return Diagnosis(
        one,
        rollout,
        stopped,
        events,
        cause,
        _explained(source, cause),
        there,
        tuple(missing),
        tuple(page for page in playbooks if failure in (page.id, *page.covers)),
        asked,
        is_past=bool(stopped) and not current and not rollout,
        note=note,
    )


def _cause(stopped: Sequence[Stopped], events: Sequence[Event], *, is_broken: bool) -> StopCause | None:
    """Take the newest cause that says why, else the newest task's; of events only while something is wrong."""
    known = next((group.cause for group in stopped if group.cause.is_known), None)
    if known is not None:
        return known
    told = (StopCause.of(event.message) for event in events) if is_broken else iter(())
    said = next((cause for cause in told if cause.is_known), None)
    return said or (stopped[0].cause if stopped else None)


def _explained(plan: Plan | None, cause: StopCause | None) -> Explanation | None:
    """Explain why what was refused is refused, if the text says what that was, and the plan knows the role."""
    if plan is None or cause is None or not cause.action or not cause.role:
        return None
    wanted = cause.secret or cause.parameter or cause.resource
    if not wanted.startswith("arn:") and wanted != "*":
        return None
    owner = plan.derived(arn_index).find(wanted)
    try:
        return explain(plan, cause.role, cause.action, owner.address if owner is not None else wanted)
    except RequestError:
        return None


def _deployed(plan: Plan | None, cause: StopCause | None) -> tuple[Explanation | None, str]:
    """Explain from what is deployed; a runner that may not look at roles and policies is no reason to say nothing."""
    try:
        return _explained(plan, cause), ""
    except (AwsError, RunnerPermissionError) as error:
        return None, str(error)


def is_allowed(explanation: Explanation | None) -> bool:
    """Tell whether a decision is that it is allowed."""
    return explanation is not None and explanation.decision.allowed is Truth.YES
