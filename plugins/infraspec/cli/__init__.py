"""The command line: `infraspec COMMAND`."""

from __future__ import annotations

import click

from infraspec import __version__
from infraspec.cli.common import LazyGroup

_COMMANDS = {
    "check": ("infraspec.cli.check:check", "Prove that an infrastructure is what its contract says."),
    "checklist": ("infraspec.cli.checklist:checklist", "Say which share of the checklist was ticked."),
    "conventions": ("infraspec.cli.conventions:conventions", "Write naming and tagging rules as a document."),
    "diagnose": ("infraspec.cli.diagnose:diagnose", "Say what is wrong with a service that runs, and what mends it."),
    "doctor": ("infraspec.cli.doctor:doctor", "Say what keeps infraspec from knowing all."),
    "explain": ("infraspec.cli.explain:explain", "Say why a role may do something, or may not."),
    "get": ("infraspec.cli.get:get", "Fetch the modules that are called and not there."),
    "init": ("infraspec.cli.init:init", "Write the contract that a repository begins with."),
    "plan": ("infraspec.cli.plan:plan", "Print what Terraform source evaluates to."),
    "report": ("infraspec.cli.report:report", "Write the results of a run for people and tools."),
    "rule": ("infraspec.cli.rule:rule", "Say what a rule asks for and why, with an example."),
    "runner-policy": (
        "infraspec.cli.runner_policy:runner_policy",
        "Print the policy of the role that the live suite runs with.",
    ),
    "sandbox": ("infraspec.cli.sandbox:sandbox", "Keep an AWS running on this machine."),
    "simulate": ("infraspec.cli.simulate:simulate", "Decide IAM requests offline."),
}


@click.group(
    cls=LazyGroup,
    table=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="infraspec")
def main() -> None:
    """Prove that an AWS infrastructure is what its specification says.

    \b
    infraspec init                read a repository, write its infraspec.toml
    infraspec check               prove what the contract says, from source
    infraspec check --live        the same of what is deployed
    infraspec doctor              say what is not known, and how to make it known
    infraspec explain …           say why a role may do something, or may not
    infraspec diagnose            say what is wrong with a service that runs

    Nothing but the live suite and what says so asks AWS. A terminal gets tables and colours, without these where
    NO_COLOR is set; a pipe gets plain lines. The exit code is 0 if all is well, 1 if what was asked about is not, 2 if
    the input is wrong; --help of a command has more.
    """  # noqa: D301 - \b keeps click from wrapping the table
