"""The command line: `infraspec COMMAND`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO

import click

from infraspec import __version__
from infraspec.command import reported
from infraspec.doctor_command import doctor
from infraspec.errors import ContractError, ProcessFileError
from infraspec.init_command import init
from infraspec.report_command import report


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="infraspec")
def main() -> None:
    """Prove that an AWS infrastructure is what its specification says.

    The suite itself runs in pytest: pytest --pyargs infraspec.tests_static --infraspec-dir DIR
    """


main.add_command(init)
main.add_command(doctor)
main.add_command(report)


class _Ordered(click.Option):
    """An option that remembers its place among the others: --var and --var-file win in the order given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"multiple": True, "expose_value": False, "callback": self.remember, **kwargs})

    @staticmethod
    def remember(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> None:
        """Keep the values; `ordered_arguments` puts them in order."""
        context.meta.setdefault("infraspec.arguments", {})[parameter.name] = list(values)


def ordered_arguments(context: click.Context, arguments: list[str]) -> list[tuple[str, str]]:
    """Return ("var", "NAME=VALUE") and ("var_file", "FILE") in the order of the command line."""
    values: dict[str, list[str]] = context.meta.get("infraspec.arguments", {})
    remaining = {name: list(items) for name, items in values.items()}
    order = [name for word in arguments for name in ("var_file", "var") if word.split("=")[0] == _flag(name)]
    return [(name, remaining[name].pop(0)) for name in order if remaining.get(name)]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


class _PlanCommand(click.Command):
    """Keep the words of the command line, which tell the order of --var and --var-file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as usual."""
        ctx.meta["infraspec.words"] = list(args)
        return super().parse_args(ctx, args)


@main.command(cls=_PlanCommand)
@click.option("--root", type=click.Path(path_type=Path), help="Root module to evaluate, without a contract.")
@click.option(
    "--infra", type=click.Path(path_type=Path), help="Infrastructure repository: where infraspec.toml is.  [default: .]"
)
@click.option("--env", "environment", help="Environment of the contract.  [default: the only one]")
@click.option("--var", cls=_Ordered, metavar="NAME=VALUE", help="Value of a root variable, as terraform's -var.")
@click.option("--var-file", cls=_Ordered, metavar="FILE", help="File of variable values, as terraform's -var-file.")
@click.option("--workspace", help="terraform.workspace.  [default: default]")
@click.option(
    "--known", multiple=True, metavar="KEY=VALUE", help="What a data source returns: aws_caller_identity.account_id=…"
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
@reported
def plan(  # noqa: PLR0917 - click passes by name
    context: click.Context,
    root: Path | None,
    infra: Path | None,
    environment: str | None,
    workspace: str | None,
    known: tuple[str, ...],
    form: str,
) -> None:
    """Print what Terraform source evaluates to, without terraform and without credentials.

    \b
    infraspec plan --infra . --env prod
    infraspec plan --root terraform/environments/prod --var image_tag=v16 --var-file prod.tfvars
    infraspec plan --root . --known aws_caller_identity.account_id=123456789012 --format json

    JSON has the shape of planned_values in `terraform show -json`, and `unknown`: by resource address the paths
    that are known only after apply. Text marks these with "known after apply" and what they are.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting import planned_values  # noqa: PLC0415 - other commands start faster without
    from infraspec.terraform.requests import PlanRequest  # noqa: PLC0415 - likewise

    if root is not None and (infra is not None or environment is not None):
        raise click.UsageError("--root stands alone; --infra and --env go together")
    request = PlanRequest(
        root=root,
        infra=infra or Path(),
        environment=environment,
        arguments=tuple(ordered_arguments(context, context.meta["infraspec.words"])),
        workspace=workspace,
        known=known,
    )
    evaluated = request.evaluate()
    write = planned_values.as_json if form == "json" else planned_values.as_text
    click.echo(write(evaluated))
    for diagnostic in evaluated.diagnostics:
        click.echo(f"{diagnostic.severity}: {diagnostic}", err=True)


@main.command()
@click.option(
    "--cases",
    "source",
    type=click.File("rb"),
    required=True,
    metavar="FILE",
    help="JSON Lines: one case a line; - reads standard input.",
)
@reported
def simulate(source: BinaryIO) -> None:
    """Decide IAM requests offline, as AWS would: one line of JSON for each case of a file.

    \b
    infraspec simulate --cases cases.jsonl
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
    from infraspec.iam.case import decided  # noqa: PLC0415 - other commands start faster without

    for line in decided(source, str(getattr(source, "name", "<stdin>"))):
        click.echo(line)


@main.command()
@click.option(
    "--infra",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Infrastructure repository: where infraspec.toml is.  [default: .]",
)
@click.option(
    "--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the document."
)
@click.option("--migration", is_flag=True, help="The way of existing resources to the rules, instead of the rules.")
@click.option("--env", "environments", multiple=True, help="Environment to migrate; repeatable.  [default: all]")
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), help="Plan or state of the one environment, as JSON."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="markdown",
    show_default=True,
    help="Of --migration.",
)
@reported
def conventions(  # noqa: PLR0917 - click passes by name
    infra: Path,
    lang: str,
    migration: bool,  # noqa: FBT001 - likewise
    environments: tuple[str, ...],
    plan_file: Path | None,
    form: str,
) -> None:
    """Write the naming and tagging rules of a contract as a document, or the migration of what breaks them.

    \b
    infraspec conventions --infra . --lang ja > docs/conventions.md
    infraspec conventions --infra . --migration --env prod --plan state.json

    A migration lists each existing resource whose name or tags break a rule, with the name to give it, whether that
    replaces it, and for what holds data the steps that keep it. Which resources exist is said by the plan or state of
    the contract's environment, or by --plan; without one, all of the source are taken to.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.conventions_command import document, migration_document  # noqa: PLC0415 - starts faster

    if migration:
        click.echo(migration_document(infra, environments, plan_file, lang, form))
    elif environments or plan_file:
        raise click.UsageError("--env and --plan belong to --migration")
    else:
        click.echo(document(infra, lang))


@main.command()
@click.option(
    "--infra", type=click.Path(path_type=Path), default=Path(), help="Infrastructure repository.  [default: .]"
)
@click.option(
    "--pull-requests", "file", type=click.Path(path_type=Path), required=True, help="What gh pr list --json … wrote."
)
@click.option("--at-least", type=click.FloatRange(0, 1), default=0.95, show_default=True, help="Share to be reached.")
@reported
def checklist(infra: Path, file: Path, at_least: float) -> None:
    """Say which share of the checklist merged pull requests had ticked, and what they left open.

    \b
    gh pr list --state merged --limit 100 --json number,body > merged.json
    infraspec checklist --pull-requests merged.json

    The items are [process] checklist of the contract. The exit code is 1 if the share is not reached.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec import contract as contracts  # noqa: PLC0415 - other commands start faster without
    from infraspec.process.checklist import compliance, read_pull_requests  # noqa: PLC0415 - likewise

    contract = contracts.load(infra, environments=[])
    if contract.process is None or not contract.process.checklist:
        raise ContractError(
            "the contract has no checklist", place=str(contract.path), remedy='[process]\nchecklist = ["…"]'
        )
    requests = read_pull_requests(file, str(file))
    share = compliance(requests, contract.process.checklist)
    if share is None:
        raise ProcessFileError("there is no pull request in the list", place=str(file))
    for request in requests:
        for item in request.open_items(contract.process.checklist):
            click.echo(f"#{request.number}: {item}")
    click.echo(f"{share:.1%} of {len(contract.process.checklist)} items in {len(requests)} pull requests")
    if share < at_least:
        sys.exit(1)


@main.command()
@click.option(
    "--infra", type=click.Path(path_type=Path), help="Infrastructure repository: where infraspec.toml is.  [default: .]"
)
@click.option("--env", "environment", help="Environment of the contract.  [default: the only one]")
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), help="A plan, as `terraform show -json` writes it."
)
@click.option("--role", required=True, help="Terraform address, name or ARN of a role.")
@click.option("--action", required=True, help="What is asked: secretsmanager:GetSecretValue.")
@click.option("--resource", required=True, help="ARN, *, or Terraform address of a resource.")
@click.option(
    "--context", "keys", multiple=True, metavar="KEY=VALUE", help="A condition key of the request; may be repeated."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@reported
def explain(  # noqa: PLR0917 - click passes by name
    infra: Path | None,
    environment: str | None,
    plan_file: Path | None,
    role: str,
    action: str,
    resource: str,
    keys: tuple[str, ...],
    form: str,
) -> None:
    """Say whether a role may do something, which statement decides, and what to add if none does.

    \b
    infraspec explain --env prod --role shop-prod-app-execution \\
        --action secretsmanager:GetSecretValue --resource aws_secretsmanager_secret.db
    infraspec explain --env prod --plan plan.json --role module.iam.aws_iam_role.task \\
        --action s3:GetObject --resource 'arn:aws:s3:::shop-prod-reports/2026/*' --format json

    All policies that the plan attaches to the role count: inline and managed ones, its boundary, the policy of the
    resource. Of the request is known what is of every request that ECS makes with a role; what else a Condition asks
    for is given with --context:

    \b
    infraspec explain … --action kms:Decrypt --resource aws_kms_key.main \\
        --context kms:ViaService=secretsmanager.eu-west-1.amazonaws.com

    A resource by its Terraform address is the ARN it will have, the six characters that AWS appends to a secret's name
    unknown; of a log group it is any stream, of a bucket any object, if the action is about these.

    \b
    exit code  0  allowed
               1  denied
               2  wrong input: no such role, action, resource or environment
               3  undetermined: it depends on what is not known
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.checks.explanation import explain as explained  # noqa: PLC0415 - other commands start faster without
    from infraspec.checks.secret_access import placed  # noqa: PLC0415 - likewise
    from infraspec.reporting import explanation as reports  # noqa: PLC0415 - likewise
    from infraspec.terraform.requests import environment_plan  # noqa: PLC0415 - likewise

    context = _keys(keys)
    evaluated, contract, name = environment_plan(infra or Path(), environment, plan_file)
    found = explained(placed(evaluated, contract, name), role, action, resource, context)
    click.echo(reports.as_json(found) if form == "json" else reports.as_text(found))
    sys.exit(reports.EXIT_CODES[found.outcome])


def _keys(pairs: tuple[str, ...]) -> dict[str, str | list[str]]:
    """Read KEY=VALUE; a key that is given more than once has several values."""
    values: dict[str, str | list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or ":" not in key:
            raise click.UsageError(f"--context is KEY=VALUE, such as aws:PrincipalOrgID=o-1, not {pair}")
        before = values.get(key)
        values[key] = value if before is None else [*([before] if isinstance(before, str) else before), value]
    return values
