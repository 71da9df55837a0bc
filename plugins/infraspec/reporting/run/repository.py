"""Paths as a report of a repository has them, the commit that a CI system has checked out, and links to its lines."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Location
from infraspec.reporting.document import link
from infraspec.reporting.run.results import Entry, Results

_COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "CODEBUILD_RESOLVED_SOURCE_VERSION", "GIT_COMMIT")
_TEXTS = ("address", "subject", "expected", "found", "reason", "remedy")
_HASH = re.compile(r"[0-9a-f]{7,64}")


def commit(environ: Mapping[str, str]) -> str:
    """Return the commit of GitHub Actions, GitLab CI, Bitbucket Pipelines, CodeBuild or Jenkins; empty elsewhere."""
    return next((found for name in _COMMITS if _HASH.fullmatch(found := environ.get(name, ""))), "")


class Links(Struct, frozen=True):
    """Where places of the repository are shown on GitHub or GitLab; nowhere if `prefix` is empty."""

    prefix: str = ""

    @classmethod
    def of(cls, results: Results, environ: Mapping[str, str]) -> Links:
        """Return the links of a workflow run: to the commit of the results, else to that of the run."""
        return cls.at(results.run.commit or environ.get("GITHUB_SHA", ""), environ)

    @classmethod
    def at(cls, commit: str, environ: Mapping[str, str]) -> Links:
        """Return the links to a commit of the repository that a workflow or a pipeline runs for.

        Source: GitHub Docs, "Variables reference": GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_SHA; GitLab Docs,
        "Predefined CI/CD variables reference": CI_PROJECT_URL.
        """
        server, name = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
        project = environ.get("CI_PROJECT_URL")
        if not commit:
            return cls()
        if server and name:
            return cls(f"{server}/{name}/blob/{commit}/")
        return cls(f"{project}/-/blob/{commit}/" if project else "")

    def address(self, location: Location) -> str:
        """Return where a place is shown; empty for what lies outside of the repository, or if that is not known."""
        if not self.prefix or location.file.startswith(("/", "..")):
            return ""
        return f"{self.prefix}{quote(location.file)}" + (f"#L{location.line}" if location.line else "")

    def place(self, location: Location) -> str:
        """Return a place in code, with its link if there is one."""
        return link(str(location), self.address(location))

    def behind(self, location: Location | None) -> str:
        """Return a place to stand behind what is there, or nothing."""
        return f" {self.place(location)}" if location else ""


class Repository:
    """The git repository that a contract lies in, or the contract's directory if it is in none."""

    def __init__(self, contract: Contract) -> None:
        self._directory = os.path.abspath(contract.directory)  # noqa: PTH100 - links are not followed
        self._here = os.path.abspath(os.curdir)  # noqa: PTH100 - likewise
        self._paths: dict[str, str] = {}

    @cached_property
    def root(self) -> str:
        """The absolute path of the repository."""
        above = (Path(self._directory), *Path(self._directory).parents)
        return next((str(path) for path in above if (path / ".git").exists()), self._directory)

    def path(self, shown: str) -> str:
        """Return a path as people see it (`contract.display`) relative to the repository."""
        if shown not in self._paths:
            self._paths[shown] = self._related(shown)
        return self._paths[shown]

    def _related(self, shown: str) -> str:
        bases = [self._here] if _inside(self._directory, self._here) else [self._directory, self._here]
        found = next((base for base in bases if os.path.exists(os.path.join(base, shown))), bases[0])  # noqa: PTH110, PTH118 - never raises
        return Path(os.path.relpath(os.path.join(found, shown), self.root)).as_posix()  # noqa: PTH118 - likewise

    def text(self, text: str) -> str:
        """Return a text without the absolute path of the repository."""
        return text.replace(f"{self.root}{os.sep}", "") if len(self.root) > 1 else text

    def finding(self, finding: Finding) -> Finding:
        """Return a finding with paths relative to the repository."""
        related = (
            replace(other, address=self.text(other.address), location=self.location(other.location))
            for other in finding.related
        )
        texts = {name: self.text(getattr(finding, name)) for name in _TEXTS}
        return replace(finding, **texts, location=self.location(finding.location), related=tuple(related))

    def entry(self, entry: Entry) -> Entry:
        """Return an entry with paths relative to the repository, that of a waiver in the source among them."""
        waiver = entry.waiver and replace(entry.waiver, place=self.location(entry.waiver.place))
        return replace(entry, finding=self.finding(entry.finding), waiver=waiver)

    def location(self, location: Location | None) -> Location | None:
        """Return a place with its path relative to the repository."""
        return Location(self.path(location.file), location.line) if location else None


def _inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)
