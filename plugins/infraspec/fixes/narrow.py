"""The smallest policies for what tasks need: statements with wildcards by those that are used, as patches.

A statement is replaced if every need of its role is proven, so that all that is needed of it is known. That is so of
execution roles: what an application calls with its task role is in no source, so those are left alone.

Source: IAM User Guide, "Security best practices in IAM", Apply least-privilege permissions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field

from infraspec.checks.access.secret_access import Grant, grants
from infraspec.core.errors import InfraspecError
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.fixes.judgement import EnvironmentJudgement, Infrastructure
from infraspec.fixes.patch_builder import PatchBuilder, Site
from infraspec.fixes.patches import patch_builder
from infraspec.fixes.proof import worse
from infraspec.fixes.references import UnfixableError
from infraspec.fixes.text_edits import Edit, OverlapError, edited

Needs: TypeAlias = dict[tuple[Path, int, str], list[tuple[Site, Grant]]]
"""What statements grant, by the block that has their policy and their place in it."""


class Narrowed(Struct, frozen=True):
    """A statement of a policy, the actions that are left of it, and why it is left as it is, if it is."""

    policy: str
    path: str
    actions: tuple[str, ...]
    reason: str = ""


class Narrowing(Struct):
    """Narrows the statements of a repository, each as far as the proof allows."""

    infrastructure: Infrastructure
    statements: list[Narrowed] = field(default_factory=list)
    texts: dict[Path, str] = field(default_factory=dict)
    _left: dict[str, str] = field(default_factory=dict)
    """Why a role is left alone."""

    def run(self) -> None:
        """Replace what can be; `statements` tells of each wide one, `texts` has the files that change."""
        before = self.infrastructure.judged()
        accepted: list[Edit] = []
        for (_, _, path), granted in self._needs().items():
            site, first = granted[0]
            actions = tuple(sorted({action for _, one in granted for action in one.change.actions}))
            reason = next((self._left[one.role] for _, one in granted if one.role in self._left), "")
            reason, edits = (reason, []) if reason else self._replaced(granted, path)
            texts = self._texts([*accepted, *edits]) if edits else {}
            reason = reason or self._worse(before, texts)
            if not reason:
                accepted, self.texts = [*accepted, *edits], texts
            self.statements.append(Narrowed(site.resource.address, first.path, actions, reason))

    def _needs(self) -> Needs:
        found: Needs = {}
        builder = self._builder()
        for name in self.infrastructure.names:
            plan = self.infrastructure.environments.plan(name)
            definitions = task_definitions(plan)
            granted, open_ = grants(plan, definitions, self.infrastructure.contract, name)
            self._left |= {role: f"not all that {role} needs is proven" for role in open_}
            applications = _of_applications(definitions, granted)
            self._left |= {role: f"what the application calls as {role} is not in the source" for role in applications}
            for one in granted:
                try:
                    site = builder.site(name, one.change.into)
                except UnfixableError:
                    continue
                found.setdefault((*site.block, one.path), []).append((site, one))
        return {
            key: granted
            for key, granted in found.items()
            if all(one.is_wide for _, one in granted) and granted[0][0].environment in self.infrastructure.chosen
        }

    def _builder(self) -> PatchBuilder:
        infrastructure = self.infrastructure
        return patch_builder(
            infrastructure.environments.plan, infrastructure.names, infrastructure.contract.directory.absolute()
        )

    def _replaced(self, granted: Sequence[tuple[Site, Grant]], path: str) -> tuple[str, list[Edit]]:
        try:
            return "", list(self._builder().replaced(path, [(site, one.change) for site, one in granted]))
        except UnfixableError as error:
            return str(error), []

    def _texts(self, edits: Sequence[Edit]) -> dict[Path, str]:
        edits = list(dict.fromkeys(edits))
        files = dict.fromkeys(edit.file for edit in edits)
        try:
            return {
                file: edited(self.infrastructure.text(file), [edit for edit in edits if edit.file == file])
                for file in files
            }
        except OverlapError:
            return {}

    def _worse(self, before: Mapping[str, EnvironmentJudgement], texts: Mapping[Path, str]) -> str:
        if not texts:
            return "it is written together with another statement"
        try:
            after = self.infrastructure.edited(texts).judged()
        except InfraspecError as error:
            return str(error).splitlines()[0]
        return next((problem for name, now in after.items() for problem in worse(before[name], now, name)), "")


def _of_applications(definitions: Sequence[TaskDefinition], granted: Sequence[Grant]) -> set[str]:
    """Return the roles that applications act with."""
    named = {str(getattr(definition.task_role, "address", definition.task_role)) for definition in definitions}
    return {one.role for one in granted if any(name.startswith(f"{one.role}.") for name in named)}
