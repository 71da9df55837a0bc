"""What a run reads once: the contract and the plans of its environments."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infraspec import contract as contracts
from infraspec.contract.baseline import Baseline
from infraspec.contract.models import Contract, Waiver
from infraspec.contract.waivers import InlineWaiver, labels_of_event
from infraspec.contract.waivers import approvals as label_approvals
from infraspec.conventions.naming import demand_patterns
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.core.errors import (
    LOCAL,
    BaselineError,
    ContractError,
    EmptySelectionError,
    ErrorCollector,
    InfraspecError,
    PairingError,
    TagPolicyError,
    TaskDefinitionError,
    collected,
    unreadable,
)
from infraspec.core.finding import Finding
from infraspec.core.rules import SECRET_ACCESS
from infraspec.core.runtime import keep_to_the_end, paused_collector, read_regular, require
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.iam.evaluation.decision import Decision
from infraspec.process.checklist import PullRequest, current_pull_request
from infraspec.process.playbooks import Playbook, read_playbooks
from infraspec.process.reviews import PullRequestReview, read_reviews
from infraspec.pytest_plugin.options import Settings
from infraspec.pytest_plugin.own_checks import Hooks, explaining, run_on_source
from infraspec.reporting.run.recorder import REPOSITORY, UnprovenError, environment_of, keep_record
from infraspec.reporting.run.rule_result import (
    UNJUDGED,
    at_calls,
    empty_selection,
    judge,
    switched_off,
    unjudged_error,
    witness_of,
)
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan, Resource

if TYPE_CHECKING:  # few runs ask AWS, or leave something open
    from infraspec.adoption.answers import Ranking
    from infraspec.pytest_plugin.live_access import LiveAccess
    from infraspec.pytest_plugin.verdict_cache import VerdictCache


_EFFORT = 2000
"""How many resources the end of a run may judge again to find what settles most."""


class Session:
    """The infrastructure repository of one run, read on first use."""

    def __init__(self, settings: Settings, hooks: Hooks) -> None:
        self.settings = settings
        self.hooks = hooks
        self.is_used = False
        """Whether a test is about environments."""
        self.unread: dict[str, InfraspecError] = {}
        """The environments of which nothing can be read, each with all the errors that there are."""
        self.broken: InfraspecError | None = None
        """What kept such tests from being parametrized."""

    @cached_property
    def contract(self) -> Contract:
        """The contract; InfraspecError if it is missing or wrong."""
        chosen = [self.sandbox_environment] if self.is_local else self.settings.named
        contract = self.hooks.named(contracts.load(self.settings.path, environments=chosen or None))
        demand_patterns(contract)
        return contract

    @cached_property
    def is_local(self) -> bool:
        """Whether the run is about the sandbox; ContractError if it is to be about an account as well."""
        named = self.settings.named
        if not self.settings.is_live or LOCAL not in named:
            return False
        if named != [LOCAL]:
            raise ContractError(
                "one run is about the sandbox or about accounts",
                place=f"--infraspec-env {self.settings.environments.value}",
                remedy=f"run once with {LOCAL}, once with the others",
            )
        return True

    @cached_property
    def sandbox_environment(self) -> str:
        """The environment whose source is deployed in the sandbox: what one that is kept running was started with."""
        contract = contracts.load(self.settings.path, environments=[])
        kept = self.live.kept_environment()
        if kept in contract.environments:
            return kept
        return contract.sandbox.environment or next(iter(contract.environments))

    @cached_property
    def live(self) -> LiveAccess:
        """The AWS that a live run looks at. Raises MissingExtraError without boto3."""
        require("live", "the live suite")
        from infraspec.pytest_plugin.live_access import LiveAccess  # noqa: PLC0415 - boto3 is optional

        return LiveAccess(self)

    def end(self) -> None:
        """Stop the sandbox of the run, if it has one."""
        if "live" in vars(self):
            self.live.end()

    @cached_property
    def names(self) -> list[str]:
        """The environments to check; UnknownEnvironmentError if one is not in the contract."""
        chosen = [self.sandbox_environment] if self.is_local else self.settings.chosen(self.contract)
        collected(lambda name: contracts.environment(self.contract, name), chosen)
        if self.settings.plan_file and len(chosen) > 1:
            raise ContractError(
                "a plan file belongs to one environment",
                place=f"--infraspec-plan {self.settings.plan.value}",
                found=", ".join(chosen),
                remedy="choose one, such as --infraspec-env " + chosen[0],
            )
        return self._part_of(chosen)

    def _part_of(self, names: list[str]) -> list[str]:
        """Return what a shard, or the changes since a commit, leave of the environments. Raises SelectionError."""
        shard, reference = self.settings.shard.value, self.settings.changed_from.value
        if not shard and not reference:
            return names
        from infraspec.pytest_plugin.selection import changed_since, in_shard  # noqa: PLC0415 - few runs are of a part

        part = in_shard(names, shard) if shard else names
        return changed_since(self.contract, part, reference) if reference else part

    @cached_property
    def cache(self) -> VerdictCache | None:
        """The verdicts of earlier runs, if they are wanted."""
        directory = self.settings.cache_directory
        if directory is None:
            return None
        from infraspec.pytest_plugin.verdict_cache import VerdictCache  # noqa: PLC0415 - few runs keep verdicts

        return VerdictCache(directory, self.contract, self.names, self.settings, self.moves)

    def holds(self, name: str) -> bool:
        """Tell whether the verdicts of an environment are those of an earlier run."""
        return self.cache is not None and self.cache.holds(name)

    @property
    def is_first_shard(self) -> bool:
        """Whether the tests that are about no environment are for this run."""
        return self.settings.shard.value.strip().partition("/")[0] in ("", "1")

    @property
    def shown_names(self) -> list[str]:
        """The names of the environments in reports: the sandbox is `local`, whatever is deployed in it."""
        return [LOCAL] if self.is_local else self.names

    def shown(self, name: str) -> str:
        """Return the name of an environment in reports."""
        return LOCAL if self.is_local and name in self.names else name

    @cached_property
    def environments(self) -> Environments:
        """The plans by environment."""
        settings = self.settings
        return Environments(
            self.contract,
            plan_file=settings.plan_file,
            snapshots=settings.snapshot_files,
            extend=lambda name, plan: self.hooks.extended(name, plan, self.contract),
            lenient=True,
        )

    def read_all(self, *, plans: bool = True) -> None:
        """Read everything that is to be checked, or all but the `plans`, which workers read then.

        The errors of all environments are raised together, unless one of them can be read: others are `unread` then.
        What belongs to another environment than it is given for ends the run.
        """
        collector, unread = ErrorCollector(), ErrorCollector()
        with paused_collector():
            with collector.collect():
                self.tag_policy  # noqa: B018 - read for its errors
            with collector.collect():
                self.baseline  # noqa: B018 - likewise
            for name in (one for one in self.names if plans and not self.holds(one)):
                with unread.collect(name if len(self.names) > 1 else ""):
                    try:
                        self.environments.plan(name)
                    except PairingError as error:
                        collector.errors.append(error)
            keep_to_the_end()
        collector.finalize()
        if not plans:
            return
        left = [name for name in self.names if not self.environments.has(name) and not self.holds(name)]
        try:
            unread.finalize()
        except InfraspecError as error:
            if len(left) == len(self.names):
                raise
            self.unread = dict.fromkeys(left, error)

    def task_definitions(self, plan: Plan, name: str) -> Sequence[TaskDefinition]:
        """Return the task definitions of an environment: of its plan, then of its files."""
        found = task_definitions(plan)
        files = contracts.task_definition_files(self.contract, contracts.environment(self.contract, name))
        return (*found, *map(self._task_definition_file, files))

    def _task_definition_file(self, path: Path) -> TaskDefinition:
        try:
            return TaskDefinition.from_json(*self._text(path, TaskDefinitionError))
        except TaskDefinitionError as error:
            return TaskDefinition.unread(contracts.display(self.contract, path), error)

    @cached_property
    def tag_policy(self) -> TagPolicy | None:
        """The tag policy of the organization, if the contract names one."""
        if self.contract.tags.policy is None:
            return None
        text, shown = self._text(contracts.resolve(self.contract, self.contract.tags.policy), TagPolicyError)
        return TagPolicy.from_json(text, place=shown)

    @cached_property
    def baseline(self) -> Baseline | None:
        """The known findings, if the contract names a baseline. Raises BaselineError."""
        path = self.contract.suite.baseline
        if path is None:
            return None
        text, shown = self._text(contracts.resolve(self.contract, path), BaselineError)
        return Baseline.from_json(text, place=shown, environments=[*self.contract.environments, REPOSITORY])

    def moves(self, name: str) -> list[tuple[str, str]]:
        """Return what `moved` blocks and the plan of an environment move, addresses before and after."""
        if name not in self.contract.environments:
            return []
        if not self.environments.has(name) and self.cache and self.holds(name):
            return self.cache.moves(name)
        plan = self.environments.plan(name)
        blocks = [(block.source, block.target) for block in plan.refactorings if block.kind == "moved"]
        return blocks + [
            (change.previous_address, change.address) for change in plan.changes if change.previous_address
        ]

    def resources(self, types: Sequence[str]) -> list[tuple[str, Resource | None]]:
        """Return environments with each of their resources of the types, or with None if there is none."""
        pairs: list[tuple[str, Resource | None]] = []
        for name in self.names:
            found = self.environments.plan(name).managed(*types)
            pairs += [(name, resource) for resource in found or (None,)]
        return pairs

    def approvals(self, contract: Contract) -> Sequence[Waiver]:
        """Return what the labels of the pull request approve, given or of GitHub's event. Raises EventError."""
        review = contract.plan_review
        if review is None or not review.approvals:
            return ()
        event = os.environ.get("GITHUB_EVENT_PATH")
        labels = self.settings.given_labels
        if labels is None:
            labels = labels_of_event(Path(event)) if event else ()
        return label_approvals(contract, labels, _today())

    @cached_property
    def reviews(self) -> Sequence[PullRequestReview] | None:
        """The reviews of the pull request, if they are given and the contract asks for them."""
        file, table = self.settings.reviews_file, self.contract.plan_review
        return read_reviews(file, str(file)) if file and table and table.approved_by_owners else None

    @staticmethod
    def playbooks(contract: Contract) -> Sequence[Playbook]:
        """Return the playbooks of the repository; empty if the contract has no `[playbooks]`."""
        if contract.playbooks is None:
            return ()
        directory = contract.playbooks.directory
        return read_playbooks(contracts.resolve(contract, directory), contracts.display(contract, directory))

    @cached_property
    def pull_request(self) -> PullRequest | None:
        """The pull request that a GitHub workflow runs for, if it runs for one."""
        return current_pull_request()

    def judge(
        self,
        item: pytest.Item,
        contract: Contract,
        rule: str,
        findings: Sequence[Finding],
        *,
        keep_proven: bool,
        decisions: Mapping[str, Decision],
    ) -> None:
        """Keep what a rule has found for reports, and fail or xfail its test unless all is proven or waived."""
        environment = environment_of(item)
        if reason := switched_off(contract, rule):
            pytest.skip(reason)
        inline: Sequence[InlineWaiver] = ()
        if environment in contract.environments and self.environments.has(environment):
            plan = self.environments.plan(environment)
            findings, inline = at_calls(rule, findings, plan), plan.waivers
        result = judge(
            rule,
            findings,
            contract,
            environment,
            _today(),
            keep_proven=keep_proven,
            baseline=self.baseline,
            moves=self.moves(environment) if self.baseline else (),
            inline=inline,
        )
        keep_record(item, result.record(), self.shown(environment))
        if witness := witness_of(item.config):
            is_known = environment in contract.environments and self.environments.has(environment)
            witness.judged(result, (lambda: self.environments.plan(environment)) if is_known else None, decisions)
        if result.is_empty:
            raise empty_selection(rule, contract, environment)
        if result.failing:
            raise UnprovenError(result.failing, result.total)
        if rule == SECRET_ACCESS.id and environment == next(iter(contract.environments), "") and self.unjudged:
            raise self.unjudged
        if result.doubtful:
            pytest.xfail(str(UnprovenError(result.doubtful, result.total)))

    @cached_property
    def unjudged(self) -> EmptySelectionError | None:
        """The error of task definitions, roles or functions that the source has and no environment makes.

        `allow_empty` is of what the rules match nothing of. This is allowed by a name of its own.
        """
        names = [*self.names, *(name for name in self.contract.environments if name not in self.names)]
        is_part = bool(self.settings.shard.value or self.settings.changed_from.value)
        if self.settings.is_live or (len(self.names) < len(names) and (not is_part or self.settings.named)):
            return None
        if UNJUDGED in self.contract.suite.allow_empty:
            return None
        from infraspec.adoption.roots import unjudged  # noqa: PLC0415 - pytest starts faster without

        plans, parsed = map(self.environments.plan, names), self.environments.parsed()
        found, absent = unjudged(self.contract.directory, plans, parsed)
        return unjudged_error(self.contract, found, absent)

    def answers(self) -> Ranking | None:
        """Return the lines of the contract that settle most, tried as far as that takes no longer than the run itself.

        Not of a run on what is deployed, or on files that options name: its contract alone does not say what it saw.
        """
        settings = self.settings
        if settings.is_live or settings.plan_file or settings.snapshot_files is not None:
            return None
        from infraspec.adoption.answers import ranking  # noqa: PLC0415 - most runs know all

        names = [name for name in self.names if self.environments.has(name) or not self.holds(name)]
        return ranking(self.environments, names, effort=_EFFORT) if names else None

    explaining = staticmethod(explaining)
    run_on_source = staticmethod(run_on_source)

    def _text(self, path: Path, error: type[InfraspecError]) -> tuple[str, str]:
        """Return the text of a file and the name it is shown under."""
        shown = contracts.display(self.contract, path)
        try:
            return read_regular(path, shown, within=self.contract.directory).decode("utf-8-sig"), shown
        except OSError as problem:
            raise unreadable(error, shown, problem) from None
        except UnicodeDecodeError as problem:
            raise error(
                "the file is not UTF-8",
                place=shown,
                expected="text in UTF-8",
                found=f"byte 0x{problem.object[problem.start]:02x} at offset {problem.start}",
                remedy="save the file with the encoding UTF-8",
            ) from None


def _today() -> date:
    return datetime.now(tz=UTC).date()
