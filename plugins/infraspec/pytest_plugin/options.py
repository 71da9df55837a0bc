"""Settings of a run: option, environment variable, ini value, default, in this order; each with its source."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Struct

from infraspec.core.errors import LOCAL

if TYPE_CHECKING:  # every pytest run imports this module
    from infraspec.contract.models import Contract

DEFAULT_NAME = "infraspec.toml"

_HELP = {
    "dir": "Directory of the infrastructure repository: where infraspec.toml is (default: the current directory)",
    "env": "Environments of the contract to check, separated by commas (default: all)",
    "plan": "Plan of one environment as JSON, written by `terraform show -json`",
    "snapshot": "File with `aws iam get-account-authorization-details`, for roles that are not in the plan, or several"
    " with commas; may be repeated",
    "labels": "Labels of the pull request, with commas, that may approve risks of a plan"
    " (default: those of the event in GITHUB_EVENT_PATH)",
    "reviews": "File with the reviews of the pull request: `gh api repos/{owner}/{repo}/pulls/NUMBER/reviews`",
    "revision": "Revision or image that services must run, or SERVICE=REVISION, with commas"
    " (default: what the source says)",
    "shard": "Check a part of the environments, such as 3/8: the third of eight; `infraspec report merge` joins them",
    "changed_from": "Check only the environments that the changes since this commit or branch may affect",
    "cache": "Directory to cache verdicts in: an environment without changes is not judged again",
    "results": "File to write the results to as JSON, for `infraspec report`",
    "lang": "Language of the reports: en or ja (default: the language of the contract, else the locale)",
}
_FLAGS = {
    "no_diff": "Require that a plan contains no changes: for a plan of what is deployed",
    "live": "Check what is deployed, in the named environment or else in the sandbox (implied by the live suite)",
}


def documented() -> dict[str, str]:
    """Return what each option is for, by its name without `--infraspec-`."""
    return _HELP | _FLAGS


_REPEATABLE = ("snapshot",)
_FILES = ("dir", "plan", "snapshot", "reviews", "results", "cache")
"""The settings that are paths: an empty one, such as a variable of a pipeline that is not set, is none."""
_LIVE_SUITE = re.compile(r"^infraspec\.tests_live(?:$|[.:])")
"""Arguments that name the live suite as a package, for `--pyargs`."""


class Setting(Struct, frozen=True):
    """A text and where it was set: "option", "environment variable", "ini" or "default"."""

    value: str
    source: str

    @property
    def is_set(self) -> bool:
        """Whether somebody set it."""
        return self.source != "default"

    @property
    def is_yes(self) -> bool:
        """Whether a flag is set, to something other than no."""
        return self.value.lower() not in ("", "0", "no", "false", "off")


class Settings(Struct, frozen=True):
    """What to check."""

    directory: Setting
    environments: Setting
    plan: Setting
    snapshot: Setting
    labels: Setting
    reviews: Setting
    revision: Setting
    shard: Setting
    changed_from: Setting
    cache: Setting
    results: Setting
    lang: Setting
    no_diff: Setting
    live: Setting

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """Read the settings of a run; one that names the live suite is live, before pytest finds its conftest.py.

        Raises UsageError for a path that is empty.
        """
        if any(_LIVE_SUITE.match(argument) for argument in config.args):
            config.option.infraspec_live = "yes"
        return cls(*(_setting(config, name, "." if name == "dir" else "") for name in (*_HELP, *_FLAGS)))

    @property
    def path(self) -> Path:
        """The infrastructure repository."""
        return Path(self.directory.value)

    @property
    def are_meant(self) -> bool:
        """Whether this run is about an infrastructure repository: somebody said so, or there is a contract."""
        given = any(one.is_set for one in (self.directory, self.environments, self.plan, self.snapshot)) or self.is_live
        return given or os.path.isfile(self.path / DEFAULT_NAME)  # noqa: PTH113 - never raises

    @property
    def plan_file(self) -> Path | None:
        """The plan file of this run, if one is given."""
        return Path(self.plan.value) if self.plan.value else None

    @property
    def snapshot_files(self) -> list[Path] | None:
        """The snapshots of IAM in the place of the contract's, if any are given; a live run has none, it asks AWS."""
        files = [Path(name) for name in _listed(self.snapshot.value)]
        return [] if self.is_live else files or None

    @property
    def results_file(self) -> Path | None:
        """The file that the results of this run are written to, if one is wanted."""
        return Path(self.results.value) if self.results.value else None

    @property
    def cache_directory(self) -> Path | None:
        """Where verdicts are kept, if that is wanted; a live run keeps none."""
        return Path(self.cache.value) if self.cache.value and not self.is_live else None

    @property
    def given_labels(self) -> tuple[str, ...] | None:
        """The labels of the pull request, if they are given."""
        return tuple(_listed(self.labels.value)) if self.labels.is_set else None

    @property
    def reviews_file(self) -> Path | None:
        """The reviews of the pull request, if they are given."""
        return Path(self.reviews.value) if self.reviews.value else None

    @property
    def is_live(self) -> bool:
        """Whether this run asks AWS."""
        return self.live.is_yes

    @property
    def named(self) -> list[str]:
        """The environments that were asked for by name, each once; an empty name if what was given has none.

        A live run that names none is about the sandbox: an account is asked where somebody said so.
        """
        names = list(dict.fromkeys(_listed(self.environments.value)))
        if names or self.environments.is_set:
            return names or [""]
        return [LOCAL] if self.is_live else []

    def chosen(self, contract: Contract) -> list[str]:
        """Return the names of the environments to check, in the contract's order where all are meant."""
        return self.named or list(contract.environments)

    def header(self) -> list[str]:
        """Return the lines of the report header."""
        chosen = self.environments.value or (LOCAL if self.is_live else "all environments")
        lines = [f"infraspec: {self.directory.value} ({self.directory.source}), {chosen} ({self.environments.source})"]
        if self.plan.value:
            lines.append(f"infraspec: plan {self.plan.value} ({self.plan.source})")
        if self.snapshot.value:
            unread = ", ignored: the live suite asks AWS itself" if self.is_live else ""
            lines.append(f"infraspec: snapshot {self.snapshot.value} ({self.snapshot.source}){unread}")
        for name, setting in (("shard", self.shard), ("changed from", self.changed_from), ("cache", self.cache)):
            if setting.value:
                lines.append(f"infraspec: {name} {setting.value} ({setting.source})")
        if self.labels.is_set:
            lines.append(f"infraspec: labels {self.labels.value} ({self.labels.source})")
        return lines


SETTINGS = pytest.StashKey[Settings]()
"""Where the settings of a run are kept."""


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and ini values."""
    group = parser.getgroup("infraspec", "infrastructure as its contract says")
    for name, text in documented().items():
        given: dict[str, Any] = {"action": "append" if name in _REPEATABLE else "store", "metavar": name.upper()}
        if name in _FLAGS:
            given = {"action": "store_const", "const": "yes"}
        flag = f"--infraspec-{name.replace('_', '-')}"
        group.addoption(flag, dest=f"infraspec_{name}", default=None, help=text, **given)
        parser.addini(f"infraspec_{name}", help=text, default=None)


def _listed(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _setting(config: pytest.Config, name: str, default: str) -> Setting:
    option = config.getoption(f"infraspec_{name}")
    if option is not None:
        if name in _FILES and not all(map(str.strip, option if name in _REPEATABLE else (option,))):
            flag = f"--infraspec-{name}"
            raise pytest.UsageError(f"{flag}: there is no name of a file\n  remedy:   name one, or leave {flag} out")
        return Setting(", ".join(option) if name in _REPEATABLE else option, "option")
    variable = os.environ.get(f"INFRASPEC_{name.upper()}")
    if variable or (variable is not None and name == "env"):  # an empty name is none, and not all of them
        return Setting(variable, "environment variable")
    ini = config.getini(f"infraspec_{name}")
    if ini:
        from infraspec.contract.paths import display  # noqa: PLC0415 - few runs have ini values, and it loads the contract

        if name in _REPEATABLE:
            ini = ", ".join(display(Path(), config.rootpath / path) for path in _listed(ini))
        is_path = name in ("dir", "plan", "results", "cache")
        return Setting(display(Path(), config.rootpath / ini) if is_path else str(ini), "ini")
    return Setting(default, "default")
