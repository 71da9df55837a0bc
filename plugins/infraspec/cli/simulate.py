"""`infraspec simulate`: IAM requests decided offline."""

from __future__ import annotations

import json
from typing import BinaryIO

import click

from infraspec.cli.common import reported
from infraspec.cli.terminal.console import is_terminal, show_document
from infraspec.iam.case import decided
from infraspec.reporting.explanation import decisions_document


@click.command()
@click.option(
    "--cases",
    "source",
    type=click.File("rb"),
    required=True,
    metavar="FILE",
    help="JSON Lines: one case a line; - reads standard input.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "text"]),
    help="JSON Lines, or a table for people.  [default: json, on a terminal text]",
)
@reported
def simulate(source: BinaryIO, form: str | None) -> None:
    """Decide IAM requests offline, as AWS would: a line for each case of a file.

    \b
    infraspec simulate --cases cases.jsonl --format json
    {"id": "read", "decision": "Allowed", "why": "allowed by policies[0] Statement.0"}

    A case is one line; here it is on several. What is null or left out does not take part, and a condition key that
    the context does not give is absent:

    \b
    {"id": "read",
     "policies": [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}],
     "boundary": null, "sessionPolicy": null, "resourcePolicy": null,
     "scps": [[{…}], [{…}]], "rcps": null,
     "request": {"principal": "arn:aws:sts::111122223333:assumed-role/app/1",
        "action": "secretsmanager:GetSecretValue",
        "resource": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf",
        "resourceAccount": "111122223333",
        "context": {"aws:SecureTransport": "true", "aws:TagKeys": ["team"]}}}

    \b
    policies        the principal's own: documents, or {"name": …, "policy": document}
    scps, rcps      a list of policies for each level, from the organization's root to the account
    resourcePolicy  of the secret, KMS key, bucket or topic; the trust policy of a role
    principal       ARN of a role, a role's session or a user, or a service: ecs-tasks.amazonaws.com
    decision        Allowed, ExplicitlyDenied, ImplicitlyDenied, or Undetermined where AWS does not
                    document the outcome; why says what decides

    A line that is no case is an error with its number and JSON path; nothing is decided then, and the exit code is 2.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    lines = decided(source, str(getattr(source, "name", "<stdin>")))
    if form == "json" or (form is None and not is_terminal()):
        click.echo("\n".join(lines), nl=bool(lines))
        return
    if lines or is_terminal():
        show_document(decisions_document(map(json.loads, lines)), "text")
