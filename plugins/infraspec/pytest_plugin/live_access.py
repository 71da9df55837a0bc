"""The AWS that a live run looks at: the accounts of its environments, or the sandbox."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from infraspec.aws.access import AccountAccess
from infraspec.aws.calls import Calls
from infraspec.aws.guard import GUARD
from infraspec.contract.models import Contract
from infraspec.core.errors import ContractError, SandboxError, collected
from infraspec.core.runtime import is_alive, require
from infraspec.ecs.fleet import ExpectedRevision, Fleet, declared_services, expected_revisions
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.facts.services import read_fleet, settled
from infraspec.live.plan import live_plan
from infraspec.live.region import refuse_wrong_region
from infraspec.sandbox.applying import reasons, unsupported
from infraspec.sandbox.background_server import Kept
from infraspec.sandbox.running import Running, start
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan

_SHARED = "infraspec-answers-"
_SECONDS = 10
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ENDPOINT = "AWS_ENDPOINT_URL"
_NO_CONFIGURATION = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class LiveRun(Protocol):
    """What there is to know of the run that asks AWS."""

    @property
    def is_local(self) -> bool:
        """Whether it is about the sandbox."""

    @property
    def contract(self) -> Contract:
        """The contract."""

    @property
    def names(self) -> Sequence[str]:
        """The environments to check."""

    @property
    def sandbox_environment(self) -> str:
        """The environment whose source is deployed in the sandbox."""

    @property
    def environments(self) -> Environments:
        """The plans by environment."""


class LiveAccess:
    """One Access for each environment, made once in a process; the processes of a run share what AWS answers."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self._found: dict[str, AccountAccess] = {}
        self._sandbox: SandboxHandle | None = None
        self._directory: Path | None = None
        self._taken = datetime.now(tz=UTC)
        self._progress: Progress | None = None
        self.not_applied: dict[str, str] | None = None
        """Why what of the source is not in the sandbox, by its address or its type; None without a sandbox of ours."""
        self.asking: Callable[[str, str, str], None] | None = None
        """What is called with service, operation and region before each call of AWS."""

    def arm(self, config: pytest.Config) -> None:
        """Let no more than reads leave the process from now on."""
        GUARD.arm()
        self._progress = Progress(config)
        self.asking = self._progress.asking

    @contextmanager
    def guarded(self, asking: Callable[[str, str, str], None]) -> Iterator[None]:
        """Ask AWS inside and let no more than reads leave the process; `asking` is called before each call."""
        self.asking = asking
        GUARD.arm()
        try:
            self.begin()
            yield
        finally:
            self.end()
            GUARD.disarm()

    def begin(self) -> None:
        """Start the sandbox if it is meant, and check who asks: on the controller, before a test or a worker runs."""
        _end_when_terminated()
        if self._run.is_local:
            self._sandbox = SandboxHandle()
            self._sandbox.start(self._run.contract, self._run.sandbox_environment)
            self._tell_what_is_left_out(self._sandbox, self._run.sandbox_environment)
        self.check()
        collected(self._check_region, self._run.names, environments=True)

    def _tell_what_is_left_out(self, sandbox: SandboxHandle, name: str) -> None:
        """Say once how much of the source is in the sandbox, and why the rest is not."""
        plan = self._run.environments.plan(name)
        self.not_applied = sandbox.left_out(plan)
        lacking = (self.not_applied or {}).keys()
        of_types = Counter(one.type for one in plan.managed() if {one.address, one.type} & lacking)
        if self._progress and of_types:
            told = ", ".join(f"{count} {type_}" for type_, count in sorted(of_types.items()))
            everything = len(plan.managed())
            self._progress.say(
                f"infraspec: the sandbox has {everything - of_types.total()} of {everything}, without {told}"
            )

    def _check_region(self, name: str) -> None:
        """Raise ContractError if the application is in another region than the contract says."""
        access, place = self.of(name), f"{self._run.contract.path.name}: environments.{name}"
        refuse_wrong_region(access.snapshot, self._run.environments.plan(name), name, access.regions(), place)

    @staticmethod
    def kept_environment() -> str:
        """Return the environment of the sandbox that `infraspec sandbox` keeps, if AWS_ENDPOINT_URL leads to it."""
        kept = Kept.read() if os.environ.get(_ENDPOINT) else None
        return kept.environment if kept and kept.endpoint == os.environ[_ENDPOINT] else ""

    def lost(self) -> SandboxError | None:
        """Return an error if the sandbox of this run is gone before its end."""
        return self._sandbox.ended() if self._sandbox else None

    def end(self) -> None:
        """Stop the sandbox, if this run has started it, and remove what its processes shared."""
        if self._progress:
            self._progress.end()
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None
        if self._sandbox:
            self._sandbox.stop()
            self._sandbox = None

    def for_worker(self) -> dict[str, Any]:
        """Return what a worker has to know, as builtin types."""
        if self._directory is None:
            _remove_left()
            self._directory = Path(tempfile.mkdtemp(prefix=f"{_SHARED}{os.getpid()}-"))
            if self._progress:
                self._progress.watch(self._directory)
        return {
            "directory": str(self._directory),
            "taken": self._taken.isoformat(),
            "not_applied": self.not_applied,
        }

    def join(self, given: Mapping[str, Any]) -> None:
        """Take what the controller has given, in a worker, and check who asks."""
        self._directory, self.not_applied = Path(given["directory"]), given["not_applied"]
        self._taken = datetime.fromisoformat(given["taken"])
        self.check()

    def check(self) -> None:
        """Compare who asks about each environment with the contract; all errors are raised together."""
        collected(self.of, self._run.names, environments=True)

    def of(self, name: str) -> AccountAccess:
        """Return the access to an environment. Raises IdentityError, CredentialsError or AwsError."""
        if name not in self._found:
            self._found[name] = AccountAccess.to(
                self._run.contract,
                name,
                self._region(name),
                is_local=self._run.is_local,
                taken=self._taken,
                directory=self._directory,
                asking=self.asking,
            )
        return self._found[name]

    def plan(self, snapshot: Calls, plan: Plan, contract: Contract, environment: str) -> Plan:
        """Return the Plan of what exists and belongs to an environment."""
        return live_plan(snapshot, plan, contract, environment, not_applied=self.not_applied)

    task_definitions = staticmethod(task_definitions)

    @staticmethod
    def expected_revisions(text: str, fleet: Fleet) -> Mapping[str, ExpectedRevision]:
        """Return the revisions that a text names, by service."""
        return expected_revisions(text, [str(one.declared.name) for one in fleet.services])

    def fleet(self, snapshot: Calls, plan: Plan, contract: Contract) -> Fleet:
        """Return the running services of the source, when their deployments have ended or the time limit has passed."""
        declared = declared_services(plan)
        looks = _looks(snapshot)
        return settled(lambda: read_fleet(next(looks), declared), 0 if self._run.is_local else contract.rollout.wait)

    def _region(self, name: str) -> str:
        """Return the region of the contract, or else of the source's provider, or else of the process."""
        region = self._run.contract.environments[name].region or self._run.environments.plan(name).region
        given = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        known = region if isinstance(region, str) else given
        if not known:
            raise ContractError(
                f"the region of the environment `{name}` is unknown",
                place=f"{self._run.contract.path.name}: environments.{name}.region",
                remedy='region = "eu-west-1"',
            )
        return known


def _end_when_terminated() -> None:
    """End as with Ctrl-C where the process is asked to: by default it would leave the sandbox running."""
    if threading.current_thread() is not threading.main_thread():
        return
    for asking in filter(None, (signal.SIGTERM, getattr(signal, "SIGHUP", None))):  # a closed terminal asks too
        if signal.getsignal(asking) is signal.SIG_DFL:
            with suppress(ValueError):
                signal.signal(asking, signal.default_int_handler)


def _remove_left() -> None:
    """Remove what killed runs of this user have left: the directories of processes that are no more."""
    for left in Path(tempfile.gettempdir()).glob(f"{_SHARED}[0-9]*-*"):
        pid = left.name.removeprefix(_SHARED).partition("-")[0]
        with suppress(OSError):
            if pid.isdigit() and left.stat().st_uid == os.getuid() and not is_alive(int(pid)):
                shutil.rmtree(left, ignore_errors=True)


def _looks(snapshot: Calls) -> Iterator[Calls]:
    """Yield what the run has asked already, then what asks anew."""
    yield snapshot
    while True:
        yield snapshot.renewed()


class SandboxHandle:
    """Until it is stopped, the environment variables of this process and its workers lead there and nowhere else."""

    def __init__(self) -> None:
        self._running: Running | None = None
        self._before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}

    def start(self, contract: Contract, environment: str) -> None:
        """Take the sandbox that AWS_ENDPOINT_URL leads to, or start one. Raises SandboxError or MissingExtraError."""
        given = self._before.get(_ENDPOINT)
        variables = _variables_of(given) if given else {}
        _replace(_NO_CONFIGURATION)
        if not given:
            self._running = _started(contract, environment)
            variables = {**self._running.environment, _ENDPOINT: self._running.endpoint}
        _replace({**_NO_CONFIGURATION, **variables})

    def left_out(self, plan: Plan) -> dict[str, str] | None:
        """Return why what of a plan is not in the sandbox, by address or type; None of what others keep.

        Of one that is kept it is what the last apply could not do. Raises SandboxError if it does not answer.
        """
        if self._running is not None:
            return reasons(self._running.not_applied)
        kept = Kept.read() if self._before.get(_ENDPOINT) else None
        if kept is None or kept.endpoint != self._before[_ENDPOINT]:
            return None
        return reasons((*unsupported(plan), *kept.deployment().not_applied))

    def ended(self) -> SandboxError | None:
        """Return an error if what was started runs no more."""
        return self._running.ended() if self._running else None

    def stop(self) -> None:
        """Stop what was started, and give the process its own environment variables back."""
        _replace(self._before)
        if self._running is not None:
            self._running.stop()


def _started(contract: Contract, environment: str) -> Running:
    require("sandbox", "the sandbox of ENV=local")
    with GUARD.permitting():
        return start(contract, environment)


def _variables_of(endpoint: str) -> dict[str, str]:
    if urlsplit(endpoint).hostname not in _LOOPBACK:
        raise SandboxError(
            "ENV=local asks an AWS on this machine alone",
            place=_ENDPOINT,
            expected="an address such as http://127.0.0.1:5000",
            found=endpoint,
            remedy=f"unset {_ENDPOINT}, and infraspec starts its own",
        )
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    regions = {name: os.environ[name] for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if os.environ.get(name)}
    return {**{key: os.environ.get(key, "infraspec") for key in keys}, **regions, _ENDPOINT: endpoint}


def _replace(variables: Mapping[str, str]) -> None:
    """Make these the only variables that lead boto3 anywhere: a profile must not reach an account from a sandbox."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)


class Progress:
    """Say what AWS is asked: on a terminal each service once, and everywhere a line every ten seconds of waiting."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager
        self._said: set[str] = set()
        self._last = monotonic()
        self._ended = threading.Event()

    @property
    def _terminal(self) -> pytest.TerminalReporter | None:
        """The reporter of pytest, which workers have none of."""
        found: pytest.TerminalReporter | None = self._plugins.get_plugin("terminalreporter")
        return found

    def asking(self, service: str, operation: str, region: str) -> None:
        """Say that an operation of a service is asked, if it is time to."""
        terminal = self._terminal
        if terminal is None:
            return
        is_new = service not in self._said and terminal.isatty
        if is_new or monotonic() - self._last >= _SECONDS:
            self._said.add(service)
            self.say(f"infraspec: asking AWS for {service}.{operation} in {region}")

    def watch(self, directory: Path) -> None:
        """Say every ten seconds how many answers the workers share, until the run ends."""
        if self._terminal is not None:
            threading.Thread(target=self._watch, args=(directory,), daemon=True).start()

    def end(self) -> None:
        """Say nothing more."""
        self._ended.set()

    def _watch(self, directory: Path) -> None:
        before = -1
        while not self._ended.wait(_SECONDS):
            count = sum(path.suffix not in {".lock", ".part"} for path in directory.glob("*-*"))
            if count != before:
                self.say(f"infraspec: {count} answers of AWS so far")
            before = count

    def say(self, line: str) -> None:
        """Write a line whatever is captured."""
        self._last = monotonic()
        terminal, capture = self._terminal, self._plugins.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            if terminal is not None:
                terminal.ensure_newline()
                terminal.write_line(line)
