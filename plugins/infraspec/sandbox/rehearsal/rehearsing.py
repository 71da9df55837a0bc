"""A playbook rehearsed: the failure is made, the live suite sees it, the commands are run, the live suite is green.

What the live suite finds before the failure is not counted: a repository with findings of its own can rehearse too.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.contract.models import Contract
from infraspec.core.errors import ProcessFileError, SandboxError, did_you_mean
from infraspec.process.playbooks import Playbook, PlaybookStep
from infraspec.process.rehearsals import RAN, RESTORED
from infraspec.sandbox.background_server import Kept
from infraspec.sandbox.rehearsal.failures import FAILURES, FailingService, sickness, target_of
from infraspec.sandbox.rehearsal.live_suite import live_findings
from infraspec.sandbox.rehearsal.programs import session_environment, write_programs
from infraspec.sandbox.rehearsal.session import ShellSession, StepResult
from infraspec.sandbox.rehearsal.stand_ins import RehearsalPlace
from infraspec.sandbox.running import Running, start
from infraspec.sandbox.server_process import Account

STOPPED, NOT_RESTORED, NOT_SEEN = "stopped", "not restored", "not seen"
STEP_SECONDS = 60.0
_ASKED = re.compile(r"\$\{([A-Za-z_]\w*):?\?")
_SHORTEST_SECRET = 6
_HISTORY = "stopped-tasks: "
"""What the live suite says of tasks that have stopped: AWS tells of them for an hour, whatever comes after."""


class RehearsedStep(Struct, frozen=True):
    """A step and how it ended; `result` is None of one that was not run."""

    number: int
    step: PlaybookStep
    result: StepResult | None = None

    @property
    def is_passed(self) -> bool:
        """Whether it ran, and succeeded."""
        return self.result is not None and self.result.exit_code == 0


class Rehearsal(Struct, frozen=True, eq=False):
    """What came of a playbook.

    `healthy_after` is the step after which nothing was ill any more, `seen` what the live suite found of the failure,
    and `left` what was not healthy at the end.
    """

    playbook: Playbook
    environment: str
    failure: str
    result: str
    seconds: float = 0.0
    steps: tuple[RehearsedStep, ...] = ()
    healthy_after: int | None = None
    seen: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def stopped_at(self) -> RehearsedStep | None:
        """The first step that failed."""
        return next((one for one in self.steps if one.result is not None and not one.is_passed), None)


class Rehearser(Struct):
    """Rehearses playbooks of one environment, each in a sandbox of its own.

    `variables` are what a person fills in, `role` is who is on call, the operator of the sandbox without one.
    """

    contract: Contract
    environment: str
    variables: Mapping[str, str] = {}
    role: str = ""
    step_seconds: float = STEP_SECONDS
    tell: Callable[[str], None] = lambda _: None
    _before: frozenset[str] | None = None
    _done: dict[tuple[str, str], Rehearsal] = field(default_factory=dict)

    def rehearse(self, playbook: Playbook) -> Rehearsal:
        """Rehearse one playbook; what another language has already run, the same commands, is not run again.

        Raises SandboxError, MissingExtraError, and ProcessFileError for commands that no shell can read.
        """
        key = (playbook.digest, failure_of(playbook))
        if key not in self._done:
            self._done[key] = self._rehearsed(playbook)
        found, steps = self._done[key], playbook.steps()
        own = (replace(one, step=step) for one, step in zip(found.steps, steps, strict=False))
        return replace(found, playbook=playbook, steps=tuple(own))

    def _rehearsed(self, playbook: Playbook) -> Rehearsal:
        playbook.steps()  # what no shell can read is said before anything is started
        began = monotonic()
        with tempfile.TemporaryDirectory(prefix="infraspec-rehearsal-") as made:
            self.tell(f"{playbook.page.file}: starting the sandbox")
            with start(self.contract, self.environment) as running:
                stage = Stage(self, running, Path(made), playbook)
                return replace(stage.play(), seconds=monotonic() - began)

    def before(self, look: Callable[[], frozenset[str]]) -> frozenset[str]:
        """Return what the live suite finds while nothing fails, looked at once for all playbooks."""
        if self._before is None:
            self.tell("the live suite, before anything fails")
            self._before = look()
        return self._before


def failure_of(playbook: Playbook) -> str:
    """Return the failure that a playbook is about, by what its front matter covers; empty if it is about none."""
    return next((name for name in (*playbook.covers, playbook.id) if name in FAILURES), "")


class Stage:
    """One sandbox, and the failure that is made in it."""

    def __init__(self, rehearser: Rehearser, running: Running, scratch: Path, playbook: Playbook) -> None:
        self.rehearser, self.running, self.scratch, self.playbook = rehearser, running, scratch, playbook
        for name in ("bin", "home", "work", "steps", "runtime"):
            (scratch / name).mkdir()
        self.infra = rehearser.contract.directory.resolve()
        self.account = running.account
        self.target = target_of(self.account)
        self._ill_before = frozenset(sickness(self.account))
        self._rung: list[str] = []
        self._holds: Callable[[], bool] = lambda: False
        self._keep()

    def _keep(self) -> None:
        """Note the sandbox where the live suite and the stand-ins of this rehearsal look, and nobody else does."""
        running, environment = self.running, self.rehearser.environment
        place = (str(self.infra), environment, self.account.account, self.account.partition)
        kept = Kept(running.pid, running.token, running.endpoint, *place, running.environment, running.operator)
        kept.write_to(self.scratch / "runtime" / "infraspec" / "sandbox.json")
        kept.remember(running.deployment)

    def play(self) -> Rehearsal:
        """Make the failure, run the steps, and say what came of it."""
        failure = failure_of(self.playbook)
        found = Rehearsal(self.playbook, self.rehearser.environment, failure, RAN)
        before = self.rehearser.before(self._look)
        if failure:
            self._make(failure)
            found = replace(found, seen=(*sorted(self._look() - before), *self._rung))
            if not found.seen and not self.ill():
                return replace(found, result=NOT_SEEN)
        steps, healthy_after = self._run(self.playbook.steps())
        left = [*self.ill(), *sorted(one for one in self._look() - before if not one.startswith(_HISTORY))]
        found = replace(found, steps=steps, healthy_after=healthy_after, left=tuple(left))
        if not all(one.is_passed for one in steps):
            return replace(found, result=STOPPED)
        return replace(found, result=NOT_RESTORED if left else RESTORED if failure else RAN)

    def _look(self) -> frozenset[str]:
        return live_findings(self.infra, self.scratch / "runtime", self.running.environment)

    def _make(self, failure: str) -> None:
        """Make the failure, and let the alarms ring whose description names the page."""
        self.rehearser.tell(f"{self.playbook.page.file}: {FAILURES[failure].what}")
        self._holds = FAILURES[failure].make(self.target)
        cloudwatch = self.account.client("cloudwatch")
        shown = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        page = f"/{Path(self.playbook.page.file).name}"
        names = [one["AlarmName"] for one in shown if page in one.get("AlarmDescription", "")]
        self._rung = [f"alarm {name}" for name in names]
        self._set_alarms("ALARM", "Threshold Crossed")

    def ill(self) -> list[str]:
        """Return what is ill because of the failure; if nothing is, alarms go back to OK as minutes let them."""
        found = [one for one in sickness(self.account) if one not in self._ill_before]
        if self._holds():
            return [*found, f"{FAILURES[failure_of(self.playbook)].what}: it is still so"]
        self._set_alarms("OK", "Threshold Crossed: no datapoints were breaching")
        return found

    def _set_alarms(self, state: str, reason: str) -> None:
        for name in self._rung:
            self.account.client("cloudwatch").set_alarm_state(
                AlarmName=name.removeprefix("alarm "), StateValue=state, StateReason=reason
            )

    def _run(self, steps: Sequence[PlaybookStep]) -> tuple[tuple[RehearsedStep, ...], int | None]:
        """Run the steps until one fails; return all, and after which one nothing was ill any more."""
        done: list[RehearsedStep] = []
        healthy_after, hidden = None, _secrets(self.account)
        with ShellSession(
            [one.text for one in steps], self.scratch / "work", self.scratch / "steps", self._environment(steps)
        ) as shell:
            for number, step in enumerate(steps, 1):
                if done and not done[-1].is_passed:
                    done.append(RehearsedStep(number, step))
                    continue
                self.rehearser.tell(f"{self.playbook.page.file}:{step.line}: {step.text.splitlines()[0]}")
                done.append(RehearsedStep(number, step, shell.run(number, self.rehearser.step_seconds)))
                if healthy_after is None and not self.ill():
                    healthy_after = number
        return tuple(_masked(done, hidden | _secrets(self.account))), healthy_after

    def _environment(self, steps: Sequence[PlaybookStep]) -> dict[str, str]:
        place = RehearsalPlace(str(self.infra), self.rehearser.environment, str(self.scratch / "runtime"))
        write_programs(self.scratch / "bin", place)
        variables = {**_context(steps, self.target), **self.rehearser.variables}
        return session_environment(self.scratch / "bin", self.scratch / "home", self._credentials(), variables.items())

    def _credentials(self) -> Mapping[str, str]:
        """Return the variables of who is on call: the operator of the sandbox, or the role that was named."""
        role, account = self.rehearser.role, self.account
        if not role:
            return self.running.operator
        from botocore.exceptions import ClientError  # noqa: PLC0415 - the static path never imports it

        arn = role if role.startswith("arn:") else f"arn:{account.partition}:iam::{account.account}:role/{role}"
        try:
            made = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="on-call")["Credentials"]
        except ClientError as error:
            raise SandboxError(
                "the role of who is on call cannot be assumed",
                place=f"--role {role}",
                expected="a role that Terraform makes",
                found=str(error),
                remedy="name another role, or leave --role out",
            ) from None
        return {
            **self.running.operator,
            "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
            "AWS_SESSION_TOKEN": made["SessionToken"],
        }


def _context(steps: Sequence[PlaybookStep], target: FailingService) -> dict[str, str]:
    """Return values for what a page asks a person for, `${NAME:?…}`, as far as the failure says them."""
    account = target.account
    known = {
        "ACCOUNT": account.account,
        "REGION": account.region,
        "CLUSTER": target.cluster,
        "SERVICE": target.name,
    }
    asked = {name for step in steps for name in _ASKED.findall(step.text)}
    return {name: value for name, value in known.items() if name in asked}


def _secrets(account: Account) -> set[str]:
    """Return the values of all secrets of an account, whole and by key: no output shows them."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - the static path never imports it

    client, found = account.client("secretsmanager"), {account.key}
    for secret in client.list_secrets(IncludePlannedDeletion=True)["SecretList"]:
        if secret.get("DeletedDate"):
            continue
        for version in client.list_secret_version_ids(SecretId=secret["ARN"], IncludeDeprecated=True)["Versions"]:
            with suppress(ClientError):  # what is not given to the operator, no command has printed
                shown = client.get_secret_value(SecretId=secret["ARN"], VersionId=version["VersionId"])
                found |= _values(str(shown.get("SecretString", "")))
    return {value for value in found if len(value) >= _SHORTEST_SECRET}


def _values(text: str) -> set[str]:
    try:
        tree = json.loads(text)
    except ValueError:
        return {text}
    return {text, *map(str, tree.values())} if isinstance(tree, dict) else {text}


def _masked(steps: Sequence[RehearsedStep], secrets: set[str]) -> Iterator[RehearsedStep]:
    for one in steps:
        if one.result is None:
            yield one
            continue
        output = one.result.output
        for value in sorted(secrets, key=len, reverse=True):
            output = output.replace(value, "***")
        yield replace(one, result=replace(one.result, output=output))


def chosen(playbooks: Sequence[Playbook], name: str, languages: Sequence[str]) -> list[Playbook]:
    """Return the playbooks of an id or of a file, or all, in these languages. ProcessFileError if there is none."""
    ids, file = sorted({one.id for one in playbooks}), Path(name).resolve()
    named = [one for one in playbooks if name in {"", one.id} or (one.page.path and one.page.path.resolve() == file)]
    found = [one for one in named if not languages or one.language in languages]
    if not found:
        raise ProcessFileError(
            "there is no such playbook",
            place=" ".join(filter(None, [name, *languages])),
            expected=f"one of {', '.join(ids) or 'none'}",
            remedy=did_you_mean(name, ids) or "name one of these in a language that it has, or use --all",
        )
    return found
