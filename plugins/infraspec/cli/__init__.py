"""The command line: `infraspec COMMAND`."""

from __future__ import annotations

import click

from infraspec import __version__
from infraspec.cli.common import LazyGroup

_COMMANDS = {
    "check": ("infraspec.cli.check:check", "Check the infrastructure against its contract."),
    "checklist": ("infraspec.cli.checklist:checklist", "Report how much of the pull request checklist was completed."),
    "conventions": ("infraspec.cli.conventions:conventions", "Write naming and tagging rules as a document."),
    "diagnose": (
        "infraspec.cli.diagnose:diagnose",
        "Diagnose a running service: what is wrong, why, and how to fix it.",
    ),
    "doctor": ("infraspec.cli.doctor:doctor", "Show what infraspec cannot determine yet, and how to change that."),
    "drill": ("infraspec.cli.drill:drill", "Simulate failures, and say who is alerted, when."),
    "explain": ("infraspec.cli.explain:explain", "Explain why a role is allowed, or not allowed, to do something."),
    "fix": ("infraspec.cli.fix:fix", "Fix violations in the Terraform source, with proven patches."),
    "get": ("infraspec.cli.get:get", "Download the modules that are missing."),
    "init": ("infraspec.cli.init:init", "Create infraspec.toml from what the repository contains."),
    "plan": ("infraspec.cli.plan:plan", "Print what Terraform source evaluates to."),
    "rehearse": (
        "infraspec.cli.rehearse:rehearse",
        "Run a playbook in the sandbox in which its failure was made.",
    ),
    "report": ("infraspec.cli.report:report", "Turn the results of a run into comments, SARIF, pages and more."),
    "rule": ("infraspec.cli.rule:rule", "Explain what a rule requires and why, with an example."),
    "runner-policy": (
        "infraspec.cli.runner_policy:runner_policy",
        "Print the IAM policy that the live suite needs.",
    ),
    "sandbox": ("infraspec.cli.sandbox:sandbox", "Run a local AWS emulator with your infrastructure in it."),
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
    infraspec init                create infraspec.toml from what the repository contains
    infraspec check               check the source against the contract
    infraspec check --live        check what is deployed
    infraspec fix                 fix violations in the source, as a diff or in the files
    infraspec doctor              show what is unknown, and how to change that
    infraspec explain …           explain why a role is allowed, or not allowed, to do something
    infraspec diagnose            diagnose a running service
    infraspec drill               say who would hear of each failure, and after how long
    infraspec rehearse            run the commands of a playbook until the sandbox is healthy

    Only the live suite, and options that say so, talk to AWS. Output is tables and colours on a terminal (no colours
    if NO_COLOR is set) and plain lines in a pipe. The exit code is 0 if all is well, 1 if something was found, 2 if the
    input is wrong; see --help of each command.
    """  # noqa: D301 - \b keeps click from wrapping the table
