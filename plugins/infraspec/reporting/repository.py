"""Paths as a report of a repository has them, and the commit that a CI system says it has checked out."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from infraspec.contract.models import Contract
from infraspec.finding import Finding, Location, Related

_COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "CODEBUILD_RESOLVED_SOURCE_VERSION", "GIT_COMMIT")
_HASH = re.compile(r"[0-9a-f]{7,64}")


def commit(environ: Mapping[str, str]) -> str:
    """Return the commit of GitHub Actions, GitLab CI, Bitbucket Pipelines, CodeBuild or Jenkins; empty elsewhere."""
    return next((found for name in _COMMITS if _HASH.fullmatch(found := environ.get(name, ""))), "")


class Repository:
    """The git repository that a contract lies in, or the contract's directory if it is in none."""

    def __init__(self, contract: Contract) -> None:
        self._directory = os.path.abspath(contract.directory)  # noqa: PTH100 - links are not followed
        self._here = os.path.abspath(os.curdir)  # noqa: PTH100 - likewise

    @cached_property
    def root(self) -> str:
        """The absolute path of the repository."""
        above = (Path(self._directory), *Path(self._directory).parents)
        return next((str(path) for path in above if (path / ".git").exists()), self._directory)

    def path(self, shown: str) -> str:
        """Return a path as people see it (`contract.display`) relative to the repository."""
        bases = [self._here] if _inside(self._directory, self._here) else [self._directory, self._here]
        found = next((base for base in bases if os.path.exists(os.path.join(base, shown))), bases[0])  # noqa: PTH110, PTH118 - never raises
        return Path(os.path.relpath(os.path.join(found, shown), self.root)).as_posix()  # noqa: PTH118 - likewise

    def text(self, text: str) -> str:
        """Return a text without the absolute path of the repository."""
        return text.replace(f"{self.root}{os.sep}", "") if len(self.root) > 1 else text

    def finding(self, finding: Finding) -> Finding:
        """Return a finding with paths relative to the repository."""
        return Finding(
            finding.rule,
            finding.verdict,
            self.text(finding.address),
            self.text(finding.subject),
            self._location(finding.location),
            self.text(finding.expected),
            self.text(finding.found),
            self.text(finding.reason),
            self.text(finding.remedy),
            tuple(
                Related(other.role, self.text(other.address), self._location(other.location))
                for other in finding.related
            ),
            finding.advice,
        )

    def _location(self, location: Location | None) -> Location | None:
        return Location(self.path(location.file), location.line) if location else None


def _inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)
