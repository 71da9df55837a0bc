"""Whether what the contract refers to exists: roots, files, environments and rules."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from infraspec.contract.document import ContractDocument, KeyPath, notation
from infraspec.contract.field_types import KNOWN
from infraspec.contract.models import Contract, Environment
from infraspec.contract.paths import absolute, display, holds_terraform, matches, nearest_roots
from infraspec.core.errors import (
    BaselineError,
    ContractError,
    ErrorCollector,
    InfraspecError,
    PlanError,
    PolicyError,
    RootMissingError,
    SnapshotError,
    WaiverError,
    did_you_mean,
    listing,
)
from infraspec.core.rules import RULES


def check_references(
    contract: Contract, document: ContractDocument, *, rules: Collection[str] | None, environments: Collection[str]
) -> None:
    """Raise an error for everything that the contract names and that does not exist, all of them at once.

    The files of the given environments only are looked for; rules are not checked if None.
    """
    check = _References(contract, document)
    for name in environments:
        check.environment(name, contract.environments[name])
    check.files()
    check.layout()
    check.operations()
    check.waivers(rules)
    check.allow_empty(rules)
    check.switches()
    check.finalize()


class _References:
    def __init__(self, contract: Contract, document: ContractDocument) -> None:
        self._contract = contract
        self._document = document
        self._errors: list[tuple[int, InfraspecError]] = []

    def finalize(self) -> None:
        """Raise what was found, in order of lines."""
        ErrorCollector([error for _, error in sorted(self._errors, key=lambda entry: entry[0])]).finalize()

    def environment(self, name: str, environment: Environment) -> None:
        """Look for an environment's root and files."""
        key = ("environments", name)
        self._root((*key, "root"), environment)
        for index, path in enumerate(environment.var_files):
            self._file((*key, "var_files", index), path, ContractError)
        for attribute in ("plan", "state"):
            if path := getattr(environment, attribute):
                self._file((*key, attribute), path, PlanError)
        for index, path in enumerate(environment.snapshots):
            self._file((*key, "snapshots", index), path, SnapshotError)
        for attribute in ("scps", "rcps"):
            for index, path in enumerate(getattr(environment, attribute)):
                self._file((*key, attribute, index), path, PolicyError)
        for index, pattern in enumerate(environment.task_definitions):
            self._matching((*key, "task_definitions", index), pattern)

    def files(self) -> None:
        """Look for the tag policy and the baseline."""
        if self._contract.tags.policy:
            self._file(("tags", "policy"), self._contract.tags.policy, ContractError)
        if self._contract.suite.baseline:
            self._file(("suite", "baseline"), self._contract.suite.baseline, BaselineError)
        for index, path in enumerate(self._contract.suite.own_rules):
            self._directory(("suite", "own_rules", index), path)

    def layout(self) -> None:
        """Look up the environments of `[consistency]` and `[drift]`."""
        contract = self._contract
        if contract.consistency and contract.consistency.reference:
            where = ("consistency", "reference")
            self._one_of(where, contract.consistency.reference, contract.environments, "environment", ContractError)
        for position, name in enumerate(contract.drift.environments if contract.drift else ()):
            where_in = ("drift", "environments", position)
            self._one_of(where_in, name, contract.environments, "environment", ContractError)

    def operations(self) -> None:
        """Look for the files and directories of `[playbooks]`, `[incidents]` and `[process]`."""
        for name in ("playbooks", "incidents", "process"):
            table = getattr(self._contract, name)
            for attribute, path in table or ():
                if not isinstance(path, Path) or attribute == "rehearsals":  # the first rehearsal writes it
                    continue
                is_pipeline = attribute == "workflows" and _is(absolute(self._contract, path), Path.is_file)
                if attribute in {"directory", "workflows"} and not is_pipeline:
                    self._directory((name, attribute), path)
                else:
                    self._file((name, attribute), path, ContractError)

    def waivers(self, rules: Collection[str] | None) -> None:
        """Look up the rules and environments of waivers."""
        for index, waiver in enumerate(self._contract.waivers):
            key = ("waivers", index)
            if rules is not None:
                self._one_of((*key, "rule"), waiver.rule, rules, "rule", WaiverError)
            for position, name in enumerate(waiver.environments):
                where = (*key, "environments", position)
                self._one_of(where, name, self._contract.environments, "environment", WaiverError)

    def allow_empty(self, rules: Collection[str] | None) -> None:
        """Look up the rules that may match nothing, whole or (`names:aws_rds_cluster`) in one selector."""
        for index, entry in enumerate(self._contract.suite.allow_empty if rules is not None else ()):
            rule = entry.partition(":")[0]
            self._one_of(("suite", "allow_empty", index), rule, rules or (), "rule", ContractError)

    def switches(self) -> None:
        """Look up the rules of `[rules]`, and the checks of a rule."""
        for name in self._contract.rules:
            rule, dot, check = name.partition(".")
            if rule not in RULES:
                self._one_of(("rules", name), rule, RULES, "rule", ContractError)
            elif dot and not RULES[rule].checks:
                self._report(
                    ("rules", name),
                    ContractError,
                    f"the rule {rule} has no checks that can be switched by themselves",
                    expected=f"{rule}, the rule as a whole",
                    found=name,
                    remedy=f"write `{rule}`",
                )
            elif dot:
                self._one_of(("rules", name), check, RULES[rule].checks, f"check of {rule}", ContractError)

    def _root(self, key: KeyPath, environment: Environment) -> None:
        """Demand a root module, unless it is not given and something else is."""
        directory = absolute(self._contract, environment.root)
        is_given = "root" in environment.model_fields_set
        others = environment.plan or environment.state or environment.task_definitions
        if holds_terraform(directory) or (not is_given and others):
            return
        shown = display(self._contract, directory)
        if _is(directory, Path.is_dir) and not os.access(directory, os.R_OK | os.X_OK):
            self._report(
                key,
                RootMissingError,
                f"the root module of environment {key[1]} cannot be read",
                expected="a directory that the user running the tests may read",
                found=shown,
                remedy="check its owner and its mode",
            )
            return
        near = nearest_roots(self._contract.directory, environment.root.as_posix())
        self._report(
            key,
            RootMissingError,
            f"the root module of environment {key[1]} {_absence(directory)}",
            expected=f"a directory with *.tf or *.tf.json files, for `{notation(key)}`",
            found=shown if is_given else "the directory of the contract, as no root is given",
            remedy=f"set root to one of: {listing(near)}"
            if near
            else f"set root to where the Terraform lies; nothing at or below "
            f"{display(self._contract, self._contract.directory)} holds any",
        )

    def _file(self, key: KeyPath, path: Path, kind: type[InfraspecError]) -> None:
        wanted = absolute(self._contract, path)
        if _is(wanted, Path.is_file):
            return
        shown = display(self._contract, wanted)
        attribute = next(part for part in reversed(key) if isinstance(part, str))
        self._report(
            key,
            kind,
            f"the file of `{notation(key)}` does not exist",
            expected="a file, its path relative to the contract",
            found=f"{shown} is a directory" if _is(wanted, Path.is_dir) else f"no {shown}",
            remedy=did_you_mean(wanted.name, _siblings(wanted))
            or KNOWN.file_remedies.get(attribute, "correct the path"),
        )

    def _directory(self, key: KeyPath, path: Path) -> None:
        wanted = absolute(self._contract, path)
        if not _is(wanted, Path.is_dir):
            self._report(
                key,
                ContractError,
                f"the directory of `{notation(key)}` {_absence(wanted)}",
                expected="a directory, its path relative to the contract",
                found=display(self._contract, wanted),
                remedy=did_you_mean(wanted.name, _siblings(wanted)) or "correct the path",
            )

    def _matching(self, key: KeyPath, pattern: str) -> None:
        if not matches(self._contract.directory, pattern):
            self._report(
                key,
                ContractError,
                f"the pattern of `{notation(key)}` matches no file",
                expected="a glob pattern relative to the contract; ** stands for any number of directories",
                found=pattern,
                remedy="correct the pattern, or take it out",
            )

    def _one_of(self, key: KeyPath, value: str, known: Iterable[str], what: str, kind: type[ContractError]) -> None:
        names = sorted(known)
        if value in names:
            return
        self._report(
            key,
            kind,
            f"`{notation(key)}` names an unknown {what}",
            expected=f"one of {listing(names)}",
            found=value,
            remedy=did_you_mean(value, names) or f"name one of them, or take the {what} out",
        )

    def _report(
        self, key: KeyPath, kind: type[InfraspecError], message: str, *, expected: str, found: str, remedy: str
    ) -> None:
        line, place = self._document.positions.line(key), self._document.place(key)
        error = kind(message, place=place, expected=expected, found=found, remedy=remedy)
        self._errors.append((line, error))


def _absence(directory: Path) -> str:
    if not _is(directory, Path.exists):
        return "does not exist"
    return "holds no Terraform" if _is(directory, Path.is_dir) else "is not a directory"


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return []


def _is(path: Path, test: Callable[[Path], bool]) -> bool:
    """Ask the file system; a name that it cannot have does not exist."""
    try:
        return test(path)
    except (OSError, ValueError):
        return False
