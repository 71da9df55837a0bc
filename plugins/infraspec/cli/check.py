"""`infraspec check`: a suite, as one command."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

from infraspec.cli.common import PATH, reported, repository
from infraspec.core.errors import ContractError, did_you_mean
from infraspec.core.rules import RULES

_CHECKOUT = Path(__file__).parents[3]


class _BeforePytest(click.Command):
    """A command that hands what is after `--` to pytest."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options; of one that is not known, say where options of pytest go."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.possibilities:
                raise
            hint = f"{error.message} Options of pytest come after `--`: infraspec check -- -x"
            raise click.UsageError(hint, ctx) from None


@click.command(cls=_BeforePytest)
@click.option(
    "--infra", type=PATH, help="Infrastructure repository: where infraspec.toml is.  [default: here or above]"
)
@click.option("--env", "environment", help="Environments of the contract, separated by commas.  [default: all]")
@click.option(
    "--live", is_flag=True, help="Check what is deployed, with the live suite. Without --env: in the sandbox."
)
@click.option("--rule", "rules", multiple=True, metavar="NAME", help="Check only this rule; may be repeated.")
@click.option("--plan", type=PATH, help="Plan of one environment, as written by terraform show -json.")
@click.option("--snapshot", multiple=True, type=PATH, help="IAM of the account, for roles of other stacks.")
@click.option("--shard", metavar="K/N", help="Check the K-th of N parts of the environments, such as 3/8.")
@click.option("--changed-from", metavar="REF", help="Check what the changes since this commit or branch concern.")
@click.option("--cache", type=PATH, help="Directory to cache verdicts in; what has not changed is not judged again.")
@click.option("--results", type=PATH, help="File to write the results to, for infraspec report.")
@click.option("--lang", metavar="LANGUAGE", help="Language of the reports made of the results: en or ja.")
@click.option("--workers", metavar="N", help="Number of processes; auto for one per core.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@reported
def check(
    *,
    infra: Path | None,
    environment: str | None,
    live: bool,
    rules: tuple[str, ...],
    arguments: tuple[str, ...],
    **settings: object,
) -> None:
    """Check the infrastructure against its contract.

    \b
    infraspec check                           every environment, from source
    infraspec check --env prod --rule names   one rule in one environment
    infraspec check --live --env staging      what is deployed; reads from AWS, changes nothing
    infraspec check -- -x -vv                 with options of pytest

    Both suites consist of pytest tests, which this command runs; everything after -- goes to pytest, so all its options
    and plugins work. The contract is searched for in this directory and its parents.

    \b
    exit code  0  everything is proven or waived
               1  something is violated, or undetermined and the contract does not tolerate that
               2  a mistyped option or rule
               4  wrong input: no contract, unknown environment, unreadable source
               5  nothing was checked
    """  # noqa: D301 - \b keeps click from wrapping the examples
    for rule in rules:
        if rule not in RULES:
            raise ContractError("unknown rule", place=f"--rule {rule}", remedy=did_you_mean(rule, RULES))
    suite = _suite(live=live)
    chosen = {"dir": infra or _found(suite), "env": environment, **settings}
    command = [
        *suite,
        *_by_itself(suite, chosen["dir"]),
        *_options(chosen),
        *(["-k", " or ".join(rules)] if rules else []),
        *arguments,
    ]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *command])  # noqa: S606 - the arguments are the user's own


def _suite(*, live: bool) -> list[str]:
    """Return the arguments that name a suite: that of the package, or of the checkout which is installed."""
    name = "tests_live" if live else "tests_static"
    in_package = find_spec(f"infraspec.{name}") is not None
    return ["--pyargs", f"infraspec.{name}"] if in_package else [str(_CHECKOUT / name)]


def _found(suite: list[str]) -> Path | None:
    """Return the directory to name: none where pytest finds it, by the environment or in the user's pytest.ini.

    The pytest.ini beside the suite of a checkout names the reference, which is not what was asked about.
    """
    if os.environ.get("INFRASPEC_DIR"):
        return None
    directory = repository()
    return None if directory == Path() and len(suite) > 1 else directory


def _by_itself(suite: list[str], directory: object) -> list[str]:
    """Return what keeps pytest from the settings of an application's tests, where these do not speak of infraspec."""
    files = (Path(name) for name in ("pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"))
    told = any("infraspec_" in path.read_text("utf-8", "replace") for path in files if path.is_file())
    contract = Path(str(directory or ".")) / "infraspec.toml"
    return ["-c", str(contract)] if len(suite) > 1 and contract.is_file() and not told else []


def _options(settings: dict[str, object]) -> Iterator[str]:
    workers = settings.pop("workers")
    if workers:
        yield from ("-n", str(workers))
    for name, value in settings.items():
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                yield f"--infraspec-{name.replace('_', '-')}={one}"
